"""A file is there whole or not at all, whatever happens while it is written."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.files import ABANDONED, Files

CONTENT = b"certificate" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()

# Puts CONTENT, and dies as by `kill -9` in the place of its n-th fsync.
DYING = """
import asyncio, os, signal, sys
from pathlib import Path
from storage.files import Files
left, fsync = int(sys.argv[2]), os.fsync
def dying(descriptor):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    fsync(descriptor)
os.fsync = dying
asyncio.run(Files(Path(sys.argv[1])).put(b"certificate" * 1000))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def files(root: Path) -> Files:
    files = Files(root)
    files.prepare()
    return files


def contents(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def test_what_is_put_is_read_back_by_its_hash(files: Files, root: Path) -> None:
    assert await files.put(CONTENT) == SHA256

    assert await files.read(SHA256) == CONTENT
    assert await files.size(SHA256) == len(CONTENT)
    assert await files.exists(SHA256)
    assert contents(root) == [files.path(SHA256)] == [root / SHA256[:2] / SHA256[2:4] / SHA256]


async def test_what_was_not_put_is_not_there(files: Files) -> None:
    assert not await files.exists(SHA256)
    assert await files.size(SHA256) is None
    with pytest.raises(FileNotFoundError):
        await files.read(SHA256)


async def test_putting_twice_is_one_file_written_once(files: Files, root: Path) -> None:
    await files.put(CONTENT)
    before = files.path(SHA256).stat()

    assert await files.put(CONTENT) == SHA256

    after = files.path(SHA256).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len(contents(root)) == 1


async def test_putting_at_the_same_time_is_one_file(files: Files, root: Path) -> None:
    assert await asyncio.gather(*(files.put(CONTENT) for _ in range(8))) == [SHA256] * 8
    assert await files.read(SHA256) == CONTENT
    assert len(contents(root)) == 1


async def test_a_file_cut_short_by_somebody_else_is_written_anew(files: Files) -> None:
    await files.put(CONTENT)
    os.truncate(files.path(SHA256), 10)

    await files.put(CONTENT)

    assert await files.read(SHA256) == CONTENT


def test_only_the_servers_user_can_look(files: Files, root: Path) -> None:
    root.chmod(0o755)
    files.prepare()
    asyncio.run(files.put(CONTENT))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in [root, *root.rglob("*")] if path.is_dir()}
    assert modes == {0o700}
    assert stat.S_IMODE(files.path(SHA256).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "name",
    ["", "..", "../../etc/passwd", "/etc/passwd", SHA256.upper(), SHA256[:-1], SHA256 + "0", SHA256 + "\n", "é" * 64],
)
async def test_a_name_that_is_no_hash_leads_nowhere(files: Files, name: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        files.path(name)
    with pytest.raises(ValueError, match="not a SHA-256"):
        await files.read(name)
    with pytest.raises(ValueError, match="not a SHA-256"):
        await files.exists(name)


# ── what a crash leaves ──────────────────────────────────────────────────────────────────────


async def test_it_is_forced_to_disk_before_it_gets_its_name(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file, then its name, then every folder from the name up to the root."""
    steps: list[str] = []
    replace, fsync = Path.replace, os.fsync

    def seen_fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def seen_replace(draft: Path, place: Path) -> Path:
        steps.append("name")
        return replace(draft, place)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    await files.put(CONTENT)
    assert steps == ["file", "name", "folder", "folder", "folder"]

    steps.clear()
    await files.put(CONTENT)  # whoever put it first may have died before the folders were forced
    assert steps == ["folder", "folder", "folder"]


@pytest.mark.parametrize("moment", [1, 2, 3, 4])
async def test_a_killed_writer_leaves_no_half_file(files: Files, root: Path, moment: int) -> None:
    dead = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", DYING, str(root), str(moment)],
        cwd=Path(__file__).parents[1],
        check=False,
    )
    assert dead.returncode == -signal.SIGKILL

    named = [path for path in contents(root) if path.parent.name != "drafts"]
    assert named == ([] if moment == 1 else [files.path(SHA256)])
    assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in named] == [path.name for path in named]
    assert await files.put(CONTENT) == SHA256
    assert await files.read(SHA256) == CONTENT


def test_what_a_dead_writer_left_is_cleared_away_a_day_later(files: Files, root: Path) -> None:
    old, fresh = root / "drafts" / "old", root / "drafts" / "fresh"
    for draft in (old, fresh):
        draft.write_bytes(b"half")
    os.utime(old, (time.time() - ABANDONED - 1,) * 2)

    files.prepare()

    assert contents(root) == [fresh]  # another server process may be writing it


def test_two_servers_may_clear_up_at_once(files: Files, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def listed(folder: Path) -> Iterator[Path]:
        yield folder / "cleared by the other"

    monkeypatch.setattr(Path, "iterdir", listed)
    files.prepare()
    assert contents(root) == []


async def test_a_full_disk_is_an_error_and_leaves_nothing(
    files: Files, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            await files.put(CONTENT)
    assert contents(root) == []

    assert await files.put(CONTENT) == SHA256
