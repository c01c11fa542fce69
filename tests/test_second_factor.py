"""两步验证: a code beside the password, which works once; and what an operator may demand of administrators."""

from __future__ import annotations

import asyncio
import io
from base64 import b32decode, b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import zxingcpp
from PIL import Image

from models.totp import code_at, enrolment_uri, recovery_code_in, step_of
from resolvers.context import Context, Origin
from resolvers.founding import remove_second_factor
from resolvers.signing_in import open_session
from storage import accounts
from tests.clock import pass_seconds
from tests.people import PASSWORD, PHONE, hash_quickly, known, limit, sign_in, signed_in
from tests.world import Client, World, codes, gid

NOW = 1_800_000_000.0
STATE = "{ viewer { secondFactor { on required recoveryCodesLeft } } }"
SECRET = b"12345678901234567890"


class Clock:
    """The database's, as the second factor reads it."""

    def __init__(self) -> None:
        self.at = NOW

    async def __call__(self, _session: object) -> float:
        return self.at


@pytest.fixture
async def clock(world: World, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """With one account that has a password."""
    hash_quickly(monkeypatch)
    await known(world)
    clock = Clock()
    monkeypatch.setattr(accounts, "now", clock)
    return clock


async def begin(client: Client, password: str = PASSWORD) -> dict[str, Any]:
    return await client.do("beginSecondFactor", "secret uri qrCode", password=password)


async def confirm(client: Client, code: str) -> dict[str, Any]:
    return await client.do("confirmSecondFactor", "recoveryCodes", code=code)


async def enrolled(client: Client, clock: Clock) -> tuple[bytes, list[str]]:
    """The secret and the recovery codes of a new second factor. The clock moves on by an interval."""
    secret = b32decode((await begin(client))["secret"])
    confirmed = await confirm(client, code_at(secret, clock.at))
    assert confirmed["errors"] == [], confirmed
    clock.at += 30
    return secret, confirmed["recoveryCodes"]


async def attempt(world: World, code: str | None, password: str = PASSWORD) -> list[str]:
    """The codes of a sign-in's errors."""
    more = {} if code is None else {"code": code}
    return codes(await sign_in(world.stranger(), password=password, **more))


# ── the codes themselves ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("at", "code"),
    # RFC 6238, appendix B: the last six of its eight digits.
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    assert code_at(SECRET, at) == code
    assert step_of(SECRET, code, at) == at // 30
    assert step_of(SECRET, f" {code[:3]} {code[3:]} ", at) == at // 30


@pytest.mark.parametrize(("off", "fits"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_a_phones_clock_may_be_half_a_minute_off(*, off: int, fits: bool) -> None:
    assert (step_of(SECRET, code_at(SECRET, NOW + off), NOW) is not None) is fits


@pytest.mark.parametrize("text", ["", "28708", "2870822", "28708x", "２８７０８２", "²87082", "-87082"])
def test_anything_else_is_no_code(text: str) -> None:
    assert step_of(SECRET, text, 59) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("k7wqe-9tndb", "k7wqe9tndb"),
        (" K7WQE 9TNDB", "k7wqe9tndb"),
        ("287082", None),
        ("k7wqe-9tndl", None),
        ("", None),
    ],
)
def test_a_recovery_code_is_known_however_it_is_typed(text: str, code: str | None) -> None:
    assert recovery_code_in(text) == code


def test_what_the_app_scans() -> None:
    url = urlsplit(enrolment_uri(SECRET, PHONE, "工会"))
    assert (url.scheme, url.netloc) == ("otpauth", "totp")
    assert parse_qs(url.query)["secret"] == ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]


# ── setting it up ────────────────────────────────────────────────────────────────────────────


async def test_nothing_is_asked_for_until_the_app_counts_alike(world: World, clock: Clock) -> None:
    mine = await signed_in(world)
    begun = await begin(mine)
    assert begun["uri"].startswith("otpauth://totp/") and begun["secret"] in begun["uri"]
    picture = Image.open(io.BytesIO(b64decode(begun["qrCode"].partition(",")[2])))
    assert begun["uri"] in [code.text for code in zxingcpp.read_barcodes(picture.convert("L"))]
    assert (await mine.ask(STATE))["secondFactor"] == {"on": False, "required": False, "recoveryCodesLeft": 0}
    assert await attempt(world, None) == []

    again = await begin(mine)
    assert again["secret"] != begun["secret"]
    assert codes(await confirm(mine, code_at(b32decode(begun["secret"]), clock.at))) == ["SECOND_FACTOR_INVALID"]
    confirmed = await confirm(mine, code_at(b32decode(again["secret"]), clock.at))
    assert confirmed["errors"] == [] and len({*confirmed["recoveryCodes"]}) == 10
    assert (await mine.ask(STATE))["secondFactor"] == {"on": True, "required": False, "recoveryCodesLeft": 10}
    assert await attempt(world, None) == ["SECOND_FACTOR_REQUIRED"]


async def test_setting_it_up_ends_sign_ins_that_were_opened_without(world: World, clock: Clock) -> None:
    other, mine = await signed_in(world), await signed_in(world)
    await enrolled(mine, clock)
    assert await other.ask("{ viewer { account { id } } }") is None
    assert (await mine.ask("{ viewer { sessions { bySecondFactor } } }"))["sessions"] == [{"bySecondFactor": True}]
    assert await world.sql("select action from event where actor_id is not null") == ["account.secondFactorOn"]


async def test_a_thief_with_a_token_sets_up_none(world: World, clock: Clock) -> None:
    thief = await signed_in(world)
    before = await world.fingerprint()
    assert codes(await begin(thief, "wrong")) == ["CREDENTIALS_INVALID"]
    assert codes(await confirm(thief, "123456")) == ["WRONG_STATE"]
    assert codes(await thief.do("removeSecondFactor", "errors { code }", password=PASSWORD, code="1")) == [
        "WRONG_STATE"
    ]
    assert codes(await begin(world.stranger())) == codes(await confirm(world.stranger(), "1")) == ["UNAUTHENTICATED"]
    assert await world.fingerprint() == before


async def test_one_that_counts_is_replaced_by_nobody(world: World, clock: Clock) -> None:
    mine = await signed_in(world)
    secret, _ = await enrolled(mine, clock)
    before = await world.fingerprint()
    assert codes(await begin(mine)) == codes(await confirm(mine, code_at(secret, clock.at))) == ["WRONG_STATE"]
    assert await world.fingerprint() == before


async def test_the_secret_and_the_codes_are_nowhere_in_the_clear(world: World, clock: Clock) -> None:
    mine = await signed_in(world)
    secret, recovery = await enrolled(mine, clock)
    rows = await world.sql("select f::text from second_factor f union all select r::text from recovery_code r")
    kept = " ".join(rows)
    assert len(rows) == 11
    assert secret.hex() not in kept and all(code.replace("-", "") not in kept for code in recovery)
    # Sealed for its row: in another account's it does not open.
    await known(world, "13700137000")
    await world.sql("update second_factor set account_id = 2 where account_id = 1")
    answer = await world.stranger().answer(
        "mutation($i: SignInInput!) { signIn(input: $i) { token } }",
        i={"phone": "13700137000", "password": PASSWORD, "code": code_at(secret, clock.at)},
    )
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"


# ── signing in with it ───────────────────────────────────────────────────────────────────────


async def test_a_code_is_asked_for_where_the_password_is_right(world: World, clock: Clock) -> None:
    secret, _ = await enrolled(await signed_in(world), clock)
    before = await world.fingerprint()
    asked = await sign_in(world.stranger())
    [error] = asked["errors"]
    assert (error["code"], error["path"], asked["token"]) == ("SECOND_FACTOR_REQUIRED", ["code"], None)
    assert await attempt(world, "000000") == ["SECOND_FACTOR_INVALID"]
    # With a wrong password nothing tells whether there is a second factor.
    assert await attempt(world, None, "wrong") == await attempt(world, code_at(secret, clock.at), "wrong")
    assert await world.fingerprint() == before
    assert await attempt(world, code_at(secret, clock.at)) == []


async def test_a_code_works_once(world: World, clock: Clock) -> None:
    secret, _ = await enrolled(await signed_in(world), clock)
    code = code_at(secret, clock.at)
    assert await attempt(world, code) == []
    assert await attempt(world, code) == ["SECOND_FACTOR_INVALID"]
    assert await attempt(world, code_at(secret, clock.at - 30)) == ["SECOND_FACTOR_INVALID"]
    clock.at += 30
    assert await attempt(world, code) == ["SECOND_FACTOR_INVALID"]
    assert await attempt(world, code_at(secret, clock.at)) == []


async def test_of_two_at_once_with_one_code_one_gets_in(world: World, clock: Clock) -> None:
    secret, recovery = await enrolled(await signed_in(world), clock)
    for code in (code_at(secret, clock.at), recovery[0]):
        told = await asyncio.gather(*(attempt(world, code) for _ in range(4)))
        assert sorted(told) == [[], *[["SECOND_FACTOR_INVALID"]] * 3]


async def test_the_code_that_confirmed_it_does_not_sign_in(world: World, clock: Clock) -> None:
    secret, _ = await enrolled(await signed_in(world), clock)
    assert await attempt(world, code_at(secret, NOW)) == ["SECOND_FACTOR_INVALID"]


async def test_a_recovery_code_replaces_the_app_once(world: World, clock: Clock) -> None:
    _, recovery = await enrolled(await signed_in(world), clock)
    await known(world, "13700137000")
    stranger = await signed_in(world, "13700137000")
    _, theirs = await enrolled(stranger, clock)
    assert await attempt(world, theirs[0]) == ["SECOND_FACTOR_INVALID"]
    mine = await signed_in(world, code=recovery[0].upper())
    assert (await mine.ask(STATE))["secondFactor"]["recoveryCodesLeft"] == 9
    assert await attempt(world, recovery[0]) == ["SECOND_FACTOR_INVALID"]
    assert await attempt(world, recovery[1]) == []


async def test_codes_are_not_to_be_tried_out(world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """By who has the password already, from wherever they come."""
    limit(world, monkeypatch, second_factor=(4, 3600))
    secret, _ = await enrolled(await signed_in(world), clock)
    right = code_at(secret, clock.at)
    wrong = "000000" if right != "000000" else "000001"
    thieves = [world.stranger(f"10.{number}.0.1") for number in range(6)]
    told = [codes(await sign_in(thief, code=wrong))[0] for thief in thieves]
    assert told == ["SECOND_FACTOR_INVALID"] * 4 + ["RATE_LIMITED"] * 2
    assert await attempt(world, right) == ["RATE_LIMITED"]
    await pass_seconds(world, 3600)
    assert await attempt(world, right) == []


async def test_the_page_asks_for_the_code(world: World, clock: Clock) -> None:
    secret, _ = await enrolled(await signed_in(world), clock)
    async with world.stranger().http() as http:
        http.headers["graphql-preflight"] = "1"
        credentials = {"phone": PHONE, "password": PASSWORD}
        asked = await http.post("/session", json=credentials)
        wrong = await http.post("/session", json={**credentials, "code": "000000"})
        malformed = await http.post("/session", json={**credentials, "code": 287082})
        right = await http.post("/session", json={**credentials, "code": code_at(secret, clock.at)})
    told = [one.json()["errors"][0]["code"] for one in (asked, wrong, malformed)]
    assert told == ["SECOND_FACTOR_REQUIRED", "SECOND_FACTOR_INVALID", "BAD_REQUEST"]
    assert [one.status_code for one in (asked, wrong, malformed, right)] == [401, 401, 400, 200]


# ── and without ──────────────────────────────────────────────────────────────────────────────


async def test_it_is_removed_by_its_owner(world: World, clock: Clock) -> None:
    mine = await signed_in(world)
    secret, _ = await enrolled(mine, clock)
    code, before = code_at(secret, clock.at), await world.fingerprint()
    for password, given, refusal in (("wrong", code, "CREDENTIALS_INVALID"), (PASSWORD, "0", "SECOND_FACTOR_INVALID")):
        refused = await mine.do("removeSecondFactor", "errors { code }", password=password, code=given)
        assert codes(refused) == [refusal]
    assert await world.fingerprint() == before
    assert codes(await mine.do("removeSecondFactor", "errors { code }", password=PASSWORD, code=code)) == []
    assert (await mine.ask(STATE))["secondFactor"] == {"on": False, "required": False, "recoveryCodesLeft": 0}
    assert await attempt(world, None) == []


async def test_who_has_lost_everything_turns_to_the_operator(world: World, clock: Clock) -> None:
    mine = await signed_in(world)
    await enrolled(mine, clock)
    await remove_second_factor(world.resources, PHONE)
    assert await mine.ask(STATE) is None
    assert await attempt(world, None) == []
    assert await world.rows("recovery_code") == 0


# ── demanded of administrators ───────────────────────────────────────────────────────────────

SEEN = "{ roots { name } viewer { appointments { role } secondFactor { on required } } }"


async def signed_in_as(world: World) -> Client:
    person = await signed_in(world)
    person.account_id = 1
    return person


@contextmanager
def demanding(world: World) -> Iterator[None]:
    """As if the operator had set ADMINISTRATORS_NEED_SECOND_FACTOR."""
    known = world.resources.sign_ins
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known, "demanding", True)
        known.forget()
        yield
    known.forget()


async def test_an_administrator_without_one_may_do_nothing_but_set_it_up(world: World, clock: Clock) -> None:
    union = await world.union("深圳市总工会")
    mayor = await signed_in_as(world)
    await world.appoint(mayor, union)
    assert (await mayor.ask(SEEN))["roots"] == [{"name": "深圳市总工会"}]
    with demanding(world):
        seen = await mayor.ask(SEEN)
        assert seen["roots"] == [] and seen["viewer"]["secondFactor"] == {"on": False, "required": True}
        assert codes(await mayor.do("createInvite", "invite { id }", unionId=gid(union))) == ["SECOND_FACTOR_REQUIRED"]
        assert await world.rows("invite") == 0

        secret, _ = await enrolled(mayor, clock)
        assert (await mayor.ask(SEEN))["roots"] == [{"name": "深圳市总工会"}]
        assert codes(await mayor.do("createInvite", "invite { id }", unionId=gid(union))) == []
        again = await signed_in(world, code=code_at(secret, clock.at))
        assert (await again.ask(SEEN))["viewer"]["secondFactor"] == {"on": True, "required": False}


async def test_an_operators_command_needs_no_phone(world: World, clock: Clock) -> None:
    await world.appoint(await signed_in_as(world), await world.union("深圳市总工会"))
    async with world.resources.db.reading() as session:
        account = await accounts.by_phone(session, f"+86{PHONE}")
    assert account is not None
    for origin, held_back in ((None, False), (Origin("127.0.0.1"), True)):
        context = Context(world.resources, origin=origin)
        with demanding(world):
            await open_session(context, account)
        assert context.signed_in is not None and context.signed_in.held_back is held_back


async def test_it_is_demanded_of_nobody_else(world: World, clock: Clock) -> None:
    union = await world.union("深圳市总工会")
    person = await world.person()
    with demanding(world):
        for role in ("REVIEWER", "ANALYST"):
            await world.sql("delete from appointment")
            await world.appoint(person, union, role)  # type: ignore[arg-type]
            seen = await person.ask(SEEN)
            assert seen["roots"] == [{"name": "深圳市总工会"}] and not seen["viewer"]["secondFactor"]["required"]
