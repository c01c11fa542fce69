"""What is still to be done to the JSON that the database gave: values that a function of ours makes of columns.

A patch takes what the request is answered with and a value, and gives what stands in its place. Where an answer
has none, its bytes are sent as they came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Patch = Callable[[Any, Any], Any]


def of_object(patches: Mapping[str, Patch]) -> Patch | None:
    """Patches some values of an object."""
    if not patches:
        return None
    items = tuple(patches.items())

    def patch(asking: Any, found: dict[str, Any] | None) -> dict[str, Any] | None:
        if found is not None:
            for key, value in items:
                found[key] = value(asking, found[key])
        return found

    return patch


def of_list(each: Patch | None) -> Patch | None:
    """Patches every element of a list."""
    if each is None:
        return None

    def patch(asking: Any, found: list[Any]) -> list[Any]:
        return [each(asking, one) for one in found]

    return patch


def of_kinds(kinds: Mapping[str, Patch | None]) -> Patch:
    """Patches an element that says which kind it is, `[kind, row]`, by what that kind needs."""

    def patch(asking: Any, found: list[Any]) -> Any:
        kind, row = found
        each = kinds[kind]
        return each(asking, row) if each and row is not None else row

    return patch
