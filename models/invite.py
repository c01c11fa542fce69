"""A code that a union shares so that the unions below it can register."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, DateTime, ForeignKey, case, func, type_coerce
from sqlalchemy.orm import Mapped, column_property, mapped_column

from models.base import Base, Id, Now, words
from models.kinds import InviteStatus


def status_of(revoked_at: Any, expires_at: Any, uses: Any, max_uses: Any) -> ColumnElement[InviteStatus]:
    """Whether a code can still be used, or the first reason why not."""
    status = case(
        (revoked_at.is_not(None), InviteStatus.REVOKED.value),
        (expires_at <= func.now(), InviteStatus.EXPIRED.value),
        (uses >= max_uses, InviteStatus.EXHAUSTED.value),
        else_=InviteStatus.OPEN.value,
    )
    return type_coerce(status, words(InviteStatus))


class Invite(Base):
    """The 组织登记二维码 holds a link with its token."""

    __tablename__ = "invite"
    __table_args__ = (
        CheckConstraint("token ~ '^[0-9A-Za-z_-]{22,30}$'", name="token"),
        CheckConstraint("uses >= 0 and (max_uses is null or uses <= max_uses)", name="uses"),
        CheckConstraint("max_uses > 0", name="max_uses"),
    )

    id: Mapped[Id]
    # In the clear, because the union shows the same code again and again. It opens the card, not the tree.
    token: Mapped[str] = mapped_column(unique=True)
    union_id: Mapped[int] = mapped_column(ForeignKey("trade_union.id"), index=True)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[Now]
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    max_uses: Mapped[int | None] = mapped_column()
    # Registrations submitted through it, the withdrawn ones included.
    uses: Mapped[int] = mapped_column(default=0)
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Whether it can still be used, or the first reason why not; told by the database's clock.
    status: Mapped[InviteStatus] = column_property(status_of(revoked_at, expires_at, uses, max_uses))
