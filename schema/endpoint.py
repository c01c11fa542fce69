"""This schema's endpoint: queries by one statement, everything else by Strawberry's executor."""

from __future__ import annotations

from typing import Any

from graphql import OperationDefinitionNode
from typing_extensions import override

from schema.context import GraphContext
from schema.parameters import Parameters
from schema.reading.answers import Answers
from schema.transport import Endpoint


class ReadingEndpoint(Endpoint):
    def __init__(self, schema: Any, *args: Any, **settings: Any) -> None:
        super().__init__(schema, *args, **settings)
        self.answers = Answers(schema)

    @override
    async def quick(
        self, parameters: Parameters, operation: OperationDefinitionNode, context: GraphContext
    ) -> bytes | None:
        return await self.answers.answer(parameters.query, operation, parameters.variables, context)
