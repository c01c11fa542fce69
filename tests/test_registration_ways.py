"""Who registers, and the ways to a parent: its code in four spellings, or its id from the directory."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import pytest
from sqlalchemy import func

from models.union import TradeUnion
from tests.world import GRASSROOTS, Client, World, codes, gid, told

SPELLINGS: Final = {
    "token": "{}",
    "scene": "i={}",
    "link": "http://union.test/i/{}",
    "q": quote("http://union.test/i/{}", safe="").replace("%7B%7D", "{}"),
}

REGISTER: Final = (
    "mutation($i: RegisterHigherLevelUnionInput!) { registerHigherLevelUnion(input: $i) { errors { code } } }"
)


async def before_a_parent(world: World) -> tuple[TradeUnion, Client]:
    return await world.union("深圳市总工会", region="440300"), await world.person()


def spelled(spelling: str, token: str) -> dict[str, str]:
    return {"inviteCode": SPELLINGS[spelling].format(token)}


# ── by code ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_an_open_code_leads_to_its_union_in_every_spelling(world: World, spelling: str) -> None:
    parent, applicant = await before_a_parent(world)
    code = await world.invite(parent, max_uses=1, expires_at=func.now() + func.make_interval(0, 0, 0, 1))
    received = await applicant.do(
        "registerHigherLevelUnion",
        "registration { parent { id } entryRoute }",
        **world.form(spelled(spelling, code.token), await applicant.certificate(), entryRoute="APP_SCAN"),
    )
    assert received == {"registration": {"parent": {"id": gid(parent)}, "entryRoute": "APP_SCAN"}, "errors": []}
    assert await world.sql("select invite_id, entry_route from registration") == [(code.id, "APP_SCAN")]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"expires_at": func.now()}, "INVITE_EXPIRED"),
        ({"max_uses": 3, "uses": 3}, "INVITE_EXHAUSTED"),
        ({"revoked_at": func.now()}, "INVITE_REVOKED"),
        ({"revoked_at": func.now(), "expires_at": func.now(), "max_uses": 1, "uses": 1}, "INVITE_REVOKED"),
        ({"expires_at": func.now(), "max_uses": 1, "uses": 1}, "INVITE_EXPIRED"),
        (None, "NOT_FOUND"),
    ],
    ids=["expired", "exhausted", "revoked", "all-three", "expired-and-exhausted", "unknown"],
)
async def test_a_closed_code_says_why_in_every_spelling(
    world: World, spelling: str, limits: dict[str, Any] | None, code: str
) -> None:
    parent, applicant = await before_a_parent(world)
    token = "A" * 22 if limits is None else (await world.invite(parent, **limits)).token
    certificate = await applicant.certificate()
    before = await world.fingerprint()
    refused = await applicant.register(spelled(spelling, token), certificateId=certificate)
    assert told(refused) == {(code, "parent.inviteCode")}
    assert await world.fingerprint() == before
    assert codes(await applicant.register(parent, certificateId=certificate)) == []


@pytest.mark.parametrize(
    "code",
    [
        "",
        "i=",
        "x",
        "http://union.test/i/",
        "http://union.test/j/{}",
        "http://union.test/i/{}/x",
        "{}\0",
        "{}{}",
        "%",
        "http://[/i/{}",
        " " * 2000 + "{}",
    ],
)
async def test_what_spells_no_code_leads_nowhere(world: World, code: str) -> None:
    parent, applicant = await before_a_parent(world)
    token = (await world.invite(parent)).token
    refused = await applicant.register({"inviteCode": code.format(token, token)})
    assert told(refused) == {("NOT_FOUND", "parent.inviteCode")}
    assert await world.rows("registration") == 0


async def test_uses_are_registrations_received_the_withdrawn_ones_included(world: World) -> None:
    parent, applicant = await before_a_parent(world)
    code = await world.invite(parent, max_uses=2)
    shown = "query($c: String!) { invite(code: $c) { uses maxUses status } }"
    reader = world.stranger()

    assert codes(await applicant.register(code, name="")) == ["REQUIRED"]
    assert await reader.ask(shown, c=code.token) == {"uses": 0, "maxUses": 2, "status": "OPEN"}
    await applicant.withdraw(await applicant.registered(code))
    assert await reader.ask(shown, c=code.token) == {"uses": 1, "maxUses": 2, "status": "OPEN"}
    await applicant.registered(parent)  # by its id: not through the code
    assert await reader.ask(shown, c=code.token) == {"uses": 1, "maxUses": 2, "status": "OPEN"}
    await applicant.registered(code)
    assert await reader.ask(shown, c=code.token) == {"uses": 2, "maxUses": 2, "status": "EXHAUSTED"}
    assert told(await applicant.register(code)) == {("INVITE_EXHAUSTED", "parent.inviteCode")}
    assert await reader.ask(shown, c=code.token) == {"uses": 2, "maxUses": 2, "status": "EXHAUSTED"}


async def test_a_code_of_a_dissolved_union_is_told_as_such(world: World) -> None:
    parent, applicant = await before_a_parent(world)
    code = await world.invite(parent)
    await applicant.registered(code)
    await world.dissolve(parent)
    assert told(await applicant.register(code)) == {("PARENT_DISSOLVED", "parent.inviteCode")}
    assert await world.rows("registration") == 1 and await world.sql("select uses from invite") == [1]


# ── who, and where to ────────────────────────────────────────────────────────────────────────


async def test_only_someone_signed_in_registers(world: World) -> None:
    parent, applicant = await before_a_parent(world)
    form = world.form(parent, await applicant.certificate())
    before = await world.fingerprint()
    refused = await world.stranger().do("registerHigherLevelUnion", "registration { id }", **form)
    assert told(refused) == {("UNAUTHENTICATED", "")}
    assert await world.fingerprint() == before
    assert codes(await applicant.do("registerHigherLevelUnion", "registration { id }", **form)) == []


async def test_only_a_verified_name_registers(world: World) -> None:
    parent, unverified = await world.union("深圳市总工会"), await world.person(verified=False)
    form = world.form(parent, await unverified.certificate())
    before = await world.fingerprint()
    refused = await unverified.do("registerHigherLevelUnion", "registration { id }", **form)
    assert told(refused) == {("REAL_NAME_REQUIRED", "")}
    assert refused["errors"][0]["message"] == "请先完成实名认证，再办理登记。"
    assert await world.fingerprint() == before

    await world.sql("update account set real_name_verified_at = now()")
    assert codes(await unverified.do("registerHigherLevelUnion", "registration { id }", **form)) == []


async def test_a_grassroots_union_takes_no_children_by_its_code_either(world: World) -> None:
    parent, applicant = await before_a_parent(world)
    leaf = await world.union("某厂工会", parent, GRASSROOTS)
    refused = await applicant.register(await world.invite(leaf))
    assert told(refused) == {("PARENT_IS_GRASSROOTS", "parent.inviteCode")}
    assert await world.rows("registration") == 0 and await world.sql("select uses from invite") == [0]


@pytest.mark.parametrize("named", [{}, {"inviteCode": "x" * 22, "unionId": "VW5pb246MQ"}, {"unionId": None}], ids=repr)
async def test_a_parent_is_named_in_exactly_one_way(world: World, named: dict[str, str]) -> None:
    parent, applicant = await before_a_parent(world)
    form = world.form(parent, await applicant.certificate())
    before = await world.fingerprint()
    answer = await applicant.answer(REGISTER, i={**form, "parent": named})
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
    assert "data" not in answer and await world.fingerprint() == before
    assert "errors" not in await applicant.answer(REGISTER, i=form)
