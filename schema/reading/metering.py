"""What of a document is limited in how often it may be asked: cards by their codes, and searches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import orjson
from graphql import DocumentNode, FieldNode, Node, NullValueNode, VariableNode

# Fields by the argument that makes them cost.
CARD: Final = ("invite", "code")
SEARCHES: Final = frozenset({("unionDirectory", "search"), ("descendants", "search")})


@dataclass(frozen=True)
class Meter:
    """A document's cards by the names they have in its answer, and its searches by the variables they depend on."""

    cards: tuple[str, ...]
    searches: tuple[str | None, ...]

    def searching(self, variables: Mapping[str, Any] | None) -> int:
        given = variables or {}
        return sum(name is None or given.get(name) is not None for name in self.searches)

    def misses(self, data: Mapping[str, Any] | None) -> int:
        """How many codes led nowhere."""
        return sum(name in data and data[name] is None for name in self.cards) if data else 0

    def misses_in(self, answer: bytes) -> int:
        """The same of an answer that is written already."""
        for null in self._nulls:
            if null in answer:
                return self.misses(orjson.loads(answer))
        return 0

    @cached_property
    def _nulls(self) -> list[bytes]:
        """What stands in the answer where one of the cards is missing, and hardly ever elsewhere."""
        return [b'"%b":null' % name.encode() for name in self.cards]


def meter_of(document: DocumentNode) -> Meter | None:
    """None for a document that costs nothing."""
    cards: list[str] = []
    searches: list[str | None] = []
    for node in _fields(document.definitions):
        for argument in node.arguments or ():
            key = (node.name.value, argument.name.value)
            if key == CARD:
                cards.append(node.alias.value if node.alias else node.name.value)
            elif key in SEARCHES and not isinstance(argument.value, NullValueNode):
                searches.append(argument.value.name.value if isinstance(argument.value, VariableNode) else None)
    return Meter(tuple(cards), tuple(searches)) if cards or searches else None


def _fields(nodes: Iterable[Node]) -> Iterator[FieldNode]:
    """Every field that is written anywhere in them. A document's depth has been bounded before."""
    for node in nodes:
        if isinstance(node, FieldNode):
            yield node
        below = getattr(node, "selection_set", None)
        if below is not None:
            yield from _fields(below.selections)
