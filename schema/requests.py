"""Requests whose headers are found by their names."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from typing_extensions import override


class QuickRequest(Request):
    """Starlette's request. Its headers are put into a dictionary once: six are looked up with each request, and
    Starlette's go through all of them for each."""

    @cached_property
    @override
    def headers(self) -> Headers:
        """Lines of one name are one value (RFC 9110, 5.3): what can have but one then has none that is known."""
        return _Named(self.scope["headers"])


class _Named(Headers):
    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        super().__init__(raw=raw)
        self._values = dict(raw)
        if len(self._values) < len(raw):
            self._values = _joined(raw)

    @override
    def get(self, key: str, default: Any = None) -> Any:
        value = self._values.get(key.lower().encode("latin-1"))
        return default if value is None else value.decode("latin-1")

    @override
    def __getitem__(self, key: str) -> str:
        return self._values[key.lower().encode("latin-1")].decode("latin-1")

    @override
    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower().encode("latin-1") in self._values


def _joined(raw: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    lines: dict[bytes, list[bytes]] = {}
    for name, value in raw:
        lines.setdefault(name, []).append(value)
    return {name: b", ".join(values) for name, values in lines.items()}
