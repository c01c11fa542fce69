"""待审核: what waits below a union, which at every level of the tree is one ordered scan of one index.

Each index is for the unions of one depth (models/registration.py), and a statement takes it only if it names that
depth and says PENDING in so many words: a generic plan knows nothing of parameters. Each scan has the order and the
limit of the whole page, for PostgreSQL hands neither down to it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, and_, false, func, literal_column, select, union_all

from models.kinds import TreeScope
from models.review import State
from models.treepath import MAX_DEPTH
from storage import scope, tallies
from storage.reading import wire
from storage.reading.reads import Arguments, Listing, Scan
from storage.reading.rows import Eyes, Rows
from storage.sources import REGISTRATION, UNION


def _pending(registration: Rows) -> ColumnElement[bool]:
    return registration.status == wire.word(State.PENDING)


def below(union_id: Any, depth: int) -> Scan:
    """What waits at and below a union of this depth."""

    def scan(registration: Rows) -> ColumnElement[bool]:
        if depth >= MAX_DEPTH:  # nothing can be below it, and no index is for it
            return false()
        above = registration.ancestors[literal_column(str(depth + 1), Integer)]
        return and_(_pending(registration), above == union_id, above.is_not(None))

    return scan


def below_one(union: Rows) -> list[Scan]:
    """The same, where only the running statement knows how deep the union lies: the other scans are not begun."""

    def guarded(depth: int) -> Scan:
        scan = below(union.id, depth)
        is_so_deep = literal_column(str(depth + 1), Integer) == func.nlevel(union.path)
        return lambda registration: and_(is_so_deep, scan(registration))

    return [guarded(depth) for depth in range(MAX_DEPTH)]


def at(union_id: Any) -> Scan:
    """What waits at a union itself."""
    return lambda registration: and_(_pending(registration), registration.parent_id == union_id)


def at_places(eyes: Eyes) -> Scan:
    """What waits at the unions themselves that the viewer is appointed to."""
    return lambda registration: and_(_pending(registration), scope.is_place(eyes, registration.parent_id))


def _of_viewer(eyes: Eyes, reach: TreeScope) -> list[Scan]:
    return [below(top.id, top.depth) for top in eyes.tops] if reach is TreeScope.SUBTREE else [at_places(eyes)]


def _of_union(union: Rows, reach: TreeScope) -> list[Scan]:
    return below_one(union) if reach is TreeScope.SUBTREE else [at(union.id)]


def _count_of_viewer(eyes: Eyes, reach: TreeScope) -> ColumnElement[int] | None:
    if reach is TreeScope.DIRECT:
        return None
    top = UNION.fresh()
    counted = select(func.coalesce(func.sum(tallies.pending(top)), 0)).where(scope.is_top(eyes, top))
    return counted.correlate_except(top.main).scalar_subquery()


def _count_of_union(union: Rows, reach: TreeScope) -> ColumnElement[int] | None:
    return tallies.pending(union) if reach is TreeScope.SUBTREE else None


def _longest_waiting(registration: Rows, _given: Arguments | None = None) -> list[ColumnElement[Any]]:
    return [registration.submitted_at, registration.id]


# Under all that the viewer may read, or under one union; the longest waiting first.
# DIRECT is what was submitted to the unions that the viewer is appointed to, or to that union itself.
OF_VIEWER: Final = Listing("queue", REGISTRATION, _of_viewer, _longest_waiting, told=True, count=_count_of_viewer)
OF_UNION: Final = Listing("queue", REGISTRATION, _of_union, _longest_waiting, told=True, count=_count_of_union)


def oldest(union: Rows) -> ColumnElement[datetime]:
    """Since when the longest waiting of what waits at and below a union waits."""
    first = []
    for scan in below_one(union):
        registration = REGISTRATION.fresh()
        oldest = select(registration.submitted_at).where(scan(registration)).order_by(*_longest_waiting(registration))
        first.append(oldest.limit(literal_column("1")).correlate_except(registration.main))
    found = union_all(*first).subquery()
    return select(func.min(found.c.submitted_at)).scalar_subquery()
