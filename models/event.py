"""What happened: who, what, where in the tree at that time, when. Events are only ever added."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Now, Path, words
from models.treepath import TreePath


class Happening(StrEnum):
    """What an event tells of."""

    UNION_FOUNDED = "union.founded"
    ACCOUNT_CREATED = "account.created"
    PASSWORD_SET = "account.passwordSet"  # noqa: S105 - a word, not a password
    APPOINTED = "appointment.made"
    APPOINTMENT_ENDED = "appointment.ended"
    INVITE_CREATED = "invite.created"
    INVITE_REVOKED = "invite.revoked"
    REGISTRATION_SUBMITTED = "registration.submitted"
    REGISTRATION_RESUBMITTED = "registration.resubmitted"
    REGISTRATION_WITHDRAWN = "registration.withdrawn"
    REGISTRATION_APPROVED = "registration.approved"
    REGISTRATION_REJECTED = "registration.rejected"
    ID_NUMBER_REVEALED = "idNumber.revealed"
    IMPORTED = "union.imported"
    EXPORTED = "union.exported"
    SECOND_FACTOR_ON = "account.secondFactorOn"
    SECOND_FACTOR_OFF = "account.secondFactorOff"
    SIGNED_OUT = "account.signedOut"
    REGISTRATION_ERASED = "registration.erased"


class Event(Base):
    """Written in the transaction of what it tells of. Holds no ID number, phone or token."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_union_id", "union_id", "id"),
        Index("ix_event_path", "path"),
        Index("ix_event_registration_id", "registration_id"),
        Index("ix_event_actor_id", "actor_id"),
        # Who was shown ID numbers, below any union: storage/reveals.py.
        Index("ix_event_reveal", "path", "id", postgresql_where="action = 'idNumber.revealed'"),
    )

    id: Mapped[Id]
    at: Mapped[Now]
    action: Mapped[Happening] = mapped_column(words(Happening))
    # Absent for the operator's command line.
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    union_id: Mapped[int | None] = mapped_column(ForeignKey("trade_union.id"))
    # The union's place at that time; a later move does not rewrite history.
    path: Mapped[TreePath | None] = mapped_column(Path)
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id"))
    # What the sentence needs: names, a reason.
    details: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)


class EventLink(Base):
    """The place of an event in the chain of all (storage/chain.py). Only ever added to."""

    __tablename__ = "event_link"

    # From 1, without a gap: the order in which events were chained, which is not that of their numbers.
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    # No foreign key: where an event was taken away, its link tells.
    event_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    # The database's name of whoever wrote the event past the server.
    stranger: Mapped[str | None]
    # The name of the key that the hash was made with (storage/sealing.py).
    key: Mapped[str]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class EventWaiting(Base):
    """An event that is written and not yet chained; noted by a trigger."""

    __tablename__ = "event_waiting"

    event_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    stranger: Mapped[str | None]
