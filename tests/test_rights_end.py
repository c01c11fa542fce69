"""Rights hang on the appointment and on the sign-in, and end with them: at once, for everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from models.permissions import Role
from tests.world import Client, World, codes, gid
from web.asking import COOKIE

SIGHT = "query($id: ID!) { union(id: $id) { name } roots { name } pendingReviews { totalCount } }"
NOTHING: dict[str, Any] = {"union": None, "roots": [], "pendingReviews": {"totalCount": 0}}


async def end(person: Client, appointment: object) -> None:
    ended = await person.do("endAppointment", "", appointmentId=gid(appointment))
    assert ended["errors"] == []


async def test_an_ended_appointment_ends_reading_and_writing_at_once(world: World) -> None:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    top, officer, applicant = await world.administrator(province), await world.person(), await world.person()
    held, invite = await world.appoint(officer, city), await world.invite(city)
    registration = await applicant.registered(city)
    mutations: list[tuple[str, dict[str, Any]]] = [
        ("createInvite", {"unionId": gid(city)}),
        ("revokeInvite", {"inviteId": gid(invite)}),
        ("appoint", {"unionId": gid(city), "phone": "13800138000", "role": "ANALYST"}),
        ("revealIdNumber", {"registrationId": registration, "reason": "核对"}),
        ("reviewRegistration", {"registrationId": registration, "round": 1, "decision": "APPROVE"}),
        ("endAppointment", {"appointmentId": gid(held)}),
    ]
    sight = await officer.ask(SIGHT, id=gid(city))
    assert sight["union"] == {"name": "深圳市总工会"} and sight["pendingReviews"] == {"totalCount": 1}
    assert codes(await officer.do("createInvite", "", unionId=gid(city))) == []

    await end(top, held)

    assert await officer.ask(SIGHT, id=gid(city)) == NOTHING
    node = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await officer.ask(node, ids=[gid(city), gid(invite), gid(held), registration]) == [None] * 4
    before = await world.fingerprint()
    for mutation, wanted in mutations:
        assert codes(await officer.do(mutation, "", **wanted)) == ["NOT_FOUND"], mutation
    assert await world.fingerprint() == before
    assert await officer.ask("{ viewer { account { id } } }") == {"account": {"id": officer.gid}}  # still signed in


async def test_an_idempotency_key_does_not_outlive_the_right_to_use_it(world: World) -> None:
    province = await world.union("广东省总工会")
    top, officer = await world.administrator(province), await world.person()
    held = await world.appoint(officer, province)
    wanted = {"unionId": gid(province), "idempotencyKey": "k-1"}
    first = await officer.do("createInvite", "invite { token }", **wanted)
    assert await officer.do("createInvite", "invite { token }", **wanted) == first

    await end(top, held)

    again = await officer.do("createInvite", "invite { token }", **wanted)
    assert codes(again) == ["NOT_FOUND"] and again["invite"] is None


async def test_links_to_certificates_that_were_handed_out_stop_with_the_appointment(world: World) -> None:
    city = await world.union("深圳市总工会")
    top, officer, applicant = await world.administrator(city), await world.person(), await world.person()
    held = await world.appoint(officer, city, Role.ANALYST)
    registration = await applicant.registered(city)
    link_of = "query($id: ID!) { registration(id: $id) { certificate { url } } }"
    theirs, anothers, own = [
        (await reader.ask(link_of, id=registration))["certificate"]["url"] for reader in (officer, top, applicant)
    ]

    async def shown(link: str, reader: Client) -> int:
        async with reader.http() as http:
            return (await http.get(link)).status_code

    nobody, bare = world.stranger(), theirs.partition("?")[0]
    assert (await shown(theirs, nobody), await shown(bare, officer)) == (200, 200)

    await end(top, held)

    assert (await shown(theirs, nobody), await shown(bare, officer)) == (404, 404)
    assert await shown(theirs, top) == 404  # a link shows what its own account may see, whoever carries it
    assert (await shown(anothers, nobody), await shown(own, nobody)) == (200, 200)


async def test_who_founded_a_union_sees_their_form_and_no_longer_the_union(world: World) -> None:
    city = await world.union("深圳市总工会")
    top, applicant = await world.administrator(city), await world.person()
    registration = await applicant.registered(city, name="福田区总工会")
    approved = (await top.review(registration))["registration"]["union"]["id"]
    mine = """query($id: ID!, $union: ID!) {
        registration(id: $id) { status union { name } } union(id: $union) { name appointments { id } } }"""
    before = await applicant.ask(mine, id=registration, union=approved)
    assert before["registration"] == {"status": "APPROVED", "union": {"name": "福田区总工会"}}

    [held] = before["union"]["appointments"]
    assert codes(await top.do("endAppointment", "", appointmentId=held["id"])) == []

    after = await applicant.ask(mine, id=registration, union=approved)
    assert after == {"registration": {"status": "APPROVED", "union": None}, "union": None}


async def test_appointments_add_up_and_ending_one_keeps_the_other(world: World) -> None:
    province, railway = await world.union("广东省总工会"), await world.union("铁路工会")
    city = await world.union("深圳市总工会", province)
    top, person, applicant = await world.administrator(province), await world.person(), await world.person()
    reading = await world.appoint(person, province, Role.ANALYST)
    reviewing = await world.appoint(person, city, Role.REVIEWER)
    elsewhere = await world.appoint(person, railway, Role.ADMINISTRATOR)
    first, second = await applicant.registered(city), await applicant.registered(city)
    await applicant.registered(province)

    async def can() -> Any:
        unions = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Union { viewerCan } } }"
        found = await person.ask(unions, ids=[gid(province), gid(city), gid(railway)])
        return [node and node["viewerCan"] for node in found]

    async def tops_and_queue() -> tuple[list[str], int]:
        read = await person.ask("{ roots { name } pendingReviews { totalCount } }")
        return [union["name"] for union in read["roots"]], read["pendingReviews"]["totalCount"]

    administering = ["READ", "INVITE", "REVIEW", "APPOINT", "RENAME", "MOVE", "DISSOLVE", "EXPORT"]
    assert await can() == [["READ", "EXPORT"], ["READ", "REVIEW", "EXPORT"], administering]
    assert await tops_and_queue() == (["广东省总工会", "铁路工会"], 3)  # what two appointments reach is there once
    assert codes(await person.review(first)) == []

    await end(top, reading)
    assert await can() == [None, ["READ", "REVIEW"], administering]
    assert await tops_and_queue() == (["深圳市总工会", "铁路工会"], 1)

    await end(top, reviewing)
    assert await can() == [None, None, administering]
    assert codes(await person.review(second)) == ["NOT_FOUND"]

    await end(person, elsewhere)
    assert await can() == [None, None, None] and await tops_and_queue() == ([], 0)


async def test_the_same_role_at_the_same_union_can_be_held_again(world: World) -> None:
    city = await world.union("深圳市总工会")
    top, person = await world.administrator(city), await world.person(phone="+8613700000001")
    await end(top, await world.appoint(person, city, Role.REVIEWER))
    assert await person.ask("{ roots { name } }") == []

    wanted = {"unionId": gid(city), "phone": "13700000001", "role": "REVIEWER"}
    assert codes(await top.do("appoint", "", **wanted)) == []
    assert await person.ask("{ roots { name } }") == [{"name": "深圳市总工会"}]


async def test_signing_out_ends_this_sign_in_and_no_other(world: World) -> None:
    city = await world.union("深圳市总工会")
    here = await world.administrator(city)
    there = await world.elsewhere(here)

    assert (await here.ask("mutation { signOut { errors { code } } }")) == {"errors": []}

    assert await here.ask("{ viewer { account { id } } }") is None
    assert await here.ask(SIGHT, id=gid(city)) == NOTHING
    assert codes(await here.do("createInvite", "", unionId=gid(city))) == ["UNAUTHENTICATED"]
    assert codes(await there.do("createInvite", "", unionId=gid(city))) == []


async def test_a_sign_in_that_has_run_out_opens_nothing(world: World) -> None:
    city = await world.union("深圳市总工会")
    officer = await world.administrator(city)
    assert (await officer.ask(SIGHT, id=gid(city)))["union"] == {"name": "深圳市总工会"}

    await world.sql("update session set expires_at = now()")

    before = await world.fingerprint()
    assert await officer.ask("{ viewer { account { id } } }") is None
    assert await officer.ask(SIGHT, id=gid(city)) == NOTHING
    assert codes(await officer.do("createInvite", "", unionId=gid(city))) == ["UNAUTHENTICATED"]
    assert await world.fingerprint() == before
    async with world.stranger().http() as http:
        assert await who_is_signed_in(http, {"cookie": f"{COOKIE}={officer.token}"}) is None


async def who_is_signed_in(http: httpx.AsyncClient, headers: Mapping[str, str]) -> Any:
    answer = await http.post("/graphql", json={"query": "{ viewer { account { realName } } }"}, headers=headers)
    viewer = answer.json()["data"]["viewer"]
    return viewer and viewer["account"]["realName"]


@pytest.mark.parametrize(
    ("authorization", "cookie", "expected"),
    [
        pytest.param("Bearer {wang}", None, "王芳", id="a token"),
        pytest.param("bearer  {wang}", None, "王芳", id="a token, as HTTP lets one spell it"),
        pytest.param(None, "{wang}", "王芳", id="a cookie"),
        pytest.param("Bearer {li}", "{wang}", "李静", id="a token beside a cookie of somebody else"),
        pytest.param("Bearer ", "{wang}", None, id="no token beside a good cookie"),
        pytest.param("Bearer {wang} {wang}", "{wang}", None, id="two tokens beside a good cookie"),
        pytest.param("Basic {wang}", "{wang}", None, id="another scheme beside a good cookie"),
        pytest.param("{wang}", "{wang}", None, id="a bare token beside a good cookie"),
        pytest.param("", "{wang}", None, id="an empty header beside a good cookie"),
        pytest.param("Bearer {wang}x", "{wang}", None, id="a token of nobody beside a good cookie"),
        pytest.param(None, "{wang}x", None, id="a cookie of nobody"),
        pytest.param(None, None, None, id="neither"),
    ],
)
async def test_a_token_or_a_cookie_signs_in_and_a_wrong_header_signs_nobody_in(
    world: World, authorization: str | None, cookie: str | None, expected: str | None
) -> None:
    wang, li = await world.person("王芳"), await world.person("李静")
    given = {"authorization": authorization, "cookie": cookie and f"{COOKIE}={cookie}"}
    headers = {name: value.format(wang=wang.token, li=li.token) for name, value in given.items() if value is not None}

    async with world.stranger().http() as http:
        assert await who_is_signed_in(http, headers) == expected


async def test_a_cookie_opens_what_a_token_opens(world: World) -> None:
    city = await world.union("深圳市总工会")
    officer, applicant, nobody = await world.administrator(city), await world.person(), await world.person()
    registration = await applicant.registered(city)
    find = "query($id: ID!) { registration(id: $id) { certificate { url } } }"
    link = (await officer.ask(find, id=registration))["certificate"]["url"].partition("?")[0]

    async with world.stranger().http() as http:
        for person, status in ((officer, 200), (nobody, 404)):
            assert (await http.get(link, headers={"cookie": f"{COOKIE}={person.token}"})).status_code == status
            assert (await http.get(link, headers={"authorization": f"Bearer {person.token}"})).status_code == status


async def test_remembered_rights_are_compared_by_the_statement_that_uses_them(world: World) -> None:
    city = await world.union("深圳市总工会")
    top, officer = await world.administrator(city), await world.person()

    async def asked(officer: Client) -> tuple[dict[str, Any], int]:
        with world.counted() as statements:
            sight = await officer.ask(SIGHT, id=gid(city))
        return sight, len(statements)

    assert await asked(officer) == (NOTHING, 2)  # who it is, and what they see
    assert await asked(officer) == (NOTHING, 1)

    held = await world.appoint(officer, city)
    sight, statements = await asked(officer)
    assert sight["union"] == {"name": "深圳市总工会"} and statements == 3  # in vain, who it is now, and what they see
    assert await asked(officer) == (sight, 1)

    await end(top, held)
    assert await asked(officer) == (NOTHING, 3)

    await officer.ask("mutation { signOut { errors { code } } }")
    viewer = "{ viewer { account { id } } }"
    assert await officer.ask(viewer) is None
