"""The rows of an XLSX workbook, from a process that may die of it (storage/workbook_reader.py)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import orjson

from models.errors import Code, Problem, Rejected
from storage.survey import Row, Rows, Survey
from storage.workbook_reader import SEVERAL_SHEETS, TOO_LARGE

ROOT: Final = Path(__file__).parent.parent


@contextmanager
def workbook_rows(found: Survey) -> Iterator[Rows]:
    """The rows of its one visible sheet.

    Raises:
        Rejected: UNSUPPORTED_MEDIA, it is no workbook or a damaged one; TOO_LARGE, it unfolds to more than
            the reader may use; INVALID, it has several sheets. Also while the rows are read.
    """
    words = [sys.executable, "-m", "storage.workbook_reader", str(found.path.resolve())]
    # It gets none of our environment: our secrets are in it.
    with subprocess.Popen(words, cwd=ROOT, env={}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reader:
        assert reader.stdout is not None
        try:
            about = orjson.loads(reader.stdout.readline() or _why_not(reader))
            rows = _Progress(about["first"], about["rows"])
            yield Rows(f"XLSX {about['sheet']}", rows.read(reader, reader.stdout), rows.share)
        finally:
            reader.kill()


def _why_not(reader: subprocess.Popen[bytes]) -> bytes:
    """Why it ended; what an empty workbook is about if it has ended well.

    Raises:
        Rejected: UNSUPPORTED_MEDIA, TOO_LARGE, INVALID.
    """
    status = reader.wait()
    if status == TOO_LARGE or status < 0:  # killed by its limits, or by calamine itself
        raise Rejected(Problem(Code.TOO_LARGE, why="workbook"))
    if status == SEVERAL_SHEETS:
        raise Rejected(Problem(Code.INVALID, why="sheets"))
    if status:
        raise Rejected(Problem(Code.UNSUPPORTED_MEDIA, why="workbook"))
    return b'{"sheet": "", "first": 1, "rows": 0}'


class _Progress:
    """Counts the rows that are read."""

    def __init__(self, first: int, rows: int) -> None:
        self._first = first
        self._rows = rows
        self._read = 0

    def share(self) -> float:
        return self._read / max(self._rows, 1)

    def read(self, reader: subprocess.Popen[bytes], out: IO[bytes]) -> Iterator[Row]:
        for line in out:
            number = self._first + self._read
            self._read += 1
            cells = orjson.loads(line)
            if any(cell is None or cell.strip() for cell in cells):
                yield number, cells
        _why_not(reader)
