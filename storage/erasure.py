"""保存期限: what was rejected or withdrawn long ago is taken out; that it was there stays."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import ColumnElement, delete, exists, func, literal_column, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from models.certificate import Certificate
from models.event import Event
from models.idempotency import IdempotencyKey
from models.registration import Registration, Review, Submission
from models.review import State
from models.union import TradeUnion

# In the place of the name of a file that there is no more.
NO_FILE: Final = "0" * 64
# Spelled out and no parameter: the planner takes a partial index only where it reads the index's condition.
OVER: Final[ColumnElement[bool]] = literal_column(
    f"erased_at is null and (status = '{State.REJECTED}' or status = '{State.WITHDRAWN}')"
)
STATED: Final = (
    "uscc",
    "employer_name",
    "employer_uscc",
    "employer_address",
    "employer_contact_name",
    "employer_contact_phone",
    "employer_staff_count",
    "id_number_sealed",
    "id_number_index",
)


async def due(session: AsyncSession, days: int, most: int) -> Sequence[Registration]:
    """The oldest with which nothing has happened for so many days, locked; those that somebody holds wait."""
    before = func.now() - func.make_interval(0, 0, 0, days)
    lately = exists().where(Event.registration_id == Registration.id, Event.at >= before)
    found = (
        select(Registration)
        .options(joinedload(Registration.current))
        .where(OVER, Registration.submitted_at < before, ~lately)
        .order_by(Registration.submitted_at, Registration.id)
        .limit(most)
        .with_for_update(of=Registration, skip_locked=True)
    )
    return (await session.scalars(found)).all()


async def erase(session: AsyncSession, registrations: Collection[Registration]) -> set[str]:
    """Takes out what these state, in every round, and what was said of it; gives the files that showed it."""
    ids = [one.id for one in registrations]
    await session.execute(update(Registration).where(Registration.id.in_(ids)).values(erased_at=func.now()))
    nothing = dict.fromkeys(STATED, null())
    await session.execute(update(Submission).where(Submission.registration_id.in_(ids)).values(**nothing))
    await session.execute(
        update(Review)
        .where(Review.registration_id.in_(ids))
        .values(opinion=func.left(Review.opinion, 0), field_opinions=[])
    )
    for one in registrations:  # their fingerprints are made of the whole form
        await session.execute(
            delete(IdempotencyKey).where(
                IdempotencyKey.account_id == one.applicant_id, IdempotencyKey.subject_id == one.id
            )
        )
    return await _erase_photos(session, ids)


async def _erase_photos(session: AsyncSession, ids: Collection[int]) -> set[str]:
    """Those that nothing else shows: a withdrawn registration gives its photo free for another one."""
    shown = select(Submission.certificate_id).where(Submission.registration_id.in_(ids))
    # Two statements: whoever was about to show one has done so, or waits, before it is asked whether anything does.
    photos = select(Certificate).where(Certificate.id.in_(shown), Certificate.erased_at.is_(None))
    held = (await session.scalars(photos.order_by(Certificate.id).with_for_update())).all()
    elsewhere = (
        exists()
        .where(Submission.certificate_id == Certificate.id, Submission.registration_id == Registration.id)
        .where(Registration.erased_at.is_(None))
    )
    of_union = exists().where(TradeUnion.certificate_id == Certificate.id)
    gone = await session.scalars(
        update(Certificate)
        .where(Certificate.id.in_([one.id for one in held]), ~or_(elsewhere, of_union))
        .values(sha256=NO_FILE, erased_at=func.now())
        .returning(Certificate.id)
        .execution_options(synchronize_session=False)
    )
    files = {one.id: one.sha256 for one in held}
    return {files[key] for key in gone}
