"""Text that people type: one policy, applied where it enters."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Code
from models.text import check_key, check_line, check_name, check_prose, fold
from tests.rules import refusal

UNSEEN = (Code.INVALID, "unseen_character")

SEEN = st.characters(
    exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs", "Mn"],
    exclude_characters="\u115f\u1160\u3164\uffa0",
)
NAMES = st.text(SEEN, min_size=1, max_size=20).filter(lambda name: not unicodedata.category(name[0]).startswith("M"))


@pytest.mark.parametrize(
    "name",
    [
        "深圳市总工会",
        "华强电子厂工会（第一分会）",
        "ABC有限公司工会",
        "㐂𠮷工会",
        "Ünïon No. 3",
        "工",
        "中国铁路·广州局",
    ],
)
def test_a_name_is_taken_as_it_is_written(name: str) -> None:
    assert check_name(name) == name


def test_white_space_around_goes_and_within_stays() -> None:
    assert check_name("  深圳市 总工会\u3000") == "深圳市 总工会"


@pytest.mark.parametrize("text", ["", " ", "\u3000\u00a0 "], ids=["empty", "space", "wide"])
def test_nothing_is_no_name(text: str) -> None:
    assert refusal(check_name, text) == (Code.REQUIRED, None)


def test_a_name_is_kept_composed() -> None:
    assert check_name("Cafe\u0301工会") == "Café工会"
    assert check_name("\u212b") == "Å"


@pytest.mark.parametrize(
    "char",
    [
        "\0",
        "\n",
        "\t",
        "\x1b",
        "\x7f",
        "\x85",
        "\u200b",
        "\u200d",
        "\ufeff",
        "\u2060",
        "\u00ad",
        "\u202e",
        "\u2066",
        "\u200f",
        "\u2028",
        "\u2029",
        "\ue000",
        "\uffff",
        "\U000e0041",
        "\ufe0f",
        "\u034f",
        "\u3164",
        "\uffa0",
        "\U000e0100",
    ],
    ids=lambda char: f"U+{ord(char):04X}",
)
def test_a_name_holds_nothing_that_cannot_be_seen(char: str) -> None:
    """NUL, control, zero-width, bidi, private, unassigned, and letters that are drawn as nothing."""
    for text in (f"深圳{char}市总工会", f"{char}深圳市总工会", f"深圳市总工会{char}", char):
        assert refusal(check_name, text) == UNSEEN
        assert refusal(check_line, text) == UNSEEN


@pytest.mark.parametrize("text", ["\u0316工会", "a" + "\u0316" * 5 + "工会", "\u0316", "工会" + "\u0323\u0316" * 40])
def test_marks_are_not_piled_up(text: str) -> None:
    for check in (check_name, check_line, check_prose):
        assert refusal(check, text) == (Code.INVALID, "marks")


def test_languages_keep_their_marks() -> None:
    for name in ("Công đoàn Việt Nam", "สหภาพแรงงานที่น้ำ", "ترقِّي", "यूनियन"):
        assert check_name(name) == unicodedata.normalize("NFC", name)


def test_lengths_are_counted_in_characters() -> None:
    assert check_name("工" * 100) == "工" * 100
    assert check_name("𠮷" * 100) == "𠮷" * 100  # two UTF-16 units and four bytes each
    assert check_name("e\u0301" * 100) == "é" * 100  # as kept, not as typed
    assert check_line("路" * 200) == "路" * 200
    assert check_prose("字" * 2000) == "字" * 2000
    for check, longest in ((check_name, 100), (check_line, 200), (check_prose, 2000)):
        assert refusal(check, "工" * (longest + 1)) == (Code.TOO_LONG, None)
        assert refusal(check, "工" * 1_000_000) == (Code.TOO_LONG, None)


def test_prose_has_lines_and_faces() -> None:
    assert check_prose("请重拍证件。\r\n\t看不清有效期。\n") == "请重拍证件。\n\t看不清有效期。"
    assert check_prose("谢谢☺\ufe0f") == "谢谢☺\ufe0f"
    for char in ("\0", "\x1b", "\u202e", "\u200b"):
        assert refusal(check_prose, f"请{char}重拍") == UNSEEN
    assert refusal(check_prose, "\r\n \t\n") == (Code.REQUIRED, None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ＡＢＣ工会", "ABC工会"),
        ("ABC工会", "abc工会"),
        ("ａｂｃ工会", "ABC工会"),
        ("１２３厂工会", "123厂工会"),
        ("华强 电子厂\u3000工会", "华强电子厂工会"),
        ("华强电子厂（深圳）工会", "华强电子厂(深圳)工会"),
        ("Straße工会", "STRASSE工会"),
        ("Cafe\u0301工会", "CAFÉ工会"),
        ("ﬁ工会", "FI工会"),
        ("№1工会", "no1工会"),
        ("⼯会", "工会"),  # a radical of KangXi's and the character
    ],
)
def test_names_that_a_reader_calls_the_same_have_one_key(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("深圳市总工会", "深圳总工会"),
        ("工會", "工会"),  # traditional and simplified: two names, as the law has it
        ("第1工会", "第一工会"),
        ("华强-工会", "华强工会"),
    ],
)
def test_other_names_have_other_keys(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(NAMES)
def test_what_is_taken_is_taken_again_and_its_key_knows_no_case_and_no_space(name: str) -> None:
    taken = check_name(name)
    assert check_name(taken) == taken == unicodedata.normalize("NFC", name)
    assert fold(taken) == fold(f" {name} ") == fold(name)
    assert fold(name.casefold()) == fold(name)


@pytest.mark.parametrize("key", ["0", "a" * 200, "6f1c2f9e-8a55-4c1a-9a93-0b5e4a3f7d11", "!~", "wx:1#2"])
def test_a_key_is_whatever_its_client_made(key: str) -> None:
    assert check_key(key) == key


@pytest.mark.parametrize("key", ["", "a" * 201, "a b", "a\n", "键", "a\0", "é"])
def test_a_key_is_1_to_200_visible_ascii_characters(key: str) -> None:
    assert refusal(check_key, key) == (Code.INVALID, "key")
