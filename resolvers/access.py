"""Loads what a use case is about, or refuses: out of sight is NOT_FOUND, in sight but not allowed FORBIDDEN."""

from __future__ import annotations

from models.errors import Code, Problem, Rejected
from models.permissions import Action
from models.registration import Registration
from models.union import TradeUnion
from resolvers.context import Context, Work
from storage import registrations, unions


async def union_for(work: Work, union_id: int, action: Action) -> TradeUnion:
    """The union named by the input's `unionId`, kept as it is until the transaction ends.

    Raises:
        Rejected: NOT_FOUND, FORBIDDEN.
    """
    union = await unions.find(work.session, work.viewer, union_id, lock=True)
    if union is None:
        raise Rejected(Problem(Code.NOT_FOUND, ("unionId",)))
    require(work, action, union, "unionId")
    return union


def require(work: Work, action: Action, union: TradeUnion, *path: str) -> None:
    """Raises: Rejected, FORBIDDEN at the path, unless the viewer may do this there."""
    if not work.viewer.may(action, union.path):
        raise Rejected(Problem(Code.FORBIDDEN, path))


async def registration_for(work: Work, registration_id: int) -> Registration:
    """The registration named by the input's `registrationId`, locked: nobody else moves it meanwhile.

    Raises:
        Rejected: NOT_FOUND.
    """
    found = await registrations.find(work.session, work.viewer, registration_id, lock=True)
    if found is None:
        raise Rejected(Problem(Code.NOT_FOUND, ("registrationId",)))
    return found


async def own_registration(work: Work, registration_id: int) -> Registration:
    """The same, for what only its applicant may do.

    Raises:
        Rejected: NOT_FOUND, FORBIDDEN; WRONG_STATE if there is nothing in it any more.
    """
    found = await registration_for(work, registration_id)
    if found.applicant_id != work.account.id:
        raise Rejected(Problem(Code.FORBIDDEN, ("registrationId",)))
    require_stated(found)
    return found


def require_stated(registration: Registration) -> None:
    """Raises: Rejected, WRONG_STATE, if what it stated has been erased."""
    if registration.erased_at is not None:
        raise Rejected(Problem(Code.WRONG_STATE, ("registrationId",), "erased"))


async def reread(ctx: Context, registration_id: int) -> Registration:
    """A registration as it was committed, with its current round, for who has just moved it and so sees it."""
    async with ctx.db.reading() as session:
        found = await registrations.find(session, ctx.viewer, registration_id)
    assert found is not None
    return found
