"""Fields that are more than an attribute of their row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import strawberry


def resolved(resolver: Callable[..., Any], description: str) -> Any:
    """A field that `resolver` reads from the row.

    Resolvers return rows, not GraphQL types: the field's annotation says which type shows them.
    """
    return strawberry.field(resolver=resolver, description=description)
