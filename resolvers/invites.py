"""Codes that a union shares, and opening them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote, urlsplit

from models.errors import Code, Problem, Problems, Rejected
from models.event import Happening
from models.form import check_parent
from models.invite import Invite
from models.kinds import InviteStatus, UnionStatus
from models.permissions import Action
from models.region import Region
from resolvers.access import require, union_for
from resolvers.context import Context
from storage import events, invites, regions, unions
from storage.idempotency import Attempt
from storage.settings import Settings
from storage.unions import Card

MOST_USES: Final = 1_000_000

CLOSED: Final = {
    InviteStatus.EXPIRED: Code.INVITE_EXPIRED,
    InviteStatus.EXHAUSTED: Code.INVITE_EXHAUSTED,
    InviteStatus.REVOKED: Code.INVITE_REVOKED,
}

_TOKEN: Final = re.compile(r"[0-9A-Za-z_-]{22,30}", re.ASCII)
_LONGEST_CODE: Final = 2000
MOST_YEARS: Final = 100  # that a code works; one without an end is revoked by whoever no longer wants it


@dataclass(frozen=True)
class WantedInvite:
    union_id: int
    expires_at: datetime | None
    max_uses: int | None
    idempotency_key: str | None

    @property
    def content(self) -> Mapping[str, object]:
        return {"union": self.union_id, "expires": self.expires_at, "uses": self.max_uses}


def token_in(code: str) -> str | None:
    """The token in any of a code's four spellings, or None.

    The token itself; the `scene` of a mini-program code, `i=<token>`; the link that the QR code
    holds, `https://host/i/<token>`; and WeChat's `q`, which is that link encoded once, as it
    also hands over a scene.
    """
    if len(code) > _LONGEST_CODE:
        return None
    code = code.strip()
    if "%" in code:  # no other spelling holds one
        code = unquote(code)
    if code.startswith("i="):
        code = code.removeprefix("i=")
    elif code.startswith(("https://", "http://")):
        folder, _, code = _path_of(code).rpartition("/")
        if not folder.endswith("/i"):
            return None
    return code if _TOKEN.fullmatch(code) else None


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path.rstrip("/")
    except ValueError:
        return ""


def link(settings: Settings, token: str) -> str:
    """What the 组织登记二维码 holds: WeChat opens the mini-program for it by its link rule, a browser the card."""
    return f"{settings.public_url}/i/{token}"


def registration_link(settings: Settings, token: str) -> str:
    """What the 工会登记二维码 holds. A mini-program code is made by WeChat's server; a link needs nobody."""
    return f"{link(settings, token)}?register"


@dataclass(frozen=True)
class OpenedCard:
    """A code that can be used, with what it shows."""

    invite: Invite
    card: Card
    region: Region


async def open_card(ctx: Context, code: str) -> OpenedCard:
    """What the page of a code shows.

    Raises:
        Rejected: NOT_FOUND, INVITE_EXPIRED, INVITE_EXHAUSTED, INVITE_REVOKED, PARENT_DISSOLVED.
    """
    invite = await open_invite(ctx, code)
    if invite is None:
        raise Rejected(Problem(Code.NOT_FOUND))
    if invite.status in CLOSED:
        raise Rejected(Problem(CLOSED[invite.status]))
    async with ctx.db.reading() as session:
        union = await unions.by_id(session, invite.union_id)
        if union.status is UnionStatus.DISSOLVED:
            raise Rejected(Problem(Code.PARENT_DISSOLVED))
        card = await unions.card(session, union.id)
        [region] = await regions.by_codes(session, [union.region_code])
    assert region is not None
    return OpenedCard(invite, card, region)


async def open_invite(ctx: Context, code: str) -> Invite | None:
    """The invite that a code names, whoever holds it and whatever its status; None if there is none."""
    token = token_in(code)
    if token is None:
        return None
    async with ctx.db.reading() as session:
        return await invites.by_token(session, token)


async def create_invite(ctx: Context, wanted: WantedInvite) -> Invite:
    """A new code of a union that takes children.

    Raises:
        Rejected: UNAUTHENTICATED, NOT_FOUND, FORBIDDEN, PARENT_IS_GRASSROOTS, PARENT_DISSOLVED,
            INVALID for an expiry that has passed or a limit out of range, IDEMPOTENCY_CONFLICT.
    """
    async with ctx.working() as work:
        union = await union_for(work, wanted.union_id, Action.INVITE)
        problems = Problems()
        attempt = Attempt(work.session, work.account.id, wanted.idempotency_key)
        earlier = await attempt.earlier("createInvite", wanted.content, ctx.resources.sealer, problems)
        if earlier is not None:
            return await work.session.get_one(Invite, earlier)
        check_parent(union.kind, union.status, union.depth, ("unionId",), problems)
        assert ctx.signed_in is not None
        if wanted.expires_at is not None and wanted.expires_at <= ctx.signed_in.at:  # the database's clock
            problems.note(Code.INVALID, "expiresAt", why="past")
        if wanted.expires_at is not None and wanted.expires_at > ctx.signed_in.at + timedelta(days=366 * MOST_YEARS):
            problems.note(Code.INVALID, "expiresAt", why="far", years=MOST_YEARS)
        if wanted.max_uses is not None and not 1 <= wanted.max_uses <= MOST_USES:
            problems.note(Code.INVALID, "maxUses", why="range", min=1, max=MOST_USES)
        problems.raise_any()
        made = await invites.add(
            work.session,
            Invite(
                token=new_token(),
                union_id=union.id,
                created_by=work.account.id,
                expires_at=wanted.expires_at,
                max_uses=wanted.max_uses,
            ),
        )
        await attempt.made(made.id)
        events.record(work.session, Happening.INVITE_CREATED, by=work.account.id, at=union, invite=str(made.id))
        return made


def new_token() -> str:
    """22 characters, 128 bits: nobody finds a code by trying."""
    return secrets.token_urlsafe(16)


async def revoke_invite(ctx: Context, invite_id: int) -> Invite:
    """The code, which takes no more registrations. Revoking twice is revoking once.

    Raises:
        Rejected: UNAUTHENTICATED, NOT_FOUND, FORBIDDEN.
    """
    async with ctx.working() as work:
        invite = await invites.find(work.session, work.viewer, invite_id, lock=True)
        if invite is None:
            raise Rejected(Problem(Code.NOT_FOUND, ("inviteId",)))
        union = await unions.by_id(work.session, invite.union_id)
        require(work, Action.INVITE, union, "inviteId")
        if invite.revoked_at is None:
            await invites.revoke(work.session, invite)
            events.record(work.session, Happening.INVITE_REVOKED, by=work.account.id, at=union, invite=str(invite.id))
        return invite
