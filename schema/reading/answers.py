"""Answers to queries, each by one statement, made once for all requests of its shape."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    validate,
    visit,
)
from graphql.execution.values import VariableValues, get_variable_values
from strawberry import Schema

from schema.context import GraphContext
from schema.limits import read_document
from schema.reading.compiling import Compiler, Plan, shape, values_of
from schema.reading.outline import Field, Outliner, Site, Uncompilable
from storage.scope import BoundEyes

# A client has some dozens of documents, each in a few shapes; a plan takes some 50 KB.
OUTLINES: Final = 256
PLANS: Final = 512


@dataclass(frozen=True, eq=False)
class Outline:
    """An operation with its fields collected."""

    roots: list[Field]
    sites: list[Site]


class Answers:
    """The answers of one schema. Bounded: what has not been asked for longest is forgotten first."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.outlines: OrderedDict[Any, Outline | None] = OrderedDict()
        self.plans: OrderedDict[Any, Plan] = OrderedDict()
        self.switches = lru_cache(OUTLINES)(self._switches)

    async def answer(
        self, query: str, operation: OperationDefinitionNode, variables: Any, context: GraphContext
    ) -> bytes | None:
        """The `data` of the response to a query; None where the executor has to answer.

        It does so for introspection, and for everything that comes to an error: it words them.
        """
        if operation.operation is not OperationType.QUERY:
            return None
        given = get_variable_values(self.schema._schema, operation.variable_definitions or (), variables or {})  # noqa: SLF001
        if not isinstance(given, VariableValues):
            return None
        outline = self.outline(query, operation, given)
        return None if outline is None else await self.read(outline, given, context)

    async def read(self, outline: Outline, given: VariableValues, context: GraphContext) -> bytes | None:
        try:
            chosen = [site.chosen(context, given) for site in outline.sites]
        except Exception:  # noqa: BLE001 - whatever it is, the executor meets it again and tells of it
            return None
        eyes, looking = BoundEyes.of(context.viewer)
        try:
            plan = self.plan(outline, eyes, chosen)
        except Uncompilable:
            return None
        values = {**values_of(chosen), **looking}
        [row] = await context.db.ask(plan.statement, values) if plan.statement else [()]
        try:
            return plan.answer(context, row)
        except Exception:  # noqa: BLE001 - the same: with the rest of the answer around it
            return None

    def outline(self, query: str, operation: OperationDefinitionNode, given: VariableValues) -> Outline | None:
        """The operation as it is asked for; None if it is not valid, or nothing for one statement."""
        switches = tuple(given.coerced.get(name) for name in self.switches(query))
        key = (query, operation.name and operation.name.value, switches)
        if key in self.outlines:
            self.outlines.move_to_end(key)
            return self.outlines[key]
        made = self._outline(read_document(query), operation, given)
        self.outlines[key] = made
        if len(self.outlines) > OUTLINES:
            self.outlines.popitem(last=False)
        return made

    def _outline(
        self, document: DocumentNode, operation: OperationDefinitionNode, given: VariableValues
    ) -> Outline | None:
        if validate(self.schema._schema, document):  # noqa: SLF001
            return None
        fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
        outliner = Outliner(self.schema, fragments, given)
        try:
            return Outline(outliner.operation(operation), outliner.sites)
        except Uncompilable:
            return None

    def plan(self, outline: Outline, eyes: BoundEyes, chosen: list[Any]) -> Plan:
        """Raises: Uncompilable."""
        key = (outline, eyes, *map(shape, chosen))
        plan = self.plans.get(key)
        if plan is None:
            plan = self.plans[key] = Compiler(outline.sites, chosen).plan(outline.roots, eyes)
            if len(self.plans) > PLANS:
                self.plans.popitem(last=False)
        else:
            self.plans.move_to_end(key)
        return plan

    @staticmethod
    def _switches(query: str) -> list[str]:
        """The variables that @skip and @include depend on."""
        found: dict[str, None] = {}

        class Finder(Visitor):
            def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
                found.update(
                    (argument.value.name.value, None)
                    for argument in node.arguments or ()
                    if isinstance(argument.value, VariableNode)
                )

        visit(read_document(query), Finder())
        return list(found)
