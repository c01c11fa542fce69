"""Fields with arguments: what to read for one, by what the arguments come to in a request."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLField,
    GraphQLNonNull,
    GraphQLScalarType,
    VariableNode,
    Visitor,
    get_nullable_type,
    visit,
)
from graphql.execution.values import VariableValues, get_argument_values
from strawberry import Schema
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from schema.context import GraphContext
from schema.reading.chosen import Chosen
from schema.reading.fields import Declared


class _Variable(NamedTuple):
    """An argument that is a variable and taken as it comes: by which name, of which variable, and whether null is."""

    argument: str
    variable: str
    optional: bool


class Site:
    """A field with arguments, where it stands in a document."""

    def __init__(
        self, node: FieldNode, definition: GraphQLField, field: StrawberryField, declared: Declared, schema: Schema
    ) -> None:
        self.node = node
        self.definition = definition
        self.field = field
        self.declared = declared
        self.schema = schema

    def chosen(self, context: GraphContext, variables: VariableValues) -> Chosen | None:
        """What to read, by what the variables are now.

        Raises:
            GraphQLError, Rejected: an argument that cannot be.
        """
        given = self._quickly(variables.coerced)
        if given is None:
            given = self._converted(self.node, self.definition, variables)
        return self.declared.chosen(context, given)

    def _converted(self, node: FieldNode, definition: GraphQLField, variables: VariableValues) -> dict[str, Any]:
        values = get_argument_values(definition, node, variables)
        registry = self.schema.schema_converter.scalar_registry
        return convert_arguments(values, self.field.arguments, registry, self.schema.config)

    def _quickly(self, coerced: Mapping[str, Any]) -> dict[str, Any] | None:
        """The same, where all that differs from one request to the next are plain variables that are given."""
        if self._plain is None:
            return None
        constant, plain = self._plain
        given = dict(constant)
        for argument, variable, optional in plain:
            value = coerced.get(variable)
            if value is None and not (optional and variable in coerced):
                return None
            given[argument] = value
        return given

    @cached_property
    def _plain(self) -> tuple[dict[str, Any], list[_Variable]] | None:
        """The arguments that are the same in every request, and those that are variables; None if some are neither."""
        variables: dict[str, _Variable] = {}
        for argument in self.node.arguments or ():
            name, kind = argument.name.value, self.definition.args[argument.name.value].type
            if isinstance(argument.value, VariableNode) and isinstance(get_nullable_type(kind), GraphQLScalarType):
                optional = not isinstance(kind, GraphQLNonNull)
                variables[name] = _Variable(self._python_name(name), argument.value.name.value, optional)
            elif _has_variables(argument):
                return None
        same = [argument for argument in self.node.arguments or () if argument.name.value not in variables]
        rest = {name: argument for name, argument in self.definition.args.items() if name not in variables}
        node = FieldNode(name=self.node.name, arguments=tuple(same))
        constant = self._converted(node, GraphQLField(self.definition.type, args=rest), VariableValues({}, {}))
        return constant, list(variables.values())

    def _python_name(self, name: str) -> str:
        convert = self.schema.config.name_converter.get_graphql_name
        return next(argument.python_name for argument in self.field.arguments if convert(argument) == name)


def _has_variables(argument: ArgumentNode) -> bool:
    found = []

    class Finder(Visitor):
        def enter_variable(self, node: VariableNode, *_: Any) -> None:
            found.append(node)

    visit(argument, Finder())
    return bool(found)
