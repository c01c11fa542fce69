"""The numbers of made-up people and organisations, with true check characters.

The arithmetic that models/identifiers.py checks, made fast, because millions are needed: a check
character is a sum over places, and the parts of a number come again and again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_CODE_DIGITS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ID_CHECKS: Final = "10X98765432"


def credit_code(prefix: str, region: str, number: int) -> str:
    """A unified social credit code: GB 32100-2015."""
    stem, head, tail = f"{prefix}{region}MC", f"{number // 1000:04}", f"{number % 1000:03}"
    weighed = _weighed_code(stem, 0) + _weighed_code(head, 10) + _weighed_code(tail, 14)
    return f"{stem}{head}{tail}{_CODE_DIGITS[-weighed % 31]}"


@lru_cache(maxsize=100_000)
def _weighed_code(part: str, start: int) -> int:
    """What the characters of a code from place `start` on add to its sum."""
    return sum(_CODE_DIGITS.index(digit) * pow(3, place, 31) for place, digit in enumerate(part, start))


def id_number(region: str, number: int) -> str:
    """A resident ID number: GB 11643-1999. The same person comes again after 400,000."""
    number, year = divmod(number, 40)
    sequence, month = divmod(number, 10)
    head, tail = f"{region}{1955 + year}", f"1{month % 3}{10 + month}{sequence % 1000:03}"
    return head + tail + _ID_CHECKS[(_weighed_id(head, 0) + _weighed_id(tail, 10)) % 11]


@lru_cache(maxsize=200_000)
def _weighed_id(part: str, start: int) -> int:
    return sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(part, start))


def mobile(number: int) -> str:
    """A Chinese mobile number in E.164, another one for each of seven billion."""
    return f"+86{13_000_000_000 + number}"
