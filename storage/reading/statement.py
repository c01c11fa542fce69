"""One statement for a whole query: a column for each of its root fields, each of them JSON that is ready to be sent.

An object is `row_to_json` of a subquery, a list `json_agg` of one, and in every one of them the viewer's scope is a
condition. What SQL should not do stands in the JSON as the columns that it is made of; a patch says where.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    column,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from storage.reading import wire
from storage.reading.pages import Window, connection
from storage.reading.patches import Patch, of_kinds, of_list, of_object
from storage.reading.reads import (
    AnyOf,
    Arguments,
    Asked,
    Column,
    Computed,
    Constant,
    Derived,
    Each,
    Listing,
    Paged,
    Part,
    Related,
    Through,
)
from storage.reading.rows import Eyes, Rows, one_statement

Shown = tuple[ColumnElement[Any], Patch | None]


def answering(eyes: Eyes, roots: Sequence[Asked]) -> tuple[Select[Any], list[Patch | None]]:
    """The statement that answers these root fields, with what is left to be done to each of its columns."""
    with one_statement():
        shown = [Builder(eyes, ()).value(asked, eyes) for asked in roots]
    columns = [expression.label(f"c{number}") for number, (expression, _) in enumerate(shown)]
    return select(*columns), [patch for _, patch in shown]


class Builder:
    """Makes the expressions of one level; `outer` is what a subquery at this level may refer to."""

    def __init__(self, eyes: Eyes, outer: tuple[Rows, ...]) -> None:
        self.eyes = eyes
        self.outer = outer

    def inside(self, *rows: Rows) -> Builder:
        return Builder(self.eyes, (*self.outer, *rows))

    def value(self, asked: Asked, rows: Any) -> Shown:
        """What one field shows of these rows."""
        match asked.read:
            case Constant(word):
                return wire.word(word), None
            case Column(expression):
                return wire.shown(expression(rows, self.eyes)), None
            case Computed(inputs, _):
                return func.json_build_array(*map(wire.shown, inputs(rows, self.eyes))), asked.finish
        return self.object(asked, rows)

    def object(self, asked: Asked, rows: Any) -> Shown:
        """An object, or a list or a page of them."""
        match asked.read:
            case Part(of, present):
                columns, patch = self.columns(asked.below, of(rows))
                return case((present(rows), self.row(select(*columns)))), patch
            case Related() as related:
                return self.related(asked, related, rows)
            case Derived() as derived:
                return self.derived(asked, derived, rows)
            case Each() as each:
                return self.each(asked, each, rows)
        return self.found(asked, rows)

    def found(self, asked: Asked, rows: Any) -> Shown:
        """What the arguments of a field lead to."""
        match asked.read:
            case Paged(listing):
                return self.page(asked, listing, rows, asked.given)
            case Through() as through:
                return self.through(asked, through)
        assert isinstance(asked.read, AnyOf)
        return self.any_of(asked, asked.read)

    def columns(self, below: Sequence[Asked], rows: Any) -> tuple[list[Any], Patch | None]:
        """The fields of an object, as the columns of a subquery."""
        columns, patches = [], {}
        for asked in below:
            expression, patch = self.value(asked, rows)
            columns.append(expression.label(asked.key))
            if patch is not None:
                patches[asked.key] = patch
        # Where @include leaves out every field of an object, SQLAlchemy demands a column, and PostgreSQL none.
        return columns or [literal_column("")], of_object(patches)

    def related(self, asked: Asked, related: Related, parent: Any) -> Shown:
        rows = related.source.fresh()
        conditions = related.conditions(parent, rows, self.eyes, asked.given)
        columns, patch = self.inside(rows).columns(asked.below, rows)
        found = select(*columns).select_from(rows.joined).where(*conditions)
        if related.order is None:
            return self.row(found), patch
        return self.list(found.order_by(*related.order(rows))), of_list(patch)

    def derived(self, asked: Asked, derived: Derived, rows: Any) -> Shown:
        made = Rows(self.correlated(derived.statement(rows, self.eyes)).subquery())
        columns, patch = self.inside(made).columns(asked.below, made)
        found = select(*columns).select_from(made.main)
        if derived.order is None:
            return self.row(found), patch
        return self.list(found.order_by(getattr(made, derived.order))), of_list(patch)

    def each(self, asked: Asked, each: Each, rows: Any) -> Shown:
        made = Rows(self.correlated(each.derived.statement(rows, self.eyes)).subquery())
        one = each.related.source.fresh()
        conditions = each.related.conditions(made, one, self.eyes, {})
        columns, patch = self.inside(made, one).columns(asked.below, one)
        found = select(*columns).select_from(made.main.join(one.joined, and_(*conditions)))
        return self.list(found.order_by(getattr(made, each.derived.order or ""))), of_list(patch)

    def any_of(self, asked: Asked, any_of: AnyOf) -> Shown:
        """Each row looked for where the type of its id says, in the order asked."""
        if not asked.kinds:
            return wire.EMPTY, None
        wanted = (
            func.unnest(asked.given["kinds"], asked.given["keys"])
            .table_valued(column("kind", Text), column("key", BigInteger), with_ordinality="place")
            .render_derived("wanted")
        )
        within, branches, patches = self.inside(Rows(wanted)), [], {}
        for kind, below in asked.kinds.items():
            by_key = Related(any_of.sources[kind], lambda known, rows: rows.id == known.key)
            expression, patches[kind] = within.related(Asked(kind, by_key, below), by_key, Rows(wanted))
            branches.append((wanted.c.kind == wire.word(kind), expression))
        one: ColumnElement[Any] = case(*branches)
        patch = None
        if any(patches.values()):
            one, patch = func.json_build_array(wanted.c.kind, one), of_kinds(patches)
        if any_of.many:
            listed = func.json_agg(aggregate_order_by(one, wanted.c.place))
            return select(func.coalesce(listed, wire.EMPTY)).select_from(wanted).scalar_subquery(), of_list(patch)
        return select(one).select_from(wanted).scalar_subquery(), patch

    def through(self, asked: Asked, through: Through) -> Shown:
        given = dict(asked.given)
        rows = through.related.source.fresh()
        conditions = through.related.conditions(self.eyes, rows, self.eyes, {through.by: given.pop(through.by)})
        page, patch = self.inside(rows).page(asked, through.listing, rows, given)
        return self.scalar(select(page).select_from(rows.joined).where(*conditions)), patch

    def page(self, asked: Asked, listing: Listing, parent: Any, given: Arguments) -> Shown:
        return connection(self, asked.below, Window(listing, parent, given, self.eyes))

    def row(self, found: Select[Any]) -> ColumnElement[Any]:
        """One row as an object."""
        rows = self.correlated(found).subquery()
        return select(func.row_to_json(rows.table_valued())).scalar_subquery()

    def list(self, found: Select[Any]) -> ColumnElement[Any]:
        """Rows as a list of objects."""
        rows = self.correlated(found).subquery()
        return select(func.coalesce(func.json_agg(rows.table_valued()), wire.EMPTY)).scalar_subquery()

    def scalar(self, found: Select[Any]) -> ColumnElement[Any]:
        return self.correlated(found).scalar_subquery()

    def correlated(self, found: Select[Any]) -> Select[Any]:
        """With leave to refer to everything outside. (By itself SQLAlchemy selects those tables again.)"""
        return found.correlate(*(table for rows in self.outer for table in rows.tables))
