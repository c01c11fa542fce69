"""Who sees which rows: the SQL twin of models/permissions.py, and the only one.

Every statement that reads for a viewer takes its WHERE from here. No grants, no rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, and_, cast, exists, false, literal_column, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy_utils import Ltree, LtreeType

from models.account import Account, Appointment
from models.certificate import Certificate
from models.event import Event
from models.invite import Invite
from models.permissions import ALLOWED, Action, Grant, Viewer
from models.registration import Registration, Review, Submission
from models.treepath import TreePath
from models.union import TradeUnion

PathColumn = InstrumentedAttribute[TreePath] | InstrumentedAttribute[TreePath | None]


def within(path: PathColumn, root: TreePath | PathColumn) -> ColumnElement[bool]:
    """Whether `path` is `root` or below it, as a range that the B-tree on the path answers.

    `root` may be a column of another row. Labels are base 36 and '0' is the least digit, so no label lies between
    `x` and `x0`: everything below `x` sorts before `x0`, and everything else that starts with `x` after it.
    """
    if isinstance(root, TreePath):
        return and_(path >= root, path < cast(Ltree(f"{root}0"), LtreeType))
    return and_(path >= root, path < cast(cast(root, Text) + literal_column("'0'"), LtreeType))


def tops(grants: Iterable[Grant], action: Action) -> list[TreePath]:
    """The places from which down these grants allow `action`; none within another, which would add nothing."""
    roots = {grant.over for grant in grants if action in ALLOWED[grant.role]}
    return sorted(
        (root for root in roots if not any(root != other and root.is_within(other) for other in roots)), key=str
    )


def reachable(grants: Iterable[Grant], action: Action, path: PathColumn = TradeUnion.path) -> ColumnElement[bool]:
    """Places at which these grants allow `action`."""
    # `false()` because an empty or_() would match everything.
    return or_(false(), *(within(path, top) for top in tops(grants, action)))


def unions(viewer: Viewer) -> ColumnElement[bool]:
    """Unions that the viewer may read."""
    return reachable(viewer.grants, Action.READ)


# One for all: making an alias costs a millisecond, and no statement has two of these in one place.
_at: Final = aliased(TradeUnion)


def _at_a_readable_union(viewer: Viewer, union_id: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    return exists(select(_at.id).where(_at.id == union_id, reachable(viewer.grants, Action.READ, _at.path)))


def registrations(viewer: Viewer) -> ColumnElement[bool]:
    """Their own, and those under unions that they may read."""
    return or_(
        Registration.applicant_id == viewer.account_id,
        reachable(viewer.grants, Action.READ, Registration.parent_path),
    )


def invites(viewer: Viewer) -> ColumnElement[bool]:
    return _at_a_readable_union(viewer, Invite.union_id)


def appointments(viewer: Viewer) -> ColumnElement[bool]:
    """Their own, and those at unions that they may read; while they last."""
    return and_(
        Appointment.ended_at.is_(None),
        or_(Appointment.account_id == viewer.account_id, _at_a_readable_union(viewer, Appointment.union_id)),
    )


def events(viewer: Viewer) -> ColumnElement[bool]:
    """What happened within reach, by where that was in the tree at the time."""
    return reachable(viewer.grants, Action.READ, Event.path)


def certificates(viewer: Viewer) -> ColumnElement[bool]:
    """Those they uploaded, and those of registrations and unions that they may see."""
    in_registration = (
        select(Submission.round)
        .join(Registration, Registration.id == Submission.registration_id)
        .where(Submission.certificate_id == Certificate.id, registrations(viewer))
    )
    of_union = select(TradeUnion.id).where(TradeUnion.certificate_id == Certificate.id, unions(viewer))
    return or_(Certificate.uploaded_by == viewer.account_id, exists(in_registration), exists(of_union))


def accounts(viewer: Viewer) -> ColumnElement[bool]:
    """Themselves; who is appointed or applies within reach; and who decided on their registrations."""
    appointed = select(Appointment.id).where(Appointment.account_id == Account.id, appointments(viewer))
    applying = select(Registration.id).where(Registration.applicant_id == Account.id, registrations(viewer))
    deciding = (
        select(Review.round)
        .join(Registration, Registration.id == Review.registration_id)
        .where(Review.reviewer_id == Account.id, Registration.applicant_id == viewer.account_id)
    )
    return or_(Account.id == viewer.account_id, exists(appointed), exists(applying), exists(deciding))
