"""Whether a query is valid: graphql-core's rules, less slowly. They take most of a document's first sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from graphql import ASTValidationRule, DocumentNode, GraphQLSchema, specified_rules, validate
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from graphql.language.visitor import EnterLeaveVisitor

# Those that no document can break but one that breaks another as well: no subscriptions, no @defer and no @stream here.
IDLE: Final = frozenset(
    {
        "DeferStreamDirectiveLabel",
        "DeferStreamDirectiveOnRootField",
        "DeferStreamDirectiveOnValidOperationsRule",
        "SingleFieldSubscriptionsRule",
        "StreamDirectiveOnListField",
    }
)
_NOTHING: Final = EnterLeaveVisitor(None, None)


def is_valid(schema: GraphQLSchema, document: DocumentNode) -> bool:
    return not validate(schema, document, RULES)


def _knowing(rule: type[ASTValidationRule]) -> Callable[[Any], ASTValidationRule]:
    """The rule, told beforehand which kinds of nodes are nothing to it: by itself it looks, anew for each document, for
    methods named after them."""
    idle = {kind: _NOTHING for kind in QUERY_DOCUMENT_KEYS if not _minds(rule, kind)}

    def made(context: Any) -> ASTValidationRule:
        visitor = rule(context)
        visitor.enter_leave_map.update(idle)
        return visitor

    return made


def _minds(rule: type[ASTValidationRule], kind: str) -> bool:
    return any(hasattr(rule, name) for name in (f"enter_{kind}", f"leave_{kind}", "enter", "leave"))


# `validate` calls each with its context, and asks no more of it.
RULES: Final = cast(
    "list[type[ASTValidationRule]]", [_knowing(rule) for rule in specified_rules if rule.__name__ not in IDLE]
)
