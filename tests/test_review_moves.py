"""A registration's life: every pair of a state and a move, listed or not."""

from __future__ import annotations

from typing import Final

import pytest

from models.errors import Code, Rejected
from models.review import MOVES, NEEDS_OPINION, Decision, Move, State, after

# As the manual has it, written again by hand: a row is a state, a column a move.
LIFE: Final = {
    #                APPROVE, REJECT, RESUBMIT, WITHDRAW
    State.PENDING: (State.APPROVED, State.REJECTED, None, State.WITHDRAWN),
    State.APPROVED: (None, None, None, None),
    State.REJECTED: (None, None, State.PENDING, State.WITHDRAWN),
    State.WITHDRAWN: (None, None, None, None),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("move", Move)
def test_a_move_leads_where_the_manual_says_or_nowhere(state: State, move: Move) -> None:
    leads_to = LIFE[state][list(Move).index(move)]
    if leads_to is not None:
        assert after(state, move) is leads_to
        return
    with pytest.raises(Rejected) as refused:
        after(state, move)
    [problem] = refused.value.problems
    assert (problem.code, problem.path, problem.why) == (Code.WRONG_STATE, ("registrationId",), state.lower())


def test_the_table_lists_nothing_else() -> None:
    listed = {(state, move) for state, row in LIFE.items() for move, end in zip(Move, row, strict=True) if end}
    assert set(MOVES) == listed
    assert set(LIFE) == set(State)


def test_nothing_moves_once_it_is_approved_or_withdrawn() -> None:
    assert {state for state, _ in MOVES} == {State.PENDING, State.REJECTED}


@pytest.mark.parametrize("decision", Decision)
def test_a_decision_is_the_move_of_its_name_and_only_a_refusal_needs_an_opinion(decision: Decision) -> None:
    assert decision.move.name == decision.name
    assert (State.PENDING, decision.move) in MOVES
    assert (decision.move in NEEDS_OPINION) == (decision is Decision.REJECT)
