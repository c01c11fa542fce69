"""What is known of uploaded certificates; the pictures are in storage/files.py."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.certificate import Certificate
from models.permissions import Viewer
from storage import scope
from storage.reading.rows import Rows


async def add(session: AsyncSession, certificate: Certificate) -> Certificate:
    session.add(certificate)
    await session.flush()
    await session.refresh(certificate)
    return certificate


async def find(session: AsyncSession, viewer: Viewer, certificate_id: int) -> Certificate | None:
    """The certificate, or None out of sight."""
    return await session.scalar(select(Certificate).where(Certificate.id == certificate_id, scope.certificates(viewer)))


def stated(of: Rows, certificate: Rows) -> ColumnElement[bool]:
    """The photo that a form or a union shows."""
    return certificate.id == of.certificate_id


async def own(session: AsyncSession, account_id: int, certificate_id: int) -> Certificate | None:
    """A certificate that this person uploaded, held so that only one registration at a time can take it."""
    return await session.scalar(
        select(Certificate)
        .where(Certificate.id == certificate_id, Certificate.uploaded_by == account_id, Certificate.erased_at.is_(None))
        .with_for_update()
    )
