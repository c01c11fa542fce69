"""A registration's life as a table: PENDING, then APPROVED, REJECTED or WITHDRAWN. Nothing else."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from models.errors import Code, Problem, Rejected


class State(StrEnum):
    """Where a registration stands: 待审核, 审核通过, 审核不通过, 已撤回."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


class Move(StrEnum):
    """What takes a registration from one state to the next."""

    APPROVE = "APPROVE"
    REJECT = "REJECT"
    RESUBMIT = "RESUBMIT"
    WITHDRAW = "WITHDRAW"


class Decision(StrEnum):
    """The two moves that are a reviewer's."""

    APPROVE = "APPROVE"
    REJECT = "REJECT"

    @property
    def move(self) -> Move:
        return Move(self.value)


MOVES: Final[dict[tuple[State, Move], State]] = {
    (State.PENDING, Move.APPROVE): State.APPROVED,
    (State.PENDING, Move.REJECT): State.REJECTED,
    (State.PENDING, Move.WITHDRAW): State.WITHDRAWN,
    (State.REJECTED, Move.RESUBMIT): State.PENDING,
    (State.REJECTED, Move.WITHDRAW): State.WITHDRAWN,
}

# The applicant reads the opinion; a refusal without one is a dead end for them.
NEEDS_OPINION: Final = frozenset({Move.REJECT})


def after(state: State, move: Move) -> State:
    """The state that `move` leads to.

    Raises:
        Rejected: WRONG_STATE, naming the state it is in.
    """
    try:
        return MOVES[state, move]
    except KeyError:
        raise Rejected(Problem(Code.WRONG_STATE, ("registrationId",), state.lower())) from None
