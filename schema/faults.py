"""Top-level errors: whose mistake each one is, and what is told of it.

A client's mistake is told in full and not logged. A fault of ours is masked, and logged once with the
request's id, which the client is told.
"""

import logging
import re
from typing import Any, Final

import strawberry
from graphql import FieldNode, GraphQLError, GraphQLFormattedError
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from typing_extensions import override

from models.errors import Unavailable
from schema.refusals import Refusal

log = logging.getLogger(__name__)

# graphql-core appends guesses to messages of a dozen kinds. validate() and execute() take a switch against
# it that Strawberry does not pass on, and its own disable_field_suggestions knows one kind alone.
HINT: Final = re.compile(r" Did you mean (?:[a-z ]+ )?'[^']*'(?:(?:,| or|, or) '[^']*')*\?")


# They also quote what was sent: whole forms, with an ID number or a password in them, which clients log.
QUOTED: Final = (
    (re.compile(r",? found:? .*", re.DOTALL), "."),
    (re.compile(r"(cannot represent [^:]*): .*", re.DOTALL), r"\1."),
    (re.compile(r"Value '.*' does not exist", re.DOTALL), "This value does not exist"),
)


class Schema(strawberry.Schema):
    """A schema that logs nothing by itself: Strawberry writes a traceback for every mistyped field."""

    @override
    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Nothing: `describe` logs what is ours."""


def is_request_error(result: ExecutionResult) -> bool:
    """Whether nothing was executed, so that the answer has no `data` at all.

    Variables that do not fit come back as if executed, with null for data; errors of fields have a path.
    """
    if isinstance(result, PreExecutionError):
        return True
    errors = result.errors or []
    return result.data is None and bool(errors) and all(error.path is None for error in errors)


def classify(result: ExecutionResult) -> list[GraphQLError]:
    """The errors of a result, each with a code among its extensions: INTERNAL unless it is the client's."""
    validated = not isinstance(result, PreExecutionError)
    for error in result.errors or ():
        error.extensions = {**(error.extensions or {}), "code": blame(error, validated=validated)}
    return result.errors or []


def raise_unavailable(result: ExecutionResult) -> None:
    """A query of which a part cannot be had now is not answered in part: asked again, it may be answered whole.

    Raises:
        Unavailable: a field has met it.
    """
    for error in result.errors or ():
        cause = error.original_error
        if isinstance(cause, Unavailable):
            raise cause


def blame(error: GraphQLError, *, validated: bool) -> str:
    """The code of this error: its own if it was raised with one, or that of the step that refused.

    `validated` is whether it got past validation, so that only its values were left to refuse.
    """
    cause = error.original_error
    deliberate = cause is None or isinstance(cause, GraphQLError)
    declared = (error.extensions or {}).get("code")
    if deliberate and declared:
        return str(declared)
    if error.path is None and (deliberate or error.nodes):
        return Refusal.BAD_USER_INPUT if validated else Refusal.GRAPHQL_VALIDATION_FAILED
    if isinstance(cause, StrawberryInputCoercionError) or (deliberate and is_about_a_value(error)):
        return Refusal.BAD_USER_INPUT
    return Refusal.INTERNAL


def is_about_a_value(error: GraphQLError) -> bool:
    """Whether it points at an argument's value; an error raised by a resolver points at its field."""
    return any(not isinstance(node, FieldNode) for node in error.nodes or ())


def describe(error: GraphQLError, *, masked: str, request_id: str) -> GraphQLFormattedError:
    """What the client is told of a classified error; a fault is told as `masked`, and logged."""
    told = error.formatted
    extensions = error.extensions or {}
    if extensions.get("code", Refusal.INTERNAL) == Refusal.INTERNAL:
        log.error("request %s failed at %s", request_id, error.path, exc_info=error.original_error or error)
        told["message"] = masked
        told["extensions"] = {"code": Refusal.INTERNAL, "requestId": request_id}
    else:
        told["message"] = without_what_was_sent(HINT.sub("", error.message))
    return told


def without_what_was_sent(message: str) -> str:
    """The message of graphql-core without the value that it quotes."""
    for quoted, instead in QUOTED:
        message = quoted.sub(instead, message)
    return message
