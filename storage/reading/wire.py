"""Values as they stand in an answer, made by the database: global ids, cursors, moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Text,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
)
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.types import TypeEngine
from sqlalchemy_utils import LtreeType

from models.base import Path
from models.treepath import TreePath

Key = tuple[int | datetime | TreePath, ...]

EMPTY: Final[ColumnElement[Any]] = literal_column("'[]'::json")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UTF8: Final[ColumnElement[str]] = literal_column("'UTF8'")
_BASE64: Final[ColumnElement[str]] = literal_column("'base64'")
# encode() pads with = and breaks lines after 76 characters.
_PADDING: Final[ColumnElement[str]] = literal_column(r"E'=\n'")
_NOTHING: Final[ColumnElement[str]] = literal_column("''")


def parameter(value: Any, name: str | None = None) -> ColumnElement[Any]:
    """A value within a statement; with a name, the place for one of its kind.

    Raises:
        TypeError: no argument of a field is of that kind.
    """
    match value:
        case int():
            kind: TypeEngine[Any] = BigInteger()
        case str() | TreePath():
            kind = Text()
        case datetime():
            kind = DateTime(timezone=True)
        case [int(), *_]:
            kind = ARRAY(BigInteger)
        case [str(), *_] | []:
            kind = ARRAY(Text)
        case _:
            raise TypeError(type(value))
    sent = plain(value)
    made = literal(sent, kind) if name is None else bindparam(name, type_=kind)
    return cast(made, LtreeType) if isinstance(value, TreePath) else made


def plain(value: Any) -> Any:
    """What the driver is given of a value."""
    return str(value) if isinstance(value, TreePath) else value


def word(text: str | None) -> ColumnElement[str]:
    """A word as itself and not as a parameter: the planner takes a partial index only where it reads the word."""
    return literal_column("null" if text is None else f"'{text}'", Text)


def global_id(type_name: str, key: ColumnElement[Any]) -> ColumnElement[str]:
    """base64url of `Type:key`, without padding: what schema/ids.py reads."""
    # There is one in every row: half as long as the general way takes, for what is ASCII and less than a line.
    text = word(f"{type_name}:").concat(cast(key, Text))
    return func.rtrim(func.encode(cast(text, BYTEA), _BASE64), literal_column("'='"), type_=Text)


def cursor(name: str, order: list[ColumnElement[Any]]) -> ColumnElement[str]:
    """base64url of the listing's name and the row's place in its order: what `key_in` reads."""
    return _opaque(name, [_part(column) for column in order])


def _opaque(name: str, parts: list[ColumnElement[Any]]) -> ColumnElement[str]:
    text: ColumnElement[Any] = word(name)
    for part in parts:
        text = text.op("||")(literal_column("':'")).op("||")(part)
    # Letters, digits, dots and colons: none of their sextets is one for which base64url has other signs.
    return func.translate(func.encode(func.convert_to(text, _UTF8), _BASE64), _PADDING, _NOTHING, type_=Text)


def _part(column: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, DateTime):
        return cast(cast(func.extract("epoch", column) * 1_000_000, BigInteger), Text)
    return cast(column, Text)


def key_in(parts: list[str], order: list[ColumnElement[Any]]) -> Key | None:
    """The key that a cursor's parts spell for this order; None for anything else."""
    if len(parts) != len(order):
        return None
    try:
        return tuple(_read(part, column) for part, column in zip(parts, order, strict=True))
    except (ValueError, OverflowError):
        return None


def _read(part: str, column: ColumnElement[Any]) -> int | datetime | TreePath:
    if isinstance(column.type, Path | LtreeType):
        return TreePath.parse(part)
    number = int(part)
    if str(number) != part or abs(number) >= 2**63:
        raise ValueError("not as this server spells it")
    return _EPOCH + timedelta(microseconds=number) if isinstance(column.type, DateTime) else number


def shown(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column as JSON has it in an answer. Of a moment that is RFC 3339, in the zone of the connection."""
    if isinstance(column.type, Path | LtreeType):
        return cast(column, Text)
    return column
