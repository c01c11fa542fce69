"""Other keys than the database was written with are noticed at the start, and keys are replaced while serving."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import anyio.to_thread
import orjson
import pytest
from click.testing import CliRunner, Result

import commands
from models.errors import Lack, Unavailable
from models.particulars import Particulars
from models.second_factor import SecondFactor
from models.union import TradeUnion
from resolvers import keys, record
from resolvers.keys import keep_looking, look_at_keys, require_own_keys, rotate_keys
from server import create_app
from storage import resealing
from storage.chain import Broken, Fault
from storage.database import Database
from storage.deadlines import Deadlines
from storage.sealing import Sealer
from storage.settings import Settings, SettingsError, generate_secrets, load_settings
from tests.world import Client, World, codes, id_number

OLD, NEW, OTHER = (bytes([number]) * 32 for number in (1, 2, 3))
BEFORE = Sealer({"a1": OLD}, "a1", OLD)
BOTH = Sealer({"b2": NEW, "a1": OLD}, "b2", NEW, [OLD])
AFTER = Sealer({"b2": NEW}, "b2", NEW)


@contextmanager
def sealing(world: World, sealer: Sealer) -> Iterator[None]:
    """The server with these keys."""
    served = world.resources
    world.app.state.resources = replace(served, sealer=sealer)
    try:
        yield
    finally:
        world.app.state.resources = served


async def refusal(world: World, sealer: Sealer) -> str:
    """What a start with these keys is refused with."""
    with pytest.raises(SettingsError) as refused:
        await require_own_keys(replace(world.resources, sealer=sealer))
    return str(refused.value)


async def registered(world: World) -> tuple[Client, Client, list[str]]:
    """A governor, an applicant, and three registrations: a pending one, a corrected one, and one approved."""
    province = await world.union("广东省总工会")
    governor, person = await world.administrator(province), await world.person()
    made = [
        await person.registered(province, name=f"第{number}工会", legalPersonIdNumber=id_number(number % 2))
        for number in range(3)
    ]
    await governor.review(made[1], "REJECT", opinion="不清晰")
    await person.resubmit(made[1], name="再来工会")
    assert codes(await governor.review(made[2])) == []
    return governor, person, made


# ── at the start ─────────────────────────────────────────────────────────────────────────────


async def test_the_keys_of_the_first_start_are_those_of_every_other(world: World) -> None:
    await require_own_keys(replace(world.resources, sealer=BEFORE))
    await require_own_keys(replace(world.resources, sealer=BEFORE))
    assert await world.rows("key_proof") == 2
    assert [proof for proof in await world.sql("select proof from key_proof") if proof in {OLD, NEW}] == []

    before = await world.fingerprint()
    assert "the key a1 is another one" in await refusal(world, Sealer({"a1": OTHER}, "a1", OLD))
    assert "ID_NUMBER_KEYS lacks the key a1" in await refusal(world, Sealer({"b2": NEW}, "b2", OLD))
    assert "BLIND_INDEX_KEY lacks the key" in await refusal(world, Sealer({"a1": OLD}, "a1", OTHER))
    assert await world.fingerprint() == before


async def test_a_database_from_before_is_asked_by_its_newest_number(world: World) -> None:
    with sealing(world, BEFORE):
        await registered(world)
    assert await world.rows("key_proof") == 0
    assert "ID_NUMBER_KEYS are not the keys" in await refusal(world, Sealer({"a1": OTHER}, "a1", OLD))
    assert "ID_NUMBER_KEYS are not the keys" in await refusal(world, AFTER)
    assert "BLIND_INDEX_KEY is not the key" in await refusal(world, Sealer({"a1": OLD}, "a1", OTHER))
    assert await world.rows("key_proof") == 0
    await require_own_keys(replace(world.resources, sealer=BEFORE))
    assert await world.rows("key_proof") == 2


async def test_a_server_does_not_start_with_other_keys(world: World, settings: Settings) -> None:
    given = {**environ(settings), **generate_secrets()}
    first, other = create_app(load_settings(given)), create_app(load_settings({**given, **generate_secrets()}))
    async with first.router.lifespan_context(first):
        pass
    with pytest.raises(SettingsError, match="lacks the key"):
        async with other.router.lifespan_context(other):
            pytest.fail("it started")
    async with first.router.lifespan_context(first):
        pass


def environ(settings: Settings) -> dict[str, str]:
    assert settings.database_url is not None
    where = {"DATABASE_URL": settings.database_url, "MIGRATION_DATABASE_URL": settings.owner_url}
    return {**where, "DATA_DIR": str(settings.data_dir), "CHAIN_SECONDS": "0"}


async def test_a_server_starts_without_its_database(world: World) -> None:
    nowhere = Database("postgresql+asyncpg://u:p@/d?host=127.0.0.1&port=1", pool_size=1, deadlines=Deadlines())
    assert not await look_at_keys(replace(world.resources, db=nowhere))
    assert await look_at_keys(world.resources)


async def test_a_database_that_comes_later_is_asked_then(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await require_own_keys(replace(world.resources, sealer=BEFORE))
    resources = replace(world.resources, sealer=AFTER)
    monkeypatch.setattr(keys, "AGAIN", 0)

    def away(_: Database) -> None:
        raise Unavailable(Lack.DATABASE)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "writing", away)
        assert await look_at_keys(resources) is False  # it starts nonetheless
    wrong = await keep_looking(resources)
    assert wrong is not None and "lacks the key a1" in wrong
    assert await keep_looking(replace(world.resources, sealer=BEFORE)) is None

    world.app.state.keys = asyncio.get_running_loop().create_future()
    async with world.stranger().http() as http:
        assert (await http.get("/readyz")).status_code == 200  # nothing is known to be wrong yet
        world.app.state.keys.set_result(wrong)
        ready = await http.get("/readyz")
    world.app.state.keys = None
    assert (ready.status_code, ready.text) == (503, "keys\n")


# ── replacing them ───────────────────────────────────────────────────────────────────────────


async def sealed_by(world: World, key_id: str) -> int:
    counted = await world.sql(
        """select count(*) from (select id_number_sealed from submission union all select id_number_sealed from
        trade_union) s where convert_from(substr(id_number_sealed, 2, get_byte(id_number_sealed, 0)), 'UTF8') = :id""",
        id=key_id,
    )
    return int(counted[0])


async def indexes(world: World) -> set[bytes]:
    return set(
        await world.sql("select id_number_index from submission union select id_number_index from trade_union") or []
    ) - {None}


async def test_numbers_are_sealed_and_found_under_the_new_key(world: World) -> None:
    with sealing(world, BEFORE):
        governor, _, made = await registered(world)
        await require_own_keys(world.resources)
    with sealing(world, BOTH):
        await require_own_keys(world.resources)
        assert (await sealed_by(world, "a1"), await sealed_by(world, "b2")) == (5, 0)
        asked = {"registrationId": made[0], "reason": "核对"}
        assert (await governor.do("revealIdNumber", "idNumber", **asked))["idNumber"] == id_number(0)

        rotated = await rotate_keys(world.operator)

        assert (rotated.resealed, rotated.remaining) == (5, {})
        assert [name.partition(" ")[0] for name in rotated.droppable] == ["BLIND_INDEX_KEY", "ID_NUMBER_KEYS"]
        assert rotated.droppable[1] == "ID_NUMBER_KEYS a1"
        assert (await rotate_keys(world.operator)).resealed == 0
    assert (await sealed_by(world, "a1"), await sealed_by(world, "b2")) == (0, 5)
    assert await indexes(world) == {AFTER.digest("id_number", id_number(number).encode()) for number in range(2)}
    with sealing(world, AFTER):
        await require_own_keys(world.resources)  # the old ones are not missed any more
        assert (await governor.do("revealIdNumber", "idNumber", **asked))["idNumber"] == id_number(0)
        matches = "query($id: ID!) { registration(id: $id) { duplicateMatches { reasons } } }"
        found = (await governor.ask(matches, id=made[0]))["duplicateMatches"]
        assert "SAME_LEGAL_PERSON" in found[0]["reasons"]


async def test_an_index_key_that_events_were_chained_with_stays(world: World) -> None:
    async def broken() -> list[tuple[Fault, int | None, str | None]]:
        found: list[Broken] = []
        await record.verify(world.operator, [], found.append)
        return [(one.fault, one.position, one.by) for one in found]

    with sealing(world, BEFORE):
        await registered(world)
        await require_own_keys(world.resources)
        old = await record.anchor(world.resources)
    with sealing(world, BOTH):
        await world.sql("insert into event (action, details) values ('account.created', '{}')")
        assert (await rotate_keys(world.operator)).droppable == ["ID_NUMBER_KEYS a1"]
        new = await record.anchor(world.resources)
        assert new.position > old.position and await broken() == []
        assert (await rotate_keys(world.operator)).droppable == ["ID_NUMBER_KEYS a1"]
        [name] = await world.sql("select key from event_link where position = 1")
        assert await world.sql("select distinct key from event_link where position > :end", end=old.position) != [name]
    with sealing(world, AFTER):
        assert f"BLIND_INDEX_KEY lacks the key {name}" in await refusal(world, AFTER)
        assert await broken() == [(Fault.KEYLESS, 1, name)]


async def test_secrets_of_second_factors_are_sealed_anew_too(world: World) -> None:
    person = await world.person()
    factor = SecondFactor(account_id=person.account_id)
    async with world.resources.db.writing() as session:
        factor.secret_sealed = BEFORE.sealed("GEZDGNBV", factor.seal_name)
        session.add(factor)
    with sealing(world, BOTH):
        rotated = await rotate_keys(world.operator)
    assert (rotated.resealed, rotated.remaining) == (1, {})
    [sealed] = await world.sql("select secret_sealed from second_factor")
    assert AFTER.unseal(sealed, factor.seal_name) == "GEZDGNBV"


async def test_it_goes_on_where_it_was_broken_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with sealing(world, BEFORE):
        await registered(world)
    monkeypatch.setattr(keys, "BATCH", 1)
    resources = replace(world.operator, sealer=Sealer({"b2": NEW, "a1": OLD}, "b2", OLD))
    await require_own_keys(replace(world.resources, sealer=BEFORE))
    reseal, left = resealing.reseal, 2

    async def dying(*args: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return await reseal(*args)

    with monkeypatch.context() as patch:
        patch.setattr(resealing, "reseal", dying)
        with pytest.raises(KeyboardInterrupt):
            await rotate_keys(resources)
    done = await sealed_by(world, "b2")
    assert 0 < done < 5
    rotated = await rotate_keys(resources)
    assert (rotated.resealed, rotated.droppable) == (5 - done, ["ID_NUMBER_KEYS a1"])


async def test_people_work_while_keys_are_replaced(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with sealing(world, BEFORE):
        governor, person, made = await registered(world)
    monkeypatch.setattr(keys, "BATCH", 1)
    with sealing(world, BOTH):
        rotating = asyncio.create_task(rotate_keys(world.operator))
        [parent] = await world.sql("select id from trade_union where parent_id is null")
        union = await get(world, parent)
        fresh = [await person.registered(union, name=f"新{number}工会") for number in range(3)]
        assert codes(await governor.review(made[0])) == codes(await governor.review(fresh[0])) == []
        await rotating
        assert (await rotate_keys(world.operator)).remaining == {}
    assert await sealed_by(world, "a1") == 0


async def get(world: World, key: int) -> TradeUnion:
    async with world.resources.db.reading() as session:
        return await session.get_one(TradeUnion, key)


async def test_a_server_that_still_seals_with_the_old_key_is_told_of(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sealing(world, BEFORE):
        await registered(world)
    await require_own_keys(replace(world.resources, sealer=BEFORE))

    async def too_late(*_: object) -> tuple[None, int]:
        return None, 0

    monkeypatch.setattr(resealing, "reseal", too_late)
    rotated = await rotate_keys(replace(world.operator, sealer=BOTH))
    assert (rotated.remaining, rotated.droppable) == ({"a1": 5}, [])
    await require_own_keys(replace(world.resources, sealer=BOTH))
    assert "ID_NUMBER_KEYS lacks the key a1" in await refusal(world, AFTER)


async def test_a_repeated_mutation_is_known_under_the_old_index_key(world: World) -> None:
    province, person = await world.union("广东省总工会"), await world.person()
    wanted = world.form(province, await person.certificate(), idempotencyKey="once")
    with sealing(world, BEFORE):
        first = await person.do("registerHigherLevelUnion", "registration { id }", **wanted)
    with sealing(world, BOTH):
        assert await person.do("registerHigherLevelUnion", "registration { id }", **wanted) == first
        other = await person.do("registerHigherLevelUnion", "registration { id }", **{**wanted, "name": "别的工会"})
        assert codes(other) == ["IDEMPOTENCY_CONFLICT"]
    with sealing(world, AFTER):  # its price: told in the ADR
        assert codes(await person.do("registerHigherLevelUnion", "registration { id }", **wanted)) == [
            "IDEMPOTENCY_CONFLICT"
        ]


async def test_the_command_says_what_it_did(world: World, settings: Settings) -> None:
    secrets = generate_secrets()
    old = load_settings({**environ(settings), **secrets})
    ring = old.id_number_keys.get_secret_value()
    before = Sealer(ring, next(iter(ring)), old.blind_index_key.get_secret_value()[0])
    with sealing(world, before):
        await registered(world)
        await require_own_keys(world.resources)
    new = base64.b64encode(os.urandom(32)).decode()
    secrets["ID_NUMBER_KEYS"] = f"b2:{new},{secrets['ID_NUMBER_KEYS']}"
    result = await invoke("rotate-keys", {**environ(settings), **secrets})
    assert result.exit_code == 0, result.output
    told = orjson.loads(result.stdout)
    assert told == {"resealed": 5, "remaining": {}, "droppable": [f"ID_NUMBER_KEYS {next(iter(ring))}"]}
    assert new not in result.output
    refused = await invoke("rotate-keys", {**environ(settings), **generate_secrets()})
    assert refused.exit_code == 1 and "lacks the key b2" in refused.stderr and refused.stdout == ""


async def invoke(word: str, given: dict[str, str]) -> Result:
    runner = CliRunner(env=dict(given))
    return await anyio.to_thread.run_sync(partial(runner.invoke, commands.program, [word]))


def test_every_table_with_a_sealed_number_is_sealed_anew() -> None:
    holding = [kind.__name__ for kind in Particulars.__subclasses__() if kind.__module__.startswith("models.")]
    assert sorted(holding) == sorted(of.kind.__name__ for of in resealing.SEALED)
