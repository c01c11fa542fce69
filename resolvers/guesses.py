"""What a guess at somebody's password costs, and who pays for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.errors import Code, Problem, Rejected
from models.limits import Limited, neighbourhood_of
from resolvers.accounts import myself
from resolvers.context import Context
from resolvers.passwords import matches
from storage import accounts
from storage.accounts import Claimed
from storage.sign_ins import hash_token


@dataclass
class Guess:
    """An attempt at a password, paid for beforehand: many at once cannot be more than the limit."""

    ctx: Context
    paid: list[tuple[Limited, str]] = field(default_factory=list)

    async def pay(self, phone: str, claimed: Claimed) -> None:
        """Takes a permit of every limit that is for it, the narrowest first.

        Where the owner has signed in before, nobody else uses up the permits: see docs/adr/0027-guessing-passwords.md.

        Raises:
            Rejected: RATE_LIMITED, alike whether or not there is an account.
        """
        origin = self.ctx.origin
        if origin is None:
            return
        place = f"network {self.ctx.network}"
        if claimed.device_known and origin.token:
            place = f"device {hash_token(origin.token).hex()}"
        await self.take(Limited.SIGN_IN, f"{phone} {place}", told=True)
        if not (claimed.device_known or claimed.network_known):
            await self.take(Limited.SIGN_IN_NETWORK, f"network {self.ctx.network}")
            await self.take(Limited.SIGN_IN_NEIGHBOURS, f"network {neighbourhood_of(origin.address)}")
            await self.take(Limited.SIGN_IN_ACCOUNT, phone)

    async def take(self, what: Limited, whose: str, *, told: bool = False) -> None:
        """Raises: Rejected, RATE_LIMITED; then nothing has been paid."""
        if self.ctx.origin is None:
            return
        spent = await self.ctx.resources.throttle.take(what, whose)
        if spent.wait is not None:
            await self.was_right()
        else:
            self.paid.append((what, whose))
        # How many attempts others have made is not told: only when to come again.
        self.ctx.settle(spent, told=told)

    async def was_right(self) -> None:
        """Gives back what was paid: only guesses that are wrong are counted."""
        while self.paid:
            await self.ctx.resources.throttle.give_back(*self.paid.pop())


async def claimed_by(ctx: Context, number: str) -> Claimed:
    """What there is to know of the account that a request says is its own."""
    token = ctx.origin.token if ctx.origin else None
    async with ctx.db.reading() as session:
        return await accounts.claimed(session, number, hash_token(token) if token else None, network_hash(ctx))


def network_hash(ctx: Context) -> bytes:
    return ctx.resources.sealer.digest("network", ctx.network.encode())


async def prove(ctx: Context, password: str, *path: str) -> str:
    """That it is still the owner who is signed in; gives the hash of the password.

    Raises:
        Rejected: UNAUTHENTICATED; CREDENTIALS_INVALID at the path; RATE_LIMITED.
    """
    oneself = await myself(ctx)
    if oneself is None:
        raise Rejected(Problem(Code.UNAUTHENTICATED))
    number = oneself.phone
    claimed = await claimed_by(ctx, number)
    guess = Guess(ctx)
    await guess.pay(number, claimed)
    known = claimed.account.password_hash if claimed.account else None
    if not await matches(known, password) or known is None:
        raise Rejected(Problem(Code.CREDENTIALS_INVALID, path, "password"))
    await guess.was_right()
    return known
