"""When the database is slow, busy or away: 503, when to come again, and a code that says so.

Never a fault, never a wait without end. Each stands beside its success: the same request, a moment later.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from resolvers import registration as registering
from resolvers.context import Context
from server import create_app
from storage import regions
from storage.cluster import Cluster
from storage.settings import Settings
from tests.world import Client, World, gid

BUSY = """select count(*) from pg_stat_activity
    where datname = current_database() and state = 'active' and pid <> pg_backend_pid()"""
READ = "{ roots { id } }"


@asynccontextmanager
async def hurried(world: World, **settings: Any) -> AsyncIterator[World]:
    """The same registry, served by somebody with little patience."""
    changed = world.resources.settings.model_copy(update=settings)
    app = create_app(changed)
    async with app.router.lifespan_context(app):
        yield World(app)


@asynccontextmanager
async def holding(world: World, statement: str) -> AsyncIterator[None]:
    """Meanwhile somebody else has what this statement locks."""
    async with world.owner.connect() as connection, connection.begin():
        await connection.execute(text(statement))
        yield


async def as_the_server(world: World, statement: str) -> Any:
    """What a statement gives to the server's role, which sees and ends what that role does."""
    async with world.resources.db.engine.connect() as connection:
        return (await connection.execute(text(statement))).scalar()


async def post(person: Client, query: str, **variables: Any) -> httpx.Response:
    async with person.http() as http:
        return await http.post("/graphql", json={"query": query, "variables": variables})


def refused(answer: httpx.Response, reason: str) -> None:
    """It says: not now, for this reason, ask again."""
    assert answer.status_code == 503, answer.text
    [error] = answer.json()["errors"]
    assert error["extensions"] == {"code": "UNAVAILABLE", "reason": reason, "retryable": True}
    assert error["message"] == "系统繁忙，请稍后再试。"
    assert "data" not in answer.json() and 1 <= int(answer.headers["retry-after"]) <= 3


def elsewhere(person: Client, world: World) -> Client:
    return Client(world, person.account_id, person.token)


# ── deadlines ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("path")
async def test_a_lock_that_is_not_to_be_had_ends_a_read(world: World) -> None:
    province = await world.union("广东省总工会")
    query = "{ roots { name } }"
    async with hurried(world, statement_timeout=0.2) as impatient:
        asking = elsewhere(await world.administrator(province), impatient)
        async with holding(world, "lock table trade_union in access exclusive mode"):
            refused(await post(asking, query), "a lock was not to be had in time")
        assert (await post(asking, query)).json()["data"] == {"roots": [{"name": "广东省总工会"}]}


async def test_a_lock_that_is_not_to_be_had_ends_a_mutation_and_nothing_was_written(world: World) -> None:
    city, applicant = await world.union("深圳市总工会"), await world.person()
    form = world.form(city, await applicant.certificate())
    query = """mutation($input: RegisterHigherLevelUnionInput!) {
        registerHigherLevelUnion(input: $input) { registration { id } errors { code } } }"""
    async with hurried(world, statement_timeout=0.2) as impatient:
        asking = elsewhere(applicant, impatient)
        async with holding(world, "select 1 from trade_union for update"):
            before = await world.fingerprint()
            refused(await post(asking, query, input=form), "a lock was not to be had in time")
            assert await world.fingerprint() == before
        accepted = (await post(asking, query, input=form)).json()["data"]["registerHigherLevelUnion"]
    assert accepted["errors"] == [] and await world.rows("registration") == 1


@pytest.mark.parametrize(("method", "path"), [("GET", "/i/AAAAAAAAAAAAAAAAAAAAAA"), ("GET", "/session")])
async def test_a_page_says_so_too(world: World, method: str, path: str) -> None:
    person = await world.person()
    async with hurried(world, statement_timeout=0.2) as impatient, elsewhere(person, impatient).http() as http:
        async with holding(world, "lock table session, invite in access exclusive mode"):
            answer = await http.request(method, path)
            page = await http.request(method, path, headers={"accept": "text/html", "accept-language": "en"})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "UNAVAILABLE")
        assert answer.json()["errors"][0]["retryable"] is True and answer.headers["retry-after"]
        assert (page.status_code, page.text) == (
            503,
            "This cannot be answered just now; please try again in a moment.\n",
        )
        assert (await http.request(method, path)).status_code in {200, 404}


@pytest.mark.usefixtures("path")
async def test_an_operation_has_one_deadline_for_all_and_its_statement_is_cancelled(world: World) -> None:
    mayor = await world.administrator(await world.union("深圳市总工会"))
    async with hurried(world, operation_timeout=0.3) as impatient:
        async with holding(world, "lock table tally in access exclusive mode"):
            asked = asyncio.create_task(post(elsewhere(mayor, impatient), "{ roots { statistics { unions } } }"))
            while not asked.done() and not await as_the_server(world, BUSY):
                continue
            refused(await asked, "the operation took too long")
            async with asyncio.timeout(3):  # the statement itself would have a minute
                while await as_the_server(world, BUSY):
                    continue
        assert (await post(elsewhere(mayor, impatient), READ)).status_code == 200


@pytest.mark.usefixtures("path")
async def test_whoever_gets_no_connection_in_time_is_told(world: World) -> None:
    mayor = await world.administrator(await world.union("深圳市总工会"))
    async with hurried(world, pool_size=1, pool_timeout=0.1, operation_timeout=3) as small:
        asking = elsewhere(mayor, small)
        async with holding(world, "lock table trade_union in access exclusive mode"):
            async with asyncio.TaskGroup() as group:
                first, second = (group.create_task(post(asking, READ)) for _ in range(2))
            reasons = {one.result().json()["errors"][0]["extensions"]["reason"] for one in (first, second)}
        assert "no connection to the database was free in time" in reasons
        assert (await post(asking, READ)).status_code == 200


@pytest.mark.usefixtures("path")
async def test_writers_who_wait_for_one_row_keep_nobody_from_reading(world: World) -> None:
    city = await world.union("深圳市总工会")
    mayor = await world.administrator(city)
    query = "mutation($input: CreateInviteInput!) { createInvite(input: $input) { errors { code } } }"
    async with hurried(world, pool_size=2, pool_timeout=1, statement_timeout=2) as small:
        asking = elsewhere(mayor, small)
        async with holding(world, "select 1 from trade_union for update"):
            writers = [asyncio.create_task(post(asking, query, input={"unionId": gid(city)})) for _ in range(8)]
            while await as_the_server(world, BUSY + " and wait_event_type = 'Lock'") < 2:
                continue
            read = await post(asking, READ)  # while every connection that writes waits
            assert not any(one.done() for one in writers)
            assert read.json()["data"] == {"roots": [{"id": gid(city)}]}
        answers = await asyncio.gather(*writers)
    assert {one.status_code for one in answers} <= {200, 503}


# ── lost connections ─────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("path")
async def test_connections_that_were_lost_meanwhile_are_replaced_unnoticed(world: World) -> None:
    city = await world.union("深圳市总工会")
    mayor = await world.administrator(city)

    async def lose() -> None:
        async with hurried(world) as other:  # whose own connection is the one that stays
            await as_the_server(
                other,
                "select count(pg_terminate_backend(pid, 1000)) from pg_stat_activity "
                "where datname = current_database() and usename = current_user and pid <> pg_backend_pid()",
            )
        await asyncio.sleep(0)

    await mayor.ask(READ)
    await lose()
    assert await mayor.ask(READ) == [{"id": gid(city)}]
    await lose()
    assert (await mayor.do("createInvite", "invite { status }", unionId=gid(city)))["errors"] == []


async def test_a_database_that_is_away_is_told_and_served_again_as_soon_as_it_is_back(
    world: World, cluster: Cluster, settings: Settings
) -> None:
    city = await world.union("深圳市总工会")
    mayor = await world.administrator(city)
    name = str(settings.database_url).rpartition("/")[2].partition("?")[0]
    query = "mutation($input: CreateInviteInput!) { createInvite(input: $input) { errors { code } } }"
    away = f'alter database "{name}" allow_connections '
    cluster.postgres.psql(
        f"{away} false; select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{name}';"  # noqa: S608 - the tests' own
    )
    try:
        for asked, variables in ((READ, {}), (query, {"input": {"unionId": gid(city)}})):
            refused(await post(mayor, asked, **variables), "the database is away")
        async with mayor.http() as http:
            assert [(await http.get(path)).status_code for path in ("/livez", "/readyz", "/session")] == [200, 503, 503]
        async with hurried(world) as late, elsewhere(mayor, late).http() as http:  # a server starts meanwhile, too
            assert [(await http.get(path)).status_code for path in ("/livez", "/readyz")] == [200, 503]
    finally:
        cluster.postgres.psql(f"{away} true;")
    assert (await mayor.ask(READ)) == [{"id": gid(city)}]
    assert (await mayor.do("createInvite", "invite { status }", unionId=gid(city)))["errors"] == []
    async with mayor.http() as http:
        assert (await http.get("/readyz")).status_code == 200


# ── again, whole ─────────────────────────────────────────────────────────────────────────────


class Failing:
    """Makes PostgreSQL refuse what is asked in the middle of a form, so many times."""

    def __init__(self, state: str, times: int) -> None:
        self.left, self.asked = times, 0
        self.statement = text(f"do $$ begin raise exception 'no' using errcode = '{state}'; end $$")
        self.current = regions.current

    async def __call__(self, session: Any, code: str) -> Any:
        self.asked += 1
        if self.left:
            self.left -= 1
            await session.execute(self.statement)
        return await self.current(session, code)


@pytest.mark.parametrize("state", ["40001", "40P01"], ids=["serialization", "deadlock"])
async def test_what_was_rolled_back_is_done_again_whole_three_times(
    world: World, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    city, applicant = await world.union("深圳市总工会"), await world.person()
    failing = Failing(state, 3)
    monkeypatch.setattr(regions, "current", failing)
    await applicant.registered(city)
    assert failing.asked == 4
    assert [await world.rows(table) for table in ("registration", "submission", "event")] == [1, 1, 1]


async def test_the_fourth_time_it_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    city, applicant = await world.union("深圳市总工会"), await world.person()
    form = world.form(city, await applicant.certificate())
    query = """mutation($input: RegisterHigherLevelUnionInput!) {
        registerHigherLevelUnion(input: $input) { registration { id } errors { code } } }"""
    monkeypatch.setattr(regions, "current", Failing("40P01", 4))
    refused(await post(applicant, query, input=form), "others were writing the same")
    assert await world.rows("registration") == 0
    assert (await post(applicant, query, input=form)).json()["data"]["registerHigherLevelUnion"]["errors"] == []


@pytest.mark.parametrize(("state", "reason"), [("53100", "the database has no room or no resources left")])
async def test_a_full_disk_is_told_and_not_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch, state: str, reason: str
) -> None:
    city, applicant = await world.union("深圳市总工会"), await world.person()
    form = world.form(city, await applicant.certificate())
    failing = Failing(state, 1)
    monkeypatch.setattr(regions, "current", failing)
    query = """mutation($input: RegisterHigherLevelUnionInput!) {
        registerHigherLevelUnion(input: $input) { registration { id } errors { code } } }"""
    refused(await post(applicant, query, input=form), reason)
    assert failing.asked == 1 and await world.rows("registration") == 0


async def test_what_was_committed_is_not_done_again_when_its_answer_cannot_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent again with its key, it is answered with what was done."""
    city, applicant = await world.union("深圳市总工会"), await world.person()
    form = world.form(city, await applicant.certificate(), idempotencyKey="k")
    query = """mutation($input: RegisterHigherLevelUnionInput!) {
        registerHigherLevelUnion(input: $input) { registration { id } errors { code } } }"""

    async def lost(ctx: Context, _registration_id: int) -> None:
        async with ctx.db.reading() as session:
            await session.execute(text("select pg_terminate_backend(pg_backend_pid())"))

    with monkeypatch.context() as patch:
        patch.setattr(registering, "reread", lost)
        refused(await post(applicant, query, input=form), "the database is away")
    assert await world.rows("registration") == 1
    again = (await post(applicant, query, input=form)).json()["data"]["registerHigherLevelUnion"]
    assert again["errors"] == [] and again["registration"] is not None
    assert await world.rows("registration") == 1
