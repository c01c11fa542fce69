"""The numbers people and organisations carry, checked by their own arithmetic."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

import phonenumbers
from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError

from models.errors import Code, Problem, Rejected
from models.kinds import UnionKind

_ID_NUMBER: Final = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)

# Prefix 81 is a grassroots union, 89 any other trade-union body; federations at county level
# and above are often registered as party and government bodies (11), institutions (12) or
# mass organisations (13). Anything else is worth a look, not a refusal.
_USCC_PREFIXES: Final[dict[UnionKind, frozenset[str]]] = {
    UnionKind.GRASSROOTS: frozenset({"81"}),
    UnionKind.HIGHER_LEVEL: frozenset({"81", "89", "11", "12", "13"}),
}


def check_id_number(number: str) -> str:
    """The resident ID number (公民身份号码), its check character in upper case.

    18 characters: 6 of a region, 8 of a birth date, 3 of a sequence, and a check character by
    ISO 7064 MOD 11-2. Only the arithmetic and the date decide: people carry regions that were
    created or retired at other times. Source: GB 11643-1999.

    Raises:
        Rejected: ID_NUMBER_INVALID.
    """
    number = number.strip().upper()
    if not _ID_NUMBER.fullmatch(number) or not _is_birth_date(number[6:14]):
        raise Rejected(Problem(Code.ID_NUMBER_INVALID))
    if ric.calc_check_digit(number) != number[-1]:
        raise Rejected(Problem(Code.ID_NUMBER_INVALID, why="check_character"))
    return number


def _is_birth_date(text: str) -> bool:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])) <= date.today()
    except ValueError:
        return False


def mask_id_number(number: str) -> str:
    """First and last character alone, the other sixteen as stars, as GB/T 35273 shows personal data."""
    return f"{number[0]}{'*' * (len(number) - 2)}{number[-1]}"


def check_credit_code(code: str) -> str:
    """The unified social credit code (统一社会信用代码), upper-cased, if its 18th character is right.

    18 characters of 0-9 and A-Z without I, O, S, V, Z; weights 3**i mod 31. A true check
    character does not prove that the organisation exists. Source: GB 32100-2015.

    Raises:
        Rejected: USCC_INVALID.
    """
    try:
        return uscc.validate(code.strip())
    except ValidationError:
        raise Rejected(Problem(Code.USCC_INVALID)) from None


def is_usual_prefix(code: str, kind: UnionKind) -> bool:
    """Whether a credit code starts as those of this kind of union usually do."""
    return code[:2] in _USCC_PREFIXES[kind]


def check_phone(number: str) -> str:
    """A phone number in E.164 (`+8613800138000`); without a country code it is read as Chinese.

    Raises:
        Rejected: PHONE_INVALID.
    """
    try:
        parsed = phonenumbers.parse(number, "CN")
    except phonenumbers.NumberParseException:
        raise Rejected(Problem(Code.PHONE_INVALID)) from None
    if not phonenumbers.is_possible_number(parsed) or len(number) > 40:
        raise Rejected(Problem(Code.PHONE_INVALID))
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def show_phone(number: str) -> str:
    """An E.164 number as people here write it: Chinese ones without +86, others as they are."""
    return number.removeprefix("+86")


def mask_phone(number: str) -> str:
    """`138****8000`: the first three and the last four digits, the rest as stars."""
    shown = show_phone(number)
    return f"{shown[:3]}{'*' * max(len(shown) - 7, 4)}{shown[-4:]}"
