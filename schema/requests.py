"""Requests whose headers are found by their names."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from typing_extensions import override


class QuickRequest(Request):
    """Starlette's request, with headers that do not go through all of them for each that is looked up: six are."""

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
        self._values = dict(raw)
        if len(self._values) < len(raw):  # lines of one name are one list: RFC 9110, 5.3
            self._values = {name: b", ".join([value for other, value in raw if other == name]) for name, _ in raw}

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
