"""What a use case has to say in the answer's header, whoever writes the answer.

What was taken of limits, as draft-ietf-httpapi-ratelimit-headers has it, and how long to wait; a cookie with another
token.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from math import ceil
from typing import Any, Final

from models.limits import Limit, Limited, Spent
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
    policies, states = {}, {}
    for what, limit, left, full_in, _ in spent:
        policies[what] = _policy(what, limit)
        states[what] = b'"%b";r=%d;t=%d' % (what.encode(), left, ceil(full_in))
    return [(b"ratelimit-policy", b", ".join(policies.values())), (b"ratelimit", b", ".join(states.values()))]


@cache
def _policy(what: Limited, limit: Limit) -> bytes:
    return b'"%b";q=%d;w=%d' % (what.encode(), limit.permits, limit.seconds)
