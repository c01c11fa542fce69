"""This schema's endpoint: queries by one statement, everything else by Strawberry's executor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from graphql import OperationDefinitionNode, OperationType
from starlette.requests import Request
from typing_extensions import override

from schema.context import GraphContext
from schema.parameters import Parameters
from schema.reading.answers import Answers, OutdatedError
from schema.transport import Endpoint

# Who asks: with the rights remembered of them if that is allowed, else with those they have.
Meet = Callable[..., Awaitable[GraphContext]]


class ReadingEndpoint(Endpoint):
    def __init__(self, schema: Any, *args: Any, meet: Meet, **settings: Any) -> None:
        super().__init__(schema, *args, **settings)
        self.meet = meet
        self.answers = Answers(schema)

    @override
    async def quick(self, request: Request, parameters: Parameters, operation: OperationDefinitionNode) -> bytes | None:
        if operation.operation is not OperationType.QUERY:
            return None
        # The statement tells whether it was made with the right rights. If not, one more look at them.
        for remembered in (True, False):
            context = await self.meet(request, remembered=remembered)
            try:
                return await self.answers.answer(parameters, operation, context)
            except OutdatedError:
                continue
        return None
