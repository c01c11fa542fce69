"""Backing up while the server serves, and putting a backup back into an empty place."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from models.tables import metadata
from resolvers import record
from resolvers.context import Resources
from resolvers.housekeeping import nobody_sweeping
from storage import backups, chain, dumps
from storage.backups import CERTIFICATES, DUMP, BackupError, Manifest
from storage.files import Files, digest_of, force_folder
from storage.images import opens

Progress = Callable[[float], None]


async def back_up(resources: Resources, folder: Path, progress: Progress) -> Manifest:
    """Writes a backup to a folder that is not there yet, or empty: all of it, or nothing.

    One snapshot of the database, then the files that it refers to: a file is there before its row and is never
    written over, and none is cleared away meanwhile.

    Raises:
        BackupError: the folder is taken; a certificate is missing, damaged or does not open.
        DumpError: the database cannot be dumped.
    """
    await record.chain_waiting(resources)
    with _whole_or_not(folder) as draft:
        async with nobody_sweeping(resources):
            async with resources.db.standing_still() as session:
                revision, at = await backups.revision(session)
                await dumps.dump(session, resources.settings.owner_url, draft / DUMP)
                listed = await backups.certificates(session)
                manifest = Manifest(
                    at=at,
                    revision=revision,
                    anchor=str(await chain.anchor(session)),
                    rows=await backups.rows(session, [str(table.name) for table in metadata.sorted_tables]),
                    certificates=len(listed),
                    dump_sha256=await asyncio.to_thread(digest_of, draft / DUMP),
                    samples=await backups.samples(session),
                    index_keys=await chain.keys(session),
                )
            # The snapshot is given up first: looking at every photo may take hours, and VACUUM would wait for it.
            await _copy(resources.files, Files(draft / CERTIFICATES), listed, progress)
        if wrong := backups.unopened(resources.sealer, manifest):
            raise BackupError("\n".join(wrong))
        backups.write(draft, manifest, listed)
    return manifest


async def restore(resources: Resources, folder: Path, progress: Progress) -> Manifest:
    """Puts a backup into an empty database and beside it, once everything in it has been looked at.

    Files first: a row never refers to one that is not there. The database all at once; then it is as it was, of the
    version that it was of.

    Raises:
        BackupError: it is not whole, other keys are given, or the place is not empty.
        DumpError: the database cannot be put back.
    """
    manifest, listed = await asyncio.to_thread(backups.read, folder)
    if not await asyncio.to_thread(backups.dump_is_whole, folder, manifest):
        raise BackupError(f"{folder / DUMP} is damaged.")
    if wrong := backups.unopened(resources.sealer, manifest):
        raise BackupError("\n".join(wrong))
    async with resources.db.standing_still() as session:
        if not await backups.is_empty(session):
            raise BackupError("The database is not empty: restore into a new one.")
        major = await dumps.major_of(session)
    strangers = await asyncio.to_thread(lambda: set(resources.files.all())) - set(listed)
    if strangers:
        raise BackupError("There are certificates already that are not of this backup: restore into a new DATA_DIR.")
    await _copy(Files(folder / CERTIFICATES), resources.files, listed, progress)
    await dumps.load(resources.settings.owner_url, folder / DUMP, major)
    async with resources.db.standing_still() as session:
        if await backups.rows(session, manifest.rows) != manifest.rows:
            raise BackupError("The database has not the rows that were backed up.")
    return manifest


async def _copy(source: Files, target: Files, listed: list[str], progress: Progress) -> None:
    """Copies files, and looks at each: it is there, it is what its name says, and it opens."""
    await asyncio.to_thread(target.prepare)
    wrong = []
    for number, sha256 in enumerate(listed, 1):
        fault = await _fault(source, sha256)
        if fault:
            wrong.append(fault)
        else:
            await target.put(await source.read(sha256))
        progress(number / len(listed))
    if wrong:
        raise BackupError("\n".join(wrong))


async def _fault(files: Files, sha256: str) -> str | None:
    try:
        content = await files.read(sha256)
    except OSError as error:
        return f"Certificate {sha256}: {error.strerror}."
    if hashlib.sha256(content).hexdigest() != sha256:
        return f"Certificate {sha256} is damaged."
    return None if await opens(content) else f"Certificate {sha256} does not open."


@contextmanager
def _whole_or_not(folder: Path) -> Iterator[Path]:
    """A folder beside it that becomes `folder` if the block ends well, and is removed if it does not.

    Raises:
        BackupError: something is there already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError(f"{folder} is not empty.")
    draft = folder.with_name(f"{folder.name}.partial")
    try:
        draft.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        sentence = f"{draft} is there: another backup is being written, or was broken off; then remove it."
        raise BackupError(sentence) from None
    try:
        yield draft
        (draft / CERTIFICATES / "drafts").rmdir()
        draft.rename(folder)
        force_folder(folder.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
