"""Fields that say where they are read from. What a field says here is all there is to say: the compiler makes one
statement of a whole query from it (compiling.py), and the executor reads by the same, step by step (steps.py)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import strawberry
from sqlalchemy import ColumnElement, Select

from models.errors import Rejected
from schema.context import GraphContext, Info
from schema.errors import refused
from schema.reading.chosen import Chosen, Given
from storage.reading import wire
from storage.reading.reads import Column, Computed, Derived, Listing, Paged, Part, Read, Related
from storage.reading.rows import Eyes, Rows, Source

METADATA: Final = "read"

_OWN: Final = [
    inspect.Parameter("root", inspect.Parameter.POSITIONAL_OR_KEYWORD),
    inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=strawberry.Info),
]

# Makes of a field's arguments what its statement needs; None for what can lead nowhere.
# Raises Rejected for an argument that cannot be.
Prepare = Callable[..., "Given | Chosen | None"]


@dataclass(frozen=True, eq=False)
class Declared:
    """Where a field comes from."""

    read: Read
    prepare: Prepare | None = None

    def chosen(self, context: GraphContext, arguments: Given) -> Chosen | None:
        """Raises: Rejected."""
        if self.prepare is None:
            return Chosen(self.read, arguments)
        made = self.prepare(context, **arguments)
        return made if made is None or isinstance(made, Chosen) else Chosen(self.read, made)


def column(of: str | Callable[[Any], ColumnElement[Any]], description: str) -> Any:
    """A value as the database has it: a column by its name, or an expression."""
    return read(Column(lambda rows, _: of(rows) if callable(of) else getattr(rows, of)), description)


def seen(of: Callable[[Any, Eyes], ColumnElement[Any]], description: str) -> Any:
    """A value that is not the same for everybody: an expression of the row and of who looks at it."""
    return read(Column(of), description)


def derived(statement: Callable[[Any, Eyes], Select[Any]], description: str, *, order: str | None = None) -> Any:
    """What a statement of its own makes of the row: an object, or a list in the order of a column."""
    return read(Derived(statement, order), description)


def global_id(type_name: str, description: str) -> Any:
    """The field `id` of a type whose rows have an integer `id`."""
    return read(Column(lambda rows, _: wire.global_id(type_name, rows.id)), description)


def computed(
    inputs: Callable[[Any, Eyes], Sequence[ColumnElement[Any]]], value: Callable[..., Any], description: str
) -> Any:
    """What `value` makes of the context, the columns and the arguments, which are its keyword-only parameters."""
    taken = [given for given in inspect.signature(value).parameters.values() if given.kind is given.KEYWORD_ONLY]
    return read(Computed(inputs, value), description, arguments=taken, module=value.__module__)


def part(rows: Callable[[Any], Any], present: Callable[[Any], ColumnElement[bool]], description: str) -> Any:
    """Some columns of the same row as an object, or null."""
    return read(Part(rows, present), description)


def one(source: Source, link: Callable[..., ColumnElement[bool]], description: str, *, told: bool = False) -> Any:
    """The row that `link` leads to."""
    return read(Related(source, link, told=told), description)


def many(
    source: Source,
    link: Callable[..., ColumnElement[bool]],
    order: Callable[[Rows], Sequence[ColumnElement[Any]]],
    description: str,
    *,
    told: bool = False,
) -> Any:
    """All rows that `link` leads to."""
    return read(Related(source, link, order, told), description)


def paged(listing: Listing, prepare: Prepare, description: str) -> Any:
    """A connection."""
    return read(Paged(listing), description, prepare)


def read(
    way: Read,
    description: str,
    prepare: Prepare | None = None,
    *,
    arguments: Sequence[inspect.Parameter] = (),
    module: str | None = None,
) -> Any:
    """A field, with what the executor calls for it: its parameters are those of `prepare`, but for the context."""
    declared = Declared(way, prepare)

    async def resolve(root: Any, info: Info, **given: Any) -> Any:
        try:
            chosen = declared.chosen(info.context, given)
            return None if chosen is None else await info.context.steps.take(root, chosen)
        except Rejected as refusal:
            raise refused(info, refusal.problems[0]) from None

    if prepare is not None:
        _, *arguments = inspect.signature(prepare).parameters.values()
        module = prepare.__module__
    resolve.__signature__ = inspect.Signature([*_OWN, *arguments])  # type: ignore[attr-defined]
    resolve.__module__ = module or resolve.__module__
    return strawberry.field(resolver=resolve, description=description, metadata={METADATA: declared})
