"""What reading a card by its code costs, and what trying codes does."""

from __future__ import annotations

from models.limits import Limited
from resolvers.context import Context


async def pay_for_cards(ctx: Context, cards: int = 1) -> None:
    """Lets somebody read so many cards. Who has missed too many codes reads none, nor learns which of them fit.

    Raises:
        Rejected: RATE_LIMITED.
    """
    if ctx.origin is not None:  # as Context.spend, with one look at whose permits they are
        throttle, whose = ctx.resources.throttle, ctx.whose
        what = Limited.CARD if ctx.signed_in else Limited.CARD_ANONYMOUS
        ctx.settle(throttle.resting(Limited.CODE_MISS, whose) or await throttle.spend(what, whose, cards))


async def note_misses(ctx: Context, misses: int = 1) -> None:
    """Counts codes that opened nothing, before that is told.

    Raises:
        Rejected: RATE_LIMITED.
    """
    await ctx.spend(Limited.CODE_MISS, misses)
