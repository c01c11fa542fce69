"""重新提交: a rejected form, corrected by the opinion. Every round stays as it was submitted."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from sqlalchemy.exc import IntegrityError

from models.union import TradeUnion
from tests.world import EMPLOYER, Client, World, codes, credit_code, gid, id_number, told

ROUNDS = """query($id: ID!) { registration(id: $id) { round status decidedAt submittedAt
    submissions { round name changed uscc region { code } employer { name staffCount } certificate { id } submittedAt }
    reviews { round decision opinion fieldOpinions { field opinion } reviewer { realName } } } }"""


class Scene(NamedTuple):
    """A registration, and who has to do with it."""

    world: World
    parent: TradeUnion
    applicant: Client
    reviewer: Client
    id: str
    form: dict[str, Any]

    async def reject(self, round: int = 1) -> None:  # noqa: A002 - as the API calls it
        assert codes(await self.reviewer.review(self.id, "REJECT", opinion="重拍", round=round)) == []

    async def read(self) -> dict[str, Any]:
        read: dict[str, Any] = await self.applicant.ask(ROUNDS, id=self.id)
        return read


async def pending(world: World, **changes: Any) -> Scene:
    parent, applicant = await world.union("深圳市总工会", region="440300"), await world.person("陈伟")
    form = world.form(parent, await applicant.certificate(), **changes)
    mutation = "registerGrassrootsUnion" if "employer" in form else "registerHigherLevelUnion"
    received = await applicant.do(mutation, "registration { id }", **form)
    return Scene(world, parent, applicant, await world.administrator(parent), received["registration"]["id"], form)


async def rejected(world: World, **changes: Any) -> Scene:
    at = await pending(world, **changes)
    await at.reject()
    return at


# ── only what is given changes ───────────────────────────────────────────────────────────────

ROUND = """select round, name, region_code, uscc, employer_staff_count, certificate_id, changed
    from submission order by round"""


@pytest.mark.parametrize(
    ("changes", "column", "value"),
    [
        ({"name": "新名工会"}, 1, "新名工会"),
        ({"regionCode": "440306"}, 2, "440306"),
        ({"uscc": credit_code("81", 77)}, 3, credit_code("81", 77)),
        ({"uscc": None}, 3, None),
        ({"employer": {**EMPLOYER, "staffCount": 7}}, 4, 7),
    ],
    ids=["name", "region", "code", "no-code", "employer"],
)
async def test_only_what_is_given_changes(world: World, changes: dict[str, Any], column: int, value: object) -> None:
    at = await rejected(world, employer=EMPLOYER)
    assert codes(await at.applicant.resubmit(at.id, **changes)) == []
    before, after = await world.sql(ROUND)
    assert after == (2, *before[1:column], value, *before[column + 1 : -1], list(changes))
    assert before[-1] == []


async def test_a_new_photo_and_a_new_number_are_changes_too(world: World) -> None:
    at = await rejected(world)
    photo = await at.applicant.certificate()
    again = await at.applicant.resubmit(at.id, certificateId=photo, legalPersonIdNumber=id_number(900), name="新名")
    assert again["registration"] == {"id": at.id, "status": "PENDING", "round": 2, "name": "新名"}
    [first, second] = (await at.read())["submissions"]
    assert second["changed"] == ["name", "legalPersonIdNumber", "certificateId"]  # in the form's order
    assert (first["certificate"]["id"], second["certificate"]["id"]) == (at.form["certificateId"], photo)


@pytest.mark.parametrize(
    "given",
    [{}, {"name": None, "regionCode": None, "legalPersonIdNumber": None, "certificateId": None, "employer": None}],
    ids=["nothing", "nulls"],
)
async def test_what_is_left_out_or_null_stays_as_it_was(world: World, given: dict[str, Any]) -> None:
    at = await rejected(world, employer=EMPLOYER)
    assert codes(await at.applicant.resubmit(at.id, **given)) == []
    before, after = await world.sql(ROUND)
    assert after == (2, *before[1:])


async def test_the_same_again_is_no_change_however_it_is_spelled(world: World) -> None:
    at = await rejected(world, name="华强工会")
    same = {
        "name": " 华强工会 ",
        "uscc": at.form["uscc"].lower(),
        "legalPersonIdNumber": at.form["legalPersonIdNumber"],
    }
    assert codes(await at.applicant.resubmit(at.id, **same, certificateId=at.form["certificateId"])) == []
    assert [one["changed"] for one in (await at.read())["submissions"]] == [[], []]


async def test_the_number_is_sealed_anew_for_its_round(world: World) -> None:
    at = await rejected(world)
    assert codes(await at.applicant.resubmit(at.id, name="新名")) == []
    shown = await at.reviewer.do("revealIdNumber", "idNumber", registrationId=at.id, reason="核对")
    assert shown == {"idNumber": at.form["legalPersonIdNumber"], "errors": []}
    [first, second] = await world.sql("select id_number_sealed from submission order by round")
    assert first != second


# ── rounds ───────────────────────────────────────────────────────────────────────────────────


async def test_every_round_keeps_its_form_and_its_opinions(world: World) -> None:
    at = await pending(world, name="一")
    opinions = [{"field": "name", "opinion": "名称不全"}, {"field": "certificateId", "opinion": "看不清"}]
    await at.reviewer.review(at.id, "REJECT", opinion="两处有误", fieldOpinions=opinions)
    await at.applicant.resubmit(at.id, name="二")
    await at.reviewer.review(at.id, "REJECT", opinion="名称仍有误", round=2)
    await at.applicant.resubmit(at.id, name="三", uscc=None)
    assert codes(await at.reviewer.review(at.id, round=3)) == []

    read = await at.read()
    assert (read["round"], read["status"]) == (3, "APPROVED")
    assert [(one["round"], one["name"], one["changed"]) for one in read["submissions"]] == [
        (1, "一", []),
        (2, "二", ["name"]),
        (3, "三", ["name", "uscc"]),
    ]
    by = {"reviewer": {"realName": "王芳"}}
    assert read["reviews"] == [
        {"round": 1, "decision": "REJECT", "opinion": "两处有误", "fieldOpinions": opinions, **by},
        {"round": 2, "decision": "REJECT", "opinion": "名称仍有误", "fieldOpinions": [], **by},
        {"round": 3, "decision": "APPROVE", "opinion": None, "fieldOpinions": [], **by},
    ]


async def test_a_new_round_waits_again_at_the_end_of_the_queue(world: World) -> None:
    at = await pending(world)
    other = await (await world.person("李静")).registered(at.parent)
    await at.reject()
    decided = await at.read()
    assert decided["decidedAt"] is not None
    queue = "{ pendingReviews { nodes { id } } }"
    assert [one["id"] for one in (await at.reviewer.ask(queue))["nodes"]] == [other]

    await at.applicant.resubmit(at.id)
    again = await at.read()
    assert again["decidedAt"] is None and again["submittedAt"] > decided["submittedAt"]
    assert [one["submittedAt"] for one in again["submissions"]] == [decided["submittedAt"], again["submittedAt"]]
    assert [one["id"] for one in (await at.reviewer.ask(queue))["nodes"]] == [other, at.id]


@pytest.mark.parametrize("table", ["submission", "review", "event"])
@pytest.mark.parametrize(
    "statement", ["delete from {}", "update {} set {}"], ids=lambda statement: statement.partition(" ")[0]
)
async def test_what_happened_cannot_be_unwritten(world: World, table: str, statement: str) -> None:
    await rejected(world)
    column = {"submission": "name = name", "review": "opinion = 'x'", "event": "actor_id = null"}[table]
    before = await world.fingerprint()
    with pytest.raises(IntegrityError, match=f"{table} is only ever added to"):
        await world.sql(statement.format(table, column))
    assert await world.fingerprint() == before


# ── refusals ─────────────────────────────────────────────────────────────────────────────────


async def test_everything_that_is_wrong_is_told_at_once(world: World) -> None:
    at = await rejected(world, employer=EMPLOYER)
    await world.union("华强工会", at.parent, uscc=credit_code("89", 888))
    theirs = await at.reviewer.certificate()
    before = await world.fingerprint()
    refused = await at.applicant.resubmit(
        at.id,
        name="华强工会",
        regionCode="000000",
        uscc=credit_code("89", 888),
        employer={**EMPLOYER, "name": " ", "contactPhone": "1"},
        legalPersonIdNumber="1",
        certificateId=theirs,
    )
    assert told(refused) == {
        ("NAME_TAKEN", "name"),
        ("REGION_UNKNOWN", "regionCode"),
        ("USCC_TAKEN", "uscc"),
        ("REQUIRED", "employer.name"),
        ("PHONE_INVALID", "employer.contactPhone"),
        ("ID_NUMBER_INVALID", "legalPersonIdNumber"),
        ("NOT_FOUND", "certificateId"),
    }
    assert refused["registration"] is None and await world.fingerprint() == before
    assert codes(await at.applicant.resubmit(at.id, name="华强第二工会")) == []


async def test_a_photo_of_another_registration_is_in_use_but_ones_own_comes_back(world: World) -> None:
    at = await rejected(world)
    used = await at.applicant.certificate()
    await at.applicant.registered(at.parent, certificateId=used)
    refused = await at.applicant.resubmit(at.id, certificateId=used)
    assert told(refused) == {("CERTIFICATE_IN_USE", "certificateId")}
    assert told(await at.applicant.resubmit(at.id, certificateId="x")) == {("INVALID", "certificateId")}

    await at.applicant.resubmit(at.id, certificateId=await at.applicant.certificate())
    await at.reject(round=2)
    assert codes(await at.applicant.resubmit(at.id, certificateId=at.form["certificateId"])) == []


async def test_a_higher_level_union_gets_no_employer_on_the_way(world: World) -> None:
    at = await rejected(world)
    assert told(await at.applicant.resubmit(at.id, employer=EMPLOYER)) == {("INVALID", "employer")}
    assert await world.rows("submission") == 1
    assert codes(await at.applicant.resubmit(at.id)) == []


async def test_a_parent_that_is_no_more_takes_no_new_round(world: World) -> None:
    at = await rejected(world)
    await world.dissolve(at.parent)
    before = await world.fingerprint()
    assert codes(await at.applicant.resubmit(at.id)) == ["PARENT_DISSOLVED"]
    assert await world.fingerprint() == before
    assert codes(await at.applicant.withdraw(at.id)) == []


async def lead_to(at: Scene, state: str) -> None:
    if state == "APPROVED":
        assert codes(await at.reviewer.review(at.id)) == []
    elif state == "REJECTED":
        await at.reject()
    elif state == "WITHDRAWN":
        assert codes(await at.applicant.withdraw(at.id)) == []


@pytest.mark.parametrize(
    ("state", "resubmits", "withdraws", "sentence"),
    [
        ("PENDING", False, True, "该登记正在待审核，不能进行此操作。"),
        ("REJECTED", True, True, ""),
        ("APPROVED", False, False, "该登记已审核通过，不能进行此操作。"),
        ("WITHDRAWN", False, False, "该登记已撤回，不能进行此操作。"),
    ],
)
async def test_each_move_has_its_states(
    world: World, state: str, *, resubmits: bool, withdraws: bool, sentence: str
) -> None:
    at = await pending(world)
    await lead_to(at, state)
    before = await world.fingerprint()
    wrong = [{"code": "WRONG_STATE", "path": ["registrationId"], "message": sentence}]
    if not resubmits:
        assert (await at.applicant.resubmit(at.id))["errors"] == wrong
        assert await world.fingerprint() == before
    if not withdraws:
        assert (await at.applicant.withdraw(at.id))["errors"] == wrong
        assert await world.fingerprint() == before
    if resubmits:
        assert codes(await at.applicant.resubmit(at.id)) == []
    if withdraws:
        assert codes(await at.applicant.withdraw(at.id)) == []
        assert (await at.read())["status"] == "WITHDRAWN"


async def test_only_the_applicant_resubmits_and_withdraws(world: World) -> None:
    at = await rejected(world)
    outsider = await world.administrator(await world.union("广州市总工会"))
    nobody, missing = world.stranger(), "UmVnaXN0cmF0aW9uOjk5OQ"  # Registration:999
    before = await world.fingerprint()
    for somebody, registration, code in (
        (at.reviewer, at.id, "FORBIDDEN"),
        (outsider, at.id, "NOT_FOUND"),
        (at.applicant, missing, "NOT_FOUND"),
        (at.applicant, gid(at.parent), "INVALID"),
    ):
        assert told(await somebody.resubmit(registration, name="新名")) == {(code, "registrationId")}
        assert told(await somebody.withdraw(registration)) == {(code, "registrationId")}
    assert codes(await nobody.resubmit(at.id)) == codes(await nobody.withdraw(at.id)) == ["UNAUTHENTICATED"]
    assert await world.fingerprint() == before
    assert codes(await at.applicant.resubmit(at.id, name="新名")) == []


# ── asked again ──────────────────────────────────────────────────────────────────────────────


async def test_the_same_correction_under_the_same_key_is_one_round(world: World) -> None:
    at = await rejected(world)
    first = await at.applicant.resubmit(at.id, name="新名", idempotencyKey="k")
    assert first["registration"] == {"id": at.id, "status": "PENDING", "round": 2, "name": "新名"}
    before = await world.fingerprint()
    assert await at.applicant.resubmit(at.id, name="新名", idempotencyKey="k") == first
    conflict = await at.applicant.resubmit(at.id, name="别名", idempotencyKey="k")
    assert told(conflict) == {("IDEMPOTENCY_CONFLICT", "idempotencyKey")}
    assert await world.fingerprint() == before

    await at.reject(round=2)  # a late repetition does not undo this
    late = await at.applicant.resubmit(at.id, name="新名", idempotencyKey="k")
    assert late["registration"] == {**first["registration"], "status": "REJECTED"}
    assert await world.rows("submission") == 2


async def test_a_refused_correction_leaves_its_key_free(world: World) -> None:
    at = await rejected(world)
    before = await world.fingerprint()
    assert codes(await at.applicant.resubmit(at.id, name="", idempotencyKey="k")) == ["REQUIRED"]
    assert await world.fingerprint() == before
    assert codes(await at.applicant.resubmit(at.id, name="", idempotencyKey="")) == ["INVALID", "REQUIRED"]
    assert codes(await at.applicant.resubmit(at.id, name="新名", idempotencyKey="k")) == []
