"""Sentences for people, chosen at the edge in the reader's language. Codes are the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from models.errors import Caution, Problem
from models.locale import Locale
from schema.messages_en import EN
from schema.messages_zh import ZH

_SENTENCES: Final[Mapping[Locale, Mapping[str, str]]] = {Locale.ZH: ZH, Locale.EN: EN}


def say(locale: Locale, key: str, **params: object) -> str:
    """The sentence for a key such as `INVALID` or `event.union.founded`."""
    return _SENTENCES[locale][key].format(**params)


def sentence(locale: Locale, problem: Problem) -> str:
    """The sentence for a problem, the more exact one where it says why."""
    key = problem.code if problem.why is None else f"{problem.code}.{problem.why}"
    return say(locale, key, **problem.params)


def caution(locale: Locale, found: Caution) -> str:
    return say(locale, found.code)
