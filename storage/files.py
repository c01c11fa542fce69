"""Files named by their content, in a folder of the server's own.

A file is there whole or not at all, and stays when the machine stops: it is written beside its
place, forced to disk, then renamed. So a row that names a file can be written after `put`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import re
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import aiofiles
import aiofiles.os

from models.errors import OutOfSpace

SHA256: Final = re.compile(r"[0-9a-f]{64}")
# A file that is still half written after a day belongs to a process that died.
ABANDONED: Final = 24 * 60 * 60
# What the operating system says when a disk, a quota or a folder is full.
FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EMLINK}


class Files:
    """Contents under `root`, two levels of folders deep: ab/cd/abcd…; readable by the server's user alone.

    `min_free` bytes of the disk are left to others: the database may be on the same one.
    """

    def __init__(self, root: Path, min_free: int = 0) -> None:
        self._root = root
        self._min_free = min_free
        self._drafts = root / "drafts"  # in the same file system, or renaming would be copying

    def prepare(self) -> None:
        """Makes the folders and clears up. For the server's start."""
        self._drafts.mkdir(mode=0o700, parents=True, exist_ok=True)
        force_folder(self._root.parent)
        self._root.chmod(0o700)
        self.clear_drafts()

    def clear_drafts(self) -> int:
        """Clears away what a dead process left half written; gives how many files that was."""
        cleared = 0
        for draft in self._drafts.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another server process may be clearing up, too
                if time.time() - draft.stat().st_mtime > ABANDONED:
                    draft.unlink()
                    cleared += 1
        return cleared

    def require_room(self, size: int) -> None:
        """Raises: OutOfSpace, if a file of so many bytes would take of what is to be left free."""
        disk = os.statvfs(self._root)
        if disk.f_bavail * disk.f_frsize < self._min_free + size:
            raise OutOfSpace(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._root))

    async def put(self, content: bytes) -> str:
        """The content's SHA-256 in hexadecimal, once it is safe on disk. Again is cheap, and still one file.

        One job in one thread, not a step at a time: a cancelled request cannot stop it half-way.

        Raises:
            OutOfSpace: the disk is full, or as good as; nothing is left behind.
            OSError: it is broken; nor then.
        """
        return await asyncio.to_thread(self._put, content)

    async def read(self, sha256: str) -> bytes:
        """The content. Raises: FileNotFoundError; ValueError for what is not a SHA-256."""
        async with aiofiles.open(self.path(sha256), "rb") as file:
            return await file.read()

    async def digest(self, sha256: str) -> str | None:
        """The SHA-256 of what the file holds now, which should be its name; None if there is no such file.

        Raises:
            ValueError: not a SHA-256.
        """
        try:
            return await asyncio.to_thread(digest_of, self.path(sha256))
        except FileNotFoundError:
            return None

    async def size(self, sha256: str) -> int | None:
        """In bytes; None if there is no such file. Raises: ValueError for what is not a SHA-256."""
        try:
            return (await aiofiles.os.stat(self.path(sha256))).st_size
        except FileNotFoundError:
            return None

    async def exists(self, sha256: str) -> bool:
        """Raises: ValueError for what is not a SHA-256."""
        return await self.size(sha256) is not None

    async def aged(self, seconds: float, most: int) -> AsyncIterator[list[str]]:
        """The names of the files that are older, so many at a time; beside the event loop, and in no order."""
        batches = batched(self._aged(seconds), most)
        while (names := await asyncio.to_thread(next, batches, None)) is not None:
            yield names

    def _aged(self, seconds: float) -> Iterator[str]:
        before = time.time() - seconds
        for folder in self._root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]"):
            for entry in os.scandir(folder):
                with contextlib.suppress(FileNotFoundError):
                    if SHA256.fullmatch(entry.name) and entry.stat().st_mtime < before:
                        yield entry.name

    async def remove(self, sha256: str) -> int | None:
        """Deletes the file and gives its size; None if it was gone already. Its folders stay: others may be writing."""
        size = await self.size(sha256)
        with contextlib.suppress(FileNotFoundError):
            await aiofiles.os.unlink(self.path(sha256))
        return size

    def path(self, sha256: str) -> Path:
        """Where the file is or would be. Raises: ValueError for what is not a SHA-256, so it leads nowhere else."""
        if SHA256.fullmatch(sha256) is None:
            raise ValueError("not a SHA-256 in lower-case hexadecimal")
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def all(self) -> Iterator[str]:
        """The SHA-256 of every file that there is."""
        return (file.name for file in self._root.glob("??/??/*") if SHA256.fullmatch(file.name))

    def _put(self, content: bytes) -> str:
        with full_told():
            return self._placed(content)

    def _placed(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        place = self.path(sha256)
        folders = [place.parent, place.parent.parent, self._root]
        for folder in reversed(folders[:2]):
            folder.mkdir(mode=0o700, exist_ok=True)
        if not (place.is_file() and place.stat().st_size == len(content)):
            self.require_room(len(content))
            self._write(content, place)
        # Also for a file that was there already: whoever wrote it may not have come this far yet.
        for folder in folders:
            force_folder(folder)
        return sha256

    def _write(self, content: bytes, place: Path) -> None:
        draft = self._drafts / secrets.token_hex(16)
        try:
            with open(draft, "xb", opener=_private) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(place)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


def batched(names: Iterator[str], most: int) -> Iterator[list[str]]:
    """So many at a time. (itertools has it from Python 3.12 on.)"""
    while batch := list(islice(names, most)):
        yield batch


@contextlib.contextmanager
def full_told() -> Iterator[None]:
    """Tells a full disk from a broken one. Raises: OutOfSpace."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL and not isinstance(error, OutOfSpace):
            raise OutOfSpace(error.errno, error.strerror, error.filename) from error
        raise


def digest_of(path: Path) -> str:
    """The SHA-256 of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def force_folder(folder: Path) -> None:
    """A name is on disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
