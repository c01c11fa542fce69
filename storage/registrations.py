"""Registrations, their rounds and their reviews."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import Select, exists, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from models.kinds import TreeScope, UnionStatus
from models.permissions import Action, Viewer
from models.registration import Registration, Review, Submission
from models.review import State
from models.text import fold
from models.union import TradeUnion
from storage import queue as waiting
from storage import scope, statistics
from storage.listing import Listing
from storage.queue import Queue

Round = TypeVar("Round", Submission, Review)


def _registrations() -> Select[Registration]:
    return select(Registration).options(joinedload(Registration.current))


async def find(
    session: AsyncSession, viewer: Viewer, registration_id: int, *, lock: bool = False
) -> Registration | None:
    """The registration with its current round, or None out of sight. With `lock`, nobody else moves it."""
    wanted = (Registration.id == registration_id, scope.registrations(viewer))
    # The lock decides between two at once, and the loser must see what the winner wrote. Two statements: the
    # one that waited would look for the round that is current now among the rounds of before.
    if lock:
        await session.execute(select(Registration.id).where(*wanted).with_for_update(of=Registration))
    return await session.scalar(_registrations().where(*wanted).execution_options(populate_existing=lock))


async def by_ids(session: AsyncSession, viewer: Viewer, ids: Sequence[int]) -> list[Registration | None]:
    """One query for many ids; answers in the order asked, None where out of sight."""
    rows = await session.scalars(_registrations().where(Registration.id.in_(ids), scope.registrations(viewer)))
    found = {registration.id: registration for registration in rows}
    return [found.get(registration_id) for registration_id in ids]


def queue(viewer: Viewer, under: TradeUnion | None, reach: TreeScope) -> Listing[Registration]:
    """待审核: pending under a union, or under all that the viewer may read; the longest waiting first.

    DIRECT is what was submitted to that union itself, or to those the viewer is appointed to.
    """
    # The scope is in the places. As a filter on rows it would let the planner expect next to none, and sort them all.
    if under is not None:
        places = [under.path] if viewer.may(Action.READ, under.path) else []
    elif reach is TreeScope.SUBTREE:
        places = scope.tops(viewer.grants, Action.READ)
    else:
        places = sorted({grant.over for grant in viewer.grants}, key=str)
    scans = waiting.below(places) if reach is TreeScope.SUBTREE else waiting.at(places)
    counted = None
    if reach is TreeScope.SUBTREE:
        pending = func.sum(statistics.pending(TradeUnion))
        counted = select(pending).where(TradeUnion.path.in_(places), scope.unions(viewer))
    order = [Registration.submitted_at, Registration.id]
    return Queue("queue", select(Registration).where(or_(false(), *scans)), order, scans=scans, counted=counted)


def of_applicant(account_id: int, status: State | None) -> Listing[Registration]:
    """A person's own registrations, newest first."""
    statement = _registrations().where(Registration.applicant_id == account_id)
    if status is not None:
        statement = statement.where(Registration.status == status)
    return Listing("own", statement, [Registration.id], descending=True)


async def submissions(session: AsyncSession, ids: Sequence[int]) -> list[list[Submission]]:
    """One query for every round of many registrations, oldest first; in the order asked."""
    return await _rounds(session, Submission, ids)


async def reviews(session: AsyncSession, ids: Sequence[int]) -> list[list[Review]]:
    """One query for the decisions on many registrations, oldest first; in the order asked."""
    return await _rounds(session, Review, ids)


async def _rounds(session: AsyncSession, kind: type[Round], ids: Sequence[int]) -> list[list[Round]]:
    rows = await session.scalars(select(kind).where(kind.registration_id.in_(ids)).order_by(kind.round))
    found: dict[int, list[Round]] = {registration_id: [] for registration_id in ids}
    for row in rows:
        found[row.registration_id].append(row)
    return [found[registration_id] for registration_id in ids]


async def certificate_in_use(session: AsyncSession, certificate_id: int, *, but_for: int | None) -> bool:
    """Whether another registration shows this certificate; a withdrawn one gives it free."""
    used = exists().where(
        Submission.certificate_id == certificate_id,
        Submission.registration_id == Registration.id,
        Registration.status != State.WITHDRAWN,
        Registration.id != (but_for or 0),
    )
    return bool(await session.scalar(select(used)))


async def duplicates(session: AsyncSession, viewer: Viewer, rounds: Sequence[Submission]) -> list[list[int]]:
    """For each round, the unions within the viewer's reach that state exactly the same: one query for all.

    The same credit code, the same legal person by blind index, or the same name in the same
    region. Gives union ids; the union that came of the registration itself is not its duplicate.
    """
    codes = [row.uscc for row in rounds if row.uscc]
    persons = [row.id_number_index for row in rounds if row.id_number_index]
    names = [fold(row.name) for row in rounds]
    rows = (
        await session.execute(
            select(
                TradeUnion.id,
                TradeUnion.uscc,
                TradeUnion.id_number_index,
                TradeUnion.name_key,
                TradeUnion.region_code,
                Registration.id,
            )
            .outerjoin(Registration, Registration.union_id == TradeUnion.id)
            .where(
                or_(
                    TradeUnion.uscc.in_(codes),
                    TradeUnion.id_number_index.in_(persons),
                    TradeUnion.name_key.in_(names),
                ),
                TradeUnion.status == UnionStatus.ACTIVE,
                scope.reachable(viewer.grants, Action.READ),
            )
            .order_by(TradeUnion.id)
        )
    ).all()
    return [
        [
            union_id
            for union_id, uscc, person, name, region, came_of in rows
            if came_of != row.registration_id
            and (
                (uscc is not None and uscc == row.uscc)
                or (person is not None and person == row.id_number_index)
                or (name == fold(row.name) and region == row.region_code)
            )
        ]
        for row in rounds
    ]
