"""Which keys the database was written with, without the keys."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Now


class Purpose(StrEnum):
    """What a key is for: the name of its setting."""

    ID_NUMBER = "ID_NUMBER_KEYS"
    BLIND_INDEX = "BLIND_INDEX_KEY"


class KeyProof(Base):
    """A digest that only this key makes: who starts with another one is told so."""

    __tablename__ = "key_proof"

    purpose: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    proof: Mapped[bytes] = mapped_column(LargeBinary(32))
    since: Mapped[Now]
