"""How much may be uploaded: on a day, and before the disk is full. Whatever is refused leaves nothing."""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest

from storage.files import Files
from tests.people import limit
from tests.world import Client, World, codes, picture, told

SHADES = count(5000)  # no two uploads are the same file


@contextmanager
def settings(world: World, **changed: Any) -> Iterator[None]:
    """The server with other settings."""
    before = world.resources
    files = Files(before.settings.data_dir / "certificates", changed.get("min_free_bytes", 0))
    given = before.settings.model_copy(update=changed)
    world.app.state.resources = replace(before, settings=given, files=files)
    try:
        yield
    finally:
        world.app.state.resources = before


def files_of(world: World) -> set[Path]:
    root = world.resources.settings.data_dir / "certificates"
    return {path for path in root.rglob("*") if path.is_file()}


async def sent(person: Client, content: bytes) -> httpx.Response:
    """An upload's answer as it comes, its status with it."""
    query = "mutation($file: Upload!) { uploadCertificate(file: $file) { certificate { id } errors { code } } }"
    fields = {
        "operations": orjson.dumps({"query": query, "variables": {"file": None}}),
        "map": '{"0": ["variables.file"]}',
    }
    async with person.http() as http:
        return await http.post("/graphql", data=fields, files={"0": ("photo.png", content)})


# ── a day ────────────────────────────────────────────────────────────────────────────────────


async def test_so_many_photos_a_day_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(world, monkeypatch, upload=(2, 86400))
    person, other = await world.person(), await world.person()
    assert [codes(await person.upload()) for _ in range(2)] == [[], []]
    before = await world.fingerprint(), files_of(world)
    refused = await person.upload()
    assert told(refused) == {("RATE_LIMITED", "")} and refused["certificate"] is None
    assert (await world.fingerprint(), files_of(world)) == before
    assert codes(await other.upload()) == []  # each account has its own

    await world.sql(
        "update throttle set full_at = full_at - interval '1 day'"
    )  # the database's clock, not the server's
    assert codes(await person.upload()) == []


async def test_of_many_uploads_at_once_no_more_are_taken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(world, monkeypatch, upload=(2, 86400))
    person = await world.person()
    answers = await asyncio.gather(*(sent(person, picture(next(SHADES))) for _ in range(6)))
    refused = [answer.json()["data"]["uploadCertificate"]["errors"] for answer in answers]
    assert sorted(len(errors) for errors in refused) == [0, 0, 1, 1, 1, 1]
    assert await world.rows("certificate") == 2


async def test_so_much_a_day_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(world, monkeypatch, upload_kib=(5, 86400))
    person = await world.person()
    three_kib = picture(1) + bytes(2 * 1024)  # of which what is no picture is left out
    assert codes(await person.upload(three_kib)) == []
    assert codes(await person.upload(three_kib)) == ["RATE_LIMITED"]
    assert [codes(await person.upload(picture(2))) for _ in range(3)] == [[], [], ["RATE_LIMITED"]]


async def test_what_is_refused_counts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It took the processor's time: a bomb a second is not free."""
    limit(world, monkeypatch, upload=(2, 86400))
    person = await world.person()
    for _ in range(2):
        assert codes(await person.upload(b"no picture")) == ["UNSUPPORTED_MEDIA"]
    assert codes(await person.upload()) == ["RATE_LIMITED"]


# ── the disk ─────────────────────────────────────────────────────────────────────────────────


async def assert_refused(world: World, person: Client) -> None:
    """Told as 507 with a code, and nothing is left of it."""
    before = await world.rows("certificate"), files_of(world)
    answer = await sent(person, picture(next(SHADES)))
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]) == (507, {"code": "INSUFFICIENT_STORAGE"})
    assert error["message"] == "服务器存储空间不足，暂时无法上传，请稍后再试。"
    assert (await world.rows("certificate"), files_of(world)) == before


async def test_room_is_left_on_the_disk(world: World) -> None:
    person = await world.person()
    disk = os.statvfs(world.resources.settings.data_dir)
    with settings(world, min_free_bytes=disk.f_bavail * disk.f_frsize + 1024**3):
        await assert_refused(world, person)
        assert await person.ask("{ viewer { account { realName } } }")  # everything else goes on
    assert (await sent(person, picture(next(SHADES)))).status_code == 200


@pytest.mark.parametrize("full", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("step", ["fsync", "replace", "mkdir", "write"])
async def test_a_disk_that_is_full_is_told_wherever_it_is_noticed(
    world: World, step: str, full: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await world.person()

    def refusing(*_: object, **__: object) -> None:
        raise OSError(full, os.strerror(full))

    at: tuple[Any, str] = {
        "fsync": (os, "fsync"),
        "replace": (Path, "replace"),
        "mkdir": (Path, "mkdir"),
        "write": (Files, "_write"),
    }[step]
    with monkeypatch.context() as patch:
        patch.setattr(*at, refusing)
        await assert_refused(world, person)
    assert (await sent(person, picture(next(SHADES)))).status_code == 200


async def test_a_broken_disk_is_a_fault_and_no_want_of_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await world.person()

    def broken(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", broken)
    [error] = (await sent(person, picture(6))).json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert await world.rows("certificate") == 0


async def test_no_room_for_a_file_while_it_arrives_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await world.person()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "TemporaryFile", full)  # where a file of more than a megabyte is kept meanwhile
        answer = await sent(person, bytes(2 * 1024**2))
    assert answer.status_code == 507
    assert answer.json()["errors"][0]["extensions"]["code"] == "INSUFFICIENT_STORAGE"
    assert (await sent(person, picture(7))).status_code == 200


def test_room_is_counted_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(tmp_path, min_free=1000)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=3, f_frsize=500))
    files.require_room(500)
    with pytest.raises(OSError, match="No space left"):
        files.require_room(501)
