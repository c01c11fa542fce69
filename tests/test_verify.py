"""`python server.py verify` names each value that contradicts what it is derived from, and is silent otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from functools import partial

import anyio.to_thread
import orjson
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import commands
from storage.cluster import Cluster
from storage.migrations import migrate
from storage.settings import Settings, generate_secrets
from tests.world import EMPLOYER, GRASSROOTS, World

# 1 全国 → 2 省 → 3 市 → 4 县 → 5 厂, and a registration under the county.
PLANTED = """
    insert into account (phone, real_name) values ('+8613800138000', '陈伟');
    insert into trade_union (parent_id, path, kind, status, name, name_key, former_names, region_code)
    select nullif(n - 1, 0), (array['1', '1.2', '1.2.3', '1.2.3.4', '1.2.3.4.5'])[n]::ltree, 'HIGHER_LEVEL', 'ACTIVE',
           n, n, '{}', '440300' from generate_series(1, 5) n;
    insert into registration (parent_id, parent_path, applicant_id, kind, status, round)
    values (4, '1.2.3.4', 1, 'GRASSROOTS', 'PENDING', 1);
"""


async def verify(url: str, folder: object) -> Result:
    environ = {"DATABASE_URL": url, "DATA_DIR": str(folder), "PUBLIC_URL": "https://union.test", **generate_secrets()}
    return await anyio.to_thread.run_sync(partial(CliRunner(env=environ).invoke, commands.program, ["verify"]))


class Broken:
    """A registry of its own, in which something will be broken past the triggers and foreign keys."""

    def __init__(self, url: str, folder: object, engine: AsyncEngine) -> None:
        self.url, self.folder, self.engine = url, folder, engine

    async def run(self, statements: str) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text("set local session_replication_role = replica"))
            for statement in filter(str.strip, statements.split(";")):
                await connection.execute(text(statement))

    async def told(self) -> set[str]:
        """What `verify` finds: table, id, column, what it is and what it should be."""
        result = await verify(self.url, self.folder)
        assert result.exit_code == 1 and result.stdout == "", result.output
        *lines, last = result.stderr.rstrip("\n").split("\n")
        assert last.startswith(f"发现 {len(lines)} 处不一致。 {len(lines)} differences.")
        assert all("：现为 " in line and "，应为 " in line for line in lines)
        return {line.partition("。 ")[2] for line in lines}


@pytest.fixture
async def broken(
    cluster: Cluster, worker_id: str, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Broken]:
    del database_url  # it was made with the right that `run` needs
    url = cluster.create_database(f"broken_{worker_id}")
    engine = create_async_engine(url)
    try:
        await migrate(url)
        async with engine.begin() as connection:
            for statement in filter(str.strip, PLANTED.split(";")):
                await connection.execute(text(statement))
        yield Broken(url, tmp_path_factory.mktemp("verify"), engine)
    finally:
        await engine.dispose()
        cluster.drop_database(f"broken_{worker_id}")


async def test_each_broken_thing_is_named(broken: Broken) -> None:
    sound = await verify(broken.url, broken.folder)
    assert orjson.loads(sound.stdout) == {"unions": 5, "registrations": 1, "tallies": 4, "differences": 0}

    # A path that says the factory is under the province, and ancestors with it, for they follow the path.
    await broken.run("update trade_union set path = '1.2.5' where id = 5")
    assert await broken.told() == {
        "trade_union 5 path: is 1.2.5, should be 1.2.3.4.5.",
        "trade_union 5 ancestors: is {1,2,5}, should be {1,2,3,4,5}.",
    }
    await broken.run("update trade_union set path = '1.2.3.4.5' where id = 5")

    # Ancestors alone, which takes a change of the table.
    await broken.run("alter table trade_union alter ancestors drop expression")
    await broken.run("update trade_union set ancestors = '{1,4,3,2}' where id = 4")
    assert await broken.told() == {"trade_union 4 ancestors: is {1,4,3,2}, should be {1,2,3,4}."}
    await broken.run("update trade_union set ancestors = '{1,2,3,4}' where id = 4")

    await broken.run("update registration set parent_path = '1.4'")
    assert await broken.told() == {
        "registration 1 parent_path: is 1.4, should be 1.2.3.4.",
        "registration 1 ancestors: is {1,4}, should be {1,2,3,4}.",
    }
    await broken.run("update registration set parent_path = '1.2.3.4'")

    await broken.run(
        """update tally set children_higher_level = 7 where union_id = 1;
           update tally set pending = 9 where union_id = 3;
           delete from tally where union_id = 4;
           update tally set grassroots = -1, rejected = 1 where union_id = 2"""
    )
    assert await broken.told() == {
        "tally 1 children_higher_level: is 7, should be 1.",
        "tally 3 pending: is 9, should be 1.",
        "tally 4 children_higher_level: is 0, should be 1.",
        "tally 4 higher_level: is 0, should be 1.",
        "tally 4 pending: is 0, should be 1.",
        "tally 2 grassroots: is -1, should be 0.",
        "tally 2 rejected: is 1, should be 0.",
    }
    await broken.run("select recount_tallies()")
    assert (await verify(broken.url, broken.folder)).exit_code == 0


async def test_what_hangs_on_no_root_is_named(broken: Broken) -> None:
    """Two below each other, one of them with a registration."""
    await broken.run("update trade_union set parent_id = 5 where id = 4")
    assert await broken.told() >= {
        "trade_union 4 path: is 1.2.3.4, should be —.",
        "trade_union 5 path: is 1.2.3.4.5, should be —.",
        "registration 1 parent_path: is 1.2.3.4, should be —.",
    }


async def test_what_was_not_added_up_is_named(broken: Broken) -> None:
    await broken.run("insert into tally_change (id, first, place, pending) values (77, true, '{1,2}', 1)")
    assert await broken.told() == {"tally_change 77 place: is {1,2}, should be —."}


async def test_rows_that_were_written_past_the_triggers_are_missed(broken: Broken) -> None:
    await broken.run("update registration set status = 'REJECTED'")
    assert await broken.told() == {
        f"tally {union} {what}"
        for union in (3, 4)
        for what in ("pending: is 1, should be 0.", "rejected: is 0, should be 1.")
    }


async def test_a_photo_that_was_changed_or_lost_is_named(world: World, settings: Settings) -> None:
    applicant = await world.person()
    photos = [(await applicant.upload())["certificate"]["sha256"] for _ in range(3)]
    changed, lost, sound = (world.resources.files.path(one) for one in photos)
    content = changed.read_bytes()
    changed.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    lost.unlink()
    result = await verify(settings.owner_url, settings.data_dir)
    now = hashlib.sha256(changed.read_bytes()).hexdigest()
    assert (result.exit_code, sound.exists()) == (1, True)
    assert {line.partition("。 ")[2] for line in result.stderr.splitlines()[:-1]} == {
        f"certificate 1 file: is {now}, should be {photos[0]}.",
        f"certificate 2 file: is —, should be {photos[1]}.",
    }
    changed.unlink()


async def test_nothing_is_found_after_a_day_of_work(world: World, settings: Settings) -> None:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    district = await world.union("南山区总工会", city)
    reviewer, applicant = await world.administrator(district), await world.person()
    for number in range(6):
        form = await applicant.registered(district, employer=EMPLOYER)
        if number % 3:
            await reviewer.review(form, "APPROVE" if number % 3 == 1 else "REJECT", opinion="意见")
    await world.dissolve(await world.union("旧厂工会", district, GRASSROOTS))
    result = await verify(settings.owner_url, settings.data_dir)
    assert (result.exit_code, result.stderr) == (0, "")
    assert orjson.loads(result.stdout) == {"unions": 6, "registrations": 6, "tallies": 3, "differences": 0}
