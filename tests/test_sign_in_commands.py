"""What an operator does about sign-ins: lists them, ends them, takes a second factor that its owner has lost."""

from __future__ import annotations

import pytest

from tests.test_commands import Invoke, answer, environ, invoke, refusal
from tests.world import World

__all__ = ["environ", "invoke"]  # fixtures

PHONE = "13800138000"
VIEWER = "{ viewer { account { id } } }"
FACTOR = "insert into second_factor (account_id, secret_sealed, confirmed_at) values (1, '', now())"


async def test_sign_ins_are_listed_and_ended(world: World, invoke: Invoke) -> None:
    first = await world.person(phone=f"+86{PHONE}")
    second = await world.elsewhere(first)
    bystander = await world.person()
    listed = answer(await invoke("sessions", PHONE))["sessions"]
    assert [one["session"] for one in listed] == [2, 1]
    assert {*listed[0]} == {"session", "program", "secondFactor", "since", "used", "until"}

    assert answer(await invoke("signout", PHONE, "--session", "1")) == {"phone": PHONE, "ended": 1}
    assert await first.ask(VIEWER) is None and await second.ask(VIEWER)
    assert answer(await invoke("signout", PHONE)) == {"phone": PHONE, "ended": 1}
    assert await second.ask(VIEWER) is None and await bystander.ask(VIEWER)
    assert answer(await invoke("sessions", PHONE)) == {"sessions": []}
    assert answer(await invoke("signout", PHONE)) == {"phone": PHONE, "ended": 0}
    assert await world.sql("select action, actor_id from event") == [("account.signedOut", None)] * 2


async def test_a_second_factor_is_taken_away(world: World, invoke: Invoke) -> None:
    person = await world.person(phone=f"+86{PHONE}")
    await world.sql(FACTOR)
    told = answer(await invoke("second-factor", PHONE, "--remove"))
    assert told == {"phone": f"+86{PHONE}", "name": "陈伟"}
    assert await world.rows("second_factor") == 0 and await person.ask(VIEWER) is None
    assert "尚未启用两步验证" in refusal(await invoke("second-factor", PHONE, "--remove"))


@pytest.mark.parametrize(
    "words",
    [
        ("sessions", "13700137000"),
        ("signout", "13700137000"),
        ("signout", PHONE, "--session", "2"),
        ("second-factor", "no phone", "--remove"),
    ],
)
async def test_what_is_not_there_is_a_sentence(world: World, invoke: Invoke, words: tuple[str, ...]) -> None:
    await world.person(phone=f"+86{PHONE}")
    await world.person()
    before = await world.fingerprint()
    refusal(await invoke(*words))
    assert await world.fingerprint() == before
