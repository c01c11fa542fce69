"""From a code to what its page shows."""

from __future__ import annotations

from starlette.requests import Request

from models.errors import Code, Rejected
from models.identifiers import show_phone
from resolvers.invites import open_card as opened
from resolvers.invites import registration_link
from resolvers.scanning import note_misses, pay_for_cards
from web.asking import context_of
from web.card_page import CardView


async def open_card(request: Request, token: str) -> CardView:
    """The card of the union that shared the code. Raises: Rejected, with one of card_page.STATUSES."""
    context = await context_of(request)
    await pay_for_cards(context)
    try:
        found = await opened(context, token)
    except Rejected as refused:
        if refused.problems[0].code is Code.NOT_FOUND:
            await note_misses(context)
        raise
    phone = found.card.contact_phone
    return CardView(
        name=found.card.name,
        kind=found.card.kind,
        region=found.region.full_name,
        parent_name=found.card.parent_name,
        contact_phone=show_phone(phone) if phone else None,
        registration_link=registration_link(context.settings, found.invite.token),
    )
