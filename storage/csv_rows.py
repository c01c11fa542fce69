"""The rows of a CSV file, one after the other: never more than a line of it is in memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import chain
from typing import Final, TextIO

from models.columns import recognised
from models.errors import Code, Problem, Rejected
from storage.survey import Row, Rows, Survey

LONGEST_LINE: Final = 64 * 1024


@contextmanager
def csv_rows(found: Survey) -> Iterator[Rows]:
    """Its rows, cells parted by a comma, a semicolon or a tab."""
    assert found.encoding is not None
    encoding = "utf-8-sig" if found.encoding == "utf-8" else found.encoding
    # newline="": a line break within quotes is a part of its cell.
    with found.path.open("rb") as raw, TextIOWrapper(raw, encoding, newline="") as file:
        yield Rows(f"CSV {found.encoding.upper()}", _rows(file), lambda: raw.tell() / found.size)


def _rows(file: TextIO) -> Iterator[Row]:
    """
    Raises:
        Rejected: TOO_LONG, for a line that no honest file has.
    """
    lines = _lines(file)
    before: list[str] = []  # empty lines, and the header
    for line in lines:
        before.append(line)
        if line.strip():
            break
    reader = csv.reader(chain(before, lines), delimiter=_delimiter(before[-1]) if before else ",", strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:  # quotes that do not match, or a cell that never ends
            yield number, Problem(Code.INVALID, why="quotes")
            continue
        if any(cell.strip() for cell in cells):
            yield number, cells


def _lines(file: TextIO) -> Iterator[str]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise Rejected(Problem(Code.TOO_LONG, why="line", params={"line": number, "max": LONGEST_LINE}))
        yield line


def _delimiter(header: str) -> str:
    """The character that parts the header into the most names that are ours; a comma if none does."""
    return max(",;\t", key=lambda delimiter: recognised(next(csv.reader([header], delimiter=delimiter), [])))
