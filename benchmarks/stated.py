"""What made-up unions and applications state about themselves: the columns that both tables share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from typing_extensions import override

from benchmarks import names, numbers
from benchmarks.tree import Division, Office
from models.kinds import UnionKind
from models.particulars import Particulars
from storage.erasure import STATED
from storage.sealing import Sealer

Row = tuple[Any, ...]

COLUMNS: Final = ("name", *STATED, "region_code", "certificate_id")
CERTIFICATES: Final = 64
"""The photos that all planted rows share; the load brings others for what it registers."""

_NO_EMPLOYER: Final = (None,) * 6


@dataclass(frozen=True, slots=True)
class Stated:
    kind: UnionKind
    name: str
    uscc: str
    employer: Row
    id_number: str
    region_code: str
    certificate_id: int

    def row(self, seal_name: str, sealer: Sealer) -> Row:
        """The values of COLUMNS, the ID number sealed for the row of that name."""
        paper = _Paper(seal_name)
        sealer.seal(paper, self.id_number)
        sealed = (paper.id_number_sealed, paper.id_number_index)
        return (self.name, self.uscc, *self.employer, *sealed, self.region_code, self.certificate_id)


class _Paper(Particulars):
    """What a seal is put on."""

    def __init__(self, seal_name: str) -> None:
        self._seal_name = seal_name

    @property
    @override
    def seal_name(self) -> str:
        return self._seal_name


def by_office(office: Office) -> Stated:
    return _stated(UnionKind.HIGHER_LEVEL, office.name, office.division, _NO_EMPLOYER, office.id)


def by_branch(above: Office, ordinal: int, number: int) -> Stated:
    """A grassroots union's statement: the `ordinal`-th under its parent, the `number`-th of the country."""
    division = above.division
    employer = names.employer(names.place(division.name), ordinal, above.id)
    about = (
        employer,
        numbers.credit_code("91", division.code, number),
        f"{division.full_name}{names.street(number)}{1 + number % 300}号",
        names.person(number * 7),
        numbers.mobile(900_000_000 + number),
        5 + number * number % 1_990,
    )
    return _stated(UnionKind.GRASSROOTS, f"{employer}工会委员会", division, about, number)


def _stated(kind: UnionKind, name: str, division: Division, employer: Row, number: int) -> Stated:
    return Stated(
        kind=kind,
        name=name,
        uscc=numbers.credit_code("81" if kind is UnionKind.GRASSROOTS else "89", division.code, number),
        employer=employer,
        id_number=numbers.id_number(division.code, number * 11 % 399_989),
        region_code=division.code,
        certificate_id=1 + number % CERTIFICATES,
    )
