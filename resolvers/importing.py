"""Bringing in a tree that exists already, from a file: all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from models.columns import columns_of
from models.errors import Code, Problem, Problems, Rejected
from models.form import check_parent
from models.roll import MOST_ROWS, Bounds, Entry, Fault, checked
from models.treepath import TreePath
from models.union import TradeUnion
from resolvers.context import Resources
from storage import locks, planting, planting_checks, regions, unions
from storage.csv_rows import csv_rows
from storage.survey import Rows, Survey, survey
from storage.timeouts import take_time
from storage.workbook_rows import workbook_rows

MOST_TOLD: Final = 100_000
"""Faults that are told one by one; more are counted."""

# What share of the whole is done. Reading takes about as long as planting.
Progress = Callable[[float], None]


@dataclass
class Outcome:
    """What an import did, or would have done. With faults it did nothing."""

    words: str = ""
    rows: int = 0
    created: int = 0
    known: int = 0
    faults: list[Fault] = field(default_factory=list)
    untold: int = 0

    def note(self, fault: Fault) -> None:
        if len(self.faults) < MOST_TOLD:
            self.faults.append(fault)
        else:
            self.untold += 1


async def import_tree(
    resources: Resources, path: Path, under: str | None, *, dry_run: bool, progress: Progress
) -> Outcome:
    """Plants the unions of a file below the union at `under`, or as roots without it.

    A union that the tree has already, by its credit code or else by its name below the same parent, is
    left as it is; where the file says otherwise about it, that is a fault. Faults come back in the
    order of the file, each with the header of its column, and nothing is written.
    """
    outcome = Outcome()
    try:
        found = survey(path)
        with _open(found) as rows:
            outcome.words = rows.words
            async with resources.db.writing() as session:
                await _import(session, found, _Reading(rows, outcome, progress), under, dry_run=dry_run)
    except Rejected as refusal:
        outcome.created = outcome.known = 0
        for problem in refusal.problems:
            outcome.note(Fault(None, ".".join(problem.path) or None, problem))
    except _Unwritten:
        pass
    outcome.faults.sort(key=lambda fault: fault.line or 0)
    return outcome


class _Unwritten(Exception):  # noqa: N818 - an outcome, not an error
    """Takes back the transaction, whose outcome is known."""


def _open(found: Survey) -> AbstractContextManager[Rows]:
    return csv_rows(found) if found.format == "csv" else workbook_rows(found)


async def _import(session: AsyncSession, found: Survey, reading: _Reading, under: str | None, *, dry_run: bool) -> None:
    """
    Raises:
        Rejected: the file as a whole cannot be imported.
        _Unwritten: nothing is to be written.
    """
    outcome = reading.outcome
    if not await locks.is_free(session, locks.Turn.TREE_SURGERY):
        raise Rejected(Problem(Code.RATE_LIMITED, why="tree"))
    await take_time(session)
    top = await _top(session, under)
    bounds = Bounds(await regions.current_codes(session), top.path if top else None)
    await planting.copy(session, reading.entries(bounds))
    await planting.place(session, top)
    async for fault in planting_checks.faults(session):
        outcome.note(replace(fault, column=reading.header_of(fault.column)))
    outcome.created, outcome.known = await planting.counts(session)
    if outcome.faults:
        outcome.created = outcome.known = 0
    if outcome.faults or dry_run or not outcome.created:
        raise _Unwritten
    async for planted in planting.plant(session, outcome.created):
        reading.progress(0.5 + planted / outcome.created / 2)
    await planting.tell(session, top, found.sha256)


async def _top(session: AsyncSession, under: str | None) -> TradeUnion | None:
    """The union to plant below, kept as it is until the transaction ends.

    Raises:
        Rejected: NOT_FOUND, PARENT_IS_GRASSROOTS, PARENT_DISSOLVED.
    """
    if under is None:
        return None
    try:
        found = await unions.anywhere(session, TreePath.parse(under), lock=True)
    except ValueError:
        found = None
    if found is None:
        raise Rejected(Problem(Code.NOT_FOUND, ("--under",)))
    problems = Problems()
    check_parent(found.kind, found.status, found.depth, ("--under",), problems)
    problems.raise_any()
    return found


class _Reading:
    """Reads a file's rows one after the other, and notes what is wrong with them."""

    def __init__(self, rows: Rows, outcome: Outcome, progress: Progress) -> None:
        self.outcome = outcome
        self.progress = progress
        self._rows = rows
        self._headers: dict[str, str] = {}

    def header_of(self, key: str | None) -> str | None:
        """The header of a column as the file has it."""
        return self._headers.get(key, key) if key else None

    def entries(self, bounds: Bounds) -> Iterator[Entry]:
        """The rows as far as they are sound.

        Raises:
            Rejected: the file has no rows, too many of them, or no header that fits.
        """
        keys: list[str] = []
        for line, cells in self._rows.each:
            if isinstance(cells, Problem):
                self.outcome.note(Fault(line, None, cells))
            elif not keys:
                keys = self._read_header(line, list(cells))
            else:
                entry = self._read(line, keys, list(cells), bounds)
                if entry is not None:
                    yield entry
        if not keys:
            raise Rejected(Problem(Code.INVALID, why="empty"))

    def _read_header(self, line: int, cells: list[str | None]) -> list[str]:
        headers = [cell or "" for cell in _cut(cells, 0)]
        try:
            columns = columns_of(headers)
        except Rejected as refusal:
            for problem in refusal.problems:
                self.outcome.note(Fault(line, "".join(problem.path) or None, replace(problem, path=())))
            raise _Unwritten from None
        self._headers = {column.key: header.strip() for column, header in zip(columns, headers, strict=True)}
        return [column.key for column in columns]

    def _read(self, line: int, keys: list[str], cells: list[str | None], bounds: Bounds) -> Entry | None:
        outcome = self.outcome
        outcome.rows += 1
        if outcome.rows > MOST_ROWS:
            raise Rejected(Problem(Code.TOO_LARGE, why="rows", params={"max": MOST_ROWS}))
        if not outcome.rows % 1000:
            self.progress(self._rows.share() / 2)
        cells = _cut(cells, len(keys))
        if len(cells) != len(keys):
            sizes = Problem(Code.INVALID, why="cells", params={"found": len(cells), "expected": len(keys)})
            outcome.note(Fault(line, None, sizes))
            return None
        entry, problems = checked(line, dict(zip(keys, cells, strict=True)), bounds)
        for problem in problems:
            outcome.note(Fault(line, self.header_of(problem.path[0]), replace(problem, path=())))
        return entry


def _cut(cells: list[str | None], shortest: int) -> list[str | None]:
    """The cells without empty ones at the end, which spreadsheets like to add."""
    while len(cells) > shortest and cells[-1] is not None and not cells[-1].strip():
        cells.pop()
    return cells
