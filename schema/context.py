"""What fields are resolved with: the use cases' context, and the loaders of one request."""

from __future__ import annotations

from dataclasses import dataclass, field

import strawberry

from resolvers.context import Context
from schema.loaders import Loaders


@dataclass
class GraphContext(Context):
    """`load` batches the reads of one query, or of one mutation's payload."""

    load: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """After a write, what was loaded before it is no longer true."""
        self.load = Loaders(self)


Info = strawberry.Info[GraphContext, None]
