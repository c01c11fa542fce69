"""What is counted as it changes, because counting it when asked takes too long. Triggers write it, nobody else."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ARRAY, BigInteger, Identity, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base

TOP: Final = 2
"""Unions above this depth have no counts of all below them: every writer would wait for the same few rows."""

# Zero where nothing is said: who adds to one count leaves the others as they are.
_ZERO: Final = text("0")


class Counts:
    """Columns that a tally and a change of it have in common."""

    # Unions directly below, whatever their status.
    children_grassroots: Mapped[int] = mapped_column(server_default=_ZERO)
    children_higher_level: Mapped[int] = mapped_column(server_default=_ZERO)
    # Active unions below, and registrations there and below; above TOP, those directly below alone.
    grassroots: Mapped[int] = mapped_column(server_default=_ZERO)
    higher_level: Mapped[int] = mapped_column(server_default=_ZERO)
    pending: Mapped[int] = mapped_column(server_default=_ZERO)
    approved: Mapped[int] = mapped_column(server_default=_ZERO)
    rejected: Mapped[int] = mapped_column(server_default=_ZERO)


class Tally(Counts, Base):
    """The counts of one union; without a row they are zero.

    No foreign key: its check would wait, at the end of a transaction, for whoever is moving the union. The
    trigger that counts deleted unions takes their row away.
    """

    __tablename__ = "tally"
    # Room for new versions of a row beside it, so that no index has to know.
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    union_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class TallyChange(Counts, Base):
    """What a transaction under way will add to the tallies along one place, at its end; then the row is gone.

    No transaction sees a row of another's.
    """

    __tablename__ = "tally_change"

    transaction_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, server_default=func.txid_current()
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    # The transaction's first: the one that all are added up for when it ends.
    first: Mapped[bool]
    # The ancestors of what was counted, the union directly above it last.
    place: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
