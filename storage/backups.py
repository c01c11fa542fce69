"""A backup: a folder with the database, the certificates that it refers to, and what is known of both.

    backup.json            when, of what, how many rows, how the record ended
    database.dump          pg_dump, custom format
    certificates/          as in DATA_DIR, ab/cd/abcd…
    certificates.sha256    every certificate, for `sha256sum --check`

Keys are not in it. What is sealed is told by a few samples, which show whether keys open it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select, table, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from models.certificate import Certificate
from models.registration import Submission
from models.union import TradeUnion
from storage.chain import Anchor
from storage.files import SHA256, digest_of, force_folder
from storage.sealing import Sealer

FORM: Final = 1
MANIFEST: Final = "backup.json"
DUMP: Final = "database.dump"
CERTIFICATES: Final = "certificates"
LIST: Final = "certificates.sha256"


class BackupError(Exception):
    """A backup cannot be made or used; says why, a line for each reason."""


@dataclass(frozen=True)
class Sample:
    """A sealed ID number, one for each key: whoever opens these has the keys. `index` is its blind index."""

    name: str
    sealed: str
    index: str


@dataclass(frozen=True)
class Manifest:
    """What is known of a backup."""

    at: str
    revision: str
    anchor: str
    rows: dict[str, int]
    certificates: int
    dump_sha256: str
    samples: list[Sample]
    index_keys: list[str]  # what the record was chained with
    form: int = FORM

    @property
    def end_of_record(self) -> Anchor:
        """Raises: ValueError, which `read` has told by then."""
        end = Anchor.parse(self.anchor)
        if end is None:
            raise ValueError("no anchor")
        return end


async def rows(session: AsyncSession, tables: Iterable[str]) -> dict[str, int]:
    """How many rows each table has."""
    return {name: await session.scalar(select(func.count()).select_from(table(name))) or 0 for name in tables}


async def revision(session: AsyncSession) -> tuple[str, str]:
    """The last migration, and the database's time."""
    found = await session.execute(text("select version_num, to_json(now()) #>> '{}' from alembic_version"))
    number, now = found.one()
    return number, now


async def certificates(session: AsyncSession) -> list[str]:
    """The SHA-256 of every certificate that the database refers to; of those that were erased there is no file."""
    there = select(Certificate.sha256).where(Certificate.erased_at.is_(None))
    return list(await session.scalars(there.distinct().order_by(Certificate.sha256)))


async def samples(session: AsyncSession) -> list[Sample]:
    """One sealed ID number for each key that sealed any."""
    found: list[Any] = []
    kinds: tuple[Any, ...] = (TradeUnion, Submission)
    for kind in kinds:
        sealed = kind.id_number_sealed
        key = func.substring(sealed, 1, 1 + func.get_byte(sealed, 0))  # as storage/sealing.py puts it in front
        found += await session.scalars(select(kind).ext(distinct_on(key)).where(sealed.is_not(None)).order_by(key))
    return [Sample(row.seal_name, row.id_number_sealed.hex(), (row.id_number_index or b"").hex()) for row in found]


async def is_empty(session: AsyncSession) -> bool:
    """Whether the database holds nothing at all."""
    relations = "select exists (select from pg_class where relnamespace = current_schema()::regnamespace)"
    return not await session.scalar(text(relations))


def unopened(sealer: Sealer, manifest: Manifest) -> list[str]:
    """What is wrong with the keys, in sentences."""
    wrong = set()
    for sample in manifest.samples:
        try:
            number = sealer.unseal(bytes.fromhex(sample.sealed), sample.name)
        except (InvalidTag, KeyError):
            wrong.add("ID_NUMBER_KEYS do not open every ID number of this backup.")
        else:
            if bytes.fromhex(sample.index) not in sealer.digests("id_number", number.encode()):
                wrong.add("BLIND_INDEX_KEY is not the one that this backup was written with.")
    lacking = set(manifest.index_keys) - set(sealer.index_names)
    wrong |= {
        f"BLIND_INDEX_KEY lacks the key {name}, which events of this backup were chained with." for name in lacking
    }
    return sorted(wrong)


def write(folder: Path, manifest: Manifest, listed: list[str]) -> None:
    """Writes what is known of the backup, and forces it to disk."""
    for name, content in ((LIST, _spelled(listed)), (MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2))):
        with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    force_folder(folder)


def read(folder: Path) -> tuple[Manifest, list[str]]:
    """What is known of the backup, and the certificates that are in it.

    Raises:
        BackupError: there is none, or it is not whole.
    """
    try:
        told = orjson.loads((folder / MANIFEST).read_bytes())
        manifest = Manifest(**{**told, "samples": [Sample(**one) for one in told["samples"]]})
        for spelled in (text for one in manifest.samples for text in (one.sealed, one.index)):
            bytes.fromhex(spelled)
        manifest.end_of_record  # noqa: B018 - which raises if it is none
        content = (folder / LIST).read_bytes()
    except FileNotFoundError as error:
        raise BackupError(f"{folder} is no whole backup: {Path(error.filename).name} is missing.") from error
    except (ValueError, TypeError, KeyError) as error:
        raise BackupError(f"{folder} is no backup that this version can read.") from error
    listed = [line[:64].decode(errors="replace") for line in content.splitlines()]
    whole = len(listed) == manifest.certificates and all(map(SHA256.fullmatch, listed))
    if manifest.form != FORM or not whole or content != _spelled(listed):
        raise BackupError(f"{folder} is no backup that this version can read.")
    return manifest, listed


def _spelled(listed: list[str]) -> bytes:
    """As sha256sum does."""
    lines = [f"{sha256}  {CERTIFICATES}/{sha256[:2]}/{sha256[2:4]}/{sha256}\n" for sha256 in listed]
    return "".join(lines).encode()


def dump_is_whole(folder: Path, manifest: Manifest) -> bool:
    return (folder / DUMP).is_file() and digest_of(folder / DUMP) == manifest.dump_sha256
