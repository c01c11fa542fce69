"""What a document asks for: its fields as they are to be answered, whatever its variables say.

Fragments are spread and like fields merged once for each document. What an argument comes to is left open: its
field is a site, asked anew by every request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)
from graphql.execution.values import VariableValues, get_directive_values
from strawberry import Schema
from strawberry.types.field import StrawberryField

from schema.reading.fields import METADATA, Declared
from schema.reading.sites import Site

TYPENAME: Final = "__typename"
# PostgreSQL cuts a column's name off after 63 bytes.
LONGEST_KEY: Final = 63


class Uncompilable(Exception):  # noqa: N818 - not a fault: the executor answers instead
    """This cannot be read by one statement."""


@dataclass(eq=False)
class Field:
    """One field of the answer: by `key`, of what is `declared`; a plain attribute where nothing is."""

    key: str
    definition: GraphQLField | None
    declared: Declared | None
    attribute: str
    site: Site | None = None
    below: list[Field] = field(default_factory=list)
    # Below a field whose rows are of several types: what is asked of each of them.
    kinds: dict[str, list[Field]] = field(default_factory=dict)

    def form(self, numbers: Mapping[Site, int]) -> tuple[object, ...]:
        """All that a statement depends on, but for what arguments come to: those are known by their site's number."""
        site = None if self.site is None else numbers[self.site]
        below = tuple(one.form(numbers) for one in self.below)
        kinds = tuple((name, *(one.form(numbers) for one in of)) for name, of in self.kinds.items())
        return self.key, id(self.definition), self.attribute, site, below, kinds


class Outliner:
    """Outlines one operation, for certain values of what its @skip and @include depend on."""

    def __init__(self, schema: Schema, fragments: Mapping[str, FragmentDefinitionNode], given: VariableValues) -> None:
        self.schema = schema
        self.fragments = fragments
        self.given = given
        self.sites: list[Site] = []

    def operation(self, operation: OperationDefinitionNode) -> list[Field]:
        """The root fields. Raises: Uncompilable."""
        query = self.schema._schema.query_type  # noqa: SLF001 - Strawberry has no other way to it
        assert query is not None
        return self.fields(query, [operation.selection_set])

    def fields(self, parent: GraphQLObjectType, selections: Sequence[SelectionSetNode]) -> list[Field]:
        nodes: dict[str, list[FieldNode]] = {}
        self.collect(parent, selections, nodes, set())
        return [self.one(parent, key, like) for key, like in nodes.items()]

    def collect(
        self,
        parent: GraphQLObjectType,
        selections: Iterable[SelectionSetNode],
        nodes: dict[str, list[FieldNode]],
        spread: set[str],
    ) -> None:
        """Adds the fields that these selections ask of an object of this type, by their names in the answer."""
        for node in (node for selection in selections for node in selection.selections):
            if not self.included(node):
                continue
            if isinstance(node, FieldNode):
                nodes.setdefault(node.alias.value if node.alias else node.name.value, []).append(node)
                continue
            fragment: Any = node
            if isinstance(node, FragmentSpreadNode):
                if node.name.value in spread:
                    continue
                spread.add(node.name.value)
                fragment = self.fragments[node.name.value]
            condition = cast("InlineFragmentNode | FragmentDefinitionNode", fragment).type_condition
            if condition is None or _is_a(parent, condition.name.value):
                self.collect(parent, [fragment.selection_set], nodes, spread)

    def included(self, node: Any) -> bool:
        if not node.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, node, self.given)
        include = get_directive_values(GraphQLIncludeDirective, node, self.given)
        return not (skip and skip["if"]) and not (include and not include["if"])

    def one(self, parent: GraphQLObjectType, key: str, like: list[FieldNode]) -> Field:
        name = like[0].name.value
        if len(key) > LONGEST_KEY:
            raise Uncompilable("a long alias")
        if name == TYPENAME:
            return Field(key, None, None, parent.name)
        if name.startswith("__"):
            raise Uncompilable("introspection")
        definition = parent.fields[name]
        known: StrawberryField = definition.extensions["strawberry-definition"]
        made = Field(key, definition, known.metadata.get(METADATA), known.python_name)
        if made.declared is not None and definition.args:
            made.site = Site(like[0], definition, known, made.declared, self.schema)
            self.sites.append(made.site)
        below = [node.selection_set for node in like if node.selection_set]
        returned: GraphQLNamedType = get_named_type(definition.type)
        if isinstance(returned, GraphQLInterfaceType):
            implementations = self.schema._schema.get_implementations(returned).objects  # noqa: SLF001
            made.kinds = {kind.name: self.fields(kind, below) for kind in implementations}
        elif isinstance(returned, GraphQLObjectType):
            made.below = self.fields(returned, below)
        return made


def _is_a(kind: GraphQLObjectType, name: str) -> bool:
    return kind.name == name or any(interface.name == name for interface in kind.interfaces)
