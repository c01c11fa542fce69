"""What is limited in how often it may be asked, and how that is told."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from models.errors import Rejected
from models.permissions import Role
from resolvers.context import Context, Origin
from resolvers.invites import new_token
from resolvers.scanning import pay_for_cards
from schema.limits import read_document
from schema.reading.metering import meter_of
from tests.clock import pass_seconds
from tests.people import limit
from tests.world import Client, World, codes, gid

CARD = "query($code: String!) { invite(code: $code) { card { name } } }"


async def scan(client: Client, code: str, query: str = CARD) -> httpx.Response:
    async with client.http() as http:
        return await http.post("/graphql", json={"query": query, "variables": {"code": code}})


def refused(answer: httpx.Response) -> bool:
    """Whether this is a refusal, as the whole answer tells it."""
    if answer.status_code != 429:
        assert answer.status_code == 200 and "retry-after" not in answer.headers, answer.text
        return False
    [error] = answer.json()["errors"]
    wait = int(answer.headers["retry-after"])
    assert error["extensions"]["code"] == "RATE_LIMITED" and error["extensions"]["retryAfter"] == wait > 0
    assert "data" not in answer.json()
    return True


# ── cards ────────────────────────────────────────────────────────────────────────────────────


async def test_somebody_signed_in_reads_many_cards_and_a_network_fewer(
    world: World, monkeypatch: pytest.MonkeyPatch, path: None
) -> None:
    limit(world, monkeypatch, card=(5, 60), card_anonymous=(2, 60))
    code = (await world.invite(await world.union("省"))).token
    person = await world.person()
    assert [refused(await scan(person, code)) for _ in range(7)] == [False] * 5 + [True] * 2
    assert [refused(await scan(world.stranger(), code)) for _ in range(4)] == [False] * 2 + [True] * 2
    assert not refused(await scan(world.stranger("203.0.113.7"), code))
    assert not refused(await scan(await world.person(), code))
    assert await person.ask("{ viewer { account { id } } }")  # nothing else is refused
    await pass_seconds(world, 12)
    assert [refused(await scan(person, code)) for _ in range(2)] == [False, True]


async def test_the_header_tells_where_one_stands(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(world, monkeypatch, card=(2, 60))
    code, person = (await world.invite(await world.union("省"))).token, await world.person()
    answers = [await scan(person, code) for _ in range(3)]
    assert {one.headers["ratelimit-policy"] for one in answers} == {'"card";q=2;w=60'}
    assert [one.headers["ratelimit"] for one in answers] == [
        '"card";r=1;t=30',
        '"card";r=0;t=60',
        '"card";r=0;t=60',
    ]
    assert answers[2].headers["retry-after"] == "30"
    assert answers[2].json()["errors"][0]["message"] == "操作过于频繁，请稍后再试。"
    other = await scan(person, code, "{ viewer { account { id } } }")
    assert "ratelimit" not in other.headers


async def test_aliases_are_counted_each(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(world, monkeypatch, card=(5, 60))
    code, person = (await world.invite(await world.union("省"))).token, await world.person()
    three = "query($code: String!) { a: invite(code: $code) { status } b: invite(code: $code) { status } ...More } "
    three += "fragment More on Query { c: invite(code: $code) { status } }"
    assert [refused(await scan(person, code, three)) for _ in range(2)] == [False, True]


async def test_reading_cards_asks_the_database_for_nothing_else(world: World) -> None:
    code, person = (await world.invite(await world.union("省"))).token, await world.person()
    await scan(person, code)
    with world.counted() as statements:
        for _ in range(20):
            await scan(person, code)
    assert len(statements) == 20  # the card, with who asks


async def test_whoever_misses_codes_soon_reads_none_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch, path: None
) -> None:
    limit(world, monkeypatch, code_miss=(3, 600))
    code = (await world.invite(await world.union("省"))).token
    for client in (world.stranger(), await world.person()):
        assert not refused(await scan(client, code))
        assert [refused(await scan(client, new_token())) for _ in range(5)] == [False] * 3 + [True] * 2
        assert refused(await scan(client, code))
    assert not refused(await scan(await world.person(), code))


async def test_the_miss_that_is_too_much_is_not_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor would another worker tell it, which does not know yet: it counts before it answers."""
    limit(world, monkeypatch, code_miss=(3, 600))
    person = await world.person()
    for _ in range(3):
        await scan(person, new_token())
    world.resources.throttle.forget()
    assert refused(await scan(person, new_token()))


async def test_missed_aliases_are_counted_each(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(world, monkeypatch, code_miss=(3, 600))
    two = "query($code: String!) { a: invite(code: $code) { status } b: invite(code: $code) { status } }"
    assert [refused(await scan(world.stranger(), new_token(), two)) for _ in range(2)] == [False, True]


async def test_the_page_of_a_code_counts_like_a_scan(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(world, monkeypatch, card_anonymous=(8, 60), code_miss=(2, 600))
    code = (await world.invite(await world.union("省"))).token
    async with world.stranger().http() as http:
        found = await http.get(f"/i/{code}")
        missed = [await http.get(f"/i/{new_token()}") for _ in range(3)]
        late = await http.get(f"/i/{code}")
    assert found.status_code == 200 and found.headers["ratelimit"].startswith('"card-anonymous";r=7')
    assert [one.status_code for one in missed] == [404, 404, 429]
    assert late.status_code == 429 and "扫码过于频繁" in late.text and int(late.headers["retry-after"]) > 100
    assert refused(await scan(world.stranger(), code))  # one count for both ways
    async with world.stranger("203.0.113.7").http() as http:
        pages = [(await http.get(f"/i/{code}")).status_code for _ in range(9)]
    assert pages == [200] * 8 + [429]


# ── searches ─────────────────────────────────────────────────────────────────────────────────

DIRECTORY = '{ unionDirectory(search: "工会") { nodes { name } } }'
BELOW = "query($s: String) { roots { descendants(search: $s) { nodes { name } } } }"


async def test_searches_are_counted_and_lists_are_not(
    world: World, monkeypatch: pytest.MonkeyPatch, path: None
) -> None:
    limit(world, monkeypatch, search=(3, 60))
    person = await world.administrator(await world.union("省"))
    async with person.http() as http:

        async def ask(query: str, **variables: Any) -> bool:
            return refused(await http.post("/graphql", json={"query": query, "variables": variables}))

        assert [await ask(BELOW) for _ in range(5)] == [False] * 5
        assert [await ask(BELOW, s=None) for _ in range(5)] == [False] * 5
        assert [await ask(BELOW, s="工会"), await ask(DIRECTORY), await ask(BELOW, s="省")] == [False] * 3
        assert [await ask(BELOW, s="工会"), await ask(DIRECTORY), await ask(BELOW)] == [True, True, False]


@pytest.mark.parametrize(
    ("document", "cards", "searches"),
    [
        ("{ viewer { account { id } } }", None, None),
        ('mutation { createInvite(input: {unionId: "x"}) { invite { id } } }', None, None),
        ("{ roots { descendants(search: null) { totalCount } } }", None, None),
        ('{ roots { descendants(search: "x") { totalCount } } }', (), (None,)),
        ("query($q: String!) { unionDirectory(search: $q) { nodes { id } } }", (), ("q",)),
        ('{ a: invite(code: "x") { id } ...F } fragment F on Query { invite(code: "y") { id } }', ("a", "invite"), ()),
    ],
)
def test_what_a_document_costs(
    document: str, cards: tuple[str, ...] | None, searches: tuple[str | None, ...] | None
) -> None:
    meter = meter_of(read_document(document))
    assert (meter and meter.cards, meter and meter.searches) == (cards, searches)


# ── what is done ─────────────────────────────────────────────────────────────────────────────


async def test_uploads_are_limited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(world, monkeypatch, upload=(2, 3600))
    person = await world.person()
    payloads = [await person.upload() for _ in range(3)]
    assert [codes(one) for one in payloads] == [[], [], ["RATE_LIMITED"]]
    assert await world.rows("certificate") == 2
    assert codes(await (await world.person()).upload()) == []


async def test_registrations_are_limited_and_what_was_received_is_told_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(world, monkeypatch, registration=(2, 3600))
    union = await world.union("省")
    person = await world.person()
    certificates = [await person.certificate() for _ in range(3)]
    form = world.form(union, certificates[0], idempotencyKey="once")
    first = await person.do("registerHigherLevelUnion", "registration { id }", **form)
    assert codes(await person.register(union, certificateId=certificates[1], name="")) == ["REQUIRED"]  # it counts
    before = await world.fingerprint()
    assert codes(await person.register(union, certificateId=certificates[2])) == ["RATE_LIMITED"]
    assert codes(await person.resubmit(first["registration"]["id"], name="又一工会")) == ["RATE_LIMITED"]
    assert await person.do("registerHigherLevelUnion", "registration { id }", **form) == first
    assert await world.fingerprint() == before
    assert codes(await (await world.person()).register(union)) == []


async def test_asking_which_phones_have_accounts_is_limited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(world, monkeypatch, appointment=(2, 3600))
    union = await world.union("省")
    mayor = await world.administrator(union)
    wanted = {"unionId": gid(union), "role": Role.ANALYST, "phone": "13700137000"}
    told = [codes(await mayor.do("appoint", "appointment { id }", **wanted)) for _ in range(3)]
    assert told == [["NOT_FOUND"], ["NOT_FOUND"], ["RATE_LIMITED"]]


async def test_id_numbers_are_not_read_off_one_after_the_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(world, monkeypatch, reveal=(1, 3600))
    union = await world.union("省")
    applicant = await world.person()
    wanted = {"registrationId": await applicant.registered(union), "reason": "核对证件"}
    told = [await applicant.do("revealIdNumber", "idNumber", **wanted) for _ in range(2)]
    assert codes(told[0]) == [] and codes(told[1]) == ["RATE_LIMITED"] and told[1]["idNumber"] is None
    assert await world.sql("select count(*) from event where action = 'idNumber.revealed'") == [1]


async def test_an_operators_command_has_no_limits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(world, monkeypatch, card_anonymous=(1, 3600))
    for origin, refusals in ((None, 0), (Origin("127.0.0.1"), 4)):
        context, refused = Context(world.resources, origin=origin), 0
        for _ in range(5):
            try:
                await pay_for_cards(context)
            except Rejected:
                refused += 1
        assert refused == refusals
