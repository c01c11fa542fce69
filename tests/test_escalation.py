"""Who decides when the union applied to has nobody who can: the nearest above that has, as long as it lasts."""

from __future__ import annotations

from typing import Any

from models.permissions import Role
from tests.world import Client, World, codes, gid

QUEUE = "{ pendingReviews { nodes { id viewerCan reviewers { id } } } }"


async def decide_and_look(person: Client, registration: str) -> tuple[list[str], list[str]]:
    """How their rejection is refused, if it is; and what the queue had told them that they may do."""
    [waiting] = (await person.ask(QUEUE))["nodes"]
    assert waiting["id"] == registration
    return codes(await person.review(registration, "REJECT", opinion="证件不清晰")), waiting["viewerCan"]


async def reveal(person: Client, registration: str) -> list[str]:
    return codes(await person.do("revealIdNumber", "idNumber", registrationId=registration, reason="核对"))


async def reviewers(asking: Client, registration: str) -> Any:
    found = await asking.ask("query($id: ID!) { registration(id: $id) { reviewers { id } } }", id=registration)
    return [one["id"] for one in found["reviewers"]]


async def test_where_nobody_is_appointed_the_nearest_above_decides_and_those_above_it_look_on(world: World) -> None:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    district = await world.union("福田区总工会", city)
    top, middle, applicant = await world.administrator(province), await world.person(), await world.person()
    await world.appoint(middle, city, Role.REVIEWER)
    registration = await applicant.registered(district)

    before = await world.fingerprint()
    assert await decide_and_look(top, registration) == (["FORBIDDEN"], ["READ"])
    assert await reveal(top, registration) == ["FORBIDDEN"]
    assert await world.fingerprint() == before

    assert await reviewers(applicant, registration) == [middle.gid]
    assert await reveal(middle, registration) == []
    assert await decide_and_look(middle, registration) == ([], ["READ", "REVIEW"])


async def test_an_analyst_is_nobody_who_could_decide(world: World) -> None:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    top, analyst = await world.administrator(province), await world.person()
    await world.appoint(analyst, city, Role.ANALYST)
    registration = await (await world.person()).registered(city)

    assert await decide_and_look(analyst, registration) == (["FORBIDDEN"], ["READ"])
    assert await decide_and_look(top, registration) == ([], ["READ", "REVIEW"])


async def test_nobody_decides_on_their_own_form_even_where_nobody_else_is_appointed(world: World) -> None:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    top, applicant = await world.administrator(province), await world.administrator(city)
    registration = await applicant.registered(city)

    before = await world.fingerprint()
    assert await decide_and_look(applicant, registration) == (["SELF_REVIEW"], ["READ", "WITHDRAW"])
    assert await world.fingerprint() == before

    assert await decide_and_look(top, registration) == ([], ["READ", "REVIEW"])


async def test_an_appointment_at_the_union_takes_the_decision_back(world: World) -> None:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    top, colleague = await world.administrator(province), await world.person()
    registration = await (await world.person()).registered(city)
    assert await reviewers(top, registration) == [top.gid]

    made = await world.appoint(colleague, city, Role.REVIEWER)
    assert await reviewers(top, registration) == [colleague.gid]
    assert await decide_and_look(top, registration) == (["FORBIDDEN"], ["READ"])

    ended = await colleague.do("endAppointment", "", appointmentId=gid(made))
    assert ended["errors"] == [] and await reviewers(top, registration) == [top.gid]
    assert await decide_and_look(top, registration) == ([], ["READ", "REVIEW"])


async def test_where_nobody_at_all_is_appointed_a_form_waits(world: World) -> None:
    """Nobody beside or below decides instead."""
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    district = await world.union("福田区总工会", city)
    below, analyst, applicant = await world.administrator(district), await world.person(), await world.person()
    await world.appoint(analyst, province, Role.ANALYST)
    registration = await applicant.registered(city)

    assert await reviewers(applicant, registration) == []
    assert await decide_and_look(analyst, registration) == (["FORBIDDEN"], ["READ"])
    assert codes(await below.review(registration)) == ["NOT_FOUND"]

    somebody = await world.administrator(province)
    assert await decide_and_look(somebody, registration) == ([], ["READ", "REVIEW"])
