"""待审核: what waits below a union, which at every level of the tree is one ordered scan of one index.

Each index is for the unions of one depth (models/registration.py), and a statement takes it only if it names that
depth and says PENDING in so many words: a generic plan knows nothing of parameters. Each scan has the order and the
limit of the whole page, for PostgreSQL hands neither down to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    and_,
    false,
    literal_column,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased, joinedload

from models.registration import Registration
from models.review import State
from models.treepath import MAX_DEPTH, TreePath
from storage.listing import Key, Listing

Scans = Sequence[ColumnElement[bool]]
Number = ColumnElement[int] | InstrumentedAttribute[int] | int

_PENDING: Final = Registration.status == literal_column(f"'{State.PENDING}'")
_ORDER: Final = (Registration.submitted_at, Registration.id)


@dataclass(frozen=True)
class Queue(Listing[Registration]):
    """The longest waiting first, merged from scans of which each gives a page of its own."""

    scans: Scans = ()

    def beginning(self, first: int, after: Key | None) -> Select[Registration]:
        waiting = aliased(Registration, page(self.scans, first, after).subquery("waiting"))
        rows = select(waiting).options(joinedload(waiting.current))
        return rows.order_by(waiting.submitted_at, waiting.id)


def below(places: Iterable[TreePath]) -> Scans:
    """What waits at and below these places, none of which may lie within another."""
    return [_below(place.ids[-1], place.depth) for place in places]


def at(places: Iterable[TreePath]) -> Scans:
    """What waits at these places themselves."""
    return [and_(_PENDING, Registration.parent_id == place.ids[-1]) for place in places]


def below_one(union_id: Number, depth: Number) -> Scans:
    """What waits at and below a union whose depth only the running statement knows: the others are not begun."""
    return [and_(literal_column(str(known)) == depth, _below(union_id, known)) for known in range(MAX_DEPTH)]


def page(
    scans: Scans,
    first: Number,
    after: Sequence[Any] | None = None,
    *,
    of: Sequence[Any] = (),
    columns: Sequence[Any] = (),
) -> Select[Any] | CompoundSelect[Any]:
    """The `first` registrations of all scans together, after a submission time and an id if given.

    `of` is what the statement around selects from, where the scans name columns of its rows.
    """
    shown = [column.label(column.key) for column in columns] or [Registration.__table__]
    following = [] if after is None else [tuple_(*_ORDER) > tuple_(*after)]
    parts = [
        select(*shown).where(scan, *following).order_by(*_ORDER).limit(first).correlate(*of)
        for scan in scans or [false()]
    ]
    if len(parts) == 1:
        return parts[0]
    together = union_all(*parts)
    return together.order_by(literal_column("submitted_at"), literal_column("id")).limit(first)


def _below(union_id: Number, depth: int) -> ColumnElement[bool]:
    if depth >= MAX_DEPTH:  # nothing can be below it, and no index is for it
        return false()
    above = Registration.ancestors[literal_column(str(depth + 1), Integer)]
    return and_(_PENDING, above == union_id, above.is_not(None))
