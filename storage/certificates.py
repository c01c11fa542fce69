"""What is known of uploaded certificates; the pictures are in storage/files.py."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models.certificate import Certificate
from models.permissions import Viewer
from storage import scope


async def add(session: AsyncSession, certificate: Certificate) -> Certificate:
    session.add(certificate)
    await session.flush()
    await session.refresh(certificate)
    return certificate


async def find(session: AsyncSession, viewer: Viewer, certificate_id: int) -> Certificate | None:
    """The certificate, or None out of sight."""
    return await session.scalar(select(Certificate).where(Certificate.id == certificate_id, scope.certificates(viewer)))


async def in_sight(session: AsyncSession, viewer: Viewer, ids: Sequence[int]) -> list[Certificate | None]:
    """One query for many certificates; in the order asked, None where out of sight."""
    rows = await session.scalars(select(Certificate).where(Certificate.id.in_(ids), scope.certificates(viewer)))
    found = {certificate.id: certificate for certificate in rows}
    return [found.get(certificate_id) for certificate_id in ids]


async def own(session: AsyncSession, account_id: int, certificate_id: int) -> Certificate | None:
    """A certificate that this person uploaded, held so that only one registration at a time can take it."""
    return await session.scalar(
        select(Certificate)
        .where(Certificate.id == certificate_id, Certificate.uploaded_by == account_id)
        .with_for_update()
    )


async def by_ids(session: AsyncSession, ids: Sequence[int]) -> list[Certificate | None]:
    """One query for many certificates of rows that the viewer has been shown; in the order asked."""
    rows = await session.scalars(select(Certificate).where(Certificate.id.in_(ids)))
    found = {certificate.id: certificate for certificate in rows}
    return [found.get(certificate_id) for certificate_id in ids]
