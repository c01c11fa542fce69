"""The server's role: what it may do is a list, and everything else is refused by the database itself."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models.tables import metadata
from storage.cluster import SERVER
from storage.grants import SEQUENCES, TABLES
from storage.migrations import migrate
from storage.settings import Settings
from tests.world import World

GRANTED = f"""
    select table_name, lower(privilege_type) from information_schema.role_table_grants where grantee = '{SERVER}'
    union all
    select table_name, lower(privilege_type) || ' ' || column_name from information_schema.column_privileges c
     where grantee = '{SERVER}' and not exists (
        select from information_schema.role_table_grants t
         where t.grantee = c.grantee and t.table_name = c.table_name and t.privilege_type = c.privilege_type)
    union all
    select object_name, lower(privilege_type) from information_schema.usage_privileges
     where grantee = '{SERVER}' and object_type = 'SEQUENCE'
"""  # noqa: S608 - constants


async def granted(world: World) -> dict[str, set[str]]:
    """As the SQL standard's views tell it."""
    found: dict[str, set[str]] = {}
    for name, right in await world.sql(GRANTED):
        found.setdefault(name, set()).add(right)
    return found


async def test_what_is_granted_is_what_is_needed(world: World) -> None:
    needed = {**TABLES, **SEQUENCES}
    assert await granted(world) == {name: set(rights) for name, rights in needed.items() if rights}
    assert set(TABLES) == {*(table.name for table in metadata.sorted_tables), "alembic_version"}, (
        "Say in storage/grants.py what the server may do with a new table."
    )


async def test_the_server_signs_in_with_that_role_and_owns_nothing(world: World) -> None:
    async with world.resources.db.reading() as session:
        assert (await session.execute(text("select current_user, session_user"))).one() == (SERVER, SERVER)
    owned = f"select count(*) from pg_shdepend where refobjid = '{SERVER}'::regrole and deptype = 'o'"  # noqa: S608
    assert await world.sql(owned) == [0]
    powers = "rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
    [every] = await world.sql(f"select {powers} from pg_roles where rolname = '{SERVER}'")  # noqa: S608
    assert not any(every)
    [member] = await world.sql(f"select count(*) from pg_auth_members where member = '{SERVER}'::regrole")  # noqa: S608
    assert member == 0


# What somebody would try who speaks with the server's voice.
REFUSED = [
    "update event set details = '{}'",
    "update event set at = now() - interval '1 year'",
    "delete from event",
    "truncate event",
    "insert into event (action, details, at) values ('union.founded', '{}', '2020-01-01')",
    "insert into event (id, action, details) overriding system value values (1, 'union.founded', '{}')",
    "update event_link set hash = ''",
    "delete from event_link",
    "truncate event_link",
    "insert into event_waiting (event_id) values (1)",
    "update submission set name = ''",
    "delete from submission",
    "update review set registration_id = 1",
    "delete from review",
    "update trade_union set path = path",
    "update trade_union set name = name",
    "delete from trade_union",
    "update registration set applicant_id = 1",
    "update registration set parent_id = 1",
    "delete from registration",
    "update account set phone = phone",
    "update certificate set uploaded_at = uploaded_at",
    "update key_proof set proof = proof",
    "delete from key_proof",
    "update appointment set role = 'ADMINISTRATOR'",
    "update session set account_id = 1",
    "update session set expires_at = now() + interval '1 year'",
    "update tally set pending = 0",
    "insert into tally_change (first, place) values (true, '{1}')",
    "select * from tally_change",
    "select recount_tallies()",
    "update region set name = name",
    "update alembic_version set version_num = '0001'",
    "alter table event disable trigger all",
    "drop trigger event_is_frozen on event",
    "alter table event add column mine text",
    "drop table event",
    "create table mine (word text)",
    "create temporary table event (word text)",
    "create or replace function refuse_change() returns trigger language plpgsql as $$ begin return new; end $$",
    "set session_replication_role = replica",
    "set role uniontree",
    "copy event to program 'cat'",
    "select pg_read_file('PG_VERSION')",
]


@pytest.mark.parametrize("statement", REFUSED)
async def test_the_server_s_role_is_refused(world: World, statement: str) -> None:
    before = await world.fingerprint()
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        async with world.resources.db.writing() as session:
            await session.execute(text(statement))
    assert await world.fingerprint() == before


async def test_and_it_does_its_work(world: World) -> None:
    """Beside what is refused: it registers, decides and is counted, with no right to the counts themselves."""
    city = await world.union("深圳市总工会", await world.union("广东省总工会"))
    administrator, applicant = await world.administrator(city), await world.person()
    payload = await administrator.review(await applicant.registered(city), "APPROVE")
    assert payload["errors"] == []
    assert await world.sql("select children_higher_level, approved from tally where union_id = :id", id=city.id) == [
        (1, 1)
    ]
    assert await world.rows("tally_change") == 0
    assert await world.rows("event_waiting") == await world.rows("event") > 0


DEFINERS = """
    select proname, coalesce(proconfig, '{}') from pg_proc
     where pronamespace = 'public'::regnamespace and prosecdef order by 1
"""


async def test_functions_with_their_owner_s_rights_have_a_fixed_search_path(world: World) -> None:
    found = await world.sql(DEFINERS)
    assert [name for name, _ in found] == [
        "fold_tally_changes",
        "note_events",
        "note_registration_counts",
        "note_trade_union_counts",
    ]
    assert all("search_path=public, pg_temp" in settings for _, settings in found)


async def test_a_temporary_table_leads_no_trigger_astray(world: World) -> None:
    root = await world.union("广东省总工会")
    async with world.owner.begin() as connection:
        for name in ("tally", "tally_change", "event_waiting"):
            await connection.execute(text(f"create temporary table {name} (like public.{name}) on commit drop"))
        await connection.execute(text("insert into event (action, details) values ('union.founded', '{}')"))
        await connection.execute(
            text(
                "insert into registration (parent_id, parent_path, applicant_id, kind, status, round)"
                f" select {root.id}, '{root.path}', 1, 'GRASSROOTS', 'PENDING', 1 where false"
            )
        )
        assert await connection.scalar(text("select count(*) from pg_temp.event_waiting")) == 0
    assert await world.rows("event_waiting") == 1


async def test_granting_again_changes_nothing_and_what_is_too_much_is_taken_back(
    world: World, settings: Settings
) -> None:
    rights = "select relname, xmin::text, relacl::text from pg_class where relnamespace = 'public'::regnamespace"
    before = await world.sql(rights)
    await migrate(settings.owner_url, server=SERVER)
    assert await world.sql(rights) == before

    await world.sql(f"grant delete, update on event to {SERVER}")
    await world.sql(f"grant update (path) on trade_union to {SERVER}")
    assert await granted(world) != {name: set(needed) for name, needed in {**TABLES, **SEQUENCES}.items() if needed}
    await migrate(settings.owner_url, server=SERVER)
    assert await granted(world) == {name: set(needed) for name, needed in {**TABLES, **SEQUENCES}.items() if needed}


async def test_a_commit_waits_for_the_disk_whatever_the_role_is_set_to(world: World) -> None:
    """The run's PostgreSQL is told to forget; a strict setting is left as it is."""
    async with world.resources.db.writing() as session:
        assert await session.scalar(text("show synchronous_commit")) == "on"
    async with world.owner.connect() as connection:
        assert await connection.scalar(text("show synchronous_commit")) == "off"
