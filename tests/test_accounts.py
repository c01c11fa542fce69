"""任命、免职: rights hang on an appointment and end with it."""

from __future__ import annotations

from typing import Any

import pytest

from models.permissions import Role
from models.union import TradeUnion
from schema.ids import encode_id
from tests.world import Client, World, codes, gid, told

APPOINTED = "appointment { id role union { name } account { realName phone } }"
SEEN = "query($id: ID!) { union(id: $id) { name viewerCan } }"


async def appoint(by: Client, union: TradeUnion, phone: str, role: str = "REVIEWER") -> dict[str, Any]:
    return await by.do("appoint", APPOINTED, unionId=gid(union), phone=phone, role=role)


async def end(by: Client, appointment: str) -> dict[str, Any]:
    return await by.do("endAppointment", "__typename", appointmentId=appointment)


# ── appointing ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("role", "can"),
    [
        ("ADMINISTRATOR", ["READ", "INVITE", "REVIEW", "APPOINT", "RENAME", "MOVE", "DISSOLVE", "EXPORT"]),
        ("REVIEWER", ["READ", "REVIEW"]),
        ("ANALYST", ["READ", "EXPORT"]),
    ],
)
async def test_an_appointment_gives_its_rights_at_once(world: World, role: str, can: list[str]) -> None:
    union = await world.union("深圳市总工会")
    mayor, officer = await world.administrator(union), await world.person("刘洋", phone="+8613800138000")
    assert await officer.ask(SEEN, id=gid(union)) is None
    made = await appoint(mayor, union, "138 0013 8000", role)
    assert made["errors"] == []
    assert made["appointment"] == {
        "id": made["appointment"]["id"],
        "role": role,
        "union": {"name": "深圳市总工会"},
        "account": {"realName": "刘洋", "phone": "138****8000"},
    }
    assert await officer.ask(SEEN, id=gid(union)) == {"name": "深圳市总工会", "viewerCan": can}
    told = {"name": "刘洋", "account": str(officer.account_id), "role": role}
    assert await world.sql("select action, actor_id, union_id, details from event") == [
        ("appointment.made", mayor.account_id, union.id, told)
    ]
    assert await world.sql("select appointed_by from appointment order by id") == [None, mayor.account_id]


async def test_appointing_twice_is_appointing_once(world: World) -> None:
    union = await world.union("深圳市总工会")
    mayor, _ = await world.administrator(union), await world.person("刘洋", phone="+8613800138000")
    first = await appoint(mayor, union, "13800138000")
    before = await world.fingerprint()
    assert await appoint(mayor, union, "+8613800138000") == first
    assert await world.fingerprint() == before
    other = await appoint(mayor, union, "13800138000", "ANALYST")  # another role is another appointment
    assert other["appointment"]["id"] != first["appointment"]["id"]


async def test_only_an_administrator_there_or_above_appoints(world: World) -> None:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    governor, reviewer, analyst = await world.administrator(province), await world.person(), await world.person()
    await world.appoint(reviewer, city, Role.REVIEWER)
    await world.appoint(analyst, city, Role.ANALYST)
    outsider = await world.administrator(await world.union("广州市总工会", province))
    await world.person("刘洋", phone="+8613800138000")

    before = await world.fingerprint()
    for somebody, code in ((reviewer, "FORBIDDEN"), (analyst, "FORBIDDEN"), (outsider, "NOT_FOUND")):
        assert told(await appoint(somebody, city, "13800138000")) == {(code, "unionId")}
    assert told(await appoint(world.stranger(), city, "13800138000")) == {("UNAUTHENTICATED", "")}
    bad = await governor.do("appoint", APPOINTED, unionId="x", phone="13800138000", role="ANALYST")
    assert told(bad) == {("INVALID", "unionId")}
    assert await world.fingerprint() == before
    assert codes(await appoint(governor, city, "13800138000")) == []


async def test_whom_and_where_are_told_together(world: World) -> None:
    union = await world.union("深圳市总工会")
    mayor = await world.administrator(union)
    await world.person("刘洋", phone="+8613800138000")
    before = await world.fingerprint()
    assert told(await appoint(mayor, union, "1")) == {("PHONE_INVALID", "phone")}
    unknown = await appoint(mayor, union, "13700137000")
    assert told(unknown) == {("NOT_FOUND", "phone")}
    assert unknown["errors"][0]["message"].startswith("没有使用该手机号的账号")
    assert await world.fingerprint() == before

    await world.dissolve(union)
    assert told(await appoint(mayor, union, "1")) == {("WRONG_STATE", "unionId"), ("PHONE_INVALID", "phone")}
    assert told(await appoint(mayor, union, "13800138000")) == {("WRONG_STATE", "unionId")}
    assert await world.rows("appointment") == 1


# ── ending ───────────────────────────────────────────────────────────────────────────────────


async def test_an_ended_appointment_allows_nothing_any_more(world: World) -> None:
    union = await world.union("深圳市总工会")
    mayor, officer = await world.administrator(union), await world.person("刘洋")
    appointment = await world.appoint(officer, union, Role.ADMINISTRATOR)
    assert await officer.ask(SEEN, id=gid(union)) is not None
    assert codes(await end(mayor, gid(appointment))) == []
    assert await officer.ask(SEEN, id=gid(union)) is None
    assert codes(await officer.do("createInvite", "invite { id }", unionId=gid(union))) == ["NOT_FOUND"]
    told = {"name": "刘洋", "account": str(officer.account_id), "role": "ADMINISTRATOR"}
    assert await world.sql("select action, actor_id, union_id, details from event") == [
        ("appointment.ended", mayor.account_id, union.id, told)
    ]


async def test_an_appointment_ends_once(world: World) -> None:
    union = await world.union("深圳市总工会")
    mayor, officer = await world.administrator(union), await world.person("刘洋", phone="+8613800138000")
    appointment = await world.appoint(officer, union, Role.REVIEWER)
    assert codes(await end(mayor, gid(appointment))) == []
    before = await world.fingerprint()
    assert told(await end(mayor, gid(appointment))) == {("NOT_FOUND", "appointmentId")}
    assert await world.fingerprint() == before

    again = await appoint(mayor, union, "13800138000")  # back in office, by another appointment
    assert again["errors"] == [] and again["appointment"]["id"] != gid(appointment)


async def test_one_may_give_up_ones_own_and_an_administrator_there_or_above_ends_any(world: World) -> None:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    governor, reviewer, analyst = await world.administrator(province), await world.person(), await world.person()
    first, second = await world.appoint(reviewer, city, Role.REVIEWER), await world.appoint(analyst, city, Role.ANALYST)
    outsider = await world.administrator(await world.union("广州市总工会", province))

    before = await world.fingerprint()
    assert told(await end(reviewer, gid(second))) == {("FORBIDDEN", "appointmentId")}
    assert told(await end(outsider, gid(second))) == {("NOT_FOUND", "appointmentId")}
    assert told(await end(governor, encode_id("Appointment", 999))) == {("NOT_FOUND", "appointmentId")}
    assert told(await end(governor, gid(city))) == {("INVALID", "appointmentId")}
    assert told(await end(world.stranger(), gid(second))) == {("UNAUTHENTICATED", "")}
    assert await world.fingerprint() == before

    assert codes(await end(analyst, gid(second))) == []
    assert codes(await end(governor, gid(first))) == []


# ── who is shown how ─────────────────────────────────────────────────────────────────────────


async def test_a_phone_is_whole_for_its_owner_and_masked_for_everybody_else(world: World) -> None:
    union = await world.union("深圳市总工会")
    mayor, applicant = await world.administrator(union), await world.person("陈伟", phone="+8613800138000")
    registration = await applicant.registered(union)
    applicants = "query($id: ID!) { registration(id: $id) { applicant { realName phone } } }"
    assert (await applicant.ask(applicants, id=registration))["applicant"]["phone"] == "13800138000"
    assert (await mayor.ask(applicants, id=registration))["applicant"] == {"realName": "陈伟", "phone": "138****8000"}

    await mayor.review(registration, "REJECT", opinion="重拍")
    reviewers = "query($id: ID!) { registration(id: $id) { reviews { reviewer { phone } } } }"
    [review] = (await applicant.ask(reviewers, id=registration))["reviews"]
    assert review["reviewer"]["phone"][3:7] == "****"


async def test_the_viewer_reads_what_they_are_appointed_to(world: World) -> None:
    province = await world.union("广东省总工会")
    city, person = await world.union("深圳市总工会", province), await world.person()
    for role in (Role.ANALYST, Role.REVIEWER):
        await world.appoint(person, city, role)
    ended = await world.appoint(person, province, Role.ANALYST)
    await world.sql("update appointment set ended_at = now() where id = :id", id=ended.id)
    viewer = await person.ask("{ viewer { appointments { role union { name parentName } } } }")
    assert viewer["appointments"] == [
        {"role": "ANALYST", "union": {"name": "深圳市总工会", "parentName": "广东省总工会"}},
        {"role": "REVIEWER", "union": {"name": "深圳市总工会", "parentName": "广东省总工会"}},
    ]
    at_city = await person.ask("query($id: ID!) { union(id: $id) { appointments { role } } }", id=gid(city))
    assert at_city == {"appointments": [{"role": "ANALYST"}, {"role": "REVIEWER"}]}
