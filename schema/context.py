"""What fields are resolved with: the use cases' context, and what has been read for one request."""

from __future__ import annotations

from dataclasses import dataclass, field

import strawberry

from resolvers.context import Context
from schema.reading.steps import Steps


@dataclass
class GraphContext(Context):
    """`steps` batches the reads of one query that is executed field by field, or of one mutation's payload."""

    _steps: Steps | None = field(init=False, default=None)

    @property
    def steps(self) -> Steps:
        if self._steps is None:
            self._steps = Steps(self)
        return self._steps

    def forget(self) -> None:
        """After a write, what was read before it is no longer true."""
        self._steps = None


Info = strawberry.Info[GraphContext, None]
