"""The columns of a file of unions, and what its cells hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.columns import COLUMNS, columns_of, guarded, unguarded
from models.errors import Code, Rejected
from models.locale import Locale
from models.roll import Bounds, checked
from schema.messages import sentence


def test_no_header_means_two_columns() -> None:
    names = [name for column in COLUMNS for name in (column.key, *column.chinese)]
    assert len({name.casefold() for name in names}) == len(names)


@pytest.mark.parametrize("spelling", ["工会名称", " 名称 ", "NAME", "ｎａｍｅ", "Name"])
def test_a_header_is_known_by_any_of_its_names(spelling: str) -> None:
    found = columns_of([spelling, "工会类型", "Region-Code"])
    assert [column.key for column in found] == ["name", "kind", "region_code"]


def test_all_that_is_wrong_with_a_header_is_told() -> None:
    with pytest.raises(Rejected) as refused:
        columns_of(["编号", "ref", "颜色"])
    assert [(problem.code, problem.path) for problem in refused.value.problems] == [
        (Code.INVALID, ("ref",)),
        (Code.INVALID, ("颜色",)),
        *[(Code.REQUIRED, ())] * 3,
    ]
    for locale in Locale:
        assert all(sentence(locale, problem) for problem in refused.value.problems)


@given(st.text(alphabet="='+-@a工\t ＝", max_size=6))
def test_a_cell_comes_back_as_it_went(cell: str) -> None:
    safe = guarded(cell)
    assert safe[:1] not in set("=+-@\t＝")
    assert unguarded(safe) == cell


@given(st.dictionaries(st.sampled_from([column.key for column in COLUMNS]), st.none() | st.text(max_size=30)))
def test_any_cells_give_a_row_and_sentences(cells: dict[str, str | None]) -> None:
    entry, problems = checked(2, cells, Bounds({"440000"}))
    assert entry.line == 2
    assert len({problem.path for problem in problems}) == len(problems)
    for problem in problems:
        assert problem.path[0] in {column.key for column in COLUMNS}
        assert sentence(Locale.ZH, problem) and sentence(Locale.EN, problem)
    for text in entry[1:-1]:
        assert text is None or (text and "\0" not in str(text))
