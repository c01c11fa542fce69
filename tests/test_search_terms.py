"""What is looked for and what is indexed are taken apart alike: models/search.py and its twin in SQL."""

from __future__ import annotations

from typing import Final

import pytest

from models.search import COMMON, Search
from models.text import fold
from tests.world import World

NAMES: Final = [
    "深圳市总工会",
    "华强ABC电子厂（第一分会）工会委员会",
    "ＡＢＣ有限公司工会",
    "㐂𠮷工会",
    "Ünïon No. 3",
    "工会",
    "工",
    "深深深深",
    "中国铁路·广州局 100%_\\'\"",
    "👷工会🏭",
]


def pieces(text: str) -> tuple[str, ...]:
    search = Search.of(text)
    assert search is not None
    return search.pieces


@pytest.mark.parametrize("blank", [None, "", " ", "\u3000\t"])
def test_what_is_blank_looks_for_nothing(blank: str | None) -> None:
    assert Search.of(blank) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("深", ("深",)),
        ("深圳", ("深圳",)),
        ("深 圳\u3000市", ("深圳", "圳市")),
        ("深深深", ("深深",)),
        ("总工会", ("总工",)),
        ("ＡＢ", ("ab",)),
        ("工会", ()),
        ("工", ()),
        ("有限公司工会委员会", ()),
        ("𠮷", ("𠮷",)),
    ],
)
def test_a_term_is_taken_apart_into_pairs_of_letters(text: str, found: tuple[str, ...]) -> None:
    assert pieces(text) == found


def test_a_long_term_has_pieces_enough_and_no_more() -> None:
    assert len(pieces("".join(map(chr, range(0x4E00, 0x4E00 + 200))))) == 16


@pytest.mark.parametrize(
    ("text", "code", "key", "common"),
    [
        ("81440305", "81440305", "code:81440305", False),
        ("8144", "8144", "code:8144", False),
        ("814", "814", None, True),
        ("81440305mc", "81440305MC", "code:81440305", False),
        ("1" * 19, None, None, False),
        ("深圳", None, None, False),
        ("8144-", None, None, False),
        ("工会", None, None, True),
    ],
)
def test_a_term_may_be_how_a_credit_code_starts(text: str, code: str | None, key: str | None, common: bool) -> None:  # noqa: FBT001 - a column of the table
    search = Search.of(text)
    assert search is not None
    assert (search.code, search.code_key, search.is_common) == (code, key, common)


KEYS: Final = "select union_search_keys(:name, cast(:former as text[]), :code, 'GRASSROOTS', '440305', 4)"


async def keys(world: World, name: str, former: list[str], code: str | None = None) -> set[str]:
    [found] = await world.sql(KEYS, name=fold(name), former=former, code=code)
    return set(found)


async def test_every_part_of_a_name_is_found_by_its_pieces(world: World) -> None:
    for name in NAMES:
        folded = fold(name)
        has = await keys(world, name, [])
        assert has == await keys(world, "工", [name]), "a former name has the same keys"
        parts = [folded[start:end] for start in range(len(folded)) for end in range(start + 1, len(folded) + 1)]
        assert [part for part in parts if not has.issuperset(pieces(part))] == []
        assert not has & COMMON


async def test_marks_are_no_letters_of_a_name(world: World) -> None:
    marks = {"kind:GRASSROOTS", "level:4", "at:44", "at:4403", "at:440305"}
    codes = {"code:8144", "code:81440", "code:814403", "code:8144030", "code:81440305"}
    assert await keys(world, "工会", []) == marks
    assert await keys(world, "工会", [], "81440305MC12345674") == marks | codes
    assert all(len(mark) > 2 for mark in marks | codes)
