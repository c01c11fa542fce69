"""Phone numbers as they are shown, by the database: the SQL twin of models/identifiers.py."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, case, func, literal_column


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
    first, last = func.left(number, literal_column("3")), func.right(number, literal_column("4"))
    return func.concat(first, func.repeat(literal_column("'*'"), stars), last, type_=Text)
