"""A second factor: what an authenticator app counts with, and the codes for who has lost it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Now


class SecondFactor(Base):
    """The secret that an account shares with an authenticator app (TOTP, RFC 6238)."""

    __tablename__ = "second_factor"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    secret_sealed: Mapped[bytes]
    created_at: Mapped[Now]
    # Absent until the app has shown that it counts alike: until then nothing is asked of who signs in.
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # The interval of the last code taken: no code of it, or of one before it, is taken again.
    last_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))

    @property
    def seal_name(self) -> str:
        return f"second_factor:{self.account_id}"


class RecoveryCode(Base):
    """A code that replaces the app once. Its keyed hash: who reads this table cannot sign in with it."""

    __tablename__ = "recovery_code"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
