"""What a document costs: pages multiplied down the nesting, told in every answer, refused beyond the limit."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import build_schema, parse

from benchmarks.workloads import READS
from schema.build import build_schema as served_schema
from schema.costs import DEAR, Price, price
from schema.limits import DEFAULTS, Limits, chosen_operation, read_document
from tests.over_http import ask, codes
from tests.paths import PATHS
from tests.world import World, gid

SCHEMA = build_schema("""
    type Query { node: Node nodes(ids: [ID!]!): [Node]! roots: [Union!]! union: Union! }
    interface Node { id: ID! }
    type Union implements Node {
        id: ID! name: String parent: Union ancestors: [Union!]! reviews: [String!]!
        children(first: Int = 50, after: String): UnionConnection!
    }
    type UnionConnection { nodes: [Union!]! edges: [UnionEdge!]! pageInfo: PageInfo! totalCount: Int! }
    type UnionEdge { node: Union! cursor: String! }
    type PageInfo { hasNextPage: Boolean! endCursor: String }
""")
SERVED = served_schema()._schema


def priced(document: str, schema: Any = SCHEMA) -> Price:
    read = read_document(document)
    return price(schema, read, chosen_operation(read, None))


def cost(document: str, **variables: Any) -> int:
    return priced(document).of(variables)


PAGE = "{ union { children(first: %s) { nodes { id } } } }"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{ __typename }", 1),
        ("{ union { id name parent { id } } }", 5),
        # two fields, the list and its rows; and 50 of them where nothing is said
        (PAGE % 10, 3 + 10),
        (PAGE % "null", 3 + 50),
        ("{ union { children { nodes { id } } } }", 3 + 50),
        ("{ union { children(first: 10) { edges { cursor node { id } } pageInfo { endCursor } } } }", 5 + 10 * 3),
        ("{ union { children(first: 1) { totalCount } } }", 2 + 51),
        ("{ union { a: children(first: 3) { nodes { b: children(first: 4) { nodes { id } } } } } }", 3 + 3 * (2 + 4)),
        # lists without pages
        ("{ union { reviews ancestors { id } } }", 3 + 5),
        ("{ roots { id } }", 1 + 2),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 1 + 3),
        # in fragments, once and again
        ("{ union { ...f parent { ...f } } } fragment f on Union { children(first: 9) { nodes { id } } }", 2 + 2 * 11),
        ("{ union { children(first: 9) { ...f } } } fragment f on UnionConnection { ... { nodes { id } } }", 3 + 9),
        ("{ node { ... on Union { id name } ... on Nothing { id } ... @include(if: false) { id } } }", 5),
    ],
)
def test_pages_multiply(document: str, expected: int) -> None:
    assert cost(document) == expected


@pytest.mark.parametrize("first", ["101", "9" * 400, "-1", '"x"', "1.5", "[1]"])
def test_a_page_that_cannot_be_counts_no_more_than_the_largest(first: str) -> None:
    assert 3 <= cost(PAGE % first) <= 3 + 100


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"n": 7}, 3 + 7),
        ({"n": 7.0}, 3 + 7),
        ({"n": 0}, 3),
        ({"n": -5}, 3),
        ({"n": 10**30}, 3 + 100),
        ({"n": "x"}, 3 + 100),
        ({"n": {}}, 3 + 100),
        ({"n": None}, 3 + 50),
        ({}, 3 + 20),
        ({"m": 7}, 3 + 20),
    ],
)
def test_a_variable_counts_as_what_it_is(variables: dict[str, Any], expected: int) -> None:
    document = "query($n: Int = 20) " + PAGE % "$n"
    assert cost(document, **variables) == expected


def test_a_variable_without_a_default_counts_as_the_argument_s() -> None:
    assert cost("query($n: Int) " + PAGE % "$n") == 3 + 50


def test_variables_multiply_too() -> None:
    document = """query($n: Int, $m: Int, $ids: [ID!]!) {
        nodes(ids: $ids) { ... on Union { children(first: $n) { nodes { children(first: $m) { ...f } } } } } }
        fragment f on UnionConnection { nodes { id children(first: $n) { nodes { id } } } }"""
    #              nodes    children, nodes      children, nodes      id, children, nodes, id
    assert cost(document, n=3, m=4, ids=["a"] * 5) == 1 + 5 * (2 + 3 * (2 + 4 * (3 + 3)))


def test_what_does_not_vary_is_a_constant() -> None:
    assert priced("query($id: ID) " + PAGE % 10).terms == ()
    assert len(priced("query($n: Int) " + PAGE % "$n").terms) == 1


@pytest.mark.parametrize(
    "document",
    [
        "{ ...f } fragment f on Query { ...f }",
        "{ union { ...f } } fragment f on Union { parent { ...g } } fragment g on Union { parent { ...f } }",
        "{ ...nowhere nothing { nothing { id } } union { id { id } } }",
        "query($n: Int) { union { children(first: $m) { nodes { id } } } }",
        "mutation { nothing { id } }",
    ],
)
def test_what_validation_will_refuse_has_a_price_all_the_same(document: str) -> None:
    assert cost(document) >= 0


def test_fragments_are_priced_once() -> None:
    """Each holds the next one twice: 2 ** 90 ways, were each of them walked."""
    chain = (f"fragment f{n} on Union {{ a: parent {{ ...f{n + 1} }} b: parent {{ ...f{n + 1} }} }}" for n in range(90))
    document = " ".join(["{ union { ...f0 } }", *chain, "fragment f90 on Union { id }"])
    read = parse(document)
    assert price(SCHEMA, read, chosen_operation(read, None)).of({}) > 2**90


# ── of the schema that is served ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("workload", READS, ids=lambda workload: workload.name)
def test_the_workloads_of_the_benchmark_fit(workload: Any) -> None:
    found = priced(workload.document, SERVED)
    assert found.terms == () and found.fixed <= DEFAULTS.cost


def test_what_is_dear_is_there() -> None:
    for field in DEAR:
        kind, _, name = field.partition(".")
        named = SERVED.get_type("UnionConnection" if kind == "Connection" else kind)
        assert name.startswith("__") or name in named.fields, field  # type: ignore[union-attr]


async def test_the_cost_is_told_and_bounded() -> None:
    answer = (await ask('{ name echo(text: "") }')).json()
    assert answer["extensions"] == {"cost": {"requested": 2, "limit": 30_000}}
    exactly = await ask("{ name }", limits=Limits(cost=1))
    assert (exactly.json()["data"], exactly.json()["extensions"]) == (
        {"name": "广东省总工会"},
        {"cost": {"requested": 1, "limit": 1}},
    )


async def test_what_costs_too_much_opens_no_context() -> None:
    context = {"opened": 0}
    refused = await ask('{ name echo(text: "") }', limits=Limits(cost=1), context=context)
    assert codes(refused) == ["DOCUMENT_TOO_COMPLEX"]
    assert refused.json()["errors"][0]["extensions"] | {"code": ""} == {
        "code": "",
        "limit": "cost",
        "most": 1,
        "requested": 2,
    }
    assert refused.json()["extensions"] == {"cost": {"requested": 2, "limit": 1}}
    assert context == {"opened": 0}


@pytest.mark.parametrize("way", PATHS)
async def test_both_ways_to_an_answer_say_the_same(world: World, way: str) -> None:
    union = await world.union("广东省总工会")
    somebody = await world.administrator(union)
    query = """query($id: ID!, $n: Int) { union(id: $id) {
        children(first: $n) { nodes { children(first: $n) { nodes { children(first: 10) { nodes { id } } } } } } } }"""
    with PATHS[way]():
        with world.counted() as statements:
            refused = await somebody.answer(query, id=gid(union), n=100)
        answered = await somebody.answer(query, id=gid(union), n=10)
        wrong = await somebody.answer(query, id="no id", n=1)
    assert refused["errors"][0]["extensions"]["limit"] == "cost" and statements == []
    assert refused["extensions"]["cost"] == {"requested": 120_203, "limit": 30_000}
    assert "errors" not in answered
    assert answered["extensions"]["cost"] == {"requested": 1223, "limit": 30_000}
    assert wrong["errors"] and wrong["extensions"]["cost"]["requested"] == 17
