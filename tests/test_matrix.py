"""The permission matrix: everybody × every way to reach a row. Out of sight looks exactly like what never was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import pytest

from schema.ids import encode_id
from tests import oracle
from tests.matrix import LEGAL_PERSON, NEVER, Tree, plant
from tests.oracle import ABOVE, ANONYMOUS, APPLICANT, EVERYBODY, Who, lineage
from tests.world import Client, World, gid

pytestmark = pytest.mark.usefixtures("path")  # both ways to an answer keep to the same rights

everybody = pytest.mark.parametrize("who", EVERYBODY, ids=str)


@pytest.fixture(scope="module")
async def tree(lasting_world: World) -> Tree:
    return await plant(lasting_world)


@pytest.mark.parametrize("who", [who for who in EVERYBODY if who.place in {"self", None}], ids=str)
async def test_nodes_are_everything_in_sight_and_nothing_else(tree: Tree, who: Who) -> None:
    """One appointment against rows everywhere; below, everybody's appointment against one row of each type."""
    rows, asker = tree.rows(), tree.people[who]
    many = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    found = await asker.ask(many, ids=[row.gid for row in rows[:90]])
    found += await asker.ask(many, ids=[row.gid for row in rows[90:]])

    assert {row.name for row, node in zip(rows, found, strict=True) if node} == {
        row.name for row in rows if row.seen_by(who)
    }
    assert all(node is None or node["id"] == row.gid for row, node in zip(rows, found, strict=True))


class Way(NamedTuple):
    """A query that leads to one row of one type by `key`, which is an id unless the type is a path."""

    type_name: str
    document: str


NODE: Final = "query($key: ID!) { node(id: $key) { __typename id } }"
WAYS: Final = {
    "union": Way("Union", "query($key: ID!) { union(id: $key) { id name } }"),
    "unionAt": Way("TreePath", "query($key: TreePath!) { unionAt(path: $key) { id name } }"),
    "pendingReviews(under:)": Way("Union", "query($key: ID!) { pendingReviews(under: $key) { totalCount } }"),
    "registration": Way("Registration", "query($key: ID!) { registration(id: $key) { id name round } }"),
    **{f"node of {name}": Way(name, NODE) for name in ("Union", "Registration", "Certificate", "Account")},
    **{f"node of {name}": Way(name, NODE) for name in ("Invite", "Appointment", "Event")},
}


def there(tree: Tree, type_name: str) -> str:
    """The row of this type at the union asked about; of people, the one who applies there."""
    rows = (tree.unions, tree.pending, tree.certificates, tree.invites, tree.events)
    found = {type(planted["self"]).__name__: gid(planted["self"]) for planted in rows}
    colleague = Who("REVIEWER", "self")
    return {
        **found,
        "Union": gid(tree.unions["self"]),
        "TreePath": str(tree.unions["self"].path),
        "Account": tree.people[colleague].gid,
        "Appointment": gid(tree.appointments[colleague]),
    }[type_name]


def never(tree: Tree, type_name: str) -> str:
    """What is spelled alike and is of nothing."""
    if type_name == "TreePath":
        return str(tree.unions["parent"].path.child(NEVER))
    return encode_id(type_name, NEVER)


def sees(who: Who, type_name: str) -> bool:
    applied_for = type_name in {"Registration", "Certificate"}
    return oracle.sees_registration(who, "self") if applied_for else oracle.sees(who, "self")


class Told(NamedTuple):
    """Everything that can be told from an answer, with the key that was asked for blotted out."""

    status: int
    answer: str
    statements: list[str]  # what it took to find out, in the place of a clock


async def whole(asker: Client, way: Way, key: str) -> Told:
    with asker.world.counted() as statements:
        async with asker.http() as http:
            answer = await http.post("/graphql", json={"query": way.document, "variables": {"key": key}})
    return Told(answer.status_code, answer.text.replace(key, "*"), statements)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_out_of_sight_looks_exactly_like_what_never_was(tree: Tree, way: Way) -> None:
    nothing = {}
    for who in EVERYBODY:
        await tree.people[who].ask("{ viewer { account { id } } }")  # from here on the rights are remembered
        told = await whole(tree.people[who], way, there(tree, way.type_name))
        if sees(who, way.type_name):
            assert '"errors"' not in told.answer and "null" not in told.answer, who
            continue
        alike = who.place or who.role  # what never was is asked for once from each place
        if alike not in nothing:
            nothing[alike] = await whole(tree.people[who], way, never(tree, way.type_name))
        assert told == nothing[alike], who


@everybody
async def test_a_certificate_is_shown_to_who_sees_its_registration(tree: Tree, who: Who) -> None:
    number = tree.certificates["self"].id
    async with tree.people[who].http() as http:
        real, absent = await http.get(f"/certificates/{number}"), await http.get(f"/certificates/{NEVER}")

    assert absent.status_code == 404
    if oracle.sees_registration(who, "self"):
        assert real.status_code == 200 and real.headers["content-type"] == "image/png"
    else:
        assert real.status_code == 404 and real.content == absent.content
        assert without_number(real.headers) == without_number(absent.headers)


def without_number(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "x-request-id"}


async def test_the_link_of_a_certificate_is_the_proof_for_that_certificate_alone(tree: Tree) -> None:
    """An <image> sends no token."""
    document = "query($id: ID!) { node(id: $id) { ... on Certificate { url } } }"
    this, another = tree.certificates["self"], tree.certificates["sibling"]
    analyst, colleague = tree.people[Who("ANALYST", "parent")], tree.people[Who("ANALYST", "self")]
    link = (await analyst.ask(document, id=gid(this)))["url"]
    assert (await analyst.ask(document, id=gid(another))) is not None

    async with tree.people[ANONYMOUS].http() as http:
        assert (await http.get(link)).headers["content-type"] == "image/png"
        forged = [
            link.replace(f"/{this.id}?", f"/{another.id}?"),
            link.replace(f"for={analyst.account_id}&", f"for={colleague.account_id}&"),
            link.replace("expires=", "expires=9"),
            link.rpartition("&")[0],
            f"/certificates/{this.id}",
        ]
        assert [(await http.get(url)).status_code for url in forged] == [404] * 5


@everybody
async def test_a_registration_tells_what_its_reader_may_see_around_it(tree: Tree, who: Who) -> None:
    shown = await tree.people[who].ask(
        """query($id: ID!) { registration(id: $id) {
            parent { id name } parentPath possibleDuplicates { name } viewerCan legalPersonIdNumber
            employer { contactName contactPhone } applicant { phone } reviewers { realName } } }""",
        id=there(tree, "Registration"),
    )

    if not oracle.sees_registration(who, "self"):
        assert shown is None
        return
    own = who == APPLICANT
    assert shown["parent"] == {"id": gid(tree.unions["self"]), "name": "self工会"}
    assert shown["parentPath"] == [f"{at}工会" for at in lineage("self") if oracle.sees(who, at) or at == "self"]
    assert {union["name"] for union in shown["possibleDuplicates"]} == {
        f"{at}工会" for at in ABOVE if oracle.sees(who, at)
    }
    can = {"READ": True, "REVIEW": oracle.decides(who, "self"), "WITHDRAW": own}
    assert shown["viewerCan"] == [action for action, allowed in can.items() if allowed]
    assert shown["legalPersonIdNumber"] == f"{LEGAL_PERSON[0]}{'*' * 16}{LEGAL_PERSON[-1]}"
    contact = ("何敏", "13800138000") if oracle.sees_contacts(who, "self") else ("何*", "138****8000")
    assert tuple(shown["employer"].values()) == contact
    assert ("****" in shown["applicant"]["phone"]) is not own
    assert {one["realName"] for one in shown["reviewers"]} == {"ADMINISTRATOR at self", "REVIEWER at self"}


@everybody
async def test_one_sees_what_is_ones_own(tree: Tree, who: Who) -> None:
    viewer = await tree.people[who].ask(
        "{ viewer { account { id realName } appointments { id } registrations { nodes { id } totalCount } } }"
    )

    if who == ANONYMOUS:
        assert viewer is None
        return
    asked_for = [gid(tree.rejected), gid(tree.pending["self"])] if who == APPLICANT else []
    assert viewer == {
        "account": {"id": tree.people[who].gid, "realName": str(who)},
        "appointments": [{"id": gid(tree.appointments[who])}] if who.place else [],
        "registrations": {"nodes": [{"id": one} for one in asked_for], "totalCount": len(asked_for)},
    }


async def test_the_applicant_knows_the_card_of_the_union_applied_to_and_not_the_union(tree: Tree) -> None:
    applicant = tree.people[APPLICANT]
    mine = "query($id: ID!) { registration(id: $id) { status certificate { id } parent { id name kind parentName } } }"
    assert await applicant.ask(mine, id=gid(tree.pending["self"])) == {
        "status": "PENDING",
        "certificate": {"id": gid(tree.certificates["self"])},
        "parent": {
            "id": gid(tree.unions["self"]),
            "name": "self工会",
            "kind": "HIGHER_LEVEL",
            "parentName": "parent工会",
        },
    }

    assert await applicant.ask("query($id: ID!) { union(id: $id) { id } }", id=gid(tree.unions["self"])) is None
    assert await applicant.ask("{ roots { id } pendingReviews { totalCount } }") == {
        "roots": [],
        "pendingReviews": {"totalCount": 0},
    }
    assert await applicant.ask(mine, id=gid(tree.pending["sibling"])) is None
    assert await applicant.ask(mine, id=encode_id("Registration", NEVER)) is None


async def test_the_applicant_knows_who_decided_on_their_form_and_nobody_else_there(tree: Tree) -> None:
    applicant = tree.people[APPLICANT]
    account = "query($id: ID!) { node(id: $id) { ... on Account { realName phone } } }"
    decided = await applicant.ask(account, id=tree.people[Who("ADMINISTRATOR", "self")].gid)

    assert decided["realName"] == "ADMINISTRATOR at self" and "****" in decided["phone"]
    assert await applicant.ask(account, id=tree.people[Who("ANALYST", "self")].gid) is None
