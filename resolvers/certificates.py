"""Uploading a certificate's photo, and the links that show it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from models.certificate import Certificate
from models.errors import Code, Problem, Rejected
from models.limits import Limited
from resolvers.context import Context
from storage import accounts, certificates, locks
from storage.images import reencode


async def upload_certificate(ctx: Context, content: bytes) -> Certificate:
    """The photo, decoded, stripped and stored, ready to be named by a registration.

    Raises:
        Rejected: UNAUTHENTICATED, RATE_LIMITED, or why this is no certificate's photo (storage/images.py).
        OutOfSpace: the disk takes no more.
    """
    if ctx.signed_in is None:
        raise Rejected(Problem(Code.UNAUTHENTICATED))
    ctx.resources.files.require_room(len(content))
    # Before anything is decoded: what is refused took the processor's time, and counts.
    await ctx.spend(Limited.UPLOAD, exactly=True)
    await ctx.spend(Limited.UPLOAD_KIB, ceil(len(content) / 1024), exactly=True)
    settings = ctx.settings
    picture = await reencode(
        content, max_bytes=settings.max_certificate_bytes, max_pixels=settings.max_certificate_pixels
    )
    # The file first: a crash between the two leaves a file that nothing refers to, never a row without its file.
    sha256 = await ctx.resources.files.put(picture.content)
    async with ctx.working() as work:
        await locks.share(work.session, locks.Turn.SWEEPING)
        if not await ctx.resources.files.exists(sha256):  # it was there already, and has been swept away meanwhile
            await ctx.resources.files.put(picture.content)
        return await certificates.add(
            work.session,
            Certificate(
                uploaded_by=work.account.id,
                sha256=sha256,
                media_type=picture.media_type,
                byte_size=len(picture.content),
                width=picture.width,
                height=picture.height,
            ),
        )


@dataclass(frozen=True)
class Link:
    """What makes a link to a certificate work for a while: for whom, until when, and the proof of both."""

    account_id: int
    expires: int
    signature: str


def link_to(ctx: Context, certificate_id: int) -> Link:
    """A link for the viewer, who has been shown the certificate. It works for `link_seconds`."""
    assert ctx.signed_in is not None, "nobody is shown a certificate without having signed in"
    expires = int((ctx.signed_in.at + timedelta(seconds=ctx.settings.link_seconds)).timestamp())
    account_id = ctx.signed_in.account_id
    return Link(account_id, expires, _sign(ctx, certificate_id, account_id, expires))


def _sign(ctx: Context, certificate_id: int, account_id: int, expires: int) -> str:
    content = f"certificate:{certificate_id}:{account_id}:{expires}".encode()
    return hmac.new(ctx.settings.link_key.get_secret_value(), content, hashlib.sha256).hexdigest()


async def open_certificate(ctx: Context, certificate_id: int, link: Link | None) -> Certificate | None:
    """The certificate, if the link holds or the one who asks may see it; None otherwise, and of an erased one.

    A link opens what its account may see at the time it is used: it does not outlive the right.
    """
    async with ctx.db.reading() as session:
        viewer = ctx.viewer
        if link is not None:
            signature = _sign(ctx, certificate_id, link.account_id, link.expires)
            if not hmac.compare_digest(signature.encode(), link.signature.encode()):
                return None
            if await accounts.now(session) >= link.expires:
                return None
            viewer = await accounts.viewer_of(session, link.account_id)
        found = await certificates.find(session, viewer, certificate_id)
        return found if found is not None and found.erased_at is None else None
