"""The photo of a 工会法人资格证 that a registration shows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Now


class Certificate(Base):
    """What is known of an uploaded photo; the picture itself is a file named by its SHA-256.

    Written after the file is on disk, so that no row is without its file.
    """

    __tablename__ = "certificate"
    __table_args__ = (
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        CheckConstraint("byte_size > 0 and width > 0 and height > 0", name="sizes"),
    )

    id: Mapped[Id]
    uploaded_by: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    uploaded_at: Mapped[Now]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    media_type: Mapped[str]
    byte_size: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    # Since when there is no picture any more, and `sha256` is zeros (storage/erasure.py).
    erased_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
