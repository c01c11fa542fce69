"""What is asked for: one operation of a document, read, chosen and priced once for all requests for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

from graphql import DocumentNode, OperationDefinitionNode
from strawberry import Schema

from schema.costs import price
from schema.limits import Limits, chosen_operation, is_kept, read_document

# A client has some dozens of documents. A full-sized one takes half a megabyte.
KEPT: Final = 128


class Asked:
    """One operation, which need not be valid."""

    def __init__(self, schema: Schema, document: DocumentNode, node: OperationDefinitionNode) -> None:
        self.schema = schema
        self.document = document
        self.node = node
        self.price = price(schema._schema, document, node)  # noqa: SLF001 - Strawberry has no other way to it


A = TypeVar("A", bound=Asked)


def finding(kind: type[A], schema: Schema, limits: Limits) -> Callable[[str, str | None], A]:
    """Finds operations by their document and their name, the same object for the same ones; as `is_kept` says."""

    def found(text: str, name: str | None) -> A:
        """Raises: GraphQLError, as read_document and chosen_operation."""
        document = read_document(text, limits)
        return kind(schema, document, chosen_operation(document, name))

    kept = lru_cache(KEPT)(found)
    return lambda text, name: (kept if is_kept(text) else found)(text, name)
