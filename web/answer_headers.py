"""What a use case has to say in the answer's header, whoever writes the answer.

What was taken of limits, as draft-ietf-httpapi-ratelimit-headers has it, and how long to wait; a cookie with another
token.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any, Final

from models.limits import Spent
from resolvers.context import Reply

# Where web/asking.py leaves it in a request's state.
REPLY: Final = "reply"


def said(state: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """The headers of a request in this state."""
    reply: Reply | None = state.get(REPLY)
    if reply is None:
        return []
    told = limits_told(reply.spent) if reply.spent else []
    if reply.retry_after:
        told.append((b"retry-after", b"%d" % reply.retry_after))
    return told + reply.headers


def limits_told(spent: Iterable[Spent]) -> list[tuple[bytes, bytes]]:
    """Of each limit: q permits over w seconds; r are left, in t seconds all of them are there again."""
    latest = {one.what: one for one in spent}.values()
    policies = ", ".join([f'"{one.what}";q={one.limit.permits};w={one.limit.seconds}' for one in latest])
    states = ", ".join([f'"{one.what}";r={one.left};t={ceil(one.full_in)}' for one in latest])
    return [(b"ratelimit-policy", policies.encode()), (b"ratelimit", states.encode())]
