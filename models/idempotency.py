"""Idempotency keys: a phone that asks again gets the first answer again."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Now


class IdempotencyKey(Base):
    """One accepted mutation of one account, under the key its client chose.

    Written in the mutation's transaction: it is there exactly if the mutation is. After the
    draft IETF header field `Idempotency-Key`.
    """

    __tablename__ = "idempotency_key"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    # HMAC of the operation and its input: the same key with other content is a conflict.
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    # The id of what the mutation made or changed.
    subject_id: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[Now]
