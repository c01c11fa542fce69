"""The numbers people and organisations carry, checked by their own arithmetic."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import phonenumbers
from stdnum.cn import ric, uscc

from models.errors import Code, Problem, Rejected
from models.kinds import UnionKind

_ID_NUMBER: Final = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
# Registrar and kind (N2 is a village collective), the registrar's region, nine of an organisation, and the check.
_CREDIT_CODE: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}", re.ASCII)
# Digits and what people put between them. phonenumbers would read letters as a keypad does, and pass over the rest.
_PHONE: Final = re.compile(r"[+＋]?[\d\s()（）.+－-]{1,40}")
# Mobile numbers as most people write them. phonenumbers, which an import of a whole province would wait for,
# makes the same of them; it takes 179 for the prefix of a carrier.
_MOBILE: Final = re.compile(r"1(?:[345689]\d|7[0-8])\d{8}", re.ASCII)

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
        born = datetime(int(text[:4]), int(text[4:6]), int(text[6:]), tzinfo=UTC)
    except ValueError:
        return False
    # A day's grace: it is tomorrow in China while UTC still has today.
    return born <= datetime.now(UTC) + timedelta(days=1)


def mask_id_number(number: str) -> str:
    """First and last character alone, the other sixteen as stars, as GB/T 35273 shows personal data."""
    return f"{number[0]}{'*' * (len(number) - 2)}{number[-1]}"


def check_credit_code(code: str) -> str:
    """The unified social credit code (统一社会信用代码), upper-cased, if its 18th character is right.

    18 characters of 0-9 and A-Z without I, O, S, V, Z, the third to the eighth digits alone;
    weights 3**i mod 31. A true check character does not prove that the organisation exists.
    Source: GB 32100-2015.

    Raises:
        Rejected: USCC_INVALID.
    """
    code = uscc.compact(code)
    # uscc.validate() is too strict: it wants digits for the registrar and the kind.
    if not _CREDIT_CODE.fullmatch(code) or uscc.calc_check_digit(code) != code[-1]:
        raise Rejected(Problem(Code.USCC_INVALID))
    return code


def is_usual_prefix(code: str, kind: UnionKind) -> bool:
    """Whether a credit code starts as those of this kind of union usually do."""
    return code[:2] in _USCC_PREFIXES[kind]


def check_phone(number: str) -> str:
    """A phone number in E.164 (`+8613800138000`); without a country code it is read as Chinese.

    Raises:
        Rejected: PHONE_INVALID.
    """
    if _MOBILE.fullmatch(number):
        return f"+86{number}"
    try:
        parsed = phonenumbers.parse(number if _PHONE.fullmatch(number) else "", "CN")
    except phonenumbers.NumberParseException:
        raise Rejected(Problem(Code.PHONE_INVALID)) from None
    if not phonenumbers.is_possible_number(parsed):
        raise Rejected(Problem(Code.PHONE_INVALID))
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def show_phone(number: str) -> str:
    """An E.164 number as people here dial it: `13800138000`, `02083330000`, `12351`; foreign ones as they are."""
    if not number.startswith("+86"):
        return number
    national = number.removeprefix("+86")
    is_mobile = len(national) == 11 and national.startswith("1")
    # Area codes are dialled with a 0 in front; hotlines of five digits have none.
    return national if is_mobile or len(national) < 9 else f"0{national}"


def mask_name(name: str) -> str:
    """`何*`: the first character and a star for each other one."""
    return name[:1] + "*" * (len(name) - 1)


# With fewer digits than this, seven would be most of them.
SHORT_PHONE: Final = 10


def mask_phone(number: str) -> str:
    """`138****8000`: three digits, stars, four digits; of a short one no more than the first and the last."""
    shown = show_phone(number)
    if len(shown) < SHORT_PHONE:
        return f"{shown[:1]}{'*' * (len(shown) - 2)}{shown[-1:]}"
    return f"{shown[:3]}{'*' * max(len(shown) - 7, 4)}{shown[-4:]}"


# As people write them, with spaces or hyphens between the digits. A mobile number has 11 digits, an ID number 18.
_GAP: Final = r"[\s-]?"
_STATED: Final = re.compile(
    rf"(?<![0-9a-zA-Z])(?:(?:\d{_GAP}){{17}}[\dXx]|(?:\+?86{_GAP})?1{_GAP}[3-9](?:{_GAP}\d){{9}})(?![0-9a-zA-Z])"
)


def without_numbers(text: str) -> str:
    """The text with ID numbers and mobile numbers masked: what is kept for good is to hold none, whoever typed it."""
    return _STATED.sub(_mask, text)


def _mask(found: re.Match[str]) -> str:
    digits = re.sub(r"[^\dXx]", "", found[0])
    return mask_id_number(digits) if len(digits) == 18 else f"{digits[-11:-8]}****{digits[-4:]}"
