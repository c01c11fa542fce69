"""查找: what is looked for, taken apart as the index takes names apart (union_search_keys in the migrations)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from models.text import fold

# Stop words: letters and pairs that nearly every name has, 工会 and 有限公司 and 委员会. They are not indexed.
COMMON: Final = frozenset("工会有限公司委员") | {"工会", "有限", "限公", "公司", "司工", "会委", "委员", "员会"}

# So many pieces narrow a search down; the rest of a long one is compared with what they find.
_ENOUGH: Final = 16

# Of a credit code this many characters are indexed, one by one from the shortest on: to the registrar's county.
CODE_INDEXED: Final = range(4, 9)

_CODE: Final = re.compile(r"[0-9A-Z]{1,18}", re.ASCII)


@dataclass(frozen=True)
class Search:
    """`term` is the folded text. What has it in a name has all `pieces` among its keys; none if all are common.

    `code` is the term as credit codes are written, where it may be the beginning of one.
    """

    term: str
    pieces: tuple[str, ...]
    code: str | None

    @classmethod
    def of(cls, text: str | None) -> Search | None:
        """What a text looks for; None for one that is left out or blank, which looks for nothing."""
        term = fold(text or "")
        if not term:
            return None
        code = term.upper()
        return cls(term, _pieces(term), code if _CODE.fullmatch(code) else None)

    @property
    def stamp(self) -> int:
        """A number that another search hardly has: cursors of one are told from those of another by it."""
        return crc32(self.term.encode())

    @property
    def code_key(self) -> str | None:
        """The key of union_search_keys for the code; None if there is none so short."""
        if self.code is None or len(self.code) < CODE_INDEXED.start:
            return None
        return f"code:{self.code[: CODE_INDEXED.stop - 1]}"

    @property
    def is_common(self) -> bool:
        """Whether no index finds it: some of what it asks for is not indexed, because so much would have it."""
        return not self.pieces or (self.code is not None and self.code_key is None)


def _pieces(term: str) -> tuple[str, ...]:
    pairs = [term[at : at + 2] for at in range(len(term) - 1)] or [term]
    # Each once, in their order.
    return tuple(dict.fromkeys(pair for pair in pairs if pair not in COMMON))[:_ENOUGH]
