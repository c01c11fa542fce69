"""Administrative divisions (行政区划) by GB/T 2260."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.errors import Code, Problem, Rejected

_CODE: Final = re.compile(r"[1-9][0-9]{5}", re.ASCII)


class Region(Base):
    """A division: 440000 is a province, 440300 a city in it, 440305 a district of that.

    Retired codes stay, because unions were registered under them, and are never given to another place.
    """

    __tablename__ = "region"
    __table_args__ = (CheckConstraint("code ~ '^[1-9][0-9]{5}$'", name="six_digits"),)

    code: Mapped[str] = mapped_column(String(6), primary_key=True)
    name: Mapped[str]
    # 广东省深圳市南山区: what a person reads where the name alone would be ambiguous.
    full_name: Mapped[str]
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("region.code"), index=True)
    retired: Mapped[bool] = mapped_column(default=False)


def check_region_code(code: str) -> str:
    """The code, if it has the form of one: six digits.

    Raises:
        Rejected: REGION_UNKNOWN.
    """
    if not _CODE.fullmatch(code):
        raise Rejected(Problem(Code.REGION_UNKNOWN))
    return code


def is_inside(code: str, outer: str) -> bool:
    """Whether a division lies within another by its digits: 440305 in 440300 in 440000."""
    significant = outer.rstrip("0")
    return code.startswith(significant + "0" * (len(significant) % 2))
