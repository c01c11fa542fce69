"""What has been used up of limits."""

from __future__ import annotations

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.base import At, Base


class Throttle(Base):
    """One limit of one account, network or phone.

    Not logged: a crash of the database forgives what was used, which costs less than a flush for each attempt.
    """

    __tablename__ = "throttle"
    __table_args__ = {"prefixes": ["UNLOGGED"]}  # noqa: RUF012 - SQLAlchemy's way

    # A keyed hash: who reads this table learns neither phones nor addresses.
    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    # When all permits are there again, by the database's clock.
    full_at: Mapped[At]
    # How many were given to who asked last; the statement that gives them answers with it.
    granted: Mapped[int]
