"""Chinese first: whoever does not ask for English reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.locale import Locale, preferred


@pytest.mark.parametrize(
    "header",
    [
        "",
        "*",
        "zh",
        "zh-CN",
        "zh-Hans-CN;q=0.9",
        "zh-CN,zh;q=0.9,en;q=0.8",
        "en;q=0.8,zh;q=0.9",
        "en,zh",  # a tie
        "fr,de;q=0.5",
        "en;q=0",
        "en;q=0.0, fr",
        "english",
        "en;q=-1",
        "en;q=high",
        "en;level=1",
        "en;q=nan",
        ";;,,;q=1",
        ",".join(["fr"] * 20) + ",en",  # nobody reads twenty languages
    ],
)
def test_this_reader_is_told_in_chinese(header: str) -> None:
    assert preferred(header) is Locale.ZH


@pytest.mark.parametrize(
    "header",
    ["en", "EN-us", "en-US,en;q=0.9", "en-GB,zh;q=0.9", "fr, en;q=0.3", "zh;q=0.2 , en ; q = 0.3", "en;q=0.1,zh;q=0"],
)
def test_this_reader_is_told_in_english(header: str) -> None:
    assert preferred(header) is Locale.EN


@given(st.text() | st.text("enzhq=;,.019 -*"))
def test_any_header_gets_a_language(header: str) -> None:
    assert preferred(header) in Locale
