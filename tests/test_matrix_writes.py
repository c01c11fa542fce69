"""The permission matrix for writing: NOT_FOUND out of sight, FORBIDDEN in sight, and neither writes anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

import pytest

from models.permissions import Role
from models.review import State
from schema.ids import encode_id
from tests import oracle
from tests.matrix import NEVER, Tree, plant
from tests.oracle import ANONYMOUS, APPLICANT, EVERYBODY, Who
from tests.world import World, besides_permits, codes, gid

Input = dict[str, Any]
Rule = Callable[[Who, str], bool]


@pytest.fixture(scope="module")
async def tree(lasting_world: World) -> Tree:
    return await plant(lasting_world)


class Deed(NamedTuple):
    """A mutation of something at `self`, and the rules that say who sees that and who may do this to it."""

    mutation: str
    seen_by: Rule
    allowed_to: Rule
    # Plants what it is done to, and gives the input that names it by its id, the first of its fields.
    plant: Callable[[Tree], Awaitable[Input]]
    rest: Input
    # To those who do not see it, these are not told either.
    mistakes: Input

    async def wanted(self, tree: Tree) -> Input:
        return {**await self.plant(tree), **self.rest}


async def union(tree: Tree) -> Input:
    return {"unionId": gid(tree.unions["self"])}


async def person_for_union(tree: Tree) -> Input:
    person = await tree.world.person()
    phone = (await person.ask("{ viewer { account { phone } } }"))["account"]["phone"]
    return {"unionId": gid(tree.unions["self"]), "phone": phone}


async def invite(tree: Tree) -> Input:
    return {"inviteId": gid(await tree.world.invite(tree.unions["self"]))}


async def appointment(tree: Tree) -> Input:
    held = await tree.world.appoint(await tree.world.person(), tree.unions["self"], Role.REVIEWER)
    return {"appointmentId": gid(held)}


async def pending(tree: Tree) -> Input:
    registration, _ = await tree.register("self")
    return {"registrationId": gid(registration)}


async def rejected(tree: Tree) -> Input:
    registration, _ = await tree.register("self", State.REJECTED)
    return {"registrationId": gid(registration)}


sees, sees_it, applied = oracle.sees, oracle.sees_registration, oracle.applied
manages, decides, reveals = oracle.manages, oracle.decides, oracle.reveals

DEEDS: Final = {
    "invite": Deed("createInvite", sees, manages, union, {}, {"maxUses": 0, "expiresAt": "2001-01-01T00:00:00Z"}),
    "revoke": Deed("revokeInvite", sees, manages, invite, {}, {}),
    "appoint": Deed("appoint", sees, manages, person_for_union, {"role": "ANALYST"}, {"phone": "1"}),
    "end": Deed("endAppointment", sees, manages, appointment, {}, {}),
    "approve": Deed("reviewRegistration", sees_it, decides, pending, {"decision": "APPROVE", "round": 1}, {"round": 2}),
    "reject": Deed(
        "reviewRegistration",
        sees_it,
        decides,
        pending,
        {"decision": "REJECT", "round": 1, "opinion": "看不清"},
        {"opinion": None},
    ),
    "reveal": Deed("revealIdNumber", sees_it, reveals, pending, {"reason": "核对"}, {"reason": ""}),
    "resubmit": Deed("resubmitRegistration", sees_it, applied, rejected, {"regionCode": "440304"}, {"regionCode": "1"}),
    "withdraw": Deed("withdrawRegistration", sees_it, applied, pending, {}, {}),
}
each_deed = pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)


def refusal(who: Who, deed: Deed) -> str:
    """What the rules say to somebody who may not."""
    if who == ANONYMOUS:
        return "UNAUTHENTICATED"
    if not deed.seen_by(who, "self"):
        return "NOT_FOUND"
    return "SELF_REVIEW" if deed.mutation == "reviewRegistration" and who == APPLICANT else "FORBIDDEN"


def of_nothing(wanted: Input) -> Input:
    """The same for what never was."""
    key = next(iter(wanted))
    return {**wanted, key: encode_id(key[0].upper() + key[1:-2], NEVER)}


@each_deed
async def test_those_who_may_succeed_and_all_others_are_refused_and_nothing_is_written(tree: Tree, deed: Deed) -> None:
    async def told(who: Who, wanted: Input) -> list[str]:
        return codes(await tree.people[who].do(deed.mutation, "", **wanted))

    wanted, others = await deed.wanted(tree), [who for who in EVERYBODY if not deed.allowed_to(who, "self")]
    before = await tree.world.fingerprint()
    assert {who: await told(who, wanted) for who in others} == {who: [refusal(who, deed)] for who in others}
    assert await tree.world.fingerprint() == before

    for who in EVERYBODY:
        if who not in others:
            wanted = await deed.wanted(tree)
            before = await tree.world.fingerprint()
            assert await told(who, wanted) == [], who
            assert await tree.world.fingerprint() != before, who


@each_deed
async def test_what_is_out_of_sight_is_refused_exactly_like_what_never_was(tree: Tree, deed: Deed) -> None:
    """In the same words and after the same statements, also where there are mistakes to tell."""
    wanted = {**await deed.wanted(tree), **deed.mistakes}

    async def told(who: Who, wanted: Input) -> tuple[dict[str, Any], list[str]]:
        with tree.world.counted() as statements:
            answer = await tree.people[who].do(deed.mutation, "", **wanted)
        return answer, besides_permits(statements)

    nothing = {}
    for who in EVERYBODY:
        if not deed.seen_by(who, "self"):
            alike = who.place or who.role  # what never was is tried once from each place
            if alike not in nothing:
                nothing[alike] = await told(who, of_nothing(wanted))
            answer = await told(who, wanted)
            assert answer == nothing[alike] and codes(answer[0]) == [refusal(who, deed)], who


async def test_one_gives_up_ones_own_appointment_whatever_it_is(tree: Tree) -> None:
    for role in Role:
        person = await tree.world.person()
        held = await tree.world.appoint(person, tree.unions["self"], role)
        assert (await person.do("endAppointment", "", appointmentId=gid(held)))["errors"] == []
        assert (await person.ask("{ viewer { appointments { id } } roots { id } }")) == {
            "viewer": {"appointments": []},
            "roots": [],
        }
