"""One row of a file of unions (名册): what its cells must say, each problem told by its column."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Final, NamedTuple

from models.columns import COLUMNS, KINDS, STATUSES, as_word, unguarded
from models.errors import Code, Problem, Problems
from models.form import EMPLOYER_FIELDS, Statement, checked_statement
from models.identifiers import check_phone
from models.kinds import UnionKind, UnionStatus
from models.particulars import Employer
from models.text import check_name, fold
from models.treepath import TreePath

MOST_ROWS: Final = 1_000_000
"""Of one import: about as many as a worksheet holds."""

_KINDS: Final = {as_word(word): kind for kind, label in KINDS.items() for word in (label, kind)}
_LIVE: Final = {as_word(word) for word in (STATUSES[UnionStatus.ACTIVE], UnionStatus.ACTIVE)}
_NOWHERE: Final = "0"  # no union has this label, which is for the database to say
_COUNT: Final = re.compile(r"[0-9]{1,9}", re.ASCII)

_EMPLOYER: Final = tuple(f"employer_{part.name}" for part in fields(Employer))
_IMPORTED: Final = {column.key for column in COLUMNS if column.imported}
_NO_EMPLOYER: Final = Employer("", "", "", None, "", None)
# What an export masks, so that it cannot be taken back as it is.
_MASKED: Final = ("contact_phone", "employer_contact_name", "employer_contact_phone")
# The column of each path that the check of a form notes.
_COLUMNS: Final[Mapping[tuple[str, ...], str]] = {
    ("name",): "name",
    ("regionCode",): "region_code",
    ("uscc",): "uscc",
    **{("employer", name): column for name, column in zip(EMPLOYER_FIELDS, _EMPLOYER, strict=True)},
}


class Entry(NamedTuple):
    """A row as far as it is sound; the fields are the columns of the table it is copied into."""

    line: int
    ref: str | None
    parent_ref: str | None
    parent_path: str | None
    name: str | None
    name_key: str | None
    kind: str | None
    region_code: str | None
    uscc: str | None
    contact_phone: str | None
    employer_name: str | None
    employer_uscc: str | None
    employer_address: str | None
    employer_contact_name: str | None
    employer_contact_phone: str | None
    employer_staff_count: int | None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a cell; with a row if `column` is None, with the file if `line` is too."""

    line: int | None
    column: str | None
    problem: Problem


@dataclass(frozen=True)
class Bounds:
    """What the cells of a row are held against: the regions of today, and the place that the import stays below."""

    regions: Collection[str]
    under: TreePath | None = None


def checked(line: int, cells: Mapping[str, str | None], bounds: Bounds) -> tuple[Entry, list[Problem]]:
    """The row as far as it is sound, and every problem with its cells; the path of each is the column's key.

    A cell that is None was no text, such as a date of a workbook.
    What a row says about other rows and about the tree is for the database, which is asked about all
    rows at once (storage/planting.py).
    """
    row = _Row(cells, bounds)
    kind = row.kind()
    stated = row.stated(kind)
    employer = stated.employer or _NO_EMPLOYER
    entry = Entry(
        line,
        row.key("ref"),
        row.key("parent_ref"),
        row.place(),
        stated.name or None,
        fold(stated.name) or None,
        kind,
        stated.region_code or None,
        stated.uscc,
        row.phone(),
        employer.name or None,
        employer.uscc or None,
        employer.address or None,
        employer.contact_name,
        employer.contact_phone or None,
        employer.staff_count,
    )
    row.refuse_the_dissolved()
    return entry, row.problems


class _Row:
    """Reads cells, and notes what is wrong with them: one problem a cell."""

    def __init__(self, cells: Mapping[str, str | None], bounds: Bounds) -> None:
        self.cells = {key: unguarded((cell or "").strip()) for key, cell in cells.items() if key in _IMPORTED}
        self.bounds = bounds
        self.problems = Problems()
        for key in self.cells:
            if cells[key] is None:
                self.note(Code.INVALID, key, why="not_text")

    def note(self, code: Code, key: str, why: str | None = None) -> None:
        if not any(problem.path == (key,) for problem in self.problems):
            self.problems.note(code, key, why=why)

    def text(self, key: str) -> str:
        """The cell without white space around it; empty if there is no such column."""
        return self.cells.get(key, "")

    def key(self, key: str) -> str | None:
        """What a row is called within the file."""
        text = self.text(key)
        return self.problems.take((key,), check_name, text) if text else None

    def kind(self) -> UnionKind | None:
        text = self.text("kind")
        kind = _KINDS.get(as_word(text))
        if not text:
            self.note(Code.REQUIRED, "kind")
        elif kind is None:
            self.note(Code.INVALID, "kind", why="kind")
        return kind

    def stated(self, kind: UnionKind | None) -> Statement:
        """What the row states about its union, as the check of a form leaves it."""
        employs = any(map(self.text, _EMPLOYER))
        if kind is None:  # then the other cells are checked for what they look like
            kind = UnionKind.GRASSROOTS if employs else UnionKind.HIGHER_LEVEL
        employer = self.employer() if employs or kind is UnionKind.GRASSROOTS else None
        for key in _MASKED:
            if "*" in self.text(key):
                self.note(Code.INVALID, key, why="masked")
        text, noted = self.text, Problems()
        stated = checked_statement(
            Statement(kind, text("name"), text("region_code"), text("uscc") or None, employer), noted
        )
        if stated.region_code and stated.region_code not in self.bounds.regions:
            noted.note(Code.REGION_UNKNOWN, "regionCode")
        self.adopt(noted)
        return stated

    def employer(self) -> Employer:
        """单位信息 as it is typed."""
        name, uscc, address, contact_name, contact_phone, _ = map(self.text, _EMPLOYER)
        return Employer(name, uscc, address, contact_name or None, contact_phone, self.staff_count())

    def staff_count(self) -> int | None:
        text = self.text("employer_staff_count")
        if text and not _COUNT.fullmatch(text):
            self.note(Code.INVALID, "employer_staff_count", why="staff_count")
            return None
        return int(text) if text else None

    def adopt(self, noted: Problems) -> None:
        """Tells by its column what the check of a form has noted, and of an empty cell only that it is empty."""
        told = {problem.path[0] for problem in self.problems}
        for problem in noted:
            column = _COLUMNS.get(problem.path) or next(filter(self.text, _EMPLOYER))
            if column not in told:
                self.problems.append(
                    replace(problem, path=(column,)) if self.text(column) else Problem(Code.REQUIRED, (column,))
                )

    def phone(self) -> str | None:
        """The telephone on the union's card, which is no part of a form."""
        text = self.text("contact_phone")
        return self.problems.take(("contact_phone",), check_phone, text) if text and "*" not in text else None

    def place(self) -> str | None:
        """The parent's place in the tree, for a row that says where it goes by that."""
        text = self.text("parent_path")
        if not text:
            return None
        if self.text("parent_ref"):
            self.note(Code.INVALID, "parent_path", why="two_parents")
        try:
            place = TreePath.parse(text)
        except ValueError:
            return _NOWHERE
        return str(place) if self.bounds.under is None or place.is_within(self.bounds.under) else _NOWHERE

    def refuse_the_dissolved(self) -> None:
        text = self.text("status")
        if text and as_word(text) not in _LIVE:
            self.note(Code.WRONG_STATE, "status", why="dissolved_row")
