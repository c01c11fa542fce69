"""`python server.py sweep` and `erase`: what they say, and that nobody does it twice at once."""

from __future__ import annotations

from functools import partial

import anyio.to_thread
import orjson
import pytest
from click.testing import CliRunner, Result

import commands
from resolvers.housekeeping import alone
from storage.settings import Settings, generate_secrets
from tests.test_erasure import age as age_registrations
from tests.test_sweeping import age as age_photos
from tests.world import World


async def invoke(settings: Settings, word: str) -> Result:
    assert settings.database_url is not None
    given = {"DATABASE_URL": settings.database_url, "DATA_DIR": str(settings.data_dir), **generate_secrets()}
    runner = CliRunner(env=given)
    return await anyio.to_thread.run_sync(partial(runner.invoke, commands.program, [word]))


async def test_sweep_says_what_it_deleted(world: World, settings: Settings) -> None:
    await (await world.person()).certificate()
    await age_photos(world)
    told = orjson.loads((await invoke(settings, "sweep")).stdout)
    assert told["certificates"] == 1 and told["files"] >= 1 and told["bytes"] > 0
    assert await world.rows("certificate") == 0


async def test_erase_says_how_many_it_erased(world: World, settings: Settings) -> None:
    province, person = await world.union("广东省总工会"), await world.person()
    await person.withdraw(await person.registered(province))
    assert orjson.loads((await invoke(settings, "erase")).stdout) == {"erased": 0}
    await age_registrations(world, 366)
    assert orjson.loads((await invoke(settings, "erase")).stdout) == {"erased": 1}


@pytest.mark.parametrize("word", ["sweep", "erase"])
async def test_one_at_a_time(world: World, settings: Settings, word: str) -> None:
    async with alone(world.resources) as mine:
        assert mine
        refused = await invoke(settings, word)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "另一进程正在清理。 Another process is at it.\n"
    assert (await invoke(settings, word)).exit_code == 0
