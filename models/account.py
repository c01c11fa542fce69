"""People: who they are, how they are signed in, and what they are appointed to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.base import At, Base, Id, Now, words
from models.permissions import Role


class Account(Base):
    """A person, known by a phone number."""

    __tablename__ = "account"

    id: Mapped[Id]
    phone: Mapped[str] = mapped_column(unique=True)  # E.164
    real_name: Mapped[str]
    real_name_verified_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Absent for someone who can sign in through WeChat alone.
    password_hash: Mapped[str | None]
    created_at: Mapped[Now]

    @property
    def real_name_verified(self) -> bool:
        return self.real_name_verified_at is not None


class Session(Base):
    """A sign-in. Revocation is the feature: a row that ended opens nothing."""

    __tablename__ = "session"

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    # SHA-256 of the token: who reads this table cannot sign in with it.
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[Now]
    expires_at: Mapped[At]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Appointment(Base):
    """任职: a role at a union, which reaches everything below it.

    Rights hang on this row and end with it.
    """

    __tablename__ = "appointment"
    __table_args__ = (
        Index("uq_appointment", "union_id", "account_id", "role", unique=True, postgresql_where="ended_at is null"),
        Index("ix_appointment_union_id", "union_id"),
        Index("ix_appointment_account_id", "account_id"),
        Index("ix_appointment_appointed_by", "appointed_by"),
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    union_id: Mapped[int] = mapped_column(ForeignKey("trade_union.id"))
    role: Mapped[Role] = mapped_column(words(Role))
    since: Mapped[Now]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Absent for the operator's command line.
    appointed_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
