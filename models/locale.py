"""The languages there are sentences in."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final

_MOST_CHOICES: Final = 20


class Locale(StrEnum):
    """Chinese first: whoever does not ask for English reads it."""

    ZH = "zh-CN"
    EN = "en"


@lru_cache(64)
def preferred(accept_language: str) -> Locale:
    """English if the header ranks it above Chinese, else Chinese. Source: RFC 9110, 12.5.4."""
    ranks = {"zh": 0.0, "en": 0.0}
    for choice in accept_language.lower().split(",")[:_MOST_CHOICES]:
        language, _, rest = choice.partition(";")
        primary = language.strip().partition("-")[0]
        if primary in ranks:
            ranks[primary] = max(ranks[primary], _quality(rest))
    return Locale.EN if ranks["en"] > ranks["zh"] else Locale.ZH


def _quality(parameter: str) -> float:
    """`q=0.8` as a number, 1 without one, 0 for nonsense."""
    name, _, value = parameter.replace(" ", "").partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name == "q" else 0.0
    except ValueError:
        return 0.0
