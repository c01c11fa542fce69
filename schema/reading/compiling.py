"""From an outline and the arguments of one request to the statement that answers it, and all others of its shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson
from graphql import GraphQLNonNull, get_named_type, is_composite_type

from schema.reading.chosen import Chosen
from schema.reading.outline import Field, Uncompilable
from schema.reading.sites import Site
from storage.reading import wire
from storage.reading.patches import Patch
from storage.reading.prepared import Prepared
from storage.reading.reads import AnyOf, Asked, Computed, Constant
from storage.reading.statement import answering
from storage.scope import BoundEyes
from storage.sign_ins import while_held

Values = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """A statement, and how its row becomes an answer."""

    statement: Prepared | None
    parts: Sequence[_Part]

    def answer(self, asking: Any, row: Sequence[bytes | None]) -> list[bytes]:
        """The `data` of the response, in pieces: each time that they are put together copies all of them.

        Raises:
            Uncompilable: null where none can stand, which the executor words as an error.
        """
        found = iter(row)
        pieces = [b"{"]
        for part in self.parts:
            value = next(found) if part.constant is None else part.constant
            if value is None:
                if part.sure:
                    raise Uncompilable("null")
                value = b"null"
            elif part.patch is not None:
                value = orjson.dumps(part.patch(asking, orjson.loads(value)))
            pieces += part.before, value
        pieces.append(b"}")
        return pieces


@dataclass(frozen=True)
class _Part:
    """A root field: the bytes before its value, whether there must be one, what is left to be done to it; and the
    value itself where it stands in the document."""

    before: bytes
    sure: bool
    patch: Patch | None = None
    constant: bytes | None = None


def shape_of(value: Any) -> Any:
    """What of an argument makes another statement of it: that it is null, true or of an enum, or else its kind."""
    kind = type(value)
    if kind is str or kind is int:  # as nearly all are
        return kind
    if value is None or isinstance(value, bool | Enum):
        return value
    if isinstance(value, tuple):
        return tuple(map(shape_of, value))
    if isinstance(value, list):
        return (list, type(value[0]) if value else str)
    return kind


def shape(chosen: Chosen | None) -> Any:
    """What two requests must have in common, for one field, to be answered by the same statement."""
    if chosen is None:
        return None
    kinds = tuple(dict.fromkeys(chosen.given["kinds"])) if isinstance(chosen.read, AnyOf) else ()
    return chosen.read, kinds, *[(name, shape_of(value)) for name, value in chosen.given.items()]


class Compiler:
    """Compiles one outline for one shape of its arguments."""

    def __init__(self, sites: Sequence[Site], chosen: Sequence[Chosen | None]) -> None:
        self.chosen = dict(zip(sites, chosen, strict=True))
        self.numbers = {site: number for number, site in enumerate(sites)}

    def plan(self, roots: Sequence[Field], eyes: BoundEyes) -> Plan:
        asked = [self.asked(field) for field in roots]
        read = [one for one in asked if not isinstance(one.read, Constant)]
        statement, patches = answering(eyes, read)
        left = iter(patches)
        parts = []
        for number, (field, one) in enumerate(zip(roots, asked, strict=True)):
            before = (b"," if number else b"") + orjson.dumps(field.key) + b":"
            if isinstance(one.read, Constant):
                parts.append(_Part(before, _is_sure(field), constant=orjson.dumps(one.read.word)))
            else:
                parts.append(_Part(before, _is_sure(field), next(left)))
        if eyes.signed_in:
            statement = while_held(statement)
        return Plan(Prepared(statement) if read else None, parts)

    def asked(self, field: Field) -> Asked:
        if field.definition is None:
            return Asked(field.key, Constant(field.attribute))
        if field.declared is None:
            raise Uncompilable("a value that no row has")
        chosen = Chosen(field.declared.read, {})
        number = -1
        if field.site is not None:
            found = self.chosen[field.site]
            if found is None:
                return Asked(field.key, Constant(None))
            chosen, number = found, self.numbers[field.site]
        if isinstance(chosen.read, Computed):
            if any(shape_of(value) is not value for value in chosen.given.values()):
                raise Uncompilable("a computed value that depends on more than the plan's shape")
            return Asked(field.key, chosen.read, finish=_finish(field, chosen.read, chosen.given))
        given = {name: _bound(value, f"a{number}_{name}") for name, value in chosen.given.items()}
        kinds = self.kinds(field, chosen) if isinstance(chosen.read, AnyOf) else {}
        return Asked(field.key, chosen.read, [self.asked(one) for one in field.below], given, kinds)

    def kinds(self, field: Field, chosen: Chosen) -> dict[str, list[Asked]]:
        """What is asked for of each type that the ids say."""
        found = {name: [self.asked(one) for one in field.kinds[name]] for name in chosen.given["kinds"]}
        if not all(found.values()):
            raise Uncompilable("an object without fields")
        return found


def values_of(chosen: Sequence[Chosen | None]) -> Values:
    """The parameters of a request's arguments, by the names that its statement knows them by."""
    values: Values = {}
    for number, one in enumerate(chosen):
        for name, value in one.given.items() if one else ():
            if isinstance(value, tuple):
                values.update({f"a{number}_{name}_{at}": wire.plain(part) for at, part in enumerate(value)})
            else:
                values[f"a{number}_{name}"] = wire.plain(value)
    return values


def _bound(value: Any, name: str) -> Any:
    if value is None or isinstance(value, bool | Enum):
        return value
    if isinstance(value, tuple):
        return tuple(_bound(part, f"{name}_{at}") for at, part in enumerate(value))
    return wire.parameter(value, name)


def _is_sure(field: Field) -> bool:
    return field.definition is None or isinstance(field.definition.type, GraphQLNonNull)


def _finish(field: Field, computed: Computed, given: Mapping[str, Any]) -> Patch:
    """What makes the value of its columns, as the answer shows it."""
    shown = _projection(field)
    sure = _is_sure(field)

    def finish(asking: Any, columns: list[Any]) -> Any:
        value = computed.value(asking, *columns, **given)
        if value is None and sure:
            raise Uncompilable("null")
        return shown(value) if shown else value

    return finish


def _projection(of: Field) -> Callable[[Any], Any] | None:
    """Shows of an object, or of a list of them, what is asked of it; None for a value that is shown whole."""
    if of.definition is None or not is_composite_type(get_named_type(of.definition.type)):
        return None
    inner = [(field, _projection(field)) for field in of.below]

    def project(value: Any) -> Any:
        if isinstance(value, list):
            return [project(one) for one in value]
        return value and {field.key: _attribute(field, value, deeper) for field, deeper in inner}

    return project


def _attribute(field: Field, value: Any, deeper: Callable[[Any], Any] | None) -> Any:
    if field.definition is None:
        return field.attribute
    found = getattr(value, field.attribute)
    return deeper(found) if deeper else found
