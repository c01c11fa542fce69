"""The rows of a planted registry, table by table, as COPY takes them. Made one at a time: there are millions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from benchmarks import stated
from benchmarks.stated import Row, Stated
from benchmarks.tree import Office, Tree
from models.kinds import EntryRoute, UnionKind, UnionStatus
from models.review import Decision, State
from models.text import fold
from models.treepath import label_of
from storage.sealing import Sealer

FIRST_DAY: Final = datetime(2019, 1, 1, tzinfo=UTC)
LAST_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
UNION: Final = (
    *("id", "parent_id", "path", "kind", "status", "name_key", "former_names", "contact_phone", "created_at"),
    *("dissolved_at", *stated.COLUMNS),
)
REGISTRATION: Final = (
    *("id", "parent_id", "parent_path", "applicant_id", "kind", "status", "round", "entry_route", "submitted_at"),
    *("decided_at", "union_id"),
)
SUBMISSION: Final = ("registration_id", "round", "submitted_at", "changed", *stated.COLUMNS)
REVIEW: Final = ("registration_id", "round", "decision", "opinion", "field_opinions", "reviewer_id", "decided_at")

# How many applications there are for a hundred unions, beside the one that each union came of.
OPEN: Final = {State.PENDING: 4, State.REJECTED: 2, State.WITHDRAWN: 1}
BUSY: Final = 60
"""How many wait at each of the busiest unions of every level: more than a page."""

_ROUTES: Final = tuple(EntryRoute)
_UNCLEAR: Final = "证件照片不清晰，请重新拍照上传。"


@dataclass(frozen=True, slots=True)
class Application:
    """A registration that is no union, or not yet."""

    above: Office
    state: State
    submitted_at: datetime
    round: int


@dataclass(frozen=True)
class Registry:
    """The tree with all that hangs on it. Accounts up to `staff` hold appointments, the next `applicants` apply."""

    tree: Tree
    sealer: Sealer
    staff: int
    applicants: int
    seed: int

    def unions(self) -> Iterator[Row]:
        for union_id, above, ordinal in self._every_place():
            said = self._said(union_id, above, ordinal)
            path = f"{above.path}.{label_of(union_id)}" if above else label_of(union_id)
            joined, gone = self._joined(union_id), said.kind is UnionKind.GRASSROOTS and union_id % 331 == 0
            yield (
                *(union_id, above and above.id, path, said.kind, UnionStatus.DISSOLVED if gone else UnionStatus.ACTIVE),
                *(fold(said.name), [f"原{said.name}"] if union_id % 53 == 0 else [], _contact(union_id, said), joined),
                *(LAST_DAY if gone else None, *said.row(f"trade_union:{union_id}", self.sealer)),
            )

    def registrations(self) -> Iterator[Row]:
        for union_id, above, _ in self._every_place():
            if above is not None:
                joined = self._joined(union_id)
                times = (joined - timedelta(days=3), joined)
                yield (
                    *(
                        union_id,
                        above.id,
                        above.path,
                        self._applicant(union_id),
                        self._kind(union_id),
                        State.APPROVED,
                        1,
                    ),
                    *(_ROUTES[union_id % 3], *times, union_id),
                )
        for number, one in self._numbered_applications():
            decided = one.submitted_at + timedelta(days=2) if one.state is State.REJECTED else None
            yield (
                *(
                    number,
                    one.above.id,
                    one.above.path,
                    self._applicant(number),
                    UnionKind.GRASSROOTS,
                    one.state,
                    one.round,
                ),
                *(_ROUTES[number % 3], one.submitted_at, decided, None),
            )

    def submissions(self) -> Iterator[Row]:
        for union_id, above, ordinal in self._every_place():
            if above is not None:
                said = self._said(union_id, above, ordinal)
                yield self._submission(union_id, 1, self._joined(union_id) - timedelta(days=3), said)
        for number, one in self._numbered_applications():
            said = stated.by_branch(one.above, 300_000 + number - self.tree.size, number)
            for of in range(1, one.round + 1):
                yield self._submission(number, of, one.submitted_at - timedelta(days=9 * (one.round - of)), said)

    def reviews(self) -> Iterator[Row]:
        for union_id in range(2, self.tree.size + 1):
            yield (union_id, 1, Decision.APPROVE, None, "[]", self._reviewer(union_id), self._joined(union_id))
        for number, one in self._numbered_applications():
            if one.state is State.REJECTED or one.round == 2:
                decided = one.submitted_at + timedelta(days=2 if one.round == 1 else -2)
                yield (number, 1, Decision.REJECT, _UNCLEAR, "[]", self._reviewer(number), decided)

    def _every_place(self) -> Iterator[tuple[int, Office | None, int]]:
        """Each union's id, the one above it, and which of the grassroots unions there it is."""
        offices = self.tree.offices
        for office in offices:
            yield office.id, office.parent, 0
        ordinals = [0] * len(offices)
        for union_id, place in enumerate(self.tree.homes, start=len(offices) + 1):
            yield union_id, offices[place], ordinals[place]
            ordinals[place] += 1

    def _kind(self, union_id: int) -> UnionKind:
        return UnionKind.HIGHER_LEVEL if union_id <= len(self.tree.offices) else UnionKind.GRASSROOTS

    def _said(self, union_id: int, above: Office | None, ordinal: int) -> Stated:
        if above is None or self._kind(union_id) is UnionKind.HIGHER_LEVEL:
            return stated.by_office(self.tree.offices[union_id - 1])
        return stated.by_branch(above, ordinal, union_id)

    def _numbered_applications(self) -> Iterator[tuple[int, Application]]:
        """The same each time; at least a full page waits under some union of every level."""
        random, offices, season = Random(self.seed), self.tree.offices, timedelta(days=90)  # noqa: S311
        number, busy = self.tree.size, _busy(self.tree)
        for state, share in OPEN.items():
            wanted = self.tree.size * share // 100
            first = busy if state is State.PENDING else []
            for above in [*first, *random.choices(offices, k=wanted - len(first))]:
                number += 1
                again = 2 if state is State.PENDING and random.random() < 0.1 else 1
                yield number, Application(above, state, LAST_DAY - random.random() * season, again)

    def _submission(self, registration_id: int, of: int, at: datetime, said: Stated) -> Row:
        changed = ["certificateId"] if of > 1 else []
        seal_name = f"submission:{registration_id}:{of}"
        return (registration_id, of, at, changed, *said.row(seal_name, self.sealer))

    def _joined(self, union_id: int) -> datetime:
        return FIRST_DAY + (LAST_DAY - FIRST_DAY) * (union_id / (self.tree.size + 1))

    def _applicant(self, number: int) -> int:
        return self.staff + 1 + number * 7_919 % self.applicants

    def _reviewer(self, number: int) -> int:
        return 1 + number * 31 % self.staff


def _busy(tree: Tree) -> list[Office]:
    """The parents of applications at the busiest unions, once for each application."""
    ordinary = [office for office in tree.offices if office.level != "industry"]
    depths = range(1 + max(office.depth for office in ordinary))
    most = max(2, tree.size // 150_000)
    busiest = [office for depth in depths for office in [one for one in ordinary if one.depth == depth][:most]]
    return [office for _ in range(BUSY) for office in busiest]


def _contact(union_id: int, said: Stated) -> str | None:
    """On the cards of unions that take registrations; the hotline of all unions for some."""
    if said.kind is UnionKind.GRASSROOTS:
        return None
    return "12351" if union_id % 3 == 0 else f"+86{18_000_000_000 + union_id}"
