"""What a registration claims: a name, a credit code, a photo; and what is only worth a look."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import EMPLOYER, World, codes, credit_code, gid, told

CODE = credit_code("89", 42)

# ── names ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["ＡＢＣ工会", "abc 工会", " Abc\u3000工会 ", "ａｂｃ工会"])
async def test_a_name_is_taken_by_a_sibling_that_reads_the_same(world: World, name: str) -> None:
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    sibling = await world.union("ABC工会", parent)
    certificate = await applicant.certificate()
    before = await world.fingerprint()
    refused = await applicant.register(parent, name=name, certificateId=certificate)
    assert told(refused) == {("NAME_TAKEN", "name")}
    assert await world.fingerprint() == before

    # Nobody else's business: a cousin of that name, a nephew, and one whose namesake is no more.
    elsewhere = await world.union("广州市总工会")
    assert codes(await applicant.register(elsewhere, name=name)) == []
    assert codes(await applicant.register(sibling, name=name)) == []
    await world.dissolve(sibling)
    assert codes(await applicant.register(parent, name=name)) == []


async def test_a_pending_name_is_nobodys_yet(world: World) -> None:
    parent, one, other = await world.union("深圳市总工会"), await world.person(), await world.person("李静")
    assert codes(await one.register(parent, name="华强工会", uscc=CODE)) == []
    assert codes(await other.register(parent, name="华强工会", uscc=CODE)) == []


async def test_a_name_is_kept_as_typed_but_composed_and_trimmed(world: World) -> None:
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    received = await applicant.register(parent, name="  Cafe\u0301 ＡＢＣ工会 ")
    assert received["registration"]["name"] == "Café ＡＢＣ工会"


# ── credit codes and ID numbers ──────────────────────────────────────────────────────────────


async def test_a_credit_code_is_taken_by_a_union_anywhere_in_the_tree(world: World) -> None:
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    holder = await world.union("哈尔滨市总工会", await world.union("黑龙江省总工会"), uscc=CODE)
    refused = await applicant.register(parent, uscc=CODE.lower())
    assert told(refused) == {("USCC_TAKEN", "uscc")}
    assert await world.rows("registration") == 0

    await world.dissolve(holder)
    assert codes(await applicant.register(parent, uscc=CODE.lower())) == []
    assert await world.sql("select uscc from submission") == [CODE]


async def test_a_union_may_have_no_credit_code_yet(world: World) -> None:
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    assert codes(await applicant.register(parent, uscc=None)) == []
    assert codes(await applicant.register(parent, uscc=None)) == []


async def test_an_id_number_is_shown_masked_and_kept_sealed(world: World) -> None:
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    number = "11010519491231002X"
    received = await applicant.do(
        "registerHigherLevelUnion",
        "registration { legalPersonIdNumber }",
        **world.form(parent, await applicant.certificate(), legalPersonIdNumber=number.lower(), idempotencyKey="k"),
    )
    assert received["registration"]["legalPersonIdNumber"] == "1****************X"
    tables = await world.sql("select tablename from pg_tables where schemaname = 'public'")
    for table in tables:
        for row in await world.sql(f"select t::text from {table} t"):  # noqa: S608 - our own tables
            assert number not in row.upper() and number.encode().hex() not in row, f"the number is in {table}"


# ── photos ───────────────────────────────────────────────────────────────────────────────────


async def test_a_photo_is_ones_own(world: World) -> None:
    parent, applicant, other = await world.union("深圳市总工会"), await world.person(), await world.person("李静")
    theirs = await other.certificate()
    before = await world.fingerprint()
    assert told(await applicant.register(parent, certificateId=theirs)) == {("NOT_FOUND", "certificateId")}
    assert await world.fingerprint() == before
    assert codes(await other.register(parent, certificateId=theirs)) == []


async def test_a_photo_shows_one_registration_until_that_is_withdrawn(world: World) -> None:
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    reviewer, photo = await world.administrator(parent), await applicant.certificate()
    first = await applicant.registered(parent, certificateId=photo)
    in_use = {("CERTIFICATE_IN_USE", "certificateId")}
    assert told(await applicant.register(parent, certificateId=photo)) == in_use
    await reviewer.review(first, "REJECT", opinion="重拍")
    assert told(await applicant.register(parent, certificateId=photo)) == in_use  # it may be resubmitted yet
    assert codes(await applicant.withdraw(first)) == []
    second = await applicant.registered(parent, certificateId=photo)

    assert codes(await reviewer.review(second)) == []
    assert told(await applicant.register(parent, certificateId=photo)) == in_use  # a union shows it now
    assert await world.rows("registration") == 2


async def test_a_photo_stays_in_use_by_a_round_that_has_been_replaced(world: World) -> None:
    parent, applicant = await world.union("深圳市总工会"), await world.person()
    reviewer, photo = await world.administrator(parent), await applicant.certificate()
    first = await applicant.registered(parent, certificateId=photo)
    await reviewer.review(first, "REJECT", opinion="重拍")
    assert codes(await applicant.resubmit(first, certificateId=await applicant.certificate())) == []
    refused = await applicant.register(parent, certificateId=photo)
    assert told(refused) == {("CERTIFICATE_IN_USE", "certificateId")}


# ── worth a look ─────────────────────────────────────────────────────────────────────────────

LOOK = "registration { status warnings { code path message } }"
OUTSIDE = {
    "code": "REGION_OUTSIDE_PARENT",
    "path": ["regionCode"],
    "message": "所在行政区划不在上级工会的行政区划内。",
}
UNUSUAL = {
    "code": "USCC_PREFIX_UNEXPECTED",
    "path": ["uscc"],
    "message": "统一社会信用代码的开头不是此类工会常见的代码。",
}


@pytest.mark.parametrize(
    ("changes", "warnings"),
    [
        ({}, []),
        ({"regionCode": "440103"}, [OUTSIDE]),
        ({"uscc": credit_code("91", 7)}, [UNUSUAL]),
        ({"regionCode": "230100", "uscc": credit_code("52", 7)}, [OUTSIDE, UNUSUAL]),
    ],
    ids=["nothing", "region", "code", "both"],
)
async def test_a_warning_stops_nobody(world: World, changes: dict[str, Any], warnings: list[dict[str, Any]]) -> None:
    parent, applicant = await world.union("深圳市总工会", region="440300"), await world.person()
    form = world.form(parent, await applicant.certificate(), **changes)
    received = await applicant.do("registerHigherLevelUnion", LOOK, **form)
    assert received == {"registration": {"status": "PENDING", "warnings": warnings}, "errors": []}


async def test_a_grassroots_union_is_expected_to_carry_81_and_is_told_in_english_too(world: World) -> None:
    parent, applicant = await world.union("深圳市总工会", region="440300"), await world.person()
    applicant.language = "en"
    form = world.form(parent, await applicant.certificate(), employer=EMPLOYER, uscc=CODE)
    received = await applicant.do("registerGrassrootsUnion", LOOK, **form)
    assert received["registration"]["warnings"] == [
        {**UNUSUAL, "message": "Credit codes of such unions usually start otherwise."}
    ]


# ── what is kept ─────────────────────────────────────────────────────────────────────────────


async def test_a_received_form_is_pending_in_round_one_and_leaves_an_event(world: World) -> None:
    parent, applicant = await world.union("深圳市总工会", region="440300"), await world.person("陈伟")
    form = world.form(parent, await applicant.certificate(), employer=EMPLOYER, name="华强工会")
    received = await applicant.do(
        "registerGrassrootsUnion",
        """registration { status statusLabel kind name round entryRoute decidedAt parent { id } applicant { realName }
            region { fullName } uscc employer { name uscc address contactName contactPhone staffCount }
            certificate { id } union { id } reviews { round }
            submissions { round name changed certificate { id } } }""",
        **form,
    )
    assert received["registration"] == {
        "status": "PENDING",
        "statusLabel": "待审核",
        "kind": "GRASSROOTS",
        "name": "华强工会",
        "round": 1,
        "entryRoute": None,
        "decidedAt": None,
        "parent": {"id": gid(parent)},
        "applicant": {"realName": "陈伟"},
        "region": {"fullName": "广东省深圳市南山区"},
        "uscc": form["uscc"],
        "employer": EMPLOYER,
        "certificate": {"id": form["certificateId"]},
        "union": None,
        "reviews": [],
        "submissions": [{"round": 1, "name": "华强工会", "changed": [], "certificate": {"id": form["certificateId"]}}],
    }
    recorded = await world.sql("select action, actor_id, union_id, path::text, registration_id, details from event")
    assert recorded == [
        ("registration.submitted", applicant.account_id, parent.id, str(parent.path), 1, {"name": "华强工会"})
    ]
