"""A phone that asks again gets the first answer again: idempotency keys of a registration."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import EMPLOYER, Client, World, codes, credit_code, id_number, told

KEY = "6f1c2f9e-8a55-4c1a-9a93-0b5e4a3f7d11"


async def send(applicant: Client, form: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return await applicant.do(
        "registerHigherLevelUnion", "registration { id status name }", **{"idempotencyKey": KEY, **form, **changes}
    )


async def test_the_same_form_under_the_same_key_is_one_registration(world: World) -> None:
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    code = await world.invite(parent, max_uses=1)
    form = world.form(code, await applicant.certificate())
    first = await send(applicant, form)
    assert first["errors"] == []
    before = await world.fingerprint()
    assert await send(applicant, form) == first  # though the code is used up, and the photo and the name taken
    assert await world.fingerprint() == before

    assert told(await send(applicant, form, idempotencyKey="another")) == {
        ("INVITE_EXHAUSTED", "parent.inviteCode"),
        ("CERTIFICATE_IN_USE", "certificateId"),
    }


async def test_a_repeated_form_tells_how_its_registration_stands_now(world: World) -> None:
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    reviewer, form = await world.administrator(parent), world.form(parent, await applicant.certificate())
    first = await send(applicant, form)
    await reviewer.review(first["registration"]["id"], "REJECT", opinion="重拍")
    again = await send(applicant, form)
    assert again == {"registration": {**first["registration"], "status": "REJECTED"}, "errors": []}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "别的工会"},
        {"regionCode": "440306"},
        {"uscc": credit_code("89", 777)},
        {"uscc": None},
        {"legalPersonIdNumber": id_number(777)},
        {"entryRoute": "SEARCH"},
        {"parent": {"inviteCode": "A" * 22}},
        {"certificateId": "VW5pb246MQ"},
    ],
    ids=["name", "region", "code", "no-code", "number", "route", "parent", "photo"],
)
async def test_another_form_under_the_same_key_is_a_conflict(world: World, changes: dict[str, Any]) -> None:
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    form = world.form(parent, await applicant.certificate())
    first = await send(applicant, form)
    before = await world.fingerprint()
    refused = await send(applicant, form, **changes)
    assert told(refused) == {("IDEMPOTENCY_CONFLICT", "idempotencyKey")}
    assert refused["errors"][0]["message"] == "该幂等键已用于其他内容。"
    assert await world.fingerprint() == before
    assert await send(applicant, form) == first


async def test_another_mutation_under_the_same_key_is_a_conflict(world: World) -> None:
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    form = {**world.form(parent, await applicant.certificate()), "idempotencyKey": KEY}
    assert codes(await applicant.do("registerGrassrootsUnion", "registration { id }", **form, employer=EMPLOYER)) == []
    conflict = {("IDEMPOTENCY_CONFLICT", "idempotencyKey")}
    assert told(await send(applicant, form)) == conflict
    reviewer = await world.administrator(parent)
    [registration] = (await applicant.ask("{ viewer { registrations { nodes { id } } } }"))["registrations"]["nodes"]
    await reviewer.review(registration["id"], "REJECT", opinion="重拍")
    assert told(await applicant.resubmit(registration["id"], name="新名", idempotencyKey=KEY)) == conflict
    assert codes(await applicant.resubmit(registration["id"], name="新名", idempotencyKey="another")) == []


async def test_a_refused_attempt_leaves_its_key_free(world: World) -> None:
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    form = world.form(parent, await applicant.certificate())
    before = await world.fingerprint()
    assert codes(await send(applicant, form, name="")) == ["REQUIRED"]
    assert await world.fingerprint() == before

    received = await send(applicant, form)  # other content than the refused attempt had
    assert received["errors"] == []
    assert await send(applicant, form) == received
    assert await world.rows("registration") == 1


async def test_a_key_is_its_accounts_own(world: World) -> None:
    parent, one, other = await world.union("深圳市总工会"), await world.person(), await world.person("李静")
    mine = await send(one, world.form(parent, await one.certificate()))
    theirs = await send(other, world.form(parent, await other.certificate()))
    assert codes(mine) == codes(theirs) == []
    assert mine["registration"]["id"] != theirs["registration"]["id"]
    assert await world.rows("idempotency_key") == 2


async def test_without_a_key_asking_twice_is_two(world: World) -> None:
    """Which the photo stops, as every form shows one of its own."""
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    form = world.form(parent, await applicant.certificate())
    assert codes(await send(applicant, form, idempotencyKey=None)) == []
    assert codes(await send(applicant, form, idempotencyKey=None)) == ["CERTIFICATE_IN_USE"]
    assert await world.rows("registration") == 1 and await world.rows("idempotency_key") == 0


@pytest.mark.parametrize("key", ["", " ", "a" * 201, "键", "a\0"], ids=["empty", "space", "201", "chinese", "nul"])
async def test_what_cannot_be_a_key_is_told(world: World, key: str) -> None:
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    form = world.form(parent, await applicant.certificate())
    before = await world.fingerprint()
    assert told(await send(applicant, form, idempotencyKey=key)) == {("INVALID", "idempotencyKey")}
    assert await world.fingerprint() == before
    assert codes(await send(applicant, form, idempotencyKey="a" * 200)) == []
