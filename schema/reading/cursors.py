"""Keyset cursors: opaque to clients, the name of a listing and a place in its order."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import literal

from models.errors import Code, Problem, Rejected
from models.treepath import TreePath
from storage.reading.reads import Listing
from storage.reading.wire import Key, key_in

LARGEST_PAGE: Final = 100
USUAL_PAGE: Final = 50

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def window(listing: Listing, first: int | None, after: str | None, *, stamp: int | None = None) -> dict[str, Any]:
    """Which page of a listing is wanted; of one that is ordered for a search, with the stamp of that.

    Raises:
        Rejected: INVALID, for a page outside 1 to 100 or a cursor that is not of this list.
    """
    if first is None:  # clients send null for a variable that they leave out
        first = USUAL_PAGE
    if not 1 <= first <= LARGEST_PAGE:
        raise Rejected(Problem(Code.INVALID, ("first",), "first", {"max": LARGEST_PAGE}))
    key = None if after is None else decode_cursor(listing, after)
    if key is not None and stamp is not None and key[0] != stamp:
        raise Rejected(Problem(Code.INVALID, ("after",), "cursor"))
    return {"first": first, "after": key}


def encode_cursor(name: str, key: Sequence[int | datetime | TreePath]) -> str:
    """As the database makes it (storage/reading/wire.py): base64url of `name:part:part`, without padding."""
    text = ":".join([name, *(_spelled(part) for part in key)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _spelled(part: int | datetime | TreePath) -> str:
    return str((part - _EPOCH) // _MICROSECOND if isinstance(part, datetime) else part)


def decode_cursor(listing: Listing, cursor: str) -> Key:
    """The key in a cursor of this list. A forged key shows nothing out of sight.

    Raises:
        Rejected: INVALID, for anything else.
    """
    try:
        decoded = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        name, *parts = decoded.decode("ascii").split(":")
    except (binascii.Error, ValueError):
        decoded, name, parts = b"", "", []
    has_one_spelling = base64.urlsafe_b64encode(decoded).decode().rstrip("=") == cursor
    key = key_in(parts, _order(listing)) if has_one_spelling and name == listing.name else None
    if key is None:
        raise Rejected(Problem(Code.INVALID, ("after",), "cursor"))
    return key


@lru_cache
def _order(listing: Listing) -> list[Any]:
    """The columns of the order, for what kind each is of: whatever is looked for."""
    return list(listing.order(listing.source.fresh(), _Anything()))


class _Anything(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        return literal("")
