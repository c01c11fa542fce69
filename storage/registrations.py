"""Registrations, their rounds and their reviews."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    and_,
    any_,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from models.permissions import Viewer
from models.registration import Registration, Submission
from models.review import State
from storage import scope
from storage.reading.reads import Listing, Scan
from storage.reading.rows import Eyes, Rows
from storage.sources import REGISTRATION, UNION


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


def _of_applicant(me: Rows, status: State | None) -> list[Scan]:
    def scan(registration: Rows) -> ColumnElement[bool]:
        own = registration.applicant_id == me.id
        return own if status is None else and_(own, registration.status == status)

    return [scan]


# A person's own, newest first.
OWN: Final = Listing(
    "own", REGISTRATION, _of_applicant, lambda registration, _: [registration.id], descending=True, told=True
)


def seal_name(submission: Rows) -> ColumnElement[str]:
    """What binds a round's sealed number to it: Submission.seal_name."""
    return func.concat("submission:", submission.registration_id, ":", submission.round)


def parents_region(registration: Rows) -> ColumnElement[str]:
    """The division of the union applied to."""
    parent = UNION.fresh().main
    return (
        select(parent.c.region_code)
        .where(parent.c.id == registration.parent_id)
        .correlate_except(parent)
        .scalar_subquery()
    )


def parent_names(registration: Rows, eyes: Eyes) -> ColumnElement[list[str]]:
    """The names from the root down to the union applied to. That one is on the card; those above it are told to
    those who may see them."""
    above = UNION.fresh()
    told = or_(above.id == registration.parent_id, scope.unions(eyes, above))
    names = select(above.name).where(above.id == any_(registration.ancestors), told).order_by(above.path)
    return func.array(names.correlate_except(above.main).scalar_subquery(), type_=ARRAY(Text))


def decides(registration: Rows, account: Rows) -> ColumnElement[bool]:
    """Who may decide on it now: nobody once it is decided."""
    able = account.id.in_(scope.deciders(registration, registration.applicant_id))
    return and_(registration.status == State.PENDING, able)


def applicant_of(submission: Rows) -> ColumnElement[int]:
    """Whose registration a round is of."""
    return _of_registration(submission, "applicant_id")


def place_of(submission: Rows) -> ColumnElement[Any]:
    """The place of the union that the round was submitted to."""
    return _of_registration(submission, "parent_path")


def _of_registration(submission: Rows, name: str) -> ColumnElement[Any]:
    whole = REGISTRATION.fresh().main
    found = select(whole.c[name]).where(whole.c.id == submission.registration_id)
    return found.correlate_except(whole).scalar_subquery()


async def certificate_in_use(session: AsyncSession, certificate_id: int, *, but_for: int | None) -> bool:
    """Whether another registration shows this certificate; a withdrawn one gives it free."""
    used = exists().where(
        Submission.certificate_id == certificate_id,
        Submission.registration_id == Registration.id,
        Registration.status != State.WITHDRAWN,
        Registration.id != (but_for or 0),
    )
    return bool(await session.scalar(select(used)))
