"""疑似重复: unions in reach that state what a registration states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Float,
    Select,
    Text,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause

from models.duplicates import MOST, SIMILAR, Likeness
from models.kinds import UnionStatus
from models.region import Region
from models.union import TradeUnion
from storage import scope, search
from storage.reading import wire
from storage.reading.rows import Eyes, Rows
from storage.sources import RegistrationRows

# Names are compared that have its first two letters, or three in a row of its first five: a company's own name comes
# first, its trade and form after. Of those in one division with the same piece, at most COMPARED.
PIECES: Final = 3
COMPARED: Final = 100

# The union that is compared.
_other: Final = aliased(TradeUnion, name="other")

# Spelled out and no parameter: the planner takes a partial index only where it reads the index's condition.
ACTIVE: Final = wire.word(UnionStatus.ACTIVE)


def statement(of: RegistrationRows, eyes: Eyes) -> Select[Any]:
    """Of a registration: each `union_id` with its `reasons`, and its `place`, from 1 for the likeliest."""
    form = of.current
    name = _name(form)
    candidate = _candidates(form, eyes, name).lateral("candidate")
    likeness = _likeness(form, name)
    same = _same(form, likeness.c.share)
    reasons = func.array_remove(
        array([case((is_it, wire.word(reason))) for reason, is_it in same.items()]),
        literal_column("null"),
        type_=ARRAY(Text),
    )
    strongest = case(*((is_it, rank) for rank, is_it in enumerate(same.values())))
    place = func.row_number().over(order_by=[strongest, likeness.c.share.desc(), _other.id])
    return (
        select(_other.id.label("union_id"), reasons.label("reasons"), place.label("place"))
        .select_from(name)
        .join(candidate, true())
        .join(_other, _other.id == candidate.c.id)
        .join(likeness, true())
        # The union that came of the registration itself is not its duplicate.
        .where(or_(*same.values()), _other.id.is_distinct_from(of.union_id))
        .order_by(place)
        .limit(literal_column(str(MOST)))
    )


def _name(form: Rows) -> LateralFromClause:
    """What tells the round's name from others in its division: `pairs` of letters, without the `places` in it."""
    code = form.region_code
    around = [code, func.left(code, 4).concat("00"), func.left(code, 2).concat("0000")]
    divisions = select(Region.name).where(Region.code.in_(around)).correlate(form.main).scalar_subquery()
    places = select(func.place_words(func.array(divisions)).label("words")).correlate(form.main).lateral("places")
    pairs = func.distinctive_pairs(func.folded(form.name), places.c.words, type_=ARRAY(Text))
    # OFFSET 0: to be worked out once, not wherever it is used.
    return select(places.c.words, pairs.label("pairs")).offset(0).correlate(form.main).lateral("name")


def _likeness(form: Rows, name: LateralFromClause) -> LateralFromClause:
    """The share of `pairs` that two names in one division have in common."""
    pairs = func.distinctive_pairs(_other.name_key, name.c.words)
    share = case(
        (_other.region_code == form.region_code, func.set_similarity(name.c.pairs, pairs, type_=Float)), else_=0
    )
    return select(share.label("share")).offset(0).correlate(form.main, _other, name).lateral("likeness")


def _same(form: Rows, share: ColumnElement[float]) -> dict[Likeness, ColumnElement[bool]]:
    employer = and_(_other.region_code == form.region_code, _other.employer_name == form.employer_name)
    return {
        Likeness.SAME_USCC: _other.uscc == form.uscc,
        Likeness.SAME_LEGAL_PERSON: _other.id_number_index == form.id_number_index,
        Likeness.SAME_EMPLOYER: or_(_other.employer_uscc == form.employer_uscc, employer),
        Likeness.SIMILAR_NAME: share >= SIMILAR,
    }


def _candidates(form: Rows, eyes: Eyes, name: LateralFromClause) -> CompoundSelect[int]:
    """Each lookup by an index of its own, so that many of one do not crowd out another."""
    in_region = TradeUnion.region_code == form.region_code
    exact = [
        TradeUnion.uscc == form.uscc,
        TradeUnion.id_number_index == form.id_number_index,
        TradeUnion.employer_uscc == form.employer_uscc,
        and_(in_region, TradeUnion.employer_name == form.employer_name),
    ]
    lookups = [_seen(eyes, one, beside=[form.main]).limit(literal_column(str(MOST))).subquery() for one in exact]
    last = func.least(func.cardinality(name.c.pairs) - 1, PIECES)
    number = select(func.generate_series(0, last).label("of")).correlate(name).lateral("number")
    # Of the letters abcd: ab; ab and bc; bc and cd.
    pairs = (name.c.pairs[func.greatest(number.c.of, 1)], name.c.pairs[number.c.of + 1])
    piece = search.keys(TradeUnion).contains(array([func.concat("at:", form.region_code), *pairs]))
    alike = _seen(eyes, piece, beside=[form.main, name, number]).limit(literal_column(str(COMPARED))).lateral("alike")
    return union(*(select(one.c.id) for one in lookups), select(alike.c.id).select_from(number).join(alike, true()))


def _seen(eyes: Eyes, lookup: ColumnElement[bool], *, beside: Sequence[Any]) -> Select[int]:
    """Active unions in the viewer's reach that a lookup finds beside other rows of the statement.

    OFFSET 0: the lookup first, the reach after. Left to itself the planner may walk through all that is in reach,
    where it makes one plan for every viewer and every value.
    """
    named = select(TradeUnion.id, TradeUnion.path).where(TradeUnion.status == ACTIVE, lookup).offset(0)
    one = named.correlate(*beside).subquery().c
    return select(one.id).where(scope.unions(eyes, one)).correlate(*beside)
