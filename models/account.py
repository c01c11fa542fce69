"""People: who they are, how they are signed in, and what they are appointed to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, false, text
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
    __table_args__ = (
        Index("ix_session_former_hash", "former_hash", unique=True, postgresql_where="former_hash is not null"),
    )

    id: Mapped[Id]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    # SHA-256 of the token: who reads this table cannot sign in with it.
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[Now]
    # It ends at the first of these: when it is as old as it may get, and when nobody has used it for long.
    expires_at: Mapped[At]
    idle_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("'infinity'"))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # As of some minutes ago: a write for every request would cost more than the request.
    used_at: Mapped[Now]
    # The token before this one, which still works for a moment: the answer that told the new one may be lost.
    renewed_at: Mapped[Now]
    former_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    # Where it was opened: a keyed hash of the network, and what kind of program asked.
    network: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    program: Mapped[str | None]
    # Whether it was opened with a second factor.
    by_second_factor: Mapped[bool] = mapped_column(server_default=false())


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
