"""审核: who decides, on what, and what a refusal says."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from models.permissions import Role
from models.union import TradeUnion
from tests.world import EMPLOYER, Client, World, codes, credit_code, gid, told

STANDING = "query($id: ID!) { registration(id: $id) { viewerCan reviewers { realName phone } } }"


class Scene(NamedTuple):
    """A registration below a city of a province, and everybody along the way."""

    world: World
    province: TradeUnion
    city: TradeUnion
    governor: Client
    mayor: Client
    applicant: Client
    id: str

    async def standing(self, reader: Client) -> dict[str, Any]:
        """What this reader may do with it, and who they are told decides."""
        read: dict[str, Any] = await reader.ask(STANDING, id=self.id)
        return read


async def scene(world: World, **changes: Any) -> Scene:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province, region="440300")
    governor, mayor = await world.administrator(province, "王芳"), await world.administrator(city, "李静")
    applicant = await world.person("陈伟")
    return Scene(world, province, city, governor, mayor, applicant, await applicant.registered(city, **changes))


# ── the decision ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("opinion", [None, "", " \n\t"], ids=["none", "empty", "blank"])
async def test_a_rejection_needs_an_opinion(world: World, opinion: str | None) -> None:
    at = await scene(world)
    before = await world.fingerprint()
    refused = await at.mayor.review(at.id, "REJECT", opinion=opinion)
    assert refused == {
        "registration": None,
        "errors": [{"code": "OPINION_REQUIRED", "path": ["opinion"], "message": "审核不通过时，请填写审核意见。"}],
    }
    assert await world.fingerprint() == before
    assert codes(await at.mayor.review(at.id, "REJECT", opinion=" 证件不清晰\r\n请重拍 ")) == []
    assert await world.sql("select opinion from review") == ["证件不清晰\n请重拍"]


@pytest.mark.parametrize("opinion", [None, "", "同意"])
async def test_an_approval_may_go_without(world: World, opinion: str | None) -> None:
    at = await scene(world)
    assert codes(await at.mayor.review(at.id, opinion=opinion)) == []
    assert await world.sql("select opinion from review") == [opinion or None]


async def test_every_fault_of_a_verdict_is_told_at_once(world: World) -> None:
    at = await scene(world)
    before = await world.fingerprint()
    wrong = [
        {"field": "name", "opinion": ""},
        {"field": "salary", "opinion": "x" * 2001},
        {"field": "employer.\0", "opinion": "\0"},
        {"field": "employer.salary", "opinion": "?"},
        {"field": "name.first", "opinion": "?"},
        {"field": "", "opinion": "?"},
    ]
    refused = await at.mayor.review(at.id, "REJECT", opinion="x" * 2001, fieldOpinions=wrong)
    assert told(refused) == {
        ("TOO_LONG", "opinion"),
        ("REQUIRED", "fieldOpinions.0.opinion"),
        ("INVALID", "fieldOpinions.1.field"),
        ("TOO_LONG", "fieldOpinions.1.opinion"),
        ("INVALID", "fieldOpinions.2.field"),
        ("INVALID", "fieldOpinions.2.opinion"),
        ("INVALID", "fieldOpinions.3.field"),
        ("INVALID", "fieldOpinions.4.field"),
        ("INVALID", "fieldOpinions.5.field"),
    }
    assert await world.fingerprint() == before


async def test_a_union_without_an_employer_is_told_nothing_about_one(world: World) -> None:
    at = await scene(world)
    opinions = [{"field": field, "opinion": "请核对"} for field in ("employer", "employer.name", "name")]
    refused = await at.mayor.review(at.id, "REJECT", opinion="请核对", fieldOpinions=opinions)
    assert told(refused) == {("INVALID", "fieldOpinions.0.field"), ("INVALID", "fieldOpinions.1.field")}
    assert codes(await at.mayor.review(at.id, "REJECT", opinion="请核对", fieldOpinions=opinions[2:])) == []


async def test_opinions_name_fields_as_the_form_or_the_registration_does(world: World) -> None:
    at = await scene(world, employer=EMPLOYER)
    given = ["name", "region", "uscc", "employer", "employer.contactPhone", "legalPersonIdNumber", "certificate"]
    opinions = [{"field": field, "opinion": "请核对"} for field in given]
    assert codes(await at.mayor.review(at.id, "REJECT", opinion="请核对", fieldOpinions=opinions)) == []
    [kept] = await world.sql("select field_opinions from review")
    assert [one["field"] for one in kept] == [
        "name",
        "regionCode",
        "uscc",
        "employer",
        "employer.contactPhone",
        "legalPersonIdNumber",
        "certificateId",
    ]


async def test_opinions_are_at_most_fifty(world: World) -> None:
    at = await scene(world)
    many = [{"field": "name", "opinion": "请核对"}] * 51
    refused = await at.mayor.review(at.id, "REJECT", opinion="请核对", fieldOpinions=many)
    assert told(refused) == {("TOO_LARGE", "fieldOpinions")}
    assert await world.rows("review") == 0
    assert codes(await at.mayor.review(at.id, "REJECT", opinion="请核对", fieldOpinions=many[:50])) == []


async def test_a_decision_is_on_the_round_that_was_read(world: World) -> None:
    at = await scene(world)
    assert codes(await at.mayor.review(at.id, "REJECT", opinion="重拍")) == []
    assert codes(await at.applicant.resubmit(at.id)) == []
    before = await world.fingerprint()
    for stale in (1, 3, 0, -1):
        refused = await at.mayor.review(at.id, round=stale)
        assert refused["errors"] == [
            {"code": "STALE", "path": ["round"], "message": "该登记现为第 2 次提交的内容，请查看后再审核。"}
        ]
    assert await world.fingerprint() == before
    assert codes(await at.mayor.review(at.id, round=2)) == []


@pytest.mark.parametrize("decision", ["APPROVE", "REJECT"])
@pytest.mark.parametrize("state", ["APPROVED", "REJECTED", "WITHDRAWN"])
async def test_what_is_decided_or_withdrawn_is_not_decided_again(world: World, state: str, decision: str) -> None:
    at = await scene(world)
    if state == "WITHDRAWN":
        assert codes(await at.applicant.withdraw(at.id)) == []
    else:
        first = {"APPROVED": "APPROVE", "REJECTED": "REJECT"}[state]
        assert codes(await at.mayor.review(at.id, first, opinion="意见")) == []
    before = await world.fingerprint()
    refused = await at.mayor.review(at.id, decision, opinion="意见")
    assert told(refused) == {("WRONG_STATE", "registrationId")}
    assert await world.fingerprint() == before


# ── who ──────────────────────────────────────────────────────────────────────────────────────


async def test_the_union_applied_to_decides_and_those_above_look_on(world: World) -> None:
    at = await scene(world)
    reviewer, analyst = await world.person("刘洋"), await world.person("赵敏")
    await world.appoint(reviewer, at.city, Role.REVIEWER)
    await world.appoint(analyst, at.city, Role.ANALYST)
    for able in (at.mayor, reviewer):
        assert (await at.standing(able))["viewerCan"] == ["READ", "REVIEW"]
    before = await world.fingerprint()
    for looking_on in (at.governor, analyst):
        assert (await at.standing(looking_on))["viewerCan"] == ["READ"]
        assert told(await looking_on.review(at.id)) == {("FORBIDDEN", "registrationId")}
    assert await world.fingerprint() == before
    assert codes(await reviewer.review(at.id)) == []


async def test_elsewhere_the_registration_does_not_exist(world: World) -> None:
    at = await scene(world)
    neighbour = await world.administrator(await world.union("广州市总工会", at.province))
    below = await world.administrator(await world.union("南山区总工会", at.city))
    outsider = await world.person("何敏")
    before = await world.fingerprint()
    for nobody in (neighbour, below, outsider):
        assert await nobody.ask("query($id: ID!) { registration(id: $id) { id } }", id=at.id) is None
        assert told(await nobody.review(at.id)) == {("NOT_FOUND", "registrationId")}
    assert told(await world.stranger().review(at.id)) == {("UNAUTHENTICATED", "")}
    assert told(await at.mayor.review(gid(at.city))) == {("INVALID", "registrationId")}
    assert await world.fingerprint() == before
    assert codes(await at.mayor.review(at.id)) == []


async def test_nobody_decides_on_their_own_registration(world: World) -> None:
    at = await scene(world)
    own = await at.mayor.registered(at.city)
    assert (await at.mayor.ask(STANDING, id=own))["viewerCan"] == ["READ", "WITHDRAW"]
    before = await world.fingerprint()
    refused = await at.mayor.review(own)
    assert refused["errors"] == [
        {"code": "SELF_REVIEW", "path": ["registrationId"], "message": "不能审核自己提交的登记。"}
    ]
    assert told(await at.applicant.review(at.id)) == {("SELF_REVIEW", "registrationId")}
    assert await world.fingerprint() == before
    # The mayor was the only one there: the province decides.
    assert (await at.governor.ask(STANDING, id=own))["viewerCan"] == ["READ", "REVIEW"]
    assert codes(await at.governor.review(own)) == []


async def test_a_colleague_decides_on_the_registration_of_one_who_is_appointed_there(world: World) -> None:
    at = await scene(world)
    colleague = await world.administrator(at.city, "刘洋")
    own = await at.mayor.registered(at.city)
    assert told(await at.governor.review(own)) == {("FORBIDDEN", "registrationId")}
    assert codes(await colleague.review(own)) == []


async def test_where_nobody_is_appointed_the_nearest_union_above_decides(world: World) -> None:
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    street = await world.union("粤海街道总工会", await world.union("南山区总工会", city))
    governor, mayor = await world.administrator(province, "王芳"), await world.administrator(city, "李静")
    applicant, analyst = await world.person("陈伟"), await world.person("赵敏")
    await world.appoint(analyst, street, Role.ANALYST)  # who does not decide
    registration = await applicant.registered(street)

    queue = "{ pendingReviews { nodes { viewerCan reviewers { realName } } } }"
    waiting = {"viewerCan": ["READ"], "reviewers": [{"realName": "李静"}]}
    assert (await governor.ask(queue))["nodes"] == [waiting]
    assert (await mayor.ask(queue))["nodes"] == [{**waiting, "viewerCan": ["READ", "REVIEW"]}]
    assert told(await governor.review(registration)) == {("FORBIDDEN", "registrationId")}
    assert told(await analyst.review(registration)) == {("FORBIDDEN", "registrationId")}

    officer = await world.administrator(street, "刘洋")
    assert told(await mayor.review(registration)) == {("FORBIDDEN", "registrationId")}
    assert codes(await officer.review(registration)) == []


async def test_where_nobody_at_all_can_decide_it_waits(world: World) -> None:
    root, applicant = await world.union("广东省总工会"), await world.person()
    registration = await applicant.registered(root)
    assert (await applicant.ask(STANDING, id=registration))["reviewers"] == []
    assert codes(await (await world.administrator(root)).review(registration)) == []


async def test_those_who_may_decide_are_named_while_it_is_pending(world: World) -> None:
    at = await scene(world)
    second = await world.person("刘洋", phone="+8613900009999")
    await world.appoint(second, at.city, Role.REVIEWER)
    await world.appoint(second, at.city, Role.ADMINISTRATOR)  # still one person
    named = (await at.standing(at.applicant))["reviewers"]
    assert [one["realName"] for one in named] == ["李静", "刘洋"]
    assert named[1]["phone"] == "139****9999"
    assert codes(await second.review(at.id)) == []
    assert (await at.standing(at.applicant))["reviewers"] == []


async def test_an_ended_appointment_decides_nothing(world: World) -> None:
    at = await scene(world)
    await world.sql("update appointment set ended_at = now() where union_id = :id", id=at.city.id)
    before = await world.fingerprint()
    assert told(await at.mayor.review(at.id)) == {("NOT_FOUND", "registrationId")}
    assert await world.fingerprint() == before
    assert codes(await at.governor.review(at.id)) == []


# ── what changed meanwhile ───────────────────────────────────────────────────────────────────


async def test_a_twin_that_was_approved_meanwhile_has_the_name_and_the_code(world: World) -> None:
    at = await scene(world, name="华强工会", uscc=credit_code("89", 42))
    twin = await (await world.person("李静")).registered(at.city, name="华 强工会", uscc=credit_code("89", 42))
    assert codes(await at.mayor.review(at.id)) == []
    before = await world.fingerprint()
    refused = await at.mayor.review(twin)
    assert told(refused) == {("NAME_TAKEN", "registrationId"), ("USCC_TAKEN", "registrationId")}
    assert await world.fingerprint() == before
    assert codes(await at.mayor.review(twin, "REJECT", opinion="已有同名工会")) == []


async def test_a_parent_that_was_dissolved_meanwhile_takes_nobody_in(world: World) -> None:
    at = await scene(world)
    await world.dissolve(at.city)
    before = await world.fingerprint()
    assert codes(await at.mayor.review(at.id)) == ["PARENT_DISSOLVED"]
    assert await world.fingerprint() == before
    assert codes(await at.mayor.review(at.id, "REJECT", opinion="上级工会已撤销")) == []


# ── asked again ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("decision", ["APPROVE", "REJECT"])
async def test_the_same_verdict_under_the_same_key_is_one_review(world: World, decision: str) -> None:
    at = await scene(world)
    first = await at.mayor.review(at.id, decision, opinion="意见", idempotencyKey="k")
    assert first["errors"] == []
    before = await world.fingerprint()
    assert await at.mayor.review(at.id, decision, opinion="意见", idempotencyKey="k") == first
    conflict = await at.mayor.review(at.id, decision, opinion="别的意见", idempotencyKey="k")
    assert told(conflict) == {("IDEMPOTENCY_CONFLICT", "idempotencyKey")}
    assert await world.fingerprint() == before
    assert await world.rows("review") == 1


async def test_a_refused_verdict_leaves_its_key_free(world: World) -> None:
    at = await scene(world)
    before = await world.fingerprint()
    assert codes(await at.mayor.review(at.id, "REJECT", idempotencyKey="k")) == ["OPINION_REQUIRED"]
    assert await world.fingerprint() == before
    assert codes(await at.mayor.review(at.id, "REJECT", opinion="意见", idempotencyKey="k")) == []


async def test_below_the_deepest_level_nothing_is_planted(world: World) -> None:
    deepest, applicant = await world.union("第0级工会"), await world.person()
    for level in range(1, 16):
        deepest = await world.union(f"第{level}级工会", deepest)
    governor = await world.administrator(deepest)
    last = (await governor.review(await applicant.registered(deepest)))["registration"]["union"]
    assert last["path"].count(".") == 16
    before = await world.fingerprint()
    refused = await applicant.register({"unionId": last["id"]}, certificateId="x")
    assert told(refused) == {("INVALID", "parent.unionId"), ("INVALID", "certificateId")}
    assert await world.fingerprint() == before
    invited = await governor.do("createInvite", "invite { id }", unionId=last["id"])
    assert told(invited) == {("INVALID", "unionId")}
    assert invited["errors"][0]["message"] == "上级工会已在组织树的最低一级，不能再有下级工会。"
