"""The operator's command line: one JSON object on success, a sentence and status 1 on a refusal."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import orjson
import pytest
from click.testing import CliRunner, Result

import commands
from models.treepath import TreePath
from storage.settings import SECRETS, Settings, generate_secrets
from tests.processes import free_port
from tests.sources import ROOT
from tests.world import World

Invoke = Callable[..., Awaitable[Result]]


@pytest.fixture(scope="module")
def environ(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """What an operator with a database of their own has set."""
    data = tmp_path_factory.mktemp("commands")
    assert settings.database_url is not None
    given = {"DATABASE_URL": settings.database_url, "MIGRATION_DATABASE_URL": settings.owner_url}
    given |= {"DATA_DIR": str(data), "PUBLIC_URL": "https://union.test"}
    return {**given, **generate_secrets()}


@pytest.fixture
def invoke(environ: dict[str, str | None]) -> Invoke:
    """Runs a command as from a shell, beside our own event loop."""

    async def invoked(*words: str, typed: str = "", **changes: str | None) -> Result:
        runner = CliRunner(env={**environ, **changes})
        return await anyio.to_thread.run_sync(partial(runner.invoke, commands.program, list(words), input=typed))

    return invoked


def answer(result: Result) -> Any:
    """The one JSON object that a successful command prints, and nothing beside it."""
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return orjson.loads(result.stdout)


def refusal(result: Result) -> str:
    """The sentence of a refused command, which prints nothing else and has not broken down."""
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr.rstrip("\n")


# ── what each one does ───────────────────────────────────────────────────────────────────────


async def test_a_tree_begins_with_root_account_and_appoint(world: World, invoke: Invoke) -> None:
    root = answer(await invoke("root", "广东省总工会", "--region", "440000", "--contact-phone", "12351"))
    person = answer(
        await invoke(
            "account", "138 0013 8000", "--name", "王芳", "--verified", "--password-stdin", typed="correct horse\n"
        )
    )
    made = answer(await invoke("appoint", "13800138000", "--union", root["path"], "--role", "administrator"))

    assert root["name"] == "广东省总工会" and root["url"] == f"https://union.test/i/{root['invite']}"
    assert person == {"phone": "+8613800138000", "name": "王芳", "verified": True}
    assert (made["union"], made["role"]) == (root["path"], "ADMINISTRATOR")
    union_id = TreePath.parse(root["path"]).ids[0]
    card = await world.stranger().ask(
        "query($c: String!) { invite(code: $c) { status card { name contactPhone } } }", c=root["invite"]
    )
    assert card == {"status": "OPEN", "card": {"name": "广东省总工会", "contactPhone": "12351"}}
    async with world.stranger().http() as http:
        credentials = {"phone": "13800138000", "password": "correct horse"}
        signed_in = await http.post("/session", json=credentials, headers={"graphql-preflight": "1"})
        told = await http.post("/graphql", json={"query": "{ roots { viewerCan } }"})
    assert signed_in.json() == {"account": {"realName": "王芳", "phone": "13800138000"}}
    assert "APPOINT" in told.json()["data"]["roots"][0]["viewerCan"]
    assert union_id == 1


async def test_appointing_twice_is_appointing_once(world: World, invoke: Invoke) -> None:
    union = await world.union("广东省总工会")
    await world.person(phone="+8613800138000")
    words = ("appoint", "13800138000", "--union", str(union.path), "--role", "ANALYST")
    assert answer(await invoke(*words)) == answer(await invoke(*words))
    assert await world.rows("appointment") == 1
    assert await world.rows("event") == 1


async def test_a_new_password_ends_every_sign_in(world: World, invoke: Invoke) -> None:
    person = await world.person(phone="+8613800138000")
    told = answer(await invoke("password", "13800138000", "--password-stdin", typed="another horse\n"))
    assert told == {"phone": "+8613800138000", "name": "陈伟"}

    assert await person.ask("{ viewer { account { id } } }") is None
    async with world.stranger().http() as http:
        credentials = {"phone": "13800138000", "password": "another horse"}
        assert (await http.post("/session", json=credentials, headers={"graphql-preflight": "1"})).status_code == 200
    told = refusal(await invoke("password", "13800138000", "--password-stdin", typed="short\n"))
    assert told.startswith("password: 密码长度须为 8 至 200 个字符")


async def test_the_demo_is_planted_once(world: World, invoke: Invoke) -> None:
    planted = answer(await invoke("demo"))
    assert await world.rows("trade_union") == planted["unions"] > 30
    assert len({person["password"] for person in planted["accounts"]}) == len(planted["accounts"]) == 5
    before = await world.fingerprint()

    assert "已有工会" in refusal(await invoke("demo"))
    assert await world.fingerprint() == before


async def test_migrate_says_where_the_database_is(invoke: Invoke) -> None:
    assert answer(await invoke("migrate")) == {
        "revision": max(file.stem[:4] for file in (ROOT / "migrations" / "versions").glob("0*.py"))
    }


async def test_keys_are_fresh_and_need_nothing(invoke: Invoke) -> None:
    nothing = dict.fromkeys(("DATABASE_URL", "DATA_DIR", *SECRETS))
    first, second = answer(await invoke("keys", **nothing)), answer(await invoke("keys", **nothing))
    assert list(first) == list(SECRETS)
    assert not set(first.values()) & set(second.values())


async def test_the_schema_is_written_and_checked(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "schema.graphql"
    monkeypatch.setattr(commands, "SDL", copy)
    assert "run `make schema`" in refusal(await invoke("schema", "--check"))  # there is none yet

    assert answer(await invoke("schema"))["bytes"] == copy.stat().st_size
    assert answer(await invoke("schema", "--check"))["schema"] == "schema.graphql"

    copy.write_text(copy.read_text() + "\ntype Forgotten { name: String }\n")
    drifted = copy.read_text()
    assert "not what is served" in refusal(await invoke("schema", "--check"))
    assert copy.read_text() == drifted


@pytest.mark.parametrize("name", ["", *sorted(commands.program.commands)])
async def test_each_explains_itself(invoke: Invoke, name: str) -> None:
    result = await invoke(*name.split(), "--help")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Usage:" in result.stdout
    assert len(result.stdout.splitlines()) > 4


# ── refusals ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("root", "省总工会", "--region", "999999"), "region: 行政区划代码不存在"),
        (("root", "省总工会", "--region", "深圳"), "region: 行政区划代码不存在"),
        (("root", " ", "--region", "440000"), "name: 此项必填"),
        (("root", "广东省总工会", "--region", "440000"), "name: 同一上级工会下已有同名工会"),
        (("root", "省总工会", "--region", "440000", "--contact-phone", "x"), "contact-phone: 电话号码无效"),
        (("account", "13800138000", "--name", "李静", "--password-stdin"), "phone: 该手机号已有账号"),
        (("account", "12", "--name", "李静", "--password-stdin"), "phone: 电话号码无效"),
        (("appoint", "13800138000", "--union", "zzz", "--role", "analyst"), "union: 内容不存在"),
        (("appoint", "13800138000", "--union", "../etc", "--role", "analyst"), "union: 内容不存在"),
        (("appoint", "13800138001", "--union", "1", "--role", "analyst"), "phone: 没有使用该手机号的账号"),
    ],
    ids=["region", "code", "name", "taken name", "phone", "taken phone", "no phone", "union", "path", "nobody"],
)
async def test_a_refusal_is_a_sentence_in_both_languages(
    world: World, invoke: Invoke, words: tuple[str, ...], said: str
) -> None:
    await world.union("广东省总工会")
    await world.person(phone="+8613800138000")
    before = await world.fingerprint()

    told = refusal(await invoke(*words, typed="long enough\n"))

    assert told.startswith(said)
    assert told.count("\n") == 0
    assert told.rstrip().endswith(".")  # in English too
    assert await world.fingerprint() == before


async def test_everything_wrong_with_an_account_is_told_at_once(world: World, invoke: Invoke) -> None:
    told = refusal(await invoke("account", "x", "--name", "", "--password-stdin", typed="hunter2\n"))
    assert [line.partition(":")[0] for line in told.splitlines()] == ["phone", "name", "password"]
    assert "hunter2" not in told
    assert await world.rows("account") == 0


@pytest.mark.parametrize("words", [("migrate",), ("demo",), ("serve",)], ids=lambda words: str(words[0]))
@pytest.mark.parametrize(
    "part", ["host=127.0.0.1&port=1", "password=guess", "database"], ids=["nobody listens", "password", "no database"]
)
async def test_a_database_that_cannot_be_used_is_a_sentence(
    environ: dict[str, str | None], invoke: Invoke, words: tuple[str, ...], part: str
) -> None:
    url = str(environ["MIGRATION_DATABASE_URL"])
    if part == "database":
        url = url.replace("/tests_", "/no_such_")
    elif part.startswith("password"):
        url = url.partition("uniontree:")[0] + "uniontree:guess@" + url.partition("@")[2]
    else:
        url = f"postgresql://u:hunter2@/d?{part}"
    told = refusal(await invoke(*words, DATABASE_URL=url, MIGRATION_DATABASE_URL=None))
    assert told.startswith("The database cannot be used: ")
    assert told.count("\n") == 0
    assert "hunter2" not in told and "guess" not in told


async def test_whose_rights_are_missing_is_told(invoke: Invoke) -> None:
    told = refusal(await invoke("migrate", MIGRATION_DATABASE_URL=None))
    assert told.startswith("The database cannot be used: permission denied")
    assert told.endswith("MIGRATION_DATABASE_URL says who may.")


async def test_missing_secrets_are_a_sentence(invoke: Invoke) -> None:
    told = refusal(await invoke("migrate", BLIND_INDEX_KEY=None, LINK_KEY="short"))
    assert "Missing, and there is no default: BLIND_INDEX_KEY." in told
    assert "LINK_KEY should have keys of 32 bytes in base64." in told
    assert "`python server.py keys` prints fresh ones." in told


async def test_a_data_folder_that_cannot_be_used_is_a_sentence(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    nothing = dict.fromkeys(("DATABASE_URL", *SECRETS))
    told = refusal(await invoke("migrate", DATA_DIR=str(tmp_path / "file" / "data"), **nothing))
    assert told.startswith("DATA_DIR cannot be used: ")


async def test_a_folder_for_certificates_that_cannot_be_made_is_a_sentence(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = refusal(await invoke("serve", DATA_DIR=str(tmp_path / "file"), PORT=str(free_port())))
    assert re.fullmatch(r"/\S+ cannot be used: Not a directory", told)


async def test_a_port_that_is_taken_is_a_sentence(invoke: Invoke, tmp_path: Path) -> None:
    """Said before a database is made or started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refusal(await invoke("serve", DATABASE_URL=None, DATA_DIR=str(tmp_path), PORT=str(port)))
    assert told.startswith(f"Cannot listen on 127.0.0.1 port {port}: ")
    assert not (tmp_path / "postgres").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("found",),
        ("root",),
        ("root", "广东省总工会"),
        ("account", "13800138000", "--name", "王芳"),
        ("account", "13800138000", "--name", "王芳", "--password", "long enough"),
        ("appoint", "13800138000", "--union", "1", "--role", "king"),
        ("schema", "more"),
    ],
    ids=" ".join,
)
async def test_words_it_does_not_know_are_status_2(invoke: Invoke, words: tuple[str, ...]) -> None:
    result = await invoke(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: ")


# ── as a program ─────────────────────────────────────────────────────────────────────────────


def test_it_is_a_program(tmp_path: Path) -> None:
    asked = [sys.executable, str(ROOT / "server.py"), "keys"]
    done = subprocess.run(asked, cwd=tmp_path, env={}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(orjson.loads(done.stdout)) == list(SECRETS)
    assert list(tmp_path.iterdir()) == []
