"""What an operation may come to: about how many values its answer has, and more for what is dear to find.

Pages multiply down the nesting. A document is priced once: what its pages multiply to is a constant, or, where a
variable says how long a page is, a sum of products of variables. Each fragment is priced once, whoever spreads it.
What is skipped by a directive is counted all the same.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    value_from_ast_untyped,
)

from schema.reading.cursors import LARGEST_PAGE, USUAL_PAGE

# How many a list counts for that has no pages: reviews, ancestors, warnings. Few have more; most people have one root.
FEW: Final = 5
FEWER: Final[Mapping[str, int]] = {"roots": 2}
# What takes the database or us much longer than a value of a row does, by what it is thought to take more.
DEAR: Final[Mapping[str, int]] = {
    "Connection.totalCount": 50,
    "Invite.qrCode": 200,
    "Invite.registrationQrCode": 200,
    "Mutation.beginSecondFactor": 2_000,
    "Mutation.changePassword": 2_000,
    "Mutation.removeSecondFactor": 2_000,
    "Mutation.signIn": 2_000,
    "Query.__schema": 10_000,
    "Query.__type": 500,
    "Query.unionDirectory": 50,
    "Registration.duplicateMatches": 50,
    "Registration.possibleDuplicates": 50,
    "Union.descendants": 50,
    "Union.statistics": 10,
}
INTROSPECTION: Final = frozenset({"__schema", "__type"})

# A number that a request gives: the variable's name, and what counts where it is absent.
Factor = tuple[str, int]
# A sum of products: how often each product of factors occurs. The empty product is 1.
Terms = Counter[tuple[Factor, ...]]
ONE: Final[tuple[Factor, ...]] = ()
Composite = GraphQLObjectType | GraphQLInterfaceType | None


@dataclass
class Total:
    """What a selection comes to: `once`, and for each row of the page that it is a part of."""

    once: Terms = field(default_factory=Counter)
    each: Terms = field(default_factory=Counter)
    introspects: bool = False

    def add(self, other: "Total") -> None:
        self.once.update(other.once)
        self.each.update(other.each)
        self.introspects |= other.introspects


@dataclass(frozen=True)
class Price:
    """What one operation comes to; of the same for every request unless `terms` say otherwise."""

    fixed: int
    terms: tuple[tuple[int, tuple[Factor, ...]], ...] = ()
    introspects: bool = False

    def of(self, variables: Mapping[str, Any] | None) -> int:
        total = self.fixed
        for times, factors in self.terms:
            for name, absent in factors:
                times *= length(variables[name]) if variables and name in variables else absent  # noqa: PLW2901
            total += times
        return total


def length(value: object) -> int:
    """How many rows a variable's value asks for. What cannot be is refused elsewhere, and counts as a whole page."""
    if isinstance(value, list):
        return min(len(value), LARGEST_PAGE)
    if value is None:
        return USUAL_PAGE
    return max(0, min(int(value), LARGEST_PAGE)) if isinstance(value, int | float) else LARGEST_PAGE


def price(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Price:
    """The price of an operation of a document that is within limits.limits; it need not be valid."""
    root: Any = schema.get_root_type(operation.operation)
    total = Assessor(schema, document).selections(root, operation.selection_set)
    terms = total.once
    given = {
        one.variable.name.value: length(value_from_ast_untyped(one.default_value))
        for one in operation.variable_definitions or ()
        if one.default_value is not None
    }
    varying = [
        (times, tuple((name, given.get(name, absent)) for name, absent in factors))
        for factors, times in terms.items()
        if factors
    ]
    return Price(terms[ONE], tuple(varying), total.introspects)


class Assessor:
    """Prices the selections of one document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.schema = schema
        definitions = document.definitions
        self.fragments = {one.name.value: one for one in definitions if isinstance(one, FragmentDefinitionNode)}
        self.priced: dict[str, Total] = {}

    def selections(self, parent: Composite, node: SelectionSetNode) -> Total:
        total = Total()
        for selection in node.selections:
            if isinstance(selection, FieldNode):
                self.field(parent, selection, total)
            elif isinstance(selection, FragmentSpreadNode):
                total.add(self.fragment(selection.name.value))
            elif isinstance(selection, InlineFragmentNode):
                total.add(self.selections(self.narrowed(parent, selection), selection.selection_set))
        return total

    def narrowed(self, parent: Composite, node: InlineFragmentNode | FragmentDefinitionNode) -> Composite:
        found = self.schema.get_type(node.type_condition.name.value) if node.type_condition else parent
        return found if isinstance(found, GraphQLObjectType | GraphQLInterfaceType) else None

    def fragment(self, name: str) -> Total:
        if name not in self.priced:
            self.priced[name] = Total()  # where a cycle ends; validation says that it is one
            if name in self.fragments:
                fragment = self.fragments[name]
                self.priced[name] = self.selections(self.narrowed(None, fragment), fragment.selection_set)
        return self.priced[name]

    def field(self, parent: Composite, node: FieldNode, total: Total) -> None:
        name = node.name.value
        total.once[ONE] += 1 + dear(parent, name)
        if name in INTROSPECTION:
            total.introspects |= not is_bare(node)
            return  # as large as the schema, whatever is selected; validation bounds how deep it goes
        definition = parent.fields.get(name) if parent else None
        if definition is None or node.selection_set is None:
            return
        within = self.selections(composite(definition), node.selection_set)
        total.introspects |= within.introspects
        if "first" in definition.args:
            multiply(total.once, within.once)
            multiply(total.once, within.each, *rows(definition, node, "first"))
            return
        within.once.update(within.each)
        if not is_list_type(get_nullable_type(definition.type)):
            multiply(total.once, within.once)
        elif parent and "pageInfo" in parent.fields:
            multiply(total.each, within.once)
        else:
            multiply(total.once, within.once, *rows(definition, node, "ids"))


def is_bare(node: FieldNode) -> bool:
    """Whether it asks `__type` for its name alone: that there is such a type, which validation's errors tell, too.

    Clients probe a server by it, and so do the audits of GraphQL over HTTP.
    """
    asked = node.selection_set.selections if node.selection_set else ()
    names = {one.name.value if isinstance(one, FieldNode) else "" for one in asked}
    return node.name.value == "__type" and names <= {"name", "__typename"}


def multiply(into: Terms, terms: Terms, factors: tuple[Factor, ...] = ONE, times: int = 1) -> None:
    """Adds the terms to others, each so many times."""
    for product, found in terms.items():
        into[tuple(sorted((*product, *factors)))] += found * times


def rows(definition: GraphQLField, node: FieldNode, argument: str) -> tuple[tuple[Factor, ...], int]:
    """How many rows a field leads to: a factor that a request gives, or a number."""
    if argument not in definition.args:
        return ONE, FEWER.get(node.name.value, FEW)
    usual = definition.args[argument].default_value
    absent = usual if isinstance(usual, int) else USUAL_PAGE
    value = next((one.value for one in node.arguments or () if one.name.value == argument), None)
    if isinstance(value, VariableNode):
        return ((value.name.value, absent),), 1
    return ONE, absent if value is None else literal(value)


def literal(value: ValueNode) -> int:
    if isinstance(value, ListValueNode):
        return min(len(value.values), LARGEST_PAGE)
    if isinstance(value, NullValueNode):
        return USUAL_PAGE
    # One of thousands of digits is a ValueError for `int`; three are more than a page has.
    return length(int(value.value)) if isinstance(value, IntValueNode) and len(value.value) < 9 else LARGEST_PAGE


def dear(parent: Composite, name: str) -> int:
    if parent is None:
        return 0
    kind = "Connection" if name == "totalCount" else parent.name
    return DEAR.get(f"{kind}.{name}", 0)


def composite(definition: GraphQLField) -> Composite:
    named = get_named_type(definition.type)
    return named if isinstance(named, GraphQLObjectType | GraphQLInterfaceType) else None
