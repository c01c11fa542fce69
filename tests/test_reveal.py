"""查看身份证号码: the whole number, for a reason that is kept."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pytest

from models.permissions import Role
from models.union import TradeUnion
from tests.world import Client, World, codes, gid, id_number, told

NUMBER: Final = "11010519491231002X"


class Scene(NamedTuple):
    world: World
    province: TradeUnion
    city: TradeUnion
    governor: Client
    mayor: Client
    applicant: Client
    id: str


async def scene(world: World) -> Scene:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    governor, mayor = await world.administrator(province), await world.administrator(city, "李静")
    applicant = await world.person("陈伟")
    registration = await applicant.registered(city, legalPersonIdNumber=NUMBER, name="华强工会")
    return Scene(world, province, city, governor, mayor, applicant, registration)


async def reveal(reader: Client, registration: str, reason: str = "与证件核对") -> dict[str, Any]:
    return await reader.do("revealIdNumber", "idNumber", registrationId=registration, reason=reason)


async def test_the_applicant_and_who_decides_see_the_whole_number(world: World) -> None:
    at = await scene(world)
    assert await reveal(at.applicant, at.id) == {"idNumber": NUMBER, "errors": []}
    assert await reveal(at.mayor, at.id) == {"idNumber": NUMBER, "errors": []}


async def test_looking_on_shows_it_masked_and_no_more(world: World) -> None:
    at = await scene(world)
    analyst, outsider = await world.person("赵敏"), await world.administrator(await world.union("广州市总工会"))
    await world.appoint(analyst, at.city, Role.ANALYST)
    masked = "query($id: ID!) { registration(id: $id) { legalPersonIdNumber } }"
    before = await world.fingerprint()
    for looking_on in (at.governor, analyst):
        assert await looking_on.ask(masked, id=at.id) == {"legalPersonIdNumber": "1****************X"}
        refused = await reveal(looking_on, at.id)
        assert refused["idNumber"] is None and told(refused) == {("FORBIDDEN", "registrationId")}
    assert told(await reveal(outsider, at.id)) == {("NOT_FOUND", "registrationId")}
    assert told(await reveal(world.stranger(), at.id)) == {("UNAUTHENTICATED", "")}
    assert told(await reveal(at.mayor, gid(at.city))) == {("INVALID", "registrationId")}
    assert await world.fingerprint() == before

    # Where nobody below decides, the province does, and may look.
    await world.sql("update appointment set ended_at = now() where account_id = :id", id=at.mayor.account_id)
    assert (await reveal(at.governor, at.id))["idNumber"] == NUMBER


@pytest.mark.parametrize(
    ("reason", "code"),
    [("", "REQUIRED"), (" \n ", "REQUIRED"), ("x" * 2001, "TOO_LONG"), ("核\u202e对", "INVALID")],
    ids=["empty", "blank", "long", "unseen"],
)
async def test_a_reason_is_stated(world: World, reason: str, code: str) -> None:
    at = await scene(world)
    before = await world.fingerprint()
    for reader in (at.mayor, at.applicant):
        refused = await reveal(reader, at.id, reason)
        assert refused["idNumber"] is None and told(refused) == {(code, "reason")}
    assert await world.fingerprint() == before
    assert codes(await reveal(at.mayor, at.id)) == []


async def test_who_saw_it_when_and_why_is_kept_without_the_number(world: World) -> None:
    at = await scene(world)
    await reveal(at.mayor, at.id, " 与证件核对 ")
    await reveal(at.mayor, at.id, "再次核对")
    recorded = (
        "select actor_id, union_id, registration_id, details from event where action = 'idNumber.revealed' order by id"
    )
    assert await world.sql(recorded) == [
        (at.mayor.account_id, at.city.id, 1, {"name": "华强工会", "reason": "与证件核对"}),
        (at.mayor.account_id, at.city.id, 1, {"name": "华强工会", "reason": "再次核对"}),
    ]
    assert all(NUMBER not in row for row in await world.sql("select e::text from event e"))
    latest = "query($id: ID!) { union(id: $id) { events(first: 1) { nodes { action summary } } } }"
    for language, summary in (
        ("zh-CN", "查看华强工会登记中的身份证号码，事由：再次核对"),
        ("en", "The ID number in the registration of 华强工会 was shown; reason: 再次核对"),
    ):
        at.mayor.language = language
        read = await at.mayor.ask(latest, id=gid(at.city))
        assert read["events"]["nodes"] == [{"action": "idNumber.revealed", "summary": summary}]


async def test_a_reason_is_told_as_it_was_stated(world: World) -> None:
    """Braces in it are no places of the sentence."""
    at = await scene(world)
    assert codes(await reveal(at.mayor, at.id, "{name} {0} %s {")) == []
    latest = "query($id: ID!) { union(id: $id) { events(first: 1) { nodes { summary } } } }"
    read = await at.mayor.ask(latest, id=gid(at.city))
    assert read["events"]["nodes"][0]["summary"].endswith("事由：{name} {0} %s {")


async def test_it_is_the_number_of_the_current_round(world: World) -> None:
    at = await scene(world)
    await at.mayor.review(at.id, "REJECT", opinion="号码有误")
    await at.applicant.resubmit(at.id, legalPersonIdNumber=id_number(7))
    assert (await reveal(at.mayor, at.id))["idNumber"] == id_number(7)
    await at.mayor.review(at.id, round=2)
    assert (await reveal(at.mayor, at.id))["idNumber"] == id_number(7)  # decided, it can still be looked up
