"""Who may do what, where: the rule. Its SQL twin is storage/scope.py, and a test proves them equal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from models.treepath import TreePath


class Role(StrEnum):
    """What an appointment (任职) is for."""

    ADMINISTRATOR = "ADMINISTRATOR"
    REVIEWER = "REVIEWER"
    ANALYST = "ANALYST"


class Action(StrEnum):
    """What can be done at a union or with a registration."""

    READ = "READ"
    INVITE = "INVITE"
    REVIEW = "REVIEW"
    APPOINT = "APPOINT"
    RENAME = "RENAME"
    MOVE = "MOVE"
    DISSOLVE = "DISSOLVE"
    EXPORT = "EXPORT"
    RESUBMIT = "RESUBMIT"
    WITHDRAW = "WITHDRAW"


# RESUBMIT and WITHDRAW are in no role: they belong to the applicant of a registration, whoever that is.
ALLOWED: Final[Mapping[Role, frozenset[Action]]] = {
    Role.ADMINISTRATOR: frozenset(
        {
            Action.READ,
            Action.INVITE,
            Action.REVIEW,
            Action.APPOINT,
            Action.RENAME,
            Action.MOVE,
            Action.DISSOLVE,
            Action.EXPORT,
        }
    ),
    Role.REVIEWER: frozenset({Action.READ, Action.REVIEW}),
    Role.ANALYST: frozenset({Action.READ, Action.EXPORT}),
}

# Who can decide on a registration, if appointed where it is decided (see `deciders`).
DECIDING: Final = frozenset(role for role, actions in ALLOWED.items() if Action.REVIEW in actions)

# Who is told who was shown ID numbers: those who appoint, and so answer for the people who were.
ANSWERING: Final = frozenset(role for role, actions in ALLOWED.items() if Action.APPOINT in actions)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role over a union and everything below it."""

    role: Role
    over: TreePath


def may(grants: Iterable[Grant], action: Action, at: TreePath) -> bool:
    """Whether these grants allow `action` at this place.

    Grants add up; nothing subtracts. A grant reaches down the tree, never up or sideways.
    """
    return any(action in ALLOWED[grant.role] and at.is_within(grant.over) for grant in grants)


def tops(grants: Iterable[Grant], action: Action) -> tuple[TreePath, ...]:
    """The places at and below which these grants allow `action`, none within another, in the order of the tree."""
    roots = {grant.over for grant in grants if action in ALLOWED[grant.role]}
    return tuple(
        sorted((root for root in roots if not any(root != other and root.is_within(other) for other in roots)), key=str)
    )


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, and what they are appointed to. `account_id` is None for someone not signed in."""

    account_id: int | None = None
    grants: tuple[Grant, ...] = ()

    def may(self, action: Action, at: TreePath) -> bool:
        return may(self.grants, action, at)

    def actions(self, at: TreePath) -> list[Action]:
        """Everything that the grants allow at this place, in the order of the enum."""
        return [action for action in Action if self.may(action, at)]

    @property
    def tops(self) -> tuple[TreePath, ...]:
        """The tops of what the viewer may read; everything else that they may read lies below one of them."""
        return tops(self.grants, Action.READ)

    @property
    def places(self) -> list[int]:
        """The unions that the viewer is appointed to read, by their ids."""
        return sorted({grant.over.id for grant in self.grants if Action.READ in ALLOWED[grant.role]})


NOBODY: Final = Viewer()


def deciders(at: TreePath, applicant_id: int, appointed: Mapping[int, Collection[int]]) -> frozenset[int]:
    """The accounts that decide on a registration under the union at this place.

    Those appointed there who can decide, never the applicant. Where that leaves nobody, those
    of the nearest union above that has somebody. `appointed` gives, by union id, the accounts
    that hold a role of DECIDING there. Empty if nobody up to the root can.
    """
    for union_id in reversed(at.ids):
        able = frozenset(appointed.get(union_id, ())) - {applicant_id}
        if able:
            return able
    return frozenset()
