"""A place in the tree is a value: labels are compared, not text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.treepath import MAX_DEPTH, TreePath, label_of

IDS = st.integers(1, 36**12 - 1)


def place(*ids: int) -> TreePath:
    top, *below = ids
    path = TreePath.root(top)
    for union_id in below:
        path = path.child(union_id)
    return path


@pytest.mark.parametrize(
    ("union_id", "label"),
    [(1, "1"), (9, "9"), (10, "a"), (35, "z"), (36, "10"), (46655, "zzz"), (46656, "1000"), (36**12 - 1, "z" * 12)],
)
def test_a_label_is_the_id_in_base_36(union_id: int, label: str) -> None:
    assert label_of(union_id) == label


@pytest.mark.parametrize("nobody", [0, -1])
def test_only_an_id_has_a_label(nobody: int) -> None:
    with pytest.raises(AssertionError):
        label_of(nobody)


@given(IDS)
def test_a_label_gives_its_id_back(union_id: int) -> None:
    assert int(label_of(union_id), 36) == union_id
    assert TreePath.root(union_id).ids == (union_id,)


@given(st.lists(IDS, min_size=1, max_size=MAX_DEPTH + 1))
def test_a_path_gives_itself_back(ids: list[int]) -> None:
    path = place(*ids)
    assert TreePath.parse(str(path)) == path
    assert path.ids == tuple(ids) and path.depth == len(ids) - 1
    assert len({path, TreePath.parse(str(path))}) == 1


@given(st.text("09az.AZ-_ é", max_size=12))
def test_what_is_taken_is_what_str_gives(text: str) -> None:
    try:
        path = TreePath.parse(text)
    except ValueError:
        return
    assert str(path) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "1.",
        ".1",
        "1..2",
        "A",
        "1.0",
        "01",
        "1.02",
        "1-2",
        "1_2",
        "1 .2",
        " 1",
        "1\n",
        "é",
        "１",
        "٣",
        "z" * 13,
        ".".join("1" * 18),
        "1.*",
        "1\0",
    ],
    ids=repr,
)
def test_another_spelling_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="not a tree path"):
        TreePath.parse(text)


def test_sixteen_levels_below_the_root_are_the_deepest() -> None:
    deepest = ".".join("1" * (MAX_DEPTH + 1))
    assert TreePath.parse(deepest).depth == MAX_DEPTH == 16
    with pytest.raises(ValueError, match="not a tree path"):
        TreePath.parse(f"{deepest}.1")


@pytest.mark.parametrize(
    ("inner", "outer", "within"),
    [
        ("a", "a", True),
        ("a.b", "a", True),
        ("a.b.c", "a.b", True),
        ("a", "a.b", False),
        ("a.b1", "a.b", False),  # which startswith gets wrong
        ("a.b", "a.b1", False),
        ("b.a", "a", False),
        ("1", "10", False),
        ("10", "1", False),
    ],
)
def test_a_path_is_within_itself_and_all_above_it(inner: str, outer: str, *, within: bool) -> None:
    assert TreePath.parse(inner).is_within(TreePath.parse(outer)) is within


@given(st.lists(IDS, min_size=1, max_size=8), st.lists(IDS, min_size=1, max_size=8))
def test_within_is_a_matter_of_the_ids_along_the_way(one: list[int], other: list[int]) -> None:
    inner, outer = place(*one), place(*other)
    assert inner.is_within(outer) == (one[: len(other)] == other)
    assert place(*other, *one).is_within(outer)


def test_a_child_lies_one_level_below() -> None:
    shenzhen = place(1, 40)
    assert str(shenzhen) == "1.14" and shenzhen.depth == 1
    assert shenzhen.child(36).labels == ("1", "14", "10")
    assert shenzhen.child(36).is_within(shenzhen) and not shenzhen.is_within(shenzhen.child(36))
