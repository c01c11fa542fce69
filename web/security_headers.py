"""Headers that every answer has, unless the page that made it says something of its own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

# For an answer that is no page: should a browser show it all the same, it may load nothing and stand in no frame.
HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",  # for browsers that do not know frame-ancestors
}
# Browsers then keep to https for a year. Of this name alone: names below it may be others'.
STRICT_TRANSPORT: Final = {"strict-transport-security": "max-age=31536000"}


class SecurityHeaders:
    def __init__(self, *, https: bool) -> None:
        wanted = {**HEADERS, **(STRICT_TRANSPORT if https else {})}
        self.wanted = [(name.encode(), value.encode()) for name, value in wanted.items()]
        self._beside = lru_cache(maxsize=256)(self._unless)

    def missing(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Those that an answer with these headers has not got."""
        return self._beside(*[name for name, _ in headers])

    def _unless(self, *names: bytes) -> list[tuple[bytes, bytes]]:
        return [one for one in self.wanted if one[0] not in names]
