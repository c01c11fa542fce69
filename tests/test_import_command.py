"""`python server.py import`: one JSON object, a sentence beside it when nothing was imported, and no bar in a pipe."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import orjson
import pytest
from click.testing import CliRunner, Result

import commands
import console
from storage.settings import Settings, generate_secrets
from tests.rolls import PROVINCE, put
from tests.world import World

Invoke = Callable[..., Awaitable[Result]]


@pytest.fixture
def invoke(settings: Settings, tmp_path: Path) -> Invoke:
    """Imports a file as from a shell, beside our own event loop."""
    environ = {"DATABASE_URL": settings.database_url, "MIGRATION_DATABASE_URL": settings.owner_url}
    environ |= {"DATA_DIR": str(tmp_path), **generate_secrets()}

    async def invoked(content: Any, *words: str) -> Result:
        file = tmp_path / "unions.csv"
        put(file, content)
        runner = CliRunner(env=environ)
        called = partial(runner.invoke, commands.program, ["import", str(file), *words])
        return await anyio.to_thread.run_sync(called)

    return invoked


async def test_what_was_imported_is_told(world: World, invoke: Invoke) -> None:
    top = await world.union("中华全国总工会")
    tried = await invoke(PROVINCE, "--under", str(top.path), "--dry-run")
    assert (tried.exit_code, tried.stderr) == (0, "")
    assert await world.rows("trade_union") == 1

    done = await invoke(PROVINCE, "--under", str(top.path))
    assert (done.exit_code, done.stderr) == (0, "")
    sums = {"file": "CSV UTF-8", "rows": 4, "created": 4, "known": 0, "faults": [], "untold": 0}
    assert orjson.loads(tried.stdout) == {**sums, "dryRun": True}
    assert orjson.loads(done.stdout) == {**sums, "dryRun": False}
    assert await world.rows("trade_union") == 5

    again = await invoke(PROVINCE, "--under", str(top.path))
    assert orjson.loads(again.stdout) == {**sums, "dryRun": False, "created": 0, "known": 4}


async def test_every_fault_is_told_and_nothing_is_imported(world: World, invoke: Invoke) -> None:
    before = await world.fingerprint()
    refused = await invoke([{**PROVINCE[0], "uscc": "8"}, {**PROVINCE[1], "parent_ref": "X"}])
    assert refused.exit_code == 1
    assert refused.stderr == "未导入任何工会。 Nothing was imported.\n"
    answer = orjson.loads(refused.stdout)
    assert (answer["rows"], answer["created"]) == (2, 0)
    assert answer["faults"] == [
        {
            "line": 2,
            "column": "统一社会信用代码",
            "code": "USCC_INVALID",
            "message": "统一社会信用代码无效，请核对 18 位代码。 "
            "This is not a unified social credit code; check its 18 characters.",
        },
        {
            "line": 3,
            "column": "上级编号",
            "code": "NOT_FOUND",
            "message": "文件中没有这个编号的工会。 No row of the file has this key.",
        },
    ]
    assert await world.fingerprint() == before


async def test_a_file_that_is_none_is_status_2(invoke: Invoke) -> None:
    result = await anyio.to_thread.run_sync(partial(CliRunner().invoke, commands.program, ["import", "no such file"]))
    assert (result.exit_code, result.stdout) == (2, "")


def test_the_bar_is_for_terminals(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with console.progress_bar("unions.csv") as progress:
        progress(0.5)
    assert capsys.readouterr() == ("", "")

    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with console.progress_bar("unions.csv") as progress:
        for share in (0.5, 0.2, 1.0):
            progress(share)
    out, err = capsys.readouterr()
    assert out == "" and "unions.csv" in err and "100%" in err
