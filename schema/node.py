"""The Relay Node interface."""

from __future__ import annotations

import strawberry

from schema.reading.steps import Ref


@strawberry.interface(description="An object with an id by which it can be asked for again (Relay).")
class Node:
    id: strawberry.ID = strawberry.field(description="编号: opaque, typed and the same for ever.")

    @classmethod
    def is_type_of(cls, row: object, _info: object) -> bool:
        return isinstance(row, Ref) and row.type_name == cls.__name__
