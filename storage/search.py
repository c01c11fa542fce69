"""Finding unions by pieces of their names, past and present, and by how their credit codes start.

One index (ix_trade_union_search) knows each union's letters, pairs of letters and marks, and the unions above it.
So however large the tree is, two letters below a city are the intersection of two lists. What a search finds is
bounded: a term that thousands have is ranked among CANDIDATES of them, not among all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.sql.functions import Function

from models.kinds import UnionKind, UnionStatus
from models.search import Search
from models.treepath import MAX_DEPTH
from storage import scope
from storage.reading import wire
from storage.reading.reads import Arguments
from storage.reading.rows import Rows
from storage.sources import UNION

# So many of those with exactly that name, of the higher-level ones, of all, and of those whose code starts so.
CANDIDATES: Final = 1000
# For what is in nearly every name: so many unions are looked at, in the order of the tree.
LOOKED_AT: Final = 5000

# Between former names where they are looked through: no name and no search holds it.
_GAP: Final = "\x1f"


@dataclass(frozen=True)
class Ground:
    """Where is looked: below a union, or everywhere; at unions that have all these marks, and one of the levels."""

    below: Rows | None = None
    marks: tuple[ColumnElement[str], ...] = ()
    levels: ColumnElement[Any] | None = None
    active: bool = False

    def having(self, union: Rows, *more: Any) -> list[ColumnElement[bool]]:
        """On this ground, and with these keys as well (arrays of them): conditions that the index answers in one go."""
        conditions: list[ColumnElement[bool]] = []
        wanted: Any = None
        for some in [*more, *([array(self.marks)] if self.marks else [])]:
            as_text = cast(some, ARRAY(Text))
            wanted = as_text if wanted is None else func.array_cat(wanted, as_text, type_=ARRAY(Text))
        if wanted is not None:
            conditions.append(keys(union).contains(wanted))
        if self.levels is not None:
            conditions.append(keys(union).overlap(self.levels))
        if self.below is not None:
            conditions.append(scope.strictly_below(union, self.below))
        if self.active:
            conditions.append(union.status == UnionStatus.ACTIVE)
        return conditions


def arguments_of(search: Search) -> dict[str, Any]:
    """A search as the arguments of a listing."""
    return {
        "stamp": search.stamp,
        "term": search.term,
        "pieces": list(search.pieces) or None,
        "code": search.code,
        "code_key": search.code_key,
        "common": search.is_common,
    }


def below(above: Rows, kind: UnionKind | None, max_depth: Any) -> Ground:
    """Everything below a union: of one kind, and at most `max_depth` levels down, where these are given."""
    marks = () if kind is None else (_kind(kind),)
    if max_depth is None:
        return Ground(above, marks)
    # A child of a root has the level 2: levels count from 1.
    level = func.nlevel(above.path)
    deepest = func.least(level + max_depth, literal_column(str(MAX_DEPTH + 1)))
    levels = func.generate_series(level + literal_column("1"), deepest).table_valued("level").render_derived()
    named = select(wire.word("level:").concat(cast(levels.c.level, Text)))
    return Ground(above, marks, func.array(named.correlate_except(levels).scalar_subquery(), type_=ARRAY(Text)))


def parents(region: Any) -> Ground:
    """Active higher-level unions, wherever they are; in a division and those inside it, where one is given.

    `region` is the digits of a division that those of all divisions inside it begin with.
    """
    marks = [_kind(UnionKind.HIGHER_LEVEL)]
    if region is not None:
        marks.append(wire.word("at:").concat(region))
    return Ground(None, tuple(marks), active=True)


def keys(union: Any) -> Function[Any]:
    """What the index holds of a union: letters and pairs of letters of its names, and marks."""
    level = func.nlevel(union.path)
    columns = (union.name_key, union.former_names, union.uscc, union.kind, union.region_code)
    return func.union_search_keys(*columns, level, type_=ARRAY(Text))


def found(union: Rows, where: Ground, search: Arguments) -> ColumnElement[bool]:
    """Whether a union is among the candidates: all that match where they are few, else some of them, by `rank`.

    Each way to match is bounded on its own, so that many of one do not crowd out another, and which ones are
    taken does not depend on the page that is asked for.
    """
    most: ColumnElement[int] = literal_column(str(CANDIDATES))
    candidates = union_all(*(way.limit(most) for way in _ways(search, where))).subquery("candidates")
    return union.id.in_(select(candidates.c.id))


def rank(union: Rows, search: Arguments) -> list[ColumnElement[Any]]:
    """The best match first: that very name or code; what starts with it; what has it inside; a former name.

    Among equals the shorter name, of which the term is the larger part; then whichever is older. Before all that comes
    the search's stamp, the same for every union, so that a cursor says whose it is.
    """
    term, code = search["term"], search["code"]
    same: ColumnElement[bool] = union.name_key == term
    start: ColumnElement[bool] = func.starts_with(union.name_key, term)
    if code is not None:
        same, start = or_(same, union.uscc == code), or_(start, func.starts_with(union.uscc, code))
    tier = case((same, 0), (start, 1), (func.strpos(union.name_key, term) > 0, 2), else_=3)
    # As bigint: a made-up cursor may hold any number.
    return [
        cast(search["stamp"], BigInteger),
        cast(tier, BigInteger),
        cast(func.char_length(union.name_key), BigInteger),
        union.id,
    ]


def _ways(search: Arguments, where: Ground) -> Iterator[Select[Any]]:
    """Statements that give ids of unions that match, each by an index."""
    higher = array([_kind(UnionKind.HIGHER_LEVEL)])
    union = UNION.fresh()
    yield _ids(union, where, [union.name_key == search["term"]])
    if search["pieces"] is not None:
        # Of what too many have, one looks for the federation rather than for a factory.
        if not where.marks:
            yield _ids(union, where, [_named(search, union)], search["pieces"], higher)
        yield _ids(union, where, [_named(search, union)], search["pieces"])
    if search["code_key"] is not None:
        yield _ids(union, where, [func.starts_with(union.uscc, search["code"])], array([search["code_key"]]))
    if search["common"]:
        nearby = Rows(_nearby(where).subquery("nearby"))
        coded = false() if search["code"] is None else func.starts_with(nearby.uscc, search["code"])
        yield select(nearby.id).where(or_(_named(search, nearby), coded))


def _ids(union: Rows, where: Ground, conditions: Sequence[ColumnElement[bool]], *more: Any) -> Select[Any]:
    return select(union.id).where(*conditions, *where.having(union, *more)).correlate_except(union.main)


def _nearby(where: Ground) -> Select[Any]:
    """The first unions of the ground: by what marks they have, or else in the order of the tree."""
    union = UNION.fresh()
    first = select(*union.main.c).limit(literal_column(str(LOOKED_AT))).correlate_except(union.main)
    if where.below is None or where.marks or where.levels is not None:
        return first.where(*where.having(union))
    inside = scope.within(union.path, where.below.path)
    return first.where(inside, union.id != where.below.id).order_by(union.path)


def _named(search: Arguments, union: Rows) -> ColumnElement[bool]:
    """Whether a name has the term, now or before: its pieces can stand apart, and common ones are not asked for."""
    former = func.folded(func.array_to_string(union.former_names, wire.word(_GAP)))
    renamed = and_(func.cardinality(union.former_names) > 0, func.strpos(former, search["term"]) > 0)
    return or_(func.strpos(union.name_key, search["term"]) > 0, renamed)


def _kind(kind: UnionKind) -> ColumnElement[str]:
    return wire.word(f"kind:{kind}")
