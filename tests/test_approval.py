"""审核通过: the form becomes a node of the tree, and its applicant administers it; all of it or nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import pytest
from cryptography.exceptions import InvalidTag

from models.registration import Submission
from models.union import TradeUnion
from schema.ids import decode_id
from tests.world import EMPLOYER, Client, World, codes, gid

NUMBER: Final = "11010519491231002X"


class Scene(NamedTuple):
    world: World
    city: TradeUnion
    mayor: Client
    applicant: Client
    id: str
    certificate: str


async def scene(world: World) -> Scene:
    """A grassroots union applies to 深圳市总工会, which lies below a province."""
    city = await world.union("深圳市总工会", await world.union("广东省总工会"), region="440300")
    mayor, applicant = await world.administrator(city, "李静"), await world.person("陈伟")
    certificate = await applicant.certificate()
    registration = await applicant.registered(
        city, certificateId=certificate, name="华强 工会", employer=EMPLOYER, legalPersonIdNumber=NUMBER
    )
    return Scene(world, city, mayor, applicant, registration, certificate)


UNION: Final = """registration { status decidedAt union { id name formerNames kind status path depth
    region { code } uscc employer { name uscc address contactName contactPhone staffCount } legalPersonIdNumber
    certificate { id } parent { id } appointments { role account { realName } } viewerCan } }"""


async def test_an_approved_form_is_a_node_below_its_parent(world: World) -> None:
    at = await scene(world)
    decided = await at.mayor.do("reviewRegistration", UNION, registrationId=at.id, round=1, decision="APPROVE")
    assert decided["errors"] == [] and decided["registration"]["status"] == "APPROVED"
    assert decided["registration"]["decidedAt"] is not None
    union = decided["registration"]["union"]
    key = decode_id(union.pop("id"), "Union")
    [(uscc,)] = [await world.sql("select uscc from submission")]
    assert union == {
        "name": "华强 工会",
        "formerNames": [],
        "kind": "GRASSROOTS",
        "status": "ACTIVE",
        "path": str(at.city.path.child(key)),
        "depth": 2,
        "region": {"code": "440305"},
        "uscc": uscc,
        "employer": EMPLOYER,
        "legalPersonIdNumber": "1****************X",
        "certificate": {"id": at.certificate},
        "parent": {"id": gid(at.city)},
        "appointments": [{"role": "ADMINISTRATOR", "account": {"realName": "陈伟"}}],
        "viewerCan": ["READ", "APPOINT", "RENAME", "MOVE", "DISSOLVE", "EXPORT"],
    }
    assert await world.sql("select name_key, parent_id from trade_union where id = :id", id=key) == [
        ("华强工会", at.city.id)
    ]


async def test_the_number_is_sealed_anew_for_the_union(world: World) -> None:
    at = await scene(world)
    approved = await at.mayor.review(at.id)
    key = decode_id(approved["registration"]["union"]["id"], "Union")
    sealer = world.resources.sealer
    async with world.resources.db.reading() as session:
        union, form = await session.get_one(TradeUnion, key), await session.get_one(Submission, (1, 1))
    assert sealer.open(union) == sealer.open(form) == NUMBER
    assert union.id_number_sealed != form.id_number_sealed and union.id_number_index == form.id_number_index
    union.id_number_sealed = form.id_number_sealed  # a seal opens in its own row alone
    with pytest.raises(InvalidTag):
        sealer.open(union)


async def test_an_approval_leaves_exactly_these_events(world: World) -> None:
    at = await scene(world)
    approved = await at.mayor.review(at.id)
    key = decode_id(approved["registration"]["union"]["id"], "Union")
    city, union = (at.city.id, str(at.city.path)), (key, str(at.city.path.child(key)))
    me, applicant, named = at.mayor.account_id, at.applicant.account_id, {"name": "华强 工会"}
    recorded = "select action, actor_id, union_id, path::text, registration_id, details from event order by id"
    assert await world.sql(recorded) == [
        ("registration.submitted", applicant, *city, 1, named),
        ("registration.approved", me, *city, 1, named),
        ("union.founded", me, *union, None, named),
        ("appointment.made", me, *union, None, {"name": "陈伟", "account": str(applicant), "role": "ADMINISTRATOR"}),
    ]
    told = await at.mayor.ask(
        "query($id: ID!) { union(id: $id) { events(scope: SUBTREE) { nodes { summary actor { realName } } } } }",
        id=gid(at.city),
    )
    assert [(one["summary"], one["actor"]["realName"]) for one in told["events"]["nodes"]] == [
        ("任命陈伟为管理员", "李静"),
        ("华强 工会成为组织树中的工会", "李静"),
        ("华强 工会审核通过", "李静"),
        ("华强 工会提交登记", "陈伟"),
    ]


async def test_a_rejection_plants_nothing(world: World) -> None:
    at = await scene(world)
    refused = await at.mayor.review(at.id, "REJECT", opinion="重拍")
    assert refused["registration"]["union"] is None and refused["registration"]["status"] == "REJECTED"
    assert await world.rows("trade_union") == 2 and await world.rows("appointment") == 1
    assert await world.sql("select action from event order by id") == [
        "registration.submitted",
        "registration.rejected",
    ]


async def test_the_applicant_administers_what_came_of_it(world: World) -> None:
    at = await scene(world)
    roots = "{ roots { name viewerCan } }"
    assert await at.applicant.ask(roots) == []  # nothing attaches before the parent says yes
    await at.mayor.review(at.id)
    [own] = await at.applicant.ask(roots)
    assert own["name"] == "华强 工会" and "APPOINT" in own["viewerCan"]


# ── all of it or nothing ─────────────────────────────────────────────────────────────────────

FAILURE: Final = "create function fail() returns trigger language plpgsql as $$ begin raise 'the disk is full'; end $$"


@asynccontextmanager
async def failing(world: World, trigger: str) -> AsyncIterator[None]:
    """A database that fails at one step."""
    await world.sql(FAILURE)
    await world.sql(f"create {trigger} execute function fail()")
    try:
        yield
    finally:
        await world.sql("drop function fail cascade")


STEPS: Final = {
    "key": "trigger t before insert on idempotency_key for each row",
    "union": "trigger t before insert on trade_union for each row",
    "appointment": "trigger t before insert on appointment for each row",
    "approved": "trigger t before insert on event for each row when (new.action = 'registration.approved')",
    "founded": "trigger t before insert on event for each row when (new.action = 'union.founded')",
    "appointed": "trigger t before insert on event for each row when (new.action = 'appointment.made')",
    "review": "trigger t before insert on review for each row",
    "registration": "trigger t before update on registration for each row",
    "made": "trigger t before update on idempotency_key for each row",
    "commit": "constraint trigger t after insert on review deferrable initially deferred for each row",
}


@pytest.mark.parametrize("step", STEPS)
async def test_an_approval_that_fails_at_any_step_has_done_nothing(world: World, step: str) -> None:
    at = await scene(world)
    before = await world.fingerprint()
    query = """mutation($i: ReviewRegistrationInput!) { reviewRegistration(input: $i) {
        registration { status union { name } } errors { code } } }"""
    verdict = {"registrationId": at.id, "round": 1, "decision": "APPROVE", "idempotencyKey": "k"}
    async with failing(world, STEPS[step]):
        [error] = (await at.mayor.answer(query, i=verdict))["errors"]
        assert error["extensions"]["code"] == "INTERNAL" and "disk" not in error["message"]
    assert await world.fingerprint() == before

    done = await at.mayor.ask(query, i=verdict)
    assert done == {"registration": {"status": "APPROVED", "union": {"name": "华强 工会"}}, "errors": []}


async def test_a_registration_that_fails_at_its_last_step_has_done_nothing(world: World) -> None:
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    code = await world.invite(parent, max_uses=1)
    form = world.form(code, await applicant.certificate(), idempotencyKey="k")
    query = "mutation($i: RegisterHigherLevelUnionInput!) { registerHigherLevelUnion(input: $i) { errors { code } } }"
    before = await world.fingerprint()
    async with failing(world, "constraint trigger t after insert on event deferrable initially deferred for each row"):
        [error] = (await applicant.answer(query, i=form))["errors"]
        assert error["extensions"]["code"] == "INTERNAL"
    assert await world.fingerprint() == before
    assert codes(await applicant.ask(query, i=form)) == []
