"""登录、退出: signing in and out, and changing the password."""

from __future__ import annotations

import secrets
from datetime import timedelta

from models.account import Account
from models.errors import Code, Problem, Problems, Rejected
from models.event import Happening
from models.identifiers import check_phone
from resolvers import second_factor
from resolvers.context import Context
from resolvers.guesses import Guess, claimed_by, network_hash, prove
from resolvers.passwords import hash_aside, is_easy, matches
from storage import accounts, events, sessions, sign_ins
from storage.sessions import Opening
from storage.sign_ins import Person


async def sign_in(ctx: Context, phone: str, password: str, code: str | None = None) -> tuple[str, Person]:
    """A new token (43 characters, 256 bits), and whose sign-in it opens.

    Raises:
        Rejected: CREDENTIALS_INVALID, alike for an unknown phone and a wrong password; with the right one,
            SECOND_FACTOR_REQUIRED and SECOND_FACTOR_INVALID at `code`; RATE_LIMITED.
    """
    number = Problems().take((), check_phone, phone) or ""
    claimed = await claimed_by(ctx, number)
    guess = Guess(ctx)
    await guess.pay(number, claimed)
    account = claimed.account
    known = account.password_hash if account else None
    if not await matches(known, password) or account is None:
        raise Rejected(Problem(Code.CREDENTIALS_INVALID))
    if claimed.second_factor:
        await second_factor.pay(guess, account.id, code)
    opened = await open_session(ctx, account, by_password=known, code=code if claimed.second_factor else None)
    await guess.was_right()
    return opened


async def open_session(
    ctx: Context, account: Account, by_password: str | None = None, code: str | None = None
) -> tuple[str, Person]:
    """A token for someone who has proved who they are, by the password with this hash if one is given.

    Raises:
        Rejected: CREDENTIALS_INVALID, if the password was set anew since it was compared; SECOND_FACTOR_REQUIRED, if
            one was set up since; SECOND_FACTOR_INVALID.
    """
    token = secrets.token_urlsafe(32)
    settings = ctx.settings
    async with ctx.db.writing() as session:
        if by_password is not None:
            if not await accounts.holds_password(session, account.id, by_password):
                raise Rejected(Problem(Code.CREDENTIALS_INVALID))
            strong = await second_factor.shown(session, ctx.resources.sealer, account.id, code)
        else:
            strong = ctx.origin is None  # whoever has the operator's rights needs no phone
        how = Opening(
            lasting=timedelta(days=settings.session_days),
            idle=timedelta(hours=settings.session_idle_hours),
            network=network_hash(ctx) if ctx.origin else None,
            program=ctx.origin.program if ctx.origin else None,
            strong=strong,
        )
        opened = await sessions.start(session, account, token, how)
        found = await sign_ins.of(session, opened, demanding=ctx.resources.sign_ins.demanding)
    assert found is not None
    ctx.signed_in, person = found
    return token, person


async def sign_out(ctx: Context) -> None:
    """Ends this sign-in; its token opens nothing from now on. Without one there is nothing to do."""
    if ctx.signed_in is None:
        return
    async with ctx.db.writing() as session:
        await sessions.end(session, ctx.signed_in.session_id, ctx.signed_in.account_id)
    ctx.signed_in = None


async def change_password(ctx: Context, current: str, chosen: str) -> str | None:
    """修改密码. Every other sign-in ends, and this one goes on by another token: given, unless a cookie keeps it.

    Raises:
        Rejected: UNAUTHENTICATED, CREDENTIALS_INVALID, INVALID, RATE_LIMITED.
    """
    known = await prove(ctx, current, "currentPassword")
    if chosen == current:
        raise Rejected(Problem(Code.INVALID, ("newPassword",), "password_same"))
    hashed = await hash_aside(chosen, "newPassword")
    async with ctx.working(own=True) as work:
        account = await accounts.by_phone(work.session, work.account.phone, lock=True)
        if account is None or account.password_hash != known:  # changed meanwhile
            raise Rejected(Problem(Code.CREDENTIALS_INVALID, ("currentPassword",), "password"))
        if is_easy(chosen, account.phone):
            raise Rejected(Problem(Code.INVALID, ("newPassword",), "password_easy"))
        account.password_hash = hashed
        assert ctx.signed_in is not None
        await sessions.end_all(work.session, account.id, but_for=ctx.signed_in.session_id)
        token = secrets.token_urlsafe(32)
        await sessions.renew(work.session, ctx.signed_in.session_id, token, presented=None)
        events.record(
            work.session,
            Happening.PASSWORD_SET,
            by=account.id,
            at=None,
            name=account.real_name,
            account=str(account.id),
        )
    return _told(ctx, token)


async def renew_session(ctx: Context) -> str | None:
    """Another token for this sign-in: given, unless a cookie keeps it. The present one works for a minute more.

    Raises:
        Rejected: UNAUTHENTICATED.
    """
    async with ctx.working(own=True) as work:
        assert ctx.signed_in is not None
        token = secrets.token_urlsafe(32)
        presented = ctx.origin.token if ctx.origin else None
        await sessions.renew(work.session, ctx.signed_in.session_id, token, presented=presented)
    return _told(ctx, token)


def _told(ctx: Context, token: str) -> str | None:
    if ctx.keep_token is None:
        return token
    ctx.keep_token(token)
    return None
