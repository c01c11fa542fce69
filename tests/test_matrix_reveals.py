"""The permission matrix for who was shown ID numbers: for administrators of the place, and for nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models.event import Event, Happening
from models.permissions import Role
from storage import events
from tests import oracle
from tests.matrix import Tree, plant
from tests.oracle import ABOVE, EVERYBODY, Who, subtree
from tests.world import World, gid

pytestmark = pytest.mark.usefixtures("path")  # both ways to an answer keep to the same rights

everybody = pytest.mark.parametrize("who", EVERYBODY, ids=str)

LIST = "{ nodes { id reason } edges { node { id } } totalCount }"
READ = f"""query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Union {{
    all: idNumberReveals {LIST} direct: idNumberReveals(scope: DIRECT) {LIST} }} }} }}"""


@pytest.fixture(scope="module")
async def tree(lasting_world: World) -> Tree:
    """At each place somebody was shown a number."""
    tree = await plant(lasting_world)
    async with lasting_world.resources.db.writing() as session:
        for at, union in tree.unions.items():
            by, what = tree.people[Who("REVIEWER", "self")].account_id, Happening.ID_NUMBER_REVEALED
            events.record(session, what, by=by, at=union, of=tree.pending[at], name="工会", reason=at)
            await session.flush()
    return tree


@pytest.fixture
async def shown(tree: Tree) -> dict[str, str]:
    """The id of what was shown at each place."""
    async with tree.world.resources.db.reading() as session:
        found = await session.scalars(select(Event).where(Event.action == Happening.ID_NUMBER_REVEALED))
        return {row.details["reason"]: gid(row) for row in found}


@everybody
async def test_who_was_shown_numbers_is_for_those_who_answer_for_it(
    tree: Tree, shown: dict[str, str], who: Who
) -> None:
    found = await tree.people[who].ask(READ, ids=[gid(union) for union in tree.unions.values()])

    def listed(places: list[str]) -> dict[str, Any]:
        known = [at for at in places if oracle.manages(who, at)]
        return {
            "nodes": [{"id": shown[at], "reason": at} for at in known],
            "edges": [{"node": {"id": shown[at]}} for at in known],
            "totalCount": len(known),
        }

    for at, read in zip(ABOVE, found, strict=True):
        expected = {"all": listed(list(reversed(subtree(at)))), "direct": listed([at])}
        assert read == (expected if oracle.sees(who, at) else None), at


WHOLE = """query($id: ID!, $first: Int, $after: String) { union(id: $id) {
    idNumberReveals(first: $first, after: $after) { pageInfo { endCursor hasNextPage } totalCount
    nodes { reason name at actor { realName } union { name } registration { id } } } } }"""


async def test_it_tells_who_when_why_and_of_whom_page_by_page(tree: Tree) -> None:
    governor, union = tree.people[Who("ADMINISTRATOR", "grandparent")], gid(tree.unions["grandparent"])
    places, after = [], None
    for _ in subtree("grandparent"):
        page = (await governor.ask(WHOLE, id=union, first=1, after=after))["idNumberReveals"]
        [one], after = page["nodes"], page["pageInfo"]["endCursor"]
        places.append(one["reason"])
        assert page["totalCount"] == 8 and one["at"]
        assert one["actor"] == {"realName": "REVIEWER at self"} and one["name"] == "工会"
        assert one["union"] == {"name": f"{one['reason']}工会"}
        assert one["registration"] == {"id": gid(tree.pending[one["reason"]])}
    assert places == list(reversed(subtree("grandparent")))
    assert (await governor.ask(WHOLE, id=union, first=1, after=after))["idNumberReveals"]["nodes"] == []


async def test_it_ends_with_the_appointment(world: World) -> None:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    governor, mayor, applicant = await world.person(), await world.administrator(city), await world.person()
    held = await world.appoint(governor, province)
    await world.appoint(governor, province, Role.ANALYST)
    registration = await applicant.registered(city)
    await mayor.do("revealIdNumber", "idNumber", registrationId=registration, reason="核对")
    for reader in (governor, mayor):
        read = await reader.ask(WHOLE, id=gid(city))
        assert [one["reason"] for one in read["idNumberReveals"]["nodes"]] == ["核对"]
    await world.sql("update appointment set ended_at = now() where id = :id", id=held.id)
    assert (await governor.ask(WHOLE, id=gid(city)))["idNumberReveals"]["totalCount"] == 0
    assert await applicant.ask(WHOLE, id=gid(city)) is None
