"""Requests whose headers are found by their names."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from typing_extensions import override


class QuickRequest(Request):
    """Starlette's request. Its headers go through all of them for each that is looked up, and six are."""

    @property
    @override
    def headers(self) -> Headers:
        found: Headers | None = self.__dict__.get("_named")
        if found is None:
            found = self.__dict__["_named"] = _Named(self.scope["headers"])
        return found


class _Named(Headers):
    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        super().__init__(raw=raw)
        self._first = dict(reversed(raw))  # the first of those with one name, as Starlette has it

    @override
    def get(self, key: str, default: Any = None) -> Any:
        value = self._first.get(key.lower().encode("latin-1"))
        return default if value is None else value.decode("latin-1")

    @override
    def __getitem__(self, key: str) -> str:
        return self._first[key.lower().encode("latin-1")].decode("latin-1")

    @override
    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower().encode("latin-1") in self._first
