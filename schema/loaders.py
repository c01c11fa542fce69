"""One statement where a list of rows asks the same question: batches, in the viewer's scope.

A loader without a scope in its statement says why it needs none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from models.account import Account, Appointment
from models.certificate import Certificate
from models.invite import Invite
from models.permissions import Viewer
from models.region import Region
from models.registration import Registration, Review, Submission
from models.treepath import TreePath
from models.union import TradeUnion
from resolvers.context import Context
from resolvers.review import may_review
from storage import accounts, certificates, invites, regions, registrations, statistics, unions
from storage.statistics import Statistics
from storage.unions import Card

Key = TypeVar("Key")
Row = TypeVar("Row")
Scoped = Callable[[AsyncSession, Viewer, Sequence[Any]], Awaitable[list[Any]]]
Plain = Callable[[AsyncSession, Sequence[Any]], Awaitable[list[Any]]]


class Loaders:
    """Made for one request, and again after each of its writes."""

    def __init__(self, ctx: Context) -> None:
        def scoped(read: Scoped) -> DataLoader[Any, Any]:
            async def batch(keys: list[Any]) -> list[Any]:
                async with ctx.db.reading() as session:
                    return await read(session, ctx.viewer, keys)

            return DataLoader(batch)

        def plain(read: Plain) -> DataLoader[Any, Any]:
            async def batch(keys: list[Any]) -> list[Any]:
                async with ctx.db.reading() as session:
                    return await read(session, keys)

            return DataLoader(batch)

        self.union: DataLoader[int, TradeUnion | None] = scoped(unions.by_ids)
        self.registration: DataLoader[int, Registration | None] = scoped(registrations.by_ids)
        self.invite: DataLoader[int, Invite | None] = scoped(invites.by_ids)
        self.duplicates: DataLoader[Submission, list[int]] = scoped(registrations.duplicates)
        # GB/T 2260 is public.
        self.region: DataLoader[str, Region] = plain(regions.by_codes)
        # A card is what anyone may know of a union that they were led to.
        self.card: DataLoader[int, Card] = plain(unions.cards)
        # These follow from a row that the viewer has been shown: what they ask for is part of it.
        self.account: DataLoader[int, Account] = plain(accounts.by_ids)
        self.certificate: DataLoader[int, Certificate] = plain(certificates.by_ids)
        self.statistics: DataLoader[int, Statistics] = plain(statistics.by_ids)
        self.appointments_at: DataLoader[int, list[Appointment]] = plain(accounts.appointments_at)
        self.appointments_of: DataLoader[int, list[Appointment]] = plain(accounts.appointments_of)
        self.submissions: DataLoader[int, list[Submission]] = plain(registrations.submissions)
        self.reviews: DataLoader[int, list[Review]] = plain(registrations.reviews)
        self.deciders: DataLoader[tuple[TreePath, int], frozenset[int]] = plain(may_review)
