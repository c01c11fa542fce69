"""The schema is its own documentation: nothing in it is without its words, nothing in it is left over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_specified_scalar_type,
)

from models.errors import Doubt
from schema.build import build_schema

SDL: Final = Path(__file__).parent.parent / "schema" / "schema.graphql"
SERVED: Final = build_schema()
SCHEMA: Final[GraphQLSchema] = SERVED._schema
TYPES: Final = [
    kind
    for name, kind in sorted(SCHEMA.type_map.items())
    if not name.startswith("__") and not is_specified_scalar_type(kind)
]


def _parts(kind: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    """The type and everything named in it, each with its description."""
    yield kind.name, kind.description
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        for name, field in kind.fields.items():
            yield f"{kind.name}.{name}", field.description
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in kind.fields.items():
            for argument, what in field.args.items():
                yield f"{kind.name}.{name}({argument}:)", what.description
    if isinstance(kind, GraphQLEnumType):
        for name, value in kind.values.items():
            yield f"{kind.name}.{name}", value.description


DESCRIBED: Final = {name: words for kind in TYPES for name, words in _parts(kind)}


def test_the_committed_schema_is_what_is_served() -> None:
    assert SDL.read_text(encoding="utf-8") == SERVED.as_str() + "\n", (
        "Every change of the API is a difference to read: run `make schema` and commit it."
    )


def test_everything_is_described() -> None:
    assert len(DESCRIBED) > 300
    assert [name for name, words in DESCRIBED.items() if not (words or "").strip()] == []


def test_nothing_is_left_over() -> None:
    used: set[GraphQLNamedType | None] = {SCHEMA.query_type, SCHEMA.mutation_type}
    for kind in TYPES:
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            used |= {get_named_type(field.type) for field in kind.fields.values()}
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            used |= {get_named_type(what.type) for field in kind.fields.values() for what in field.args.values()}
            used |= {kind for interface in kind.interfaces if interface in used}
    assert [kind.name for kind in TYPES if kind not in used] == [], "No field leads to these types."


def test_a_name_in_a_description_exists() -> None:
    """`QUOTED` words that are spelled like an enum's value or a field are one."""
    known = {re.split(r"[.(]", part)[-1].rstrip(":)") for part in DESCRIBED} | {*Doubt}
    unknown = {
        name: quoted
        for name, words in DESCRIBED.items()
        for quoted in re.findall(r"`([A-Z]{2,}[A-Z_]*|[a-z]+[A-Z]\w*)`", words or "")
        if quoted not in known
    }
    assert unknown == {}, "The description speaks of something that the schema does not have."
