"""An application to become a union: its rounds as they were submitted, and what was decided."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import At, Base, Id, Now, Path, words
from models.kinds import EntryRoute, UnionKind
from models.particulars import Particulars, employer_is_whole
from models.review import Decision, State
from models.treepath import MAX_DEPTH, TreePath


def queue_index(depth: int) -> Index:
    """What is pending below the unions of one depth; a registration is in as many of these as it has ancestors."""
    above = f"(ancestors[{depth + 1}])"
    return Index(
        f"ix_registration_queue_{depth}",
        text(above),
        "submitted_at",
        "id",
        postgresql_where=f"status = 'PENDING' and {above} is not null",
    )


class Registration(Base):
    """登记: pending until the union applied to decides. It becomes a node only when approved."""

    __tablename__ = "registration"
    __table_args__ = (
        CheckConstraint("(status = 'APPROVED') = (union_id is not null)", name="union"),
        CheckConstraint("round >= 1", name="round"),
        CheckConstraint("erased_at is null or status = 'REJECTED' or status = 'WITHDRAWN'", name="erased"),
        # Where the union applied to stands in the tree follows it wherever it moves.
        ForeignKeyConstraint(
            ["parent_id", "parent_path"],
            ["trade_union.id", "trade_union.path"],
            name="fk_registration_parent",
            onupdate="CASCADE",
        ),
        # It stands above the union that this may become.
        CheckConstraint(f"nlevel(parent_path) <= {MAX_DEPTH}", name="depth"),
        # The queue of one union, oldest first.
        Index("ix_registration_pending", "parent_id", "submitted_at", "id", postgresql_where="status = 'PENDING'"),
        Index("ix_registration_parent_id", "parent_id"),
        # The queue of everything below a union, oldest first: an index for each depth that it may have.
        *(queue_index(depth) for depth in range(MAX_DEPTH)),
        Index("ix_registration_applicant_id", "applicant_id", "id"),
        # What may have been kept long enough: storage/erasure.py.
        Index(
            "ix_registration_to_erase",
            "submitted_at",
            "id",
            postgresql_where="erased_at is null and (status = 'REJECTED' or status = 'WITHDRAWN')",
        ),
    )

    id: Mapped[Id]
    parent_id: Mapped[int] = mapped_column(BigInteger)
    parent_path: Mapped[TreePath] = mapped_column(Path)
    # Of the union applied to, itself last, as TradeUnion.ancestors.
    ancestors: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), Computed("tree_ids(parent_path)", persisted=True), deferred=True, deferred_raiseload=True
    )
    applicant_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[UnionKind] = mapped_column(words(UnionKind))
    status: Mapped[State] = mapped_column(words(State), default=State.PENDING)
    round: Mapped[int] = mapped_column(default=1)
    entry_route: Mapped[EntryRoute | None] = mapped_column(words(EntryRoute))
    invite_id: Mapped[int | None] = mapped_column(ForeignKey("invite.id"), index=True)
    # Of the latest round: a corrected form queues again at the end.
    submitted_at: Mapped[Now]
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    union_id: Mapped[int | None] = mapped_column(ForeignKey("trade_union.id"), unique=True)
    # Since when what it stated is gone.
    erased_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    # `raise`: an unloaded relation is a bug to see in a test, not a query to run by surprise.
    current: Mapped[Submission] = relationship(
        primaryjoin="and_(Submission.registration_id == Registration.id, Submission.round == Registration.round)",
        foreign_keys="[Submission.registration_id, Submission.round]",
        viewonly=True,
        uselist=False,
        lazy="raise",
    )


class Submission(Particulars, Base):
    """One round, frozen as it was submitted."""

    __tablename__ = "submission"
    __table_args__ = (employer_is_whole(),)

    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    submitted_at: Mapped[Now]
    # Input fields that differ from the round before, in the API's spelling.
    changed: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)

    @property
    def seal_name(self) -> str:
        return f"submission:{self.registration_id}:{self.round}"


class Review(Base):
    """A decision on one round: APPROVE or REJECT, with an opinion (审核意见)."""

    __tablename__ = "review"
    __table_args__ = (CheckConstraint("decision <> 'REJECT' or opinion is not null", name="opinion"),)

    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), primary_key=True)
    # One decision a round: the key itself refuses a second.
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    decision: Mapped[Decision] = mapped_column(words(Decision))
    opinion: Mapped[str | None]
    # [{"field": …, "opinion": …}]
    field_opinions: Mapped[list[dict[str, str]]] = mapped_column(JSONB, default=list)
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    decided_at: Mapped[At]
