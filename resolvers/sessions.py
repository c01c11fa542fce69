"""Ending one's own sign-ins."""

from __future__ import annotations

from models.errors import Code, Problem, Rejected
from resolvers.context import Context
from storage import sessions


async def end_session(ctx: Context, session_id: int) -> None:
    """It opens nothing from now on: this sign-in, or another one of the same account.

    Raises:
        Rejected: UNAUTHENTICATED; NOT_FOUND for one that is over, or somebody else's.
    """
    async with ctx.working(own=True) as work:
        if not await sessions.end(work.session, session_id, work.account.id):
            raise Rejected(Problem(Code.NOT_FOUND, ("sessionId",)))
    if ctx.signed_in is not None and ctx.signed_in.session_id == session_id:
        ctx.signed_in = None


async def end_sessions(ctx: Context, *, this_too: bool) -> int:
    """How many sign-ins are over: every other one, or all.

    Raises:
        Rejected: UNAUTHENTICATED.
    """
    async with ctx.working(own=True) as work:
        assert ctx.signed_in is not None
        keep = None if this_too else ctx.signed_in.session_id
        ended = await sessions.end_all(work.session, work.account.id, but_for=keep)
    if this_too:
        ctx.signed_in = None
    return ended
