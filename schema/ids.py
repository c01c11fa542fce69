"""Relay global ids: typed and opaque, one spelling each."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from models.errors import Code, Problem, Rejected

_INSIDE: Final = re.compile(r"([A-Z][A-Za-z]{2,30}):([1-9][0-9]{0,18})", re.ASCII)
_LARGEST: Final = 2**63 - 1


def encode_id(type_name: str, key: int) -> str:
    """The global id of a row: base64url of `Type:key`, without padding."""
    return base64.urlsafe_b64encode(f"{type_name}:{key}".encode()).decode().rstrip("=")


def decode_any_id(text: str) -> tuple[str, int]:
    """The type's name and the key within a global id.

    Raises:
        Rejected: INVALID, for anything that `encode_id` does not give.
    """
    try:
        inside = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        raise Rejected(Problem(Code.INVALID, why="id")) from None
    match = _INSIDE.fullmatch(inside)
    if match is None or int(match[2]) > _LARGEST or encode_id(match[1], int(match[2])) != text:
        raise Rejected(Problem(Code.INVALID, why="id"))
    return match[1], int(match[2])


def decode_id(text: str, type_name: str) -> int:
    """The key within a global id of this type.

    Raises:
        Rejected: INVALID, also for the id of something else.
    """
    found, key = decode_any_id(text)
    if found != type_name:
        raise Rejected(Problem(Code.INVALID, why="id_of_another_type", params={"expected": type_name}))
    return key
