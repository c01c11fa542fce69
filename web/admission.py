"""Who may ask at all: what is addressed to this server, and not sent by a page of another site.

Cookies are SameSite=Strict and a form cannot send JSON, so each of these is a second wall: against a name that somebody
else points at this machine (DNS rebinding), and against pages that ask with the visitor's network or cookie.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

MISDIRECTED: Final = "MISDIRECTED_REQUEST"
FOREIGN: Final = "ORIGIN_NOT_ALLOWED"
# The machine's own names: its probes, and a proxy that does not pass Host on. No other machine is reached by them.
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
# A probe asks by whatever address it knows, and is told nothing but that the server is there.
PROBES: Final = frozenset({"/livez", "/readyz"})

_HOST: Final = re.compile(rb"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?", re.IGNORECASE)

Refuse = Callable[[Request, str], Response]


def host_in(url: str) -> str:
    """The name of the machine in a URL, as a Host header spells it, without the port."""
    name = urlsplit(url).hostname or ""
    return f"[{name}]" if ":" in name else name


class Admission:
    """Answers what is not for this server by `refuse`. A host is allowed at any port; an origin is `https://name:port`."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], origins: Collection[str], refuse: Refuse) -> None:
        self.app = app
        self.hosts = {host.lower() for host in hosts} | LOCAL
        self.origins = {origin.lower().encode() for origin in origins}
        self.refuse = refuse
        self.is_ours = lru_cache(maxsize=256)(self._is_ours)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        code = self.objection(scope) if scope["type"] == "http" else None
        if code is None:
            await self.app(scope, receive, send)
        else:
            await self.refuse(Request(scope), code)(scope, receive, send)

    def objection(self, scope: Scope) -> str | None:
        """Why this is not answered, or None."""
        hosts, origins = [], []
        for name, value in scope["headers"]:
            if name == b"host":
                hosts.append(value)
            elif name == b"origin":
                origins.append(value)
        if scope["path"] not in PROBES and not (len(hosts) == 1 and self.is_ours(hosts[0])):
            return MISDIRECTED
        if origins and not self.is_known(origins, hosts[0] if hosts else b""):
            return FOREIGN
        return None

    def _is_ours(self, host: bytes) -> bool:
        found = _HOST.fullmatch(host)
        return found is not None and found[1].decode().lower() in self.hosts

    def is_known(self, origins: list[bytes], host: bytes) -> bool:
        """Whether the page that asks is of this very host, whose name has been found good, or of a listed origin."""
        origin = origins[0].lower()
        return len(origins) == 1 and (origin in self.origins or origin.partition(b"://")[2] == host.lower() != b"")
