"""The scalars of the contract beside GraphQL's own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from models.treepath import TreePath

Moment = NewType("Moment", datetime)
Place = NewType("Place", TreePath)


def _show_moment(value: datetime) -> str:
    """As PostgreSQL writes it into JSON: with as many digits of a second as it has."""
    local = value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return local.rstrip("0").rstrip(".") + "+00:00"


def _read_moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) and "T" in value.upper() else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):  # no such day, or one before or after all years in UTC
        pass
    raise GraphQLError("DateTime is RFC 3339 with an offset, such as 2026-05-01T09:30:00+08:00.")


def _read_place(value: Any) -> TreePath:
    try:
        return TreePath.parse(value if isinstance(value, str) else "")
    except ValueError:
        raise GraphQLError("TreePath is the labels from the root down, joined by dots, such as 1.2f.9k.") from None


SCALARS: Final[dict[object, ScalarDefinition]] = {
    Moment: strawberry.scalar(
        name="DateTime",
        description="时间: a point in time, RFC 3339 with an offset. Answered in UTC: `2026-05-01T01:30:00.25+00:00`.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=_show_moment,
        parse_value=_read_moment,
    ),
    Place: strawberry.scalar(
        name="TreePath",
        description="路径: a place in the tree as ltree text: labels from the root down, such as `1.2f.9k`.",
        serialize=str,
        parse_value=_read_place,
    ),
}
