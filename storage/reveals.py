"""Who was shown which ID number, when and why: for the administrators above."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_

from models.event import Happening
from models.kinds import TreeScope
from storage import scope
from storage.reading import wire
from storage.reading.reads import Listing, Scan
from storage.reading.rows import Rows
from storage.sources import REVEAL

# Spelled out and no parameter: the planner takes a partial index only where it reads the index's condition.
REVEALED: Final = wire.word(Happening.ID_NUMBER_REVEALED)


def _of_union(union: Rows, reach: TreeScope) -> list[Scan]:
    if reach is TreeScope.DIRECT:
        return [lambda event: and_(event.action == REVEALED, event.union_id == union.id)]
    return [lambda event: and_(event.action == REVEALED, scope.within(event.path, union.path))]


# Of forms that were submitted to a union, or to it and everything that was below it at the time; newest first.
OF_UNION: Final = Listing("reveals", REVEAL, _of_union, lambda event, _: [event.id], descending=True)
