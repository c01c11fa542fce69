"""两步验证: a second factor beside the password, set up by its owner, and codes for who has lost the phone."""

from __future__ import annotations

from base64 import b32decode, b32encode
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import Code, Problem, Rejected
from models.event import Happening
from models.identifiers import show_phone
from models.limits import Limited
from models.second_factor import SecondFactor
from models.totp import (
    RECOVERY_CODES,
    enrolment_uri,
    new_recovery_code,
    new_secret,
    recovery_code_in,
    step_of,
)
from resolvers.context import Context, Work
from resolvers.guesses import Guess, prove
from storage import accounts, events, second_factors, sessions
from storage.sealing import Sealer

ISSUER = "工会组织登记"


async def pay(guess: Guess, account_id: int, code: str | None) -> None:
    """Takes a permit for a code: there are a million codes, and three of them fit.

    Raises:
        Rejected: SECOND_FACTOR_REQUIRED, if none was given; RATE_LIMITED.
    """
    if code is None:
        raise Rejected(Problem(Code.SECOND_FACTOR_REQUIRED, ("code",)))
    await guess.take(Limited.SECOND_FACTOR, f"account {account_id}")


async def shown(session: AsyncSession, sealer: Sealer, account_id: int, code: str | None) -> bool:
    """Whether a code was asked for, and this is one: of the app or for recovery. It is used up with the transaction.

    Raises:
        Rejected: SECOND_FACTOR_REQUIRED, SECOND_FACTOR_INVALID at `code`.
    """
    factor = await second_factors.find(session, account_id, lock=True)
    if factor is None or factor.confirmed_at is None:
        return False
    if code is None:
        raise Rejected(Problem(Code.SECOND_FACTOR_REQUIRED, ("code",)))
    recovery = recovery_code_in(code)
    if recovery is not None:
        fits = await second_factors.use_recovery_code(session, account_id, _hashes(sealer, account_id, recovery))
    else:
        fits = await _fits(session, sealer, factor, code)
    if not fits:
        raise Rejected(Problem(Code.SECOND_FACTOR_INVALID, ("code",)))
    return True


async def _fits(session: AsyncSession, sealer: Sealer, factor: SecondFactor, code: str) -> bool:
    secret = b32decode(sealer.unseal(factor.secret_sealed, factor.seal_name))
    step = step_of(secret, code, await accounts.now(session))
    return step is not None and await second_factors.use_step(session, factor.account_id, step)


def _hashes(sealer: Sealer, account_id: int, code: str) -> list[bytes]:
    """Under the current key, and under those that there were."""
    return sealer.digests("recovery_code", f"{account_id} {code}".encode())


@dataclass(frozen=True)
class Enrolment:
    """What the app is told: as text to type, and as what it scans."""

    secret: str
    uri: str


async def propose(ctx: Context, password: str) -> Enrolment:
    """A secret that counts once it is confirmed. A second one before that replaces it.

    Raises:
        Rejected: UNAUTHENTICATED, CREDENTIALS_INVALID, RATE_LIMITED; WRONG_STATE if there is one that counts.
    """
    await prove(ctx, password, "password")
    secret = new_secret()
    async with ctx.working(own=True) as work:
        seal_name = SecondFactor(account_id=work.account.id).seal_name
        sealed = ctx.resources.sealer.sealed(b32encode(secret).decode(), seal_name)
        if not await second_factors.propose(work.session, work.account.id, sealed):
            raise Rejected(Problem(Code.WRONG_STATE, (), "second_factor_on"))
    phone = show_phone(work.account.phone)
    return Enrolment(b32encode(secret).decode(), enrolment_uri(secret, phone, ISSUER))


async def confirm(ctx: Context, code: str) -> list[str]:
    """From now on a code is asked for. The recovery codes, told this once; every other sign-in ends.

    Raises:
        Rejected: UNAUTHENTICATED, RATE_LIMITED, SECOND_FACTOR_INVALID; WRONG_STATE if there is nothing to confirm.
    """
    if ctx.signed_in is None:
        raise Rejected(Problem(Code.UNAUTHENTICATED))
    guess = Guess(ctx)
    await pay(guess, ctx.signed_in.account_id, code)
    sealer = ctx.resources.sealer
    async with ctx.working(own=True) as work:
        account_id = work.account.id
        factor = await second_factors.find(work.session, account_id, lock=True)
        if factor is None or factor.confirmed_at is not None:
            raise Rejected(Problem(Code.WRONG_STATE, (), "second_factor_on" if factor else "second_factor_off"))
        if not await _fits(work.session, sealer, factor, code):
            raise Rejected(Problem(Code.SECOND_FACTOR_INVALID, ("code",)))
        await second_factors.confirm(work.session, account_id)
        codes = await _new_codes(work, sealer)
        await sessions.end_all(work.session, account_id, but_for=ctx.signed_in.session_id)
        await sessions.strengthen(work.session, ctx.signed_in.session_id)
        _record(work, Happening.SECOND_FACTOR_ON)
    await guess.was_right()
    return codes


async def _new_codes(work: Work, sealer: Sealer) -> list[str]:
    codes = [new_recovery_code() for _ in range(RECOVERY_CODES)]
    hashes = [_hashes(sealer, work.account.id, recovery_code_in(code) or "")[0] for code in codes]
    await second_factors.set_recovery_codes(work.session, work.account.id, hashes)
    return codes


async def remove(ctx: Context, password: str, code: str) -> None:
    """No code is asked for any more.

    Raises:
        Rejected: UNAUTHENTICATED, CREDENTIALS_INVALID, RATE_LIMITED, SECOND_FACTOR_INVALID; WRONG_STATE without one.
    """
    await prove(ctx, password, "password")
    assert ctx.signed_in is not None
    guess = Guess(ctx)
    await pay(guess, ctx.signed_in.account_id, code)
    async with ctx.working(own=True) as work:
        if not await shown(work.session, ctx.resources.sealer, work.account.id, code):
            raise Rejected(Problem(Code.WRONG_STATE, (), "second_factor_off"))
        await second_factors.remove(work.session, work.account.id)
        _record(work, Happening.SECOND_FACTOR_OFF)
    await guess.was_right()


def _record(work: Work, happened: Happening) -> None:
    name, account_id = work.account.real_name, work.account.id
    events.record(work.session, happened, by=account_id, at=None, name=name, account=str(account_id))
