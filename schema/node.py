"""The Relay Node interface."""

from __future__ import annotations

import strawberry

from schema.fields import resolved
from schema.ids import encode_id


@strawberry.interface(description="An object with an id by which it can be asked for again (Relay).")
class Node:
    id: strawberry.ID = strawberry.field(description="编号: opaque, typed and the same for ever.")


def node_id(type_name: str, description: str) -> strawberry.ID:
    """The field `id` of a type whose rows have an integer `id`."""

    def resolve(root: object) -> str:
        return encode_id(type_name, root.id)  # type: ignore[attr-defined]

    field: strawberry.ID = resolved(resolve, description)
    return field
