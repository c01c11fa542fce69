"""This schema's endpoint: queries by one statement, everything else by Strawberry's executor; and what both cost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from graphql import OperationType
from starlette.requests import Request
from strawberry.types import ExecutionResult
from typing_extensions import override

from models.errors import Rejected
from models.limits import Limited
from resolvers.scanning import note_misses, pay_for_cards
from schema.context import GraphContext
from schema.parameters import Parameters
from schema.reading.answers import Answers, OutdatedError
from schema.reading.metering import Meter
from schema.reading.operations import Operation
from schema.refusals import Refusal, Refused
from schema.transport import Endpoint

# Who asks: with the rights remembered of them if that is allowed, else with those they have.
Meet = Callable[..., Awaitable[GraphContext]]


class ReadingEndpoint(Endpoint):
    kind = Operation

    def __init__(self, schema: Any, *args: Any, meet: Meet, **settings: Any) -> None:
        super().__init__(schema, *args, **settings)
        self.meet = meet
        self.answers = Answers()

    @override
    async def quick(self, request: Request, parameters: Parameters, asked: Operation) -> list[bytes] | None:
        if asked.node.operation is not OperationType.QUERY:
            return None
        meter = asked.meter
        # The statement tells whether it was made with the right rights. If not, one more look at them.
        for remembered in (True, False):
            context = await self.meet(request, remembered=remembered)
            if meter is not None:
                await _pay(meter, parameters, context)
            try:
                data = await self.answers.answer(asked, parameters.variables or {}, context)
            except OutdatedError:
                continue
            if meter is not None and data is not None:
                await _count(meter.misses_in(b"".join(data)), context)
            return data
        return None

    @override
    async def execute(self, parameters: Parameters, asked: Operation, context: object) -> ExecutionResult:
        meter = asked.meter
        if meter is None or not isinstance(context, GraphContext):
            return await super().execute(parameters, asked, context)
        await _pay(meter, parameters, context)
        result = await super().execute(parameters, asked, context)
        await _count(meter.misses(result.data), context)
        return result


async def _pay(meter: Meter, parameters: Parameters, context: GraphContext) -> None:
    """Once for each request, however often it is begun anew. Raises: Refused, RATE_LIMITED."""
    if context.reply.paid:
        return
    context.reply.paid = True
    try:
        if meter.cards:
            await pay_for_cards(context, len(meter.cards))
        searches = meter.searching(parameters.variables)
        if searches:
            await context.spend(Limited.SEARCH, searches)
    except Rejected as rejected:
        raise _refused(rejected) from None


async def _count(misses: int, context: GraphContext) -> None:
    """Raises: Refused, RATE_LIMITED: then the answer is kept back."""
    if misses:
        try:
            await note_misses(context, misses)
        except Rejected as rejected:
            raise _refused(rejected) from None


def _refused(rejected: Rejected) -> Refused:
    """How the endpoint says that a limit was reached."""
    seconds = int(str(rejected.problems[0].params["seconds"]))
    return Refused(Refusal.RATE_LIMITED, f"try again in {seconds} s", extensions={"retryAfter": seconds})
