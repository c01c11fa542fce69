"""The record: every event is in a chain, and whatever is done to either behind the server's back is named."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import anyio.to_thread
import orjson
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete

import commands
import upkeep
from models.event import Event, EventWaiting
from resolvers import record
from server import create_app
from storage import chain
from storage.chain import Anchor, Broken, Fault
from storage.cluster import Cluster
from storage.database import Database
from storage.deadlines import Deadlines
from storage.readers import Readers
from storage.sealing import Sealer
from storage.settings import Settings, generate_secrets
from tests.world import World


@pytest.fixture
async def told(world: World) -> World:
    """A registry in which something has happened: five events, chained."""
    city = await world.union("深圳市总工会")
    administrator = await world.administrator(city)
    applicant = await world.person()
    for _ in range(2):
        await administrator.review(await applicant.registered(city), "APPROVE")
    await applicant.registered(city)
    assert await world.rows("event") == await world.rows("event_waiting") > 4
    await record.chain_waiting(world.resources)
    assert await world.rows("event_waiting") == 0
    assert await found(world) == []
    return world


async def found(world: World, *anchors: Anchor) -> list[tuple[Fault, int | None, int | None]]:
    broken: list[Broken] = []
    await record.verify(world.operator, list(anchors), broken.append)
    return [(one.fault, one.position, one.event_id) for one in broken]


async def until(is_so: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(20):
        while not await is_so():  # noqa: ASYNC110 - what another task does
            await asyncio.sleep(0.01)


async def past_triggers(world: World, *statements: str) -> None:
    """As a database administrator would."""
    async with world.owner.begin() as connection:
        for statement in ("set local session_replication_role = replica", *statements):
            await connection.exec_driver_sql(statement)


# ── what is done to events ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        'details = details || \'{"name": "别的工会"}\'',
        "at = at - interval '1 microsecond'",
        "action = 'registration.rejected'",
        "actor_id = 1 + actor_id % 2",
        "union_id = null",
        "path = '1.2'",
        "registration_id = null",
    ],
)
async def test_an_edit_of_any_column_is_named(told: World, change: str) -> None:
    [number] = await told.sql("select max(id) from event where actor_id is not null")
    await past_triggers(told, f"update event set {change} where id = {number}")  # noqa: S608 - of the list above
    assert [fault for fault, _, event in await found(told) if event == number] == [Fault.CHANGED]
    assert len(await found(told)) == 1


async def test_every_column_of_an_event_is_chained() -> None:
    said = {column.key for column in chain._SAID}
    assert said == set(Event.__table__.columns.keys()), "What is not chained can be changed and nobody will know."


async def test_the_first_broken_link_is_named_first(told: World) -> None:
    await past_triggers(told, "update event set details = '{}' where id in (2, 4)")
    assert await found(told) == [(Fault.CHANGED, 2, 2), (Fault.CHANGED, 4, 4)]


async def test_a_deletion_is_named(told: World) -> None:
    await past_triggers(told, "delete from event where id = 3")
    assert await found(told) == [(Fault.REMOVED, 3, 3)]


async def test_a_deletion_with_its_link_is_a_gap(told: World) -> None:
    await past_triggers(told, "delete from event where id = 3", "delete from event_link where event_id = 3")
    assert await found(told) == [(Fault.GAP, 4, 4)]


async def test_links_that_are_put_in_order_again_do_not_fit(told: World) -> None:
    """Without the key nobody makes a hash that does."""
    await past_triggers(
        told,
        "delete from event where id = 3",
        "delete from event_link where event_id = 3",
        "update event_link set position = position - 1 where position > 3",
    )
    assert (await found(told))[0] == (Fault.CHANGED, 3, 4)


async def test_two_events_that_change_places_are_named(told: World) -> None:
    await past_triggers(
        told,
        "update event_link set event_id = -event_id where event_id in (2, 3)",
        "update event_link set event_id = 5 + event_id where event_id in (-2, -3)",
    )
    assert [fault for fault, *_ in await found(told)][:2] == [Fault.CHANGED, Fault.CHANGED]


async def test_an_insertion_past_the_triggers_is_named(told: World) -> None:
    await past_triggers(told, "insert into event (action, details) values ('account.created', '{}')")
    [number] = await told.sql("select max(id) from event")
    assert await found(told) == [(Fault.UNCHAINED, None, number)]


async def test_an_insertion_by_the_superuser_is_named_with_the_name(told: World, cluster: Cluster) -> None:
    [name] = await told.sql("select current_database()")
    insert = "insert into event (action, details) values ('appointment.made', '{}');"
    cluster.postgres.psql(rf"\connect {name}" + "\n" + insert)
    [number] = await told.sql("select max(id) from event")
    assert await found(told) == [(Fault.STRANGER, None, number)]
    await record.chain_waiting(told.resources)
    [link] = await told.sql("select max(position) from event_link")
    assert await found(told) == [(Fault.STRANGER, link, number)]
    # And whoever takes the name away breaks the link.
    await past_triggers(told, "update event_link set stranger = null")
    assert await found(told) == [(Fault.CHANGED, link, number)]


async def test_an_event_that_vanishes_before_it_is_chained_is_named(told: World) -> None:
    await told.sql("insert into event (action, details) values ('account.created', '{}')")
    [number] = await told.sql("select max(id) from event")
    assert await found(told) == []
    await past_triggers(told, "delete from event where id = (select max(id) from event)")
    await record.chain_waiting(told.resources)
    assert await found(told) == [(Fault.REMOVED, None, number)]


async def test_an_event_that_waits_no_more_and_is_not_chained_is_named(told: World) -> None:
    """What the server's own role could do to the notes."""
    await told.sql("insert into event (action, details) values ('account.created', '{}')")
    [number] = await told.sql("select max(id) from event")
    async with told.resources.db.writing() as session:
        await session.execute(delete(EventWaiting))
    assert await found(told) == [(Fault.UNCHAINED, None, number)]


# ── the end of the chain ─────────────────────────────────────────────────────────────────────


async def test_an_end_that_was_cut_off_is_missed_by_an_anchor_alone(told: World) -> None:
    kept = await record.anchor(told.resources)
    assert await found(told, kept) == []
    await past_triggers(
        told,
        "delete from event where id in (select event_id from event_link order by position desc limit 2)",
        "delete from event_link where position > (select max(position) - 2 from event_link)",
    )
    assert await found(told) == []
    assert await found(told, kept) == [(Fault.CUT_OFF, kept.position, None)]

    # Other events in their places do not make up for them.
    await told.sql("insert into event (action, details) select 'account.created', '{}' from generate_series(1, 3)")
    await record.chain_waiting(told.resources)
    assert [(fault, position) for fault, position, _ in await found(told, kept)] == [(Fault.MADE_ANEW, kept.position)]


async def test_a_chain_with_another_key_is_another_chain(told: World) -> None:
    other = Sealer({"k": bytes(32)}, "k", index_key=bytes(32))

    async def broken() -> list[tuple[Fault, int | None]]:
        async with told.operator.db.standing_still() as session:
            return [(one.fault, one.position) async for one in chain.breaks(session, other, [])]

    assert await broken() == [(Fault.KEYLESS, 1)]
    [name] = other.index_names
    await past_triggers(told, f"update event_link set key = '{name}'")  # noqa: S608 - eight digits
    assert await broken() == [(Fault.CHANGED, number) for number in range(1, 1 + await told.rows("event"))]
    assert [fault for fault, *_ in await found(told)] == [Fault.KEYLESS]


async def test_each_of_two_anchors_for_one_position_is_compared(told: World) -> None:
    kept = await record.anchor(told.resources)
    other = Anchor(kept.position, bytes(32))
    assert await found(told, kept, kept) == []
    for anchors in ((kept, other), (other, kept)):
        assert [fault for fault, *_ in await found(told, *anchors)] == [Fault.MADE_ANEW]


def test_an_anchor_is_spelled_in_one_way() -> None:
    anchor = Anchor(12, bytes(range(32)))
    assert Anchor.parse(str(anchor)) == anchor
    for other in ("", "12", "12:", f"x:{'0' * 64}", f"12:{'0' * 63}", f"12:{'A' * 64}", f"{anchor}\n", f"-{anchor}"):
        assert Anchor.parse(other) is None


# ── chaining ─────────────────────────────────────────────────────────────────────────────────


async def test_servers_that_chain_at_once_make_one_chain(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "_AT_ONCE", 7)
    await world.sql("insert into event (action, details) select 'account.created', '{}' from generate_series(1, 60)")
    await asyncio.gather(*(record.chain_waiting(world.resources) for _ in range(6)))
    await record.chain_waiting(world.resources)  # whoever met another at it left the rest to it
    assert (await world.rows("event_link"), await world.rows("event_waiting")) == (60, 0)
    assert await found(world) == []


async def test_a_writer_that_is_slow_is_chained_later(world: World) -> None:
    """Links are in the order of commits; numbers are given before."""
    insert = "insert into event (action, details) values ('account.created', '{}')"
    async with world.owner.connect() as slow:
        await slow.exec_driver_sql(insert)
        await world.sql(insert)
        await record.chain_waiting(world.resources)
        assert await world.sql("select event_id from event_link order by position") == [2]
        await slow.commit()
    await record.chain_waiting(world.resources)
    assert await world.sql("select event_id from event_link order by position") == [2, 1]
    assert await found(world) == []


async def test_a_server_chains_by_itself(world: World, settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"chain_seconds": 0.01}))
    async with app.router.lifespan_context(app):
        await world.union("广东省总工会")
        await world.sql("insert into event (action, details) values ('account.created', '{}')")
        await until(lambda: world.rows("event_link"))
    assert await found(world) == []


async def test_a_server_that_ends_leaves_nothing_waiting(world: World, settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"chain_seconds": 3600}))
    async with app.router.lifespan_context(app):
        await asyncio.sleep(0.1)  # it has chained what there was
        await world.sql("insert into event (action, details) values ('account.created', '{}')")
        assert await world.rows("event_link") == 0
    assert (await world.rows("event_waiting"), await world.rows("event_link")) == (0, 1)


async def test_a_database_that_is_away_is_waited_for(
    world: World, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    gone = Database("postgresql+asyncpg://u:p@/d?host=127.0.0.1&port=1", pool_size=1, deadlines=Deadlines())
    chaining = settings.model_copy(update={"chain_seconds": 0.01})
    async with record.kept_chained(replace(world.resources, settings=chaining, db=gone)):
        await until(lambda: asyncio.sleep(0, "Events wait to be chained" in caplog.text))
    await gone.close()


async def test_chaining_goes_on_whatever_goes_wrong(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database may not be migrated yet."""
    asked, waits = list[str](), chain.anything_waits

    async def failing_once(readers: Readers) -> bool:
        asked.append("asked")
        if len(asked) == 1:
            await readers.ask("select from nothing_of_that_name", [])
        return await waits(readers)

    monkeypatch.setattr(chain, "anything_waits", failing_once)
    await world.sql("insert into event (action, details) values ('account.created', '{}')")
    chaining = settings.model_copy(update={"chain_seconds": 0.01})
    async with record.kept_chained(replace(world.resources, settings=chaining)):
        await until(lambda: world.rows("event_link"))
    assert await found(world) == []


# ── the command ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def environ(told: World, settings: Settings) -> dict[str, str]:
    return {
        **generate_secrets(),
        "DATABASE_URL": str(settings.database_url),
        "MIGRATION_DATABASE_URL": settings.owner_url,
        "DATA_DIR": str(settings.data_dir),
        "BLIND_INDEX_KEY": base64.b64encode(settings.blind_index_key.get_secret_value()[0]).decode(),
    }


async def audit(environ: dict[str, str], *words: str) -> Result:
    called = partial(CliRunner(env=environ).invoke, commands.program, ["audit", *words])
    return await anyio.to_thread.run_sync(called)


async def test_the_operator_verifies_and_keeps_an_anchor(told: World, environ: dict[str, str]) -> None:
    await told.sql("insert into event (action, details) values ('account.created', '{}')")
    sound = orjson.loads((await audit(environ, "verify")).stdout)
    assert (sound["broken"], sound["waiting"]) == (0, 1)

    kept = orjson.loads((await audit(environ, "anchor")).stdout)
    assert kept["links"] == sound["links"] + 1
    again = orjson.loads((await audit(environ, "verify", "--anchor", kept["anchor"])).stdout)
    assert again == {"links": kept["links"], "waiting": 0, "broken": 0, "anchor": kept["anchor"]}

    await past_triggers(told, "update event set details = '{}' where id = 2", "delete from event where id = 4")
    broken = await audit(environ, "verify", "--anchor", kept["anchor"])
    assert broken.exit_code == 1 and broken.stdout == ""
    assert broken.stderr.splitlines() == [
        "第 2 环：事件 2 被改动。 Link 2: event 2 was changed.",
        "事件 4 被删除。 Event 4 was removed.",
        "记录有 2 处断裂。 Broken places: 2.",
    ]


async def test_what_is_no_anchor_is_refused(environ: dict[str, str]) -> None:
    refused = await audit(environ, "verify", "--anchor", "12:abc")
    assert (refused.exit_code, refused.stderr) == (1, "12:abc: 不是锚点。 Not an anchor.\n")


def test_every_fault_has_its_sentences() -> None:
    assert set(upkeep._BROKEN) == set(Fault)
