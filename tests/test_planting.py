"""The benchmark's database: planted whole by COPY, it obeys what a registry grown one by one obeys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final

import pytest

from benchmarks import postgraphile
from benchmarks.__main__ import BARE
from benchmarks.database import Connection, connected, sealer
from benchmarks.limit.app import FUNCTIONS, statement
from benchmarks.picks import pick
from benchmarks.plant import OutdatedError, plant
from benchmarks.stated import _Paper
from benchmarks.tree import SMALLEST
from benchmarks.workloads import READS
from models.identifiers import check_id_number
from storage.cluster import Cluster
from storage.migrations import migrate

# What constraints, indexes and triggers there are; those that do not hold are told apart.
RULES: Final = """
    select conrelid::regclass::text, pg_get_constraintdef(oid), convalidated from pg_constraint
     where connamespace = 'public'::regnamespace
    union all select indrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid from pg_index
     where indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
    union all select tgrelid::regclass::text, pg_get_triggerdef(oid), tgenabled = 'O' from pg_trigger
     where not tgisinternal
     order by 1, 2
"""
# What the database leaves to the program to keep to.
OFFENDERS: Final[Mapping[str, str]] = {
    "a grassroots union takes no children": """
        select c.id from trade_union c join trade_union p on p.id = c.parent_id where p.kind = 'GRASSROOTS'""",
    "nothing is below a dissolved union": """
        select c.id from trade_union c join trade_union p on p.id = c.parent_id where p.status = 'DISSOLVED'""",
    "every union but the root came of an approved registration under the same parent": """
        select u.id from trade_union u left join registration r on r.union_id = u.id and r.parent_id = u.parent_id
         where u.parent_id is not null and r.status is distinct from 'APPROVED'""",
    "every round was submitted": """
        select r.id from registration r
         where r.round <> (select count(*) from submission s where s.registration_id = r.id and s.round <= r.round)""",
    "the last round shows when it came": """
        select r.id from registration r join submission s on s.registration_id = r.id and s.round = r.round
         where r.submitted_at <> s.submitted_at""",
    "every round but the last was refused": """
        select s.registration_id from submission s join registration r on r.id = s.registration_id and s.round < r.round
          left join review v on v.registration_id = r.id and v.round = s.round
         where v.decision is distinct from 'REJECT'""",
    "a decision is what the state says, on the day that it says": """
        select r.id from registration r left join review v on v.registration_id = r.id and v.round = r.round
         where v.decision is distinct from
               (case r.status when 'APPROVED' then 'APPROVE' when 'REJECTED' then 'REJECT' end)
            or v.decided_at is distinct from r.decided_at""",
    "nobody decides on their own application": """
        select r.id from registration r join review v on v.registration_id = r.id
         where v.reviewer_id = r.applicant_id""",
}
SCRIPTS: Final = {file.name: file.read_text() for file in (BARE, postgraphile.HERE / "views.sql")}


@pytest.fixture(scope="module")
async def url(cluster: Cluster, worker_id: str) -> AsyncIterator[str]:
    name = f"planted_{worker_id}"
    url = cluster.create_database(name)
    await plant(url, SMALLEST, lambda _: None)
    yield url
    cluster.drop_database(name)


@pytest.fixture
async def connection(url: str) -> AsyncIterator[Connection]:
    """Its work is rolled back."""
    async with connected(url) as connection:
        work = connection.transaction()
        await work.start()
        yield connection
        await work.rollback()


async def test_it_has_every_rule_of_a_database_that_was_only_migrated(
    cluster: Cluster, worker_id: str, connection: Connection
) -> None:
    name = f"unplanted_{worker_id}"
    url = cluster.create_database(name)
    try:
        await migrate(url)
        async with connected(url) as other:
            assert await connection.fetch(RULES) == await other.fetch(RULES)
    finally:
        cluster.drop_database(name)
    assert all(holds for *_, holds in await connection.fetch(RULES))


@pytest.mark.parametrize("rule", OFFENDERS)
async def test_nothing_in_it_could_not_have_come_about(connection: Connection, rule: str) -> None:
    assert await connection.fetch(OFFENDERS[rule]) == []


async def test_a_planted_id_number_opens_for_the_server(connection: Connection) -> None:
    row = await connection.fetchrow("select id, id_number_sealed from trade_union order by id desc limit 1")
    assert row is not None
    paper = _Paper(f"trade_union:{row['id']}")
    paper.id_number_sealed = row["id_number_sealed"]
    assert check_id_number(sealer().open(paper) or "")


async def test_planting_again_changes_nothing_and_another_size_is_refused(url: str) -> None:
    assert not await plant(url, SMALLEST, lambda _: None)
    with pytest.raises(OutdatedError):
        await plant(url, SMALLEST + 1, lambda _: None)


@pytest.mark.parametrize("name", [workload.name for workload in READS])
async def test_there_is_something_to_ask_in_each_workload_and_a_limit_that_answers(
    connection: Connection, name: str
) -> None:
    asks = await pick(connection, name)
    assert len({ask.token for ask in asks}) == 2
    await connection.execute(FUNCTIONS)
    await connection.prepare(statement(name, level=3))


@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_script_for_a_contestant_fits_the_tables(connection: Connection, script: str) -> None:
    await connection.execute(SCRIPTS[script])
