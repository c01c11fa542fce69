"""One policy for text that people type, applied where it enters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

from models.errors import Code, Problem, Rejected

NAME_LENGTH: Final = 100
LINE_LENGTH: Final = 200
PROSE_LENGTH: Final = 2000
MOST_MARKS: Final = 4  # upon one letter, once composed; Vietnamese has two, Thai three

# Cc control, Cf format (zero-width, bidi overrides), Cs surrogates, Co private use, Cn unassigned:
# what cannot be seen lets two names look the same, or one read as another.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

# Default_Ignorable_Code_Point of Unicode beyond those categories: a joiner, fillers, variation selectors.
_SELECTORS: Final = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
_IGNORABLE: Final = _SELECTORS | frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")

_IN_PROSE: Final = _SELECTORS | {"\n", "\t"}  # emoji have selectors

_KEY: Final = re.compile(r"[!-~]{1,200}", re.ASCII)


def check_name(text: str) -> str:
    """The name of a person or an organisation: one line, NFC, at most 100 characters.

    Raises:
        Rejected: REQUIRED, TOO_LONG, or INVALID where it holds control, zero-width or bidi characters.
    """
    return _check(text, NAME_LENGTH, allowed=())


def check_line(text: str) -> str:
    """An address or the like: one line, NFC, at most 200 characters. Raises as `check_name`."""
    return _check(text, LINE_LENGTH, allowed=())


def check_prose(text: str) -> str:
    """An opinion or a reason: lines allowed, NFC, at most 2000 characters. Raises as `check_name`."""
    return _check(text.replace("\r\n", "\n"), PROSE_LENGTH, allowed=_IN_PROSE)


def _check(text: str, longest: int, *, allowed: Collection[str]) -> str:
    if len(text) > 4 * longest:  # before any work is done on it
        raise Rejected(Problem(Code.TOO_LONG, params={"max": longest}))
    if any(_is_unseen(char) and char not in allowed for char in text):
        raise Rejected(Problem(Code.INVALID, why="unseen_character"))
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise Rejected(Problem(Code.REQUIRED))
    if _has_piled_marks(text):
        raise Rejected(Problem(Code.INVALID, why="marks"))
    if len(text) > longest:
        raise Rejected(Problem(Code.TOO_LONG, params={"max": longest}))
    return text


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN or char in _IGNORABLE


def _has_piled_marks(text: str) -> bool:
    """Whether marks stand upon nothing, or so many upon one letter that they cover the lines around it."""
    piled = MOST_MARKS  # before the first letter even one is too many
    for char in text:
        piled = piled + 1 if unicodedata.category(char).startswith("M") and char not in _SELECTORS else 0
        if piled > MOST_MARKS:
            return True
    return False


def fold(name: str) -> str:
    """The name as a key: equal for two names that a reader would call the same.

    NFKC (full-width letters and digits become plain ones), case folded, white space gone.
    """
    return "".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).split())


def check_key(key: str) -> str:
    """An idempotency key as its client made it. Raises: Rejected, INVALID."""
    if not _KEY.fullmatch(key):
        raise Rejected(Problem(Code.INVALID, why="key"))
    return key
