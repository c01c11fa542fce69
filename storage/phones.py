"""Phone numbers as they are shown, by the database: the SQL twin of models/identifiers.py."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, case, func, literal_column

from models.identifiers import SHORT_PHONE


def shown(phone: ColumnElement[Any]) -> ColumnElement[str]:
    """`identifiers.show_phone` of an E.164 number."""
    national = func.substr(phone, literal_column("4"), type_=Text)
    as_it_is = (phone.bool_op("~")(literal_column(r"'^\+861\d{10}$'"))) | (func.length(phone) < literal_column("12"))
    return case(
        (~func.starts_with(phone, literal_column("'+86'"), type_=Boolean), phone),
        (as_it_is, national),
        else_=literal_column("'0'", Text).concat(national),
    )


def masked(phone: ColumnElement[Any]) -> ColumnElement[str]:
    """`identifiers.mask_phone` of an E.164 number."""
    number = shown(phone)
    stars = func.greatest(func.length(number) - literal_column("7"), literal_column("4"))
    long = _around(number, 3, stars, 4)
    short = _around(number, 1, func.length(number) - literal_column("2"), 1)
    return case((func.length(number) < literal_column(str(SHORT_PHONE)), short), else_=long)


def _around(number: ColumnElement[Any], first: int, stars: ColumnElement[Any], last: int) -> ColumnElement[str]:
    kept = func.left(number, literal_column(str(first))), func.right(number, literal_column(str(last)))
    return func.concat(kept[0], func.repeat(literal_column("'*'"), stars), kept[1], type_=Text)
