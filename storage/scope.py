"""Who sees which rows: the SQL twin of models/permissions.py, and the only one.

Every statement that reads for a viewer takes its WHERE from here. No grants, no rows. Who looks is a viewer,
or the parameters that stand for one in a statement that is made once (`BoundEyes`); the rows looked at are a
model, or what it is called in a larger statement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import aliased
from sqlalchemy_utils import Ltree, LtreeType

from models.account import Account, Appointment
from models.certificate import Certificate
from models.event import Event, Happening
from models.invite import Invite
from models.permissions import ANSWERING, DECIDING, NOBODY, Action, Grant, Viewer, tops
from models.registration import Registration, Review, Submission
from models.treepath import TreePath
from models.union import TradeUnion
from storage.reading.rows import Eyes

# A model, an alias of one, or the rows of a statement: whatever has its columns by name.
Rowlike = Any


def within(path: ColumnElement[Any] | Any, root: TreePath | ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether `path` is `root` or below it, as a range that the B-tree on the path answers.

    Labels are base 36 and '0' is the least digit, so no label lies between `x` and `x0`:
    everything below `x` sorts before `x0`, and everything else that starts with `x` after it.
    """
    if isinstance(root, TreePath):
        return and_(path >= root, path < cast(Ltree(f"{root}0"), LtreeType))
    return and_(path >= root, path < cast(cast(root, Text) + literal_column("'0'"), LtreeType))


def strictly_below(union: Rowlike, above: Rowlike) -> ColumnElement[bool]:
    """Whether a union lies below another one, as the search index answers it (storage/search.py)."""
    # Spelled out and no parameter: it is part of the expression that is indexed.
    ancestors = func.trim_array(union.ancestors, literal_column("1"), type_=ARRAY(BigInteger))
    return ancestors.contains(array([above.id]))


def is_place(eyes: Eyes, union_id: Any) -> ColumnElement[bool]:
    """Whether the viewer is appointed to read at this very union."""
    places = eyes.places
    here: ColumnElement[bool] = union_id.in_(places) if isinstance(places, list) else union_id == any_(places)
    return here


def is_top(eyes: Eyes, of: Rowlike = TradeUnion) -> ColumnElement[bool]:
    """The tops of what the viewer may read: nothing readable lies above them."""
    return or_(false(), *(of.id == top.id for top in eyes.tops))


def reachable(grants: Iterable[Grant], action: Action, path: Any = TradeUnion.path) -> ColumnElement[bool]:
    """Places at which these grants allow `action`."""
    return _below(tops(grants, action), path)


def _below(roots: Iterable[TreePath | BoundPlace], path: Any) -> ColumnElement[bool]:
    # `false()` because an empty or_() would match everything.
    return or_(false(), *(root.around(path) if isinstance(root, BoundPlace) else within(path, root) for root in roots))


@dataclass(frozen=True)
class BoundPlace:
    """A place in the tree of which only the depth is known; its path and its union's id are parameters."""

    number: int
    depth: int

    def around(self, path: ColumnElement[Any]) -> ColumnElement[bool]:
        """`within`, with both bounds as parameters: to make one of the other for each row would take longer than
        to compare."""
        begin, end = (bindparam(f"top_{self.number}{which}", type_=LtreeType) for which in ("", "_end"))
        return and_(path >= begin, path < end)

    @property
    def id(self) -> ColumnElement[int]:
        return bindparam(f"top_{self.number}_id", type_=BigInteger)


class BoundEyes(NamedTuple):
    """A viewer with tops at these depths, each value a parameter: one statement for all viewers of that shape."""

    signed_in: bool
    depths: tuple[int, ...]

    @property
    def account_id(self) -> ColumnElement[int] | None:
        return bindparam("viewer", type_=BigInteger) if self.signed_in else None

    @property
    def tops(self) -> list[BoundPlace]:
        return [BoundPlace(number, depth) for number, depth in enumerate(self.depths)]

    @property
    def places(self) -> ColumnElement[Any]:
        return bindparam("places", type_=ARRAY(BigInteger))

    @classmethod
    def of(cls, viewer: Viewer) -> tuple[BoundEyes, dict[str, Any]]:
        """The shape of a viewer, and what its parameters are for them."""
        tops = viewer.tops
        values: dict[str, Any] = {"viewer": viewer.account_id, "places": viewer.places}
        for number, top in enumerate(tops):
            values |= {f"top_{number}": str(top), f"top_{number}_end": f"{top}0", f"top_{number}_id": top.id}
        return cls(viewer.account_id is not None, tuple(top.depth for top in tops)), values


NOBODYS_EYES: Final = BoundEyes.of(NOBODY)


def unions(eyes: Eyes, of: Rowlike = TradeUnion) -> ColumnElement[bool]:
    """Unions that the viewer may read."""
    return _below(eyes.tops, of.path)


def registrations(eyes: Eyes, of: Rowlike = Registration) -> ColumnElement[bool]:
    """Their own, and those under unions that they may read."""
    return or_(of.applicant_id == eyes.account_id, applications(eyes, of))


def applications(eyes: Eyes, of: Rowlike = Registration) -> ColumnElement[bool]:
    """Registrations under unions that the viewer may read."""
    return _below(eyes.tops, of.parent_path)


# One for all: making an alias costs a millisecond, and no statement has two of these in one place.
_at: Final = aliased(TradeUnion)


def _at_a_readable_union(eyes: Eyes, union_id: ColumnElement[Any]) -> ColumnElement[bool]:
    return exists(select(_at.id).where(_at.id == union_id, _below(eyes.tops, _at.path)))


_appointed: Final = aliased(Appointment)
_nearest: Final = aliased(Appointment)


def deciders(of: Rowlike, applicant_id: Any) -> ColumnElement[Any]:
    """The ids of the accounts that decide at a union, or on a registration: the twin of permissions.deciders.

    `of` has the `ancestors` of the place, itself last; nobody decides on what they apply for.
    """

    def able(held: Any) -> ColumnElement[bool]:
        return and_(held.ended_at.is_(None), held.role.in_(sorted(DECIDING)), held.account_id != applicant_id)

    union_id = (
        select(_nearest.union_id)
        .where(_nearest.union_id == any_(of.ancestors), able(_nearest))
        .order_by(func.array_position(of.ancestors, _nearest.union_id).desc())
        .limit(1)
        .correlate_except(_nearest)
        .scalar_subquery()
    )
    return (
        select(_appointed.account_id)
        .where(_appointed.union_id == union_id, able(_appointed))
        .correlate_except(_appointed)
        .scalar_subquery()
    )


def is_among(eyes: Eyes, accounts: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the viewer is one of these accounts."""
    account_id = eyes.account_id
    if account_id is None:
        return false()
    me: ColumnElement[int] = literal(account_id) if isinstance(account_id, int) else account_id
    return me.in_(accounts)


def invites(eyes: Eyes, of: Rowlike = Invite) -> ColumnElement[bool]:
    return _at_a_readable_union(eyes, of.union_id)


def appointments(eyes: Eyes, of: Rowlike = Appointment) -> ColumnElement[bool]:
    """Their own, and those at unions that they may read; while they last."""
    return and_(
        of.ended_at.is_(None),
        or_(of.account_id == eyes.account_id, _at_a_readable_union(eyes, of.union_id)),
    )


def events(eyes: Eyes, of: Rowlike = Event) -> ColumnElement[bool]:
    """What happened within reach, by where that was in the tree at the time."""
    return _below(eyes.tops, of.path)


_held: Final = aliased(Appointment)
_over: Final[Any] = aliased(TradeUnion)


def reveals(eyes: Eyes, of: Rowlike = Event) -> ColumnElement[bool]:
    """Who was shown an ID number, for those who answer for that place: not for all who may read there."""
    held = (
        select(_held.id)
        .join(_over, _over.id == _held.union_id)
        .where(_held.account_id == eyes.account_id, _held.role.in_(sorted(ANSWERING)), _held.ended_at.is_(None))
        .where(within(of.path, _over.path))
    )
    return and_(of.action == Happening.ID_NUMBER_REVEALED, exists(held))


def certificates(eyes: Eyes, of: Rowlike = Certificate) -> ColumnElement[bool]:
    """Those they uploaded, and those of registrations and unions that they may see."""
    in_registration = (
        select(Submission.round)
        .join(Registration, Registration.id == Submission.registration_id)
        .where(Submission.certificate_id == of.id, registrations(eyes))
    )
    of_union = select(TradeUnion.id).where(TradeUnion.certificate_id == of.id, unions(eyes))
    return or_(of.uploaded_by == eyes.account_id, exists(in_registration), exists(of_union))


def accounts(eyes: Eyes, of: Rowlike = Account) -> ColumnElement[bool]:
    """Themselves; who is appointed or applies within reach; and who decided on their registrations."""
    appointed = select(Appointment.id).where(Appointment.account_id == of.id, appointments(eyes))
    applying = select(Registration.id).where(Registration.applicant_id == of.id, registrations(eyes))
    deciding = (
        select(Review.round)
        .join(Registration, Registration.id == Review.registration_id)
        .where(Review.reviewer_id == of.id, Registration.applicant_id == eyes.account_id)
    )
    return or_(of.id == eyes.account_id, exists(appointed), exists(applying), exists(deciding))
