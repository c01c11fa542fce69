"""A first look at a file that somebody hands us: what it is, before any of it is kept."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from models.errors import Code, Problem, Rejected
from models.roll import MOST_ROWS

MOST_BYTES: Final = 512 * 1024 * 1024
MOST_WORKBOOK_BYTES: Final = 128 * 1024 * 1024  # it is compressed: ten times as much comes out

_CHUNK: Final = 1024 * 1024
_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # the container of XLS, and of an encrypted XLSX

Format = Literal["csv", "xlsx"]


@dataclass(frozen=True)
class Survey:
    """What a file is. `encoding` is Python's name of it, None for a workbook."""

    path: Path
    format: Format
    encoding: str | None
    size: int
    sha256: str


# The number of the line on which a row starts, and its cells, None for one that is no text; or why it cannot be read.
Row = tuple[int, Sequence[str | None] | Problem]


@dataclass(frozen=True)
class Rows:
    """A file's rows, the header first and empty ones left out; `share` says how much of the file is read."""

    words: str
    each: Iterator[Row]
    share: Callable[[], float]


def survey(path: Path) -> Survey:
    """What this file is; read once from end to end, in pieces.

    UTF-8 if all of it is, with or without a byte order mark; GB18030 if all of it is that. There is no
    guessing between them: a Chinese text in GB18030 is not valid UTF-8.

    Raises:
        Rejected: INVALID for an empty file, TOO_LARGE, UNSUPPORTED_MEDIA.
    """
    if not path.is_file():
        raise Rejected(Problem(Code.UNSUPPORTED_MEDIA, why="not_a_file"))
    with path.open("rb") as file:
        start = file.read(8)
        if start.startswith(_OLE):
            raise Rejected(Problem(Code.UNSUPPORTED_MEDIA, why="locked_or_old_workbook"))
        file.seek(0)
        most = MOST_WORKBOOK_BYTES if start.startswith(_ZIP) else MOST_BYTES
        looks = _Looks(is_text=not start.startswith(_ZIP))
        while chunk := file.read(_CHUNK):
            looks.take(chunk)
            if looks.size > most:
                raise Rejected(Problem(Code.TOO_LARGE, why="file", params={"max": most // 1024**2}))
    return Survey(path, "csv" if looks.is_text else "xlsx", looks.encoding(), looks.size, looks.digest.hexdigest())


class _Looks:
    """What has been seen of a file so far."""

    def __init__(self, *, is_text: bool) -> None:
        self.is_text = is_text
        self.size = 0
        self.digest = hashlib.sha256()
        self._lines = {b"\n": 0, b"\r": 0}
        wanted = ("utf-8", "gb18030") if is_text else ()
        self._decoders = {name: codecs.getincrementaldecoder(name)() for name in wanted}

    def take(self, chunk: bytes) -> None:
        """
        Raises:
            Rejected: TOO_LARGE, more lines than an import has rows; UNSUPPORTED_MEDIA, no encoding of ours.
        """
        self.size += len(chunk)
        self.digest.update(chunk)
        if not self.is_text:
            return
        for end in self._lines:
            self._lines[end] += chunk.count(end)
            if self._lines[end] > MOST_ROWS + 1:
                raise Rejected(Problem(Code.TOO_LARGE, why="rows", params={"max": MOST_ROWS}))
        self._decode(chunk)

    def _decode(self, chunk: bytes, *, final: bool = False) -> None:
        for name, decoder in list(self._decoders.items()):
            try:
                decoder.decode(chunk, final)
            except UnicodeDecodeError:
                del self._decoders[name]
        if not self._decoders:
            raise Rejected(Problem(Code.UNSUPPORTED_MEDIA, why="encoding"))

    def encoding(self) -> str | None:
        """
        Raises:
            Rejected: INVALID if there was nothing, UNSUPPORTED_MEDIA if it ends within a character.
        """
        if not self.size:
            raise Rejected(Problem(Code.INVALID, why="empty"))
        if not self.is_text:
            return None
        self._decode(b"", final=True)
        return next(iter(self._decoders))
