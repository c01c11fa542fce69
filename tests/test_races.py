"""Two at once, on connections of their own: one is first, and the other is told so.

Each race is started while a row that all of them need is locked, and let go once all of them wait:
they overlap every time, and not by luck.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from sqlalchemy import text

from models.permissions import Role
from models.union import TradeUnion
from tests.world import Client, World, codes, credit_code, gid, told

Payload = dict[str, Any]
WAITING = """select count(*) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and backend_type = 'client backend'"""


async def at_once(
    world: World, row: str, *requests: Coroutine[Any, Any, Payload], meanwhile: str = ""
) -> list[Payload]:
    """The answers of requests that all began before any of them could go on.

    `row` is the FROM and WHERE of what they wait for; `meanwhile` is done to it before they go on.
    """
    async with asyncio.timeout(20):
        async with world.owner.connect() as connection, connection.begin():
            await connection.execute(text(f"select 1 from {row} for update"))  # noqa: S608 - the tests' own words
            started = [asyncio.ensure_future(request) for request in requests]
            while len([one for one in started if not one.done()]) > (await world.sql(WAITING))[0]:
                continue
            if meanwhile:
                await connection.execute(text(meanwhile))
        return list(await asyncio.gather(*started))


async def city_with(world: World, *names: str) -> tuple[TradeUnion, list[Client]]:
    """A city, and its administrators by name."""
    city = await world.union("深圳市总工会")
    return city, [await world.administrator(city, name) for name in names]


# ── deciding ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("other", ["APPROVE", "REJECT"])
@pytest.mark.parametrize("first", ["APPROVE", "REJECT"])
async def test_of_two_reviewers_one_decides(world: World, first: str, other: str) -> None:
    city, (one, two) = await city_with(world, "王芳", "李静")
    registration = await (await world.person()).registered(city)
    answers = await at_once(
        world,
        "registration where id = 1",
        one.review(registration, first, opinion="意见"),
        two.review(registration, other, opinion="意见"),
    )
    assert sorted(map(codes, answers)) == [[], ["WRONG_STATE"]]
    [accepted] = [answer for answer in answers if not answer["errors"]]
    assert await world.sql("select status from registration") == [accepted["registration"]["status"]]
    assert await world.rows("review") == 1
    assert await world.rows("trade_union") == (2 if accepted["registration"]["status"] == "APPROVED" else 1)


@pytest.mark.parametrize("clash", ["name", "uscc"])
async def test_of_two_approvals_of_one_name_or_code_one_is_planted(world: World, clash: str) -> None:
    city, (one, two) = await city_with(world, "王芳", "李静")
    applicant = await world.person()
    same = {"name": "华强工会"} if clash == "name" else {"uscc": credit_code("89", 42)}
    first, second = await applicant.registered(city, **same), await applicant.registered(city, **same)
    answers = await at_once(
        world,
        f"trade_union where id = {city.id}",
        one.review(first),
        two.review(second),  # both wait for the parent
    )
    taken = "NAME_TAKEN" if clash == "name" else "USCC_TAKEN"
    assert sorted(told(answer) for answer in answers if answer["errors"]) == [{(taken, "registrationId")}]
    assert await world.rows("trade_union") == 2 and await world.rows("review") == 1
    assert sorted(await world.sql("select status from registration")) == ["APPROVED", "PENDING"]


@pytest.mark.parametrize("first", ["approve", "withdraw"])
async def test_an_approval_and_a_withdrawal_do_not_both_happen(world: World, first: str) -> None:
    city, (mayor,) = await city_with(world, "王芳")
    applicant = await world.person()
    registration = await applicant.registered(city)
    race = [mayor.review(registration), applicant.withdraw(registration)]
    answers = await at_once(world, "registration where id = 1", *(race if first == "approve" else race[::-1]))
    assert sorted(map(codes, answers)) == [[], ["WRONG_STATE"]]
    [state] = await world.sql("select status from registration")
    planted, reviewed = await world.rows("trade_union") - 1, await world.rows("review")
    assert (state, planted, reviewed) in {("APPROVED", 1, 1), ("WITHDRAWN", 0, 0)}


@pytest.mark.parametrize("first", ["review", "end"])
async def test_nobody_decides_after_their_appointment_has_ended(world: World, first: str) -> None:
    city, (mayor,) = await city_with(world, "王芳")
    officer, applicant = await world.person("刘洋"), await world.person()
    held = await world.appoint(officer, city, Role.REVIEWER)
    registration = await applicant.registered(city)
    answered: list[str] = []

    async def noted(name: str, request: Coroutine[Any, Any, Payload]) -> Payload:
        answer = await request
        answered.append(name)
        return answer

    review = noted("review", officer.review(registration))
    end = noted("end", mayor.do("endAppointment", "", appointmentId=gid(held)))
    race = (review, end) if first == "review" else (end, review)
    answers = dict(
        zip(
            (("review", "end") if first == "review" else ("end", "review")),
            await at_once(world, f"appointment where id = {held.id}", *race),
            strict=True,
        )
    )

    assert codes(answers["end"]) == []
    happened = await world.sql("select action from event where action <> 'registration.submitted' order by id")
    if codes(answers["review"]):
        assert codes(answers["review"]) == ["NOT_FOUND"]
        assert happened == ["appointment.ended"] and await world.rows("review") == 0
    else:
        decided = ["registration.approved", "union.founded", "appointment.made"]
        assert happened == [*decided, "appointment.ended"]  # the end waited for the decision


# ── asking twice ─────────────────────────────────────────────────────────────────────────────


async def test_one_form_sent_twice_under_one_key_is_one_registration(world: World) -> None:
    city, _ = await city_with(world)
    applicant = await world.person()
    form = world.form(await world.invite(city, max_uses=1), await applicant.certificate(), idempotencyKey="k")

    def send() -> Coroutine[Any, Any, Payload]:
        return applicant.do("registerHigherLevelUnion", "registration { id status name }", **form)

    answers = await at_once(world, f"trade_union where id = {city.id}", send(), send())
    assert answers[0] == answers[1] and answers[0]["errors"] == []
    for table in ("registration", "submission", "idempotency_key", "event"):
        assert await world.rows(table) == 1
    assert await world.sql("select uses from invite") == [1]


async def test_when_the_first_of_two_is_refused_the_second_is_tried_itself(world: World) -> None:
    city, _ = await city_with(world)
    applicant = await world.person()
    form = world.form(city, await applicant.certificate(), idempotencyKey="k")
    wrong, right = {**form, "regionCode": "999999"}, form
    answers = await at_once(
        world,
        f"trade_union where id = {city.id}",
        applicant.do("registerHigherLevelUnion", "registration { id }", **wrong),
        applicant.do("registerHigherLevelUnion", "registration { id }", **right),
    )
    assert codes(answers[0]) in (["REGION_UNKNOWN"], ["IDEMPOTENCY_CONFLICT"])
    assert codes(answers[1]) == [] and await world.rows("registration") == 1


async def test_one_correction_sent_twice_under_one_key_is_one_round(world: World) -> None:
    city, (mayor,) = await city_with(world, "王芳")
    applicant = await world.person()
    registration = await applicant.registered(city)
    await mayor.review(registration, "REJECT", opinion="重拍")
    answers = await at_once(
        world,
        "registration where id = 1",
        applicant.resubmit(registration, name="新名", idempotencyKey="k"),
        applicant.resubmit(registration, name="新名", idempotencyKey="k"),
    )
    assert answers[0] == answers[1]
    assert answers[0]["registration"] == {"id": registration, "status": "PENDING", "round": 2, "name": "新名"}
    assert await world.rows("submission") == 2


async def test_one_verdict_sent_twice_under_one_key_is_one_review(world: World) -> None:
    city, (mayor,) = await city_with(world, "王芳")
    registration = await (await world.person()).registered(city)
    answers = await at_once(
        world,
        "registration where id = 1",
        mayor.review(registration, idempotencyKey="k"),
        mayor.review(registration, idempotencyKey="k"),
    )
    assert answers[0] == answers[1] and answers[0]["registration"]["status"] == "APPROVED"
    assert await world.rows("review") == 1 and await world.rows("trade_union") == 2


async def test_one_wish_for_a_code_sent_twice_under_one_key_is_one_code(world: World) -> None:
    city, (mayor,) = await city_with(world, "王芳")

    def wish() -> Coroutine[Any, Any, Payload]:
        return mayor.do("createInvite", "invite { id token }", unionId=gid(city), idempotencyKey="k")

    answers = await at_once(world, f"trade_union where id = {city.id}", wish(), wish())
    assert answers[0] == answers[1] and answers[0]["errors"] == []
    assert await world.rows("invite") == 1


# ── the last one of something ────────────────────────────────────────────────────────────────


async def test_one_photo_shows_one_of_two_registrations(world: World) -> None:
    city, _ = await city_with(world)
    applicant = await world.person()
    photo = await applicant.certificate()
    answers = await at_once(
        world,
        "certificate where id = 1",
        applicant.register(city, certificateId=photo),
        applicant.register(city, certificateId=photo),
    )
    assert sorted(map(codes, answers)) == [[], ["CERTIFICATE_IN_USE"]]
    assert await world.rows("registration") == 1


async def test_the_last_use_of_a_code_goes_to_one_of_five(world: World) -> None:
    city, _ = await city_with(world)
    code = await world.invite(city, max_uses=1)
    applicants = [await world.person() for _ in range(5)]
    photos = [await applicant.certificate() for applicant in applicants]
    answers = await at_once(
        world,
        "invite where id = 1",
        *(one.register(code, certificateId=photo) for one, photo in zip(applicants, photos, strict=True)),
    )
    assert sorted(map(codes, answers)) == [[], *[["INVITE_EXHAUSTED"]] * 4]
    assert await world.rows("registration") == 1 and await world.sql("select uses from invite") == [1]


@pytest.mark.parametrize(
    ("meanwhile", "code"),
    [
        ("revoked_at = now()", "INVITE_REVOKED"),
        ("expires_at = now()", "INVITE_EXPIRED"),
        ("uses = 9", "INVITE_EXHAUSTED"),
    ],
    ids=["revoked", "expired", "exhausted"],
)
async def test_a_code_that_closes_while_a_form_is_being_read_takes_it_no_more(
    world: World, meanwhile: str, code: str
) -> None:
    city, _ = await city_with(world)
    applicant, invite = await world.person(), await world.invite(city, max_uses=9)
    photo = await applicant.certificate()
    [answer] = await at_once(
        world,
        "invite where id = 1",
        applicant.register(invite, certificateId=photo),
        meanwhile=f"update invite set {meanwhile}",  # noqa: S608 - of the table above
    )
    assert told(answer) == {(code, "parent.inviteCode")}
    assert await world.rows("registration") == 0


# ── correcting and withdrawing, appointing and ending ────────────────────────────────────────


@pytest.mark.parametrize("first", ["resubmit", "withdraw"])
async def test_a_correction_and_a_withdrawal_leave_it_withdrawn_or_refuse_one(world: World, first: str) -> None:
    city, (mayor,) = await city_with(world, "王芳")
    applicant = await world.person()
    registration = await applicant.registered(city)
    await mayor.review(registration, "REJECT", opinion="重拍")
    race = [applicant.resubmit(registration, name="新名"), applicant.withdraw(registration)]
    answers = await at_once(world, "registration where id = 1", *(race if first == "resubmit" else race[::-1]))
    by_name = answers if first == "resubmit" else answers[::-1]
    assert codes(by_name[1]) == [] and codes(by_name[0]) in ([], ["WRONG_STATE"])
    assert await world.sql("select status from registration") == ["WITHDRAWN"]
    assert await world.rows("submission") == (1 if codes(by_name[0]) else 2)


async def test_a_number_is_shown_while_its_form_is_being_corrected(world: World) -> None:
    city, (mayor,) = await city_with(world, "王芳")
    applicant = await world.person()
    registration = await applicant.registered(city, legalPersonIdNumber="11010519491231002X")
    await mayor.review(registration, "REJECT", opinion="重拍")
    corrected, shown = await at_once(
        world,
        "registration where id = 1",
        applicant.resubmit(registration, legalPersonIdNumber="440524188001010014"),
        mayor.do("revealIdNumber", "idNumber", registrationId=registration, reason="核对"),
    )
    assert codes(corrected) == codes(shown) == []
    assert shown["idNumber"] in {"11010519491231002X", "440524188001010014"}


async def test_appointing_at_once_is_appointing_once(world: World) -> None:
    city, (one, two) = await city_with(world, "王芳", "李静")
    await world.person("刘洋", phone="+8613800138000")
    wanted = {"unionId": gid(city), "phone": "13800138000", "role": "ANALYST"}
    answers = await at_once(
        world,
        f"trade_union where id = {city.id}",
        one.do("appoint", "appointment { id }", **wanted),
        two.do("appoint", "appointment { id }", **wanted),
    )
    assert answers[0] == answers[1] and answers[0]["errors"] == []
    assert await world.rows("appointment") == 3
    assert await world.sql("select action from event") == ["appointment.made"]


async def test_of_two_administrators_who_end_each_other_one_stays(world: World) -> None:
    city = await world.union("深圳市总工会")
    one, two = await world.person("王芳"), await world.person("李静")
    first, second = await world.appoint(one, city), await world.appoint(two, city)
    answers = await at_once(
        world,
        f"trade_union where id = {city.id}",
        one.do("endAppointment", "", appointmentId=gid(second)),
        two.do("endAppointment", "", appointmentId=gid(first)),
    )
    assert sorted(map(codes, answers)) == [[], ["NOT_FOUND"]]
    assert await world.sql("select count(*) from appointment where ended_at is null") == [1]


async def test_a_sign_in_that_ends_while_its_request_waits_does_nothing_more(world: World) -> None:
    city, (mayor,) = await city_with(world, "王芳")
    [answer] = await at_once(
        world,
        "session where id = 1",
        mayor.do("createInvite", "invite { id }", unionId=gid(city)),
        meanwhile="update session set ended_at = now()",
    )
    assert told(answer) == {("UNAUTHENTICATED", "")}
    assert await world.rows("invite") == 0


async def test_an_appointment_that_is_ended_twice_at_once_ends_once(world: World) -> None:
    city, (mayor,) = await city_with(world, "王芳")
    officer = await world.person("刘洋")
    held = await world.appoint(officer, city, Role.ADMINISTRATOR)
    answers = await at_once(
        world,
        f"appointment where id = {held.id}",
        officer.do("endAppointment", "", appointmentId=gid(held)),
        officer.do("endAppointment", "", appointmentId=gid(held)),
        mayor.do("endAppointment", "", appointmentId=gid(held)),
    )
    assert sorted(map(codes, answers)) == [[], ["NOT_FOUND"], ["NOT_FOUND"]]
    assert await world.sql("select action from event") == ["appointment.ended"]
