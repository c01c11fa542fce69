"""One operation of a document, with all of what answering it takes that is the same for every request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple

from graphql import (
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLNonNull,
    GraphQLScalarType,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    get_nullable_type,
    visit,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values
from strawberry import Schema
from typing_extensions import override

from schema.asked import Asked
from schema.reading.metering import meter_of
from schema.reading.outline import Field, Outliner, Uncompilable
from schema.reading.sites import Site
from schema.reading.validity import is_valid

# Values of what one operation's @skip and @include depend on, of which the outlines are kept.
SWITCHED: Final = 32


class Outline:
    """An operation with its fields collected. Two are equal that one statement answers, whatever each is called."""

    def __init__(self, roots: list[Field], sites: list[Site]) -> None:
        self.roots = roots
        self.sites = sites
        numbers = {site: number for number, site in enumerate(sites)}
        self.form = tuple(field.form(numbers) for field in roots)
        self._hash = hash(self.form)  # asked for with every request

    @override
    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Outline) and self.form == other.form)

    @override
    def __hash__(self) -> int:
        return self._hash


class _Simple(NamedTuple):
    """A variable of a scalar or an enum: what coerces a value of it, and whether there must be one."""

    name: str
    signature: GraphQLVariableSignature
    coerce: Callable[[Any], Any]
    needed: bool


class Operation(Asked):
    """A valid query, or one that is not and has no outlines."""

    def __init__(self, schema: Schema, document: DocumentNode, node: OperationDefinitionNode) -> None:
        super().__init__(schema, document, node)
        self.meter = meter_of(document)
        self.outlines: dict[Any, Outline | None] = {}

    @cached_property
    def valid(self) -> bool:
        """Whether the document is; found out once, when it is first answered."""
        return is_valid(self.schema._schema, self.document)  # noqa: SLF001

    @cached_property
    def switches(self) -> list[str]:
        """The variables that @skip and @include depend on."""
        return _switches(self.document)

    @cached_property
    def simple(self) -> list[_Simple] | None:
        """The variables, if none is an input object or a list."""
        found = [get_variable_signature(self.schema._schema, one) for one in self.node.variable_definitions or ()]  # noqa: SLF001
        signatures = [one for one in found if isinstance(one, GraphQLVariableSignature)]
        kinds = [(one, get_nullable_type(one.type)) for one in signatures]
        simple = [
            _Simple(one.name, one, kind.coerce_input_value, isinstance(one.type, GraphQLNonNull))
            for one, kind in kinds
            if isinstance(kind, GraphQLScalarType | GraphQLEnumType)
        ]
        return simple if len(simple) == len(found) else None

    def values(self, variables: Mapping[str, Any]) -> VariableValues | None:
        """What the variables come to; None if one of them cannot be.

        As graphql-core does it, which finds out about every variable anew each time.
        """
        if self.simple is None:
            return self._values(variables)
        sources, coerced = {}, {}
        for name, signature, coerce, needed in self.simple:
            value = variables.get(name)
            if value is None and (needed or name not in variables):
                return self._values(variables)
            try:
                coerced[name] = value if value is None else coerce(value)
            except Exception:  # noqa: BLE001 - a scalar may say so by any
                return None
            sources[name] = VariableValueSource(signature, value)
        return VariableValues(sources, coerced)

    def _values(self, variables: Mapping[str, Any]) -> VariableValues | None:
        found = get_variable_values(self.schema._schema, self.node.variable_definitions or (), dict(variables))  # noqa: SLF001
        return found if isinstance(found, VariableValues) else None

    def outline(self, given: VariableValues) -> Outline | None:
        """The operation as it is asked for; None if it is nothing for one statement."""
        switched = tuple([given.coerced.get(name) for name in self.switches])
        if switched not in self.outlines:
            if len(self.outlines) == SWITCHED:
                self.outlines.clear()
            self.outlines[switched] = self._outline(given)
        return self.outlines[switched]

    def _outline(self, given: VariableValues) -> Outline | None:
        known = self.document.definitions
        fragments = {one.name.value: one for one in known if isinstance(one, FragmentDefinitionNode)}
        outliner = Outliner(self.schema, fragments, given)
        try:
            return Outline(outliner.operation(self.node), outliner.sites)
        except Uncompilable:
            return None


def _switches(document: DocumentNode) -> list[str]:
    """The variables that @skip and @include depend on."""
    found: dict[str, None] = {}
    if document.loc is not None and "@" not in document.loc.source.body:  # spares most of them a visit
        return []

    class Finder(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
            found.update(
                (argument.value.name.value, None)
                for argument in node.arguments or ()
                if isinstance(argument.value, VariableNode)
            )

    visit(document, Finder())
    return list(found)
