"""Documents made up from the schema: any field with any arguments, nested, renamed, in fragments, switched off."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_required_argument,
)

DEEPEST: Final = 6
# What a document may have at most is another test's matter; this keeps within it, and answers small.
MOST_FIELDS: Final = 60


@dataclass
class Document:
    """One that is valid, with what its variables are."""

    text: str
    variables: dict[str, Any]


@dataclass
class Writer:
    """Writes one document. `pool` has values for arguments, by their names."""

    schema: GraphQLSchema
    pool: Mapping[str, Sequence[Any]]
    random: Random
    definitions: list[str] = field(default_factory=list)
    fragments: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    fields: int = 0

    def document(self) -> Document:
        query = self.schema.query_type
        assert query is not None
        selection = self.selection(query, 0)
        given = f"({', '.join(self.definitions)})" if self.definitions else ""
        return Document(" ".join([f"query Q{given} {selection}", *self.fragments]), self.variables)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def selection(self, kind: GraphQLObjectType | GraphQLInterfaceType, depth: int) -> str:
        """A selection set of this type, with at least one field."""
        names = [name for name, one in kind.fields.items() if depth < DEEPEST or not is_nested(one)]
        chosen = self.random.sample(names, min(len(names), self.random.randint(1, 2 if depth == 0 else 5)))
        parts = [self.one(kind, name, depth) for name in chosen]
        if depth and self.chance(0.15):
            parts.append("__typename")
        if isinstance(kind, GraphQLInterfaceType):
            several = self.random.sample(list(self.schema.get_implementations(kind).objects), 3)
            parts += [f"... on {known.name} {self.selection(known, depth)}" for known in several]
        elif depth and self.chance(0.2):
            parts.append(self.fragment(kind, depth))
        return f"{{ {' '.join(parts)} }}"

    def fragment(self, kind: GraphQLObjectType, depth: int) -> str:
        inside = self.selection(kind, max(depth, DEEPEST - 1))
        if self.chance(0.5):
            return f"...{self.random.choice(['', f' on {kind.name}'])}{self.switch()} {inside}"
        name = f"F{len(self.fragments)}"
        self.fragments.append(f"fragment {name} on {kind.name} {inside}")
        return f"...{name}{self.switch()}"

    def one(self, kind: GraphQLObjectType | GraphQLInterfaceType, name: str, depth: int) -> str:
        definition = kind.fields[name]
        self.fields += 1
        # Every field with arguments has a name of its own: two of one name could not be merged.
        alias = f"{name}{self.fields}: " if definition.args or self.chance(0.2) else ""
        text = f"{alias}{name}{self.arguments(definition)}{self.switch()}"
        returned = get_named_type(definition.type)
        if isinstance(returned, GraphQLObjectType | GraphQLInterfaceType):
            text += " " + self.selection(returned, depth + 1 if self.fields < MOST_FIELDS else DEEPEST)
        return text

    def switch(self) -> str:
        if not self.chance(0.1):
            return ""
        directive = self.random.choice(["include", "skip"])
        if self.chance(0.5):
            return f" @{directive}(if: {self.random.choice(['true', 'false'])})"
        return f" @{directive}(if: {self.variable('Boolean!', self.chance(0.5))})"

    def arguments(self, definition: GraphQLField) -> str:
        given = []
        for name, argument in definition.args.items():
            if is_required_argument(argument) or self.chance(0.4):
                given.append(f"{name}: {self.value(name, argument)}")
        return f"({', '.join(given)})" if given else ""

    def value(self, name: str, argument: GraphQLArgument) -> str:
        kind = get_named_type(argument.type)
        values = list(kind.values) if isinstance(kind, GraphQLEnumType) else self.pool[name]
        chosen = self.random.choice(list(values))
        if name == "ids":
            chosen = self.random.choices(self.pool["id"], k=self.random.randint(0, 5))
        if not isinstance(argument.type, GraphQLNonNull) and self.chance(0.1):
            chosen = None
        if self.chance(0.5):
            return self.variable(str(argument.type), chosen)
        return chosen if isinstance(kind, GraphQLEnumType) and chosen else json.dumps(chosen)

    def variable(self, kind: str, value: Any) -> str:
        name = f"v{len(self.definitions)}"
        self.definitions.append(f"${name}: {kind}")
        self.variables[name] = value
        return f"${name}"


def is_nested(definition: GraphQLField) -> bool:
    return is_composite_type(get_named_type(definition.type))
