"""登记: what a form must say, where it may go, and who may send it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import pytest
from sqlalchemy import func

from models.union import TradeUnion
from tests.world import EMPLOYER, GRASSROOTS, Client, World, codes, credit_code, gid, told

Changes = dict[str, Any]


class Scene(NamedTuple):
    """An applicant before a parent union, which has a child of this name and code."""

    world: World
    applicant: Client
    parent: TradeUnion


async def scene(world: World) -> Scene:
    parent = await world.union("深圳市总工会", region="440300")
    await world.union("华强工会", parent, uscc=credit_code("89", 999_999))
    return Scene(world, await world.person(), parent)


@asynccontextmanager
async def retired_region(world: World, code: str) -> AsyncIterator[str]:
    """A division that is no more. Divisions stay from test to test, so it goes again."""
    await world.sql("insert into region values (:code, '宝安县', '广东省深圳市宝安县', '440300', true)", code=code)
    yield code
    await world.sql("delete from region where code = :code", code=code)


# ── each refusal, in both languages, beside its success ──────────────────────────────────────


async def elsewhere(scene: Scene) -> Changes:
    return {"parent": {"unionId": "VW5pb246OTk5"}}  # Union:999


async def under_grassroots(scene: Scene) -> Changes:
    return {"parent": {"unionId": gid(await scene.world.union("某厂工会", scene.parent, GRASSROOTS))}}


async def under_dissolved(scene: Scene) -> Changes:
    gone = await scene.world.union("已撤销的工会", scene.parent)
    await scene.world.dissolve(gone)
    return {"parent": {"unionId": gid(gone)}}


async def expired(scene: Scene) -> Changes:
    return {"parent": {"inviteCode": (await scene.world.invite(scene.parent, expires_at=func.now())).token}}


async def exhausted(scene: Scene) -> Changes:
    return {"parent": {"inviteCode": (await scene.world.invite(scene.parent, max_uses=2, uses=2)).token}}


async def revoked(scene: Scene) -> Changes:
    return {"parent": {"inviteCode": (await scene.world.invite(scene.parent, revoked_at=func.now())).token}}


async def somebody_elses_photo(scene: Scene) -> Changes:
    return {"certificateId": await (await scene.world.person("李静")).certificate()}


async def photo_of_another_registration(scene: Scene) -> Changes:
    certificate = await scene.applicant.certificate()
    await scene.applicant.registered(scene.parent, certificateId=certificate)
    return {"certificateId": certificate}


async def a_union_for_a_photo(scene: Scene) -> Changes:
    return {"certificateId": gid(scene.parent)}


def typed(**changes: Any) -> Callable[[Scene], Awaitable[Changes]]:
    async def change(scene: Scene) -> Changes:
        return changes

    return change


UNSEEN: Final = "含有控制字符、零宽字符等不可见字符，请重新输入。"


class Refusal(NamedTuple):
    spoil: Callable[[Scene], Awaitable[Changes]]
    code: str
    path: str
    chinese: str
    english: str


REFUSALS: Final = [
    Refusal(typed(name="  "), "REQUIRED", "name", "此项必填。", "This is required."),
    Refusal(
        typed(name="工" * 101),
        "TOO_LONG",
        "name",
        "内容过长，最多 100 个字符。",
        "This is too long; at most 100 characters.",
    ),
    Refusal(
        typed(name="深圳\u202e工会"),
        "INVALID",
        "name",
        UNSEEN,
        "This holds control, zero-width or other unseen characters; type it again.",
    ),
    Refusal(
        typed(name="华 强工会"),
        "NAME_TAKEN",
        "name",
        "同一上级工会下已有同名工会。",
        "A union directly below the same parent has this name.",
    ),
    Refusal(
        typed(regionCode="440399"),
        "REGION_UNKNOWN",
        "regionCode",
        "行政区划代码不存在或已停用。",
        "There is no such division, or no longer.",
    ),
    Refusal(
        typed(uscc="89440000MC12345677"),
        "USCC_INVALID",
        "uscc",
        "统一社会信用代码无效，请核对 18 位代码。",
        "This is not a unified social credit code; check its 18 characters.",
    ),
    Refusal(
        typed(uscc=credit_code("89", 999_999)),
        "USCC_TAKEN",
        "uscc",
        "该统一社会信用代码已有工会登记。",
        "A union with this credit code is registered.",
    ),
    Refusal(
        typed(legalPersonIdNumber="44052418800101001"),
        "ID_NUMBER_INVALID",
        "legalPersonIdNumber",
        "身份证号码无效，请核对 18 位号码。",
        "This is not a resident ID number; check its 18 characters.",
    ),
    Refusal(
        typed(legalPersonIdNumber="440524188001010015"),
        "ID_NUMBER_INVALID",
        "legalPersonIdNumber",
        "身份证号码校验位不符，请核对。",
        "The ID number's check character does not fit; check the number.",
    ),
    Refusal(
        typed(employer={**EMPLOYER, "contactPhone": "138"}),
        "PHONE_INVALID",
        "employer.contactPhone",
        "电话号码无效。",
        "This is not a phone number.",
    ),
    Refusal(
        typed(employer={**EMPLOYER, "staffCount": -1}),
        "INVALID",
        "employer.staffCount",
        "职工人数须为 0 至 10000000。",
        "The number of staff lies between 0 and 10,000,000.",
    ),
    Refusal(typed(certificateId="photo"), "INVALID", "certificateId", "编号无效。", "This is not an id."),
    Refusal(
        a_union_for_a_photo,
        "INVALID",
        "certificateId",
        "编号无效：此处需要 Certificate 的编号。",
        "This is not the id of a Certificate.",
    ),
    Refusal(
        somebody_elses_photo,
        "NOT_FOUND",
        "certificateId",
        "内容不存在，或您无权查看。",
        "This does not exist, or not for you.",
    ),
    Refusal(
        photo_of_another_registration,
        "CERTIFICATE_IN_USE",
        "certificateId",
        "该证件照片已用于其他登记，请重新上传。",
        "Another registration shows this certificate; upload it again.",
    ),
    Refusal(
        elsewhere, "NOT_FOUND", "parent.unionId", "内容不存在，或您无权查看。", "This does not exist, or not for you."
    ),
    Refusal(
        typed(parent={"inviteCode": "x" * 22}),
        "NOT_FOUND",
        "parent.inviteCode",
        "内容不存在，或您无权查看。",
        "This does not exist, or not for you.",
    ),
    Refusal(
        under_grassroots,
        "PARENT_IS_GRASSROOTS",
        "parent.unionId",
        "基层工会不能作为上级工会。",
        "A grassroots union takes no unions below it.",
    ),
    Refusal(
        under_dissolved,
        "PARENT_DISSOLVED",
        "parent.unionId",
        "上级工会已撤销。",
        "The union above has been dissolved.",
    ),
    Refusal(
        expired,
        "INVITE_EXPIRED",
        "parent.inviteCode",
        "二维码已过期，请向上级工会索取新的二维码。",
        "This code has expired; ask the union for a new one.",
    ),
    Refusal(
        exhausted,
        "INVITE_EXHAUSTED",
        "parent.inviteCode",
        "二维码的使用次数已满，请向上级工会索取新的二维码。",
        "This code has been used as often as it may be; ask the union for a new one.",
    ),
    Refusal(
        revoked,
        "INVITE_REVOKED",
        "parent.inviteCode",
        "二维码已作废，请向上级工会索取新的二维码。",
        "This code has been revoked; ask the union for a new one.",
    ),
    Refusal(
        typed(idempotencyKey="a b"),
        "INVALID",
        "idempotencyKey",
        "幂等键须为 1 至 200 个可见 ASCII 字符。",
        "An idempotency key is 1 to 200 visible ASCII characters.",
    ),
]


@pytest.mark.parametrize(
    "refusal", REFUSALS, ids=[f"{number}-{one.code}-{one.path}" for number, one in enumerate(REFUSALS)]
)
async def test_a_refusal_is_told_in_the_readers_language_and_writes_nothing(world: World, refusal: Refusal) -> None:
    at = await scene(world)
    changes = {"certificateId": await at.applicant.certificate(), **await refusal.spoil(at)}
    parent = changes.pop("parent", at.parent)
    before = await world.fingerprint()
    for language, sentence in (("zh-CN", refusal.chinese), ("en", refusal.english)):
        at.applicant.language = language
        refused = await at.applicant.register(parent, **changes)
        assert refused["errors"] == [{"code": refusal.code, "path": refusal.path.split("."), "message": sentence}]
        assert refused["registration"] is None
    assert await world.fingerprint() == before

    assert codes(await at.applicant.register(at.parent)) == []


async def test_everything_that_is_wrong_with_a_form_is_told_at_once(world: World) -> None:
    at = await scene(world)
    used = await at.applicant.certificate()
    await at.applicant.registered(at.parent, certificateId=used)
    code = await world.invite(at.parent, revoked_at=func.now())
    wrong = {
        "name": " 华强工会",
        "regionCode": "999999",
        "uscc": "8",
        "employer": {
            "name": "",
            "uscc": credit_code("91", 1)[:-1],
            "address": "路" * 201,
            "contactName": "\0",
            "contactPhone": "+",
            "staffCount": 10_000_001,
        },
        "legalPersonIdNumber": "x",
        "certificateId": used,
        "idempotencyKey": "",
    }
    before = await world.fingerprint()
    refused = await at.applicant.register(code, **wrong)
    assert told(refused) == {
        ("INVITE_REVOKED", "parent.inviteCode"),
        ("NAME_TAKEN", "name"),
        ("REGION_UNKNOWN", "regionCode"),
        ("USCC_INVALID", "uscc"),
        ("REQUIRED", "employer.name"),
        ("USCC_INVALID", "employer.uscc"),
        ("TOO_LONG", "employer.address"),
        ("INVALID", "employer.contactName"),
        ("PHONE_INVALID", "employer.contactPhone"),
        ("INVALID", "employer.staffCount"),
        ("ID_NUMBER_INVALID", "legalPersonIdNumber"),
        ("CERTIFICATE_IN_USE", "certificateId"),
        ("INVALID", "idempotencyKey"),
    }
    assert len(refused["errors"]) == 13 and all(error["message"] for error in refused["errors"])
    assert await world.fingerprint() == before

    assert codes(await at.applicant.register(at.parent, employer=EMPLOYER)) == []


async def test_ids_that_are_none_are_told_with_all_the_rest(world: World) -> None:
    at = await scene(world)
    refused = await at.applicant.register({"unionId": "x"}, name="", certificateId="x", regionCode="")
    assert told(refused) == {
        ("INVALID", "parent.unionId"),
        ("INVALID", "certificateId"),
        ("REQUIRED", "name"),
        ("REGION_UNKNOWN", "regionCode"),
    }
    assert await world.rows("registration") == 0


async def test_a_grassroots_form_without_its_employer_is_no_such_input(world: World) -> None:
    at = await scene(world)
    form = world.form(at.parent, await at.applicant.certificate())
    query = "mutation($i: RegisterGrassrootsUnionInput!) { registerGrassrootsUnion(input: $i) { errors { code } } }"
    before = await world.fingerprint()
    lacking: list[dict[str, Any]] = [{}, {"employer": None}, {"employer": {}}]
    for employer in lacking:
        answer = await at.applicant.answer(query, i={**form, **employer})
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}
        assert await world.fingerprint() == before
    assert "errors" not in await at.applicant.answer(query, i={**form, "employer": EMPLOYER})


async def test_a_retired_region_takes_no_new_unions(world: World) -> None:
    at = await scene(world)
    async with retired_region(world, "440321") as code:
        certificate = await at.applicant.certificate()
        before = await world.fingerprint()
        refused = await at.applicant.register(at.parent, regionCode=code, certificateId=certificate)
        assert told(refused) == {("REGION_UNKNOWN", "regionCode")}
        assert await world.fingerprint() == before
    assert codes(await at.applicant.register(at.parent, regionCode="440306")) == []
