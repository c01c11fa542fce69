"""The parameters of a GraphQL request, out of JSON or out of a URL. No other shape gets past here."""

from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

import orjson

from schema.refusals import bad

# orjson stops at 1024 levels; whatever is deeper than this was not made by a form.
DEEPEST: Final = 64
# A megabyte of `[],[],` takes a tenth of a second to look through. Commas in strings count, too.
MOST_VALUES: Final = 50_000
# A double has 17 digits that matter, and the longest number that it is ever written as has 24 characters.
LONGEST_NUMBER: Final = 32
_OF_NUMBERS: Final = b"-+.0123456789eE"
_MARKED: Final = bytes(1 if byte in _OF_NUMBERS else 0 for byte in range(256))
_TOO_LONG: Final = b"\1" * (LONGEST_NUMBER + 1)


class Parameters(NamedTuple):
    """A well-formed request; its document may still not parse, and its variables may still not fit."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None
    # Instead of `query`, which is empty then: schema/trusted.py.
    document_id: str | None = None


def decode(text: bytes | str, name: str) -> object:
    """The JSON value. Invalid UTF-8, lone surrogates, NaN and numbers beyond a double are no JSON here.

    Raises:
        Refused: BAD_REQUEST.
    """
    raw = text if isinstance(text, bytes) else text.encode()
    brackets = raw.count(b"{") + raw.count(b"[")
    if brackets + raw.count(b",") > MOST_VALUES:
        raise bad(f"{name} has more than {MOST_VALUES} values")
    if has_long_number(raw):
        raise bad(f"{name} has a number of more than {LONGEST_NUMBER} characters")
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise bad(f"{name} is not valid JSON in UTF-8") from None
    # Few brackets cannot nest deeply; a document has many, but in a string.
    if brackets > DEEPEST and is_deeper_than(DEEPEST, value):
        raise bad(f"{name} is nested more than {DEEPEST} levels deep")
    return value


def has_long_number(text: bytes) -> bool:
    """Whether a number outside of strings is longer than any that means something."""
    if _TOO_LONG not in text.translate(_MARKED):
        return False
    pieces = text.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')  # every other one is a string
    return _TOO_LONG in b'"'.join(pieces[::2]).translate(_MARKED)


def is_deeper_than(levels: int, value: object) -> bool:
    """Whether lists and objects are nested in each other more than `levels` deep; takes one look at each."""
    level: list[object] = [value]
    for _ in range(levels + 1):
        containers = [node for node in level if isinstance(node, dict | list)]
        if not containers:
            return False
        level = [child for node in containers for child in (node.values() if isinstance(node, dict) else node)]
    return True


def well_formed(operations: object) -> Parameters:
    """The parameters of a decoded JSON body; other keys are reserved, and are ignored.

    Raises:
        Refused: BAD_REQUEST.
    """
    if not isinstance(operations, dict):
        raise bad("a request is one JSON object; batches are not taken")
    query, document_id = operations.get("query"), operations.get("documentId")
    if document_id is not None:
        if not isinstance(document_id, str) or query is not None:
            raise bad("documentId must be a string, and stands instead of query")
        query = ""
    elif not isinstance(query, str) or not query.strip():
        raise bad("query must be a string and hold a document")
    operation_name = operations.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise bad("operationName must be a string or null")
    variables, extensions = operations.get("variables"), operations.get("extensions")
    for name, value in (("variables", variables), ("extensions", extensions)):
        if value is not None and not isinstance(value, dict):
            raise bad(f"{name} must be an object or null")
    return Parameters(query, operation_name, variables, extensions, document_id)


def from_query_string(query_string: bytes) -> Parameters:
    """The parameters of a GET request. An empty one is an absent one.

    Raises:
        Refused: BAD_REQUEST.
    """
    try:
        pairs = parse_qsl(query_string.decode(), errors="strict", max_num_fields=32)
    except ValueError:  # UnicodeDecodeError is one
        raise bad("the query string is not form-encoded UTF-8") from None
    given: dict[str, object] = dict(pairs)
    if len(given) != len(pairs):
        raise bad("a parameter is given twice")
    for name in ("variables", "extensions"):
        if name in given:
            given[name] = decode(str(given[name]), name)
    return well_formed(given)
