"""The permission matrix for lists and counts: they hold what is within reach, and count nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests import oracle
from tests.matrix import Tree, plant
from tests.oracle import ABOVE, APPOINTED, EVERYBODY, Who, lineage, subtree
from tests.world import World, gid

pytestmark = pytest.mark.usefixtures("path")  # both ways to an answer keep to the same rights

everybody = pytest.mark.parametrize("who", EVERYBODY, ids=str)

LIST = "{ nodes { id } edges { node { id } } totalCount }"


@pytest.fixture(scope="module")
async def tree(lasting_world: World) -> Tree:
    return await plant(lasting_world)


def listed(ids: list[str]) -> dict[str, Any]:
    """The list that holds just these."""
    nodes = [{"id": one} for one in ids]
    return {"nodes": nodes, "edges": [{"node": node} for node in nodes], "totalCount": len(ids)}


@everybody
async def test_around_each_union_are_those_within_reach(tree: Tree, who: Who) -> None:
    document = f"""query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Union {{
        parent {{ id }} ancestors {{ id }} children {LIST} descendants {LIST} viewerCan }} }} }}"""
    found = await tree.people[who].ask(document, ids=[gid(union) for union in tree.unions.values()])

    def ids(places: list[str]) -> list[str]:
        return [gid(tree.unions[at]) for at in places if oracle.sees(who, at)]

    for at, read in zip(ABOVE, found, strict=True):
        *above, _ = lineage(at)
        _, *below = subtree(at)
        expected = {
            "parent": next(({"id": one} for one in ids(above[-1:])), None),
            "ancestors": [{"id": one} for one in ids(above)],
            "children": listed(ids([place for place in below if ABOVE[place] == at])),
            "descendants": listed(ids(below)),
            "viewerCan": oracle.actions(who, at),
        }
        assert read == (expected if oracle.sees(who, at) else None), at


@everybody
async def test_what_hangs_on_a_union_is_read_where_the_union_is(tree: Tree, who: Who) -> None:
    document = f"""query($id: ID!) {{ union(id: $id) {{
        invites {LIST} events {LIST} below: events(scope: SUBTREE) {LIST} appointments {{ id }}
        found: descendants(search: "child") {LIST} elsewhere: descendants(search: "sibling") {LIST} }} }}"""
    read = await tree.people[who].ask(document, id=gid(tree.unions["self"]))

    expected = {
        "invites": listed([gid(tree.invites["self"])]),
        "events": listed([gid(tree.events["self"])]),
        "below": listed([gid(tree.events[at]) for at in reversed(subtree("self"))]),  # newest first
        "appointments": [{"id": gid(tree.appointments[one])} for one in APPOINTED if one.place == "self"],
        "found": listed([gid(tree.unions["child"]), gid(tree.unions["grandchild"])]),
        "elsewhere": listed([]),
    }
    assert read == (expected if oracle.sees(who, "self") else None)


@everybody
async def test_queues_and_statistics_count_the_subtree_of_a_union_in_sight(tree: Tree, who: Who) -> None:
    document = f"""query($id: ID!) {{ union(id: $id) {{
        all: pendingReviews {LIST} direct: pendingReviews(scope: DIRECT) {LIST}
        statistics {{ unions grassroots higherLevel pending approved rejected }} }} }}"""
    read = await tree.people[who].ask(document, id=gid(tree.unions["self"]))

    expected = {
        "all": listed([gid(tree.pending[at]) for at in subtree("self")]),
        "direct": listed([gid(tree.pending["self"])]),
        "statistics": {"unions": 3, "grassroots": 0, "higherLevel": 3, "pending": 3, "approved": 0, "rejected": 1},
    }
    assert read == (expected if oracle.sees(who, "self") else None)


@everybody
async def test_the_queue_is_everything_in_sight_and_the_roots_are_its_tops(tree: Tree, who: Who) -> None:
    read = await tree.people[who].ask(
        f"{{ roots {{ id }} all: pendingReviews {LIST} direct: pendingReviews(scope: DIRECT) {LIST} }}"
    )

    assert read == {
        "roots": [{"id": gid(tree.unions[who.place])}] if who.place else [],
        "all": listed([gid(tree.pending[at]) for at in ABOVE if oracle.sees(who, at)]),
        "direct": listed([gid(tree.pending[who.place])] if who.place else []),
    }


@everybody
async def test_the_queue_under_a_union_is_there_where_the_union_is(tree: Tree, who: Who) -> None:
    document = f"""query($under: ID!) {{
        all: pendingReviews(under: $under) {LIST} direct: pendingReviews(under: $under, scope: DIRECT) {LIST} }}"""
    answer = await tree.people[who].answer(document, under=gid(tree.unions["self"]))

    if oracle.sees(who, "self"):
        assert answer["data"] == {
            "all": listed([gid(tree.pending[at]) for at in subtree("self")]),
            "direct": listed([gid(tree.pending["self"])]),
        }
    else:
        assert answer["data"] is None
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"NOT_FOUND"}
