"""Phone numbers as they are shown, by the database: the SQL twin of models/identifiers.py."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, case, func, literal_column

from models.identifiers import SHORT_PHONE


def shown(phone: ColumnElement[Any]) -> ColumnElement[str]:
    """`identifiers.show_phone` of an E.164 number."""
    national = func.substr(phone, literal_column("4"), type_=Text)
    return case(
        (~_starts(phone, "+86"), phone),
        (_is_mobile(phone) | (func.length(phone) < literal_column("12")), national),
        else_=literal_column("'0'", Text).concat(national),
    )


def _is_mobile(phone: ColumnElement[Any]) -> ColumnElement[bool]:
    # By no pattern, which takes PostgreSQL longer than reading the row does.
    return _starts(phone, "+861") & (func.length(phone) == literal_column("14"))


def _starts(phone: ColumnElement[Any], mark: str) -> ColumnElement[bool]:
    return func.starts_with(phone, literal_column(f"'{mark}'"), type_=Boolean)


def masked(phone: ColumnElement[Any]) -> ColumnElement[str]:
    """`identifiers.mask_phone` of an E.164 number."""
    number = shown(phone)
    stars = func.greatest(func.length(number) - literal_column("7"), literal_column("4"))
    long = _around(number, 3, stars, 4)
    short = _around(number, 1, func.length(number) - literal_column("2"), 1)
    is_short = func.length(number) < literal_column(str(SHORT_PHONE))
    # First what nearly all of them are; the others' number is worked out again for each part of it.
    mobile: tuple[ColumnElement[Any], ...] = (
        func.substr(phone, literal_column("4"), literal_column("3")),
        literal_column("'****'"),
    )
    return case(
        (_is_mobile(phone), func.concat(*mobile, func.right(phone, literal_column("4")), type_=Text)),
        (is_short, short),
        else_=long,
    )


def _around(number: ColumnElement[Any], first: int, stars: ColumnElement[Any], last: int) -> ColumnElement[str]:
    kept = func.left(number, literal_column(str(first))), func.right(number, literal_column(str(last)))
    return func.concat(kept[0], func.repeat(literal_column("'*'"), stars), kept[1], type_=Text)
