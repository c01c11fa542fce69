"""疑似重复: unions within reach that state the same as a registration."""

from __future__ import annotations

from typing import Any, Final

import pytest

from models.duplicates import MOST
from models.union import TradeUnion
from tests.world import EMPLOYER, GRASSROOTS, Client, World, codes, credit_code

NUMBER: Final = "11010519491231002X"
CODE: Final = credit_code("89", 999_042)  # no number that World gives out
DUPLICATES: Final = "query($id: ID!) { registration(id: $id) { possibleDuplicates { name } } }"


async def duplicates(reader: Client, registration: str) -> list[str]:
    read = await reader.ask(DUPLICATES, id=registration)
    return [card["name"] for card in read["possibleDuplicates"]]


MATCHES: Final = "query($id: ID!) { registration(id: $id) { duplicateMatches { reasons message union { name } } } }"


async def matches(reader: Client, registration: str) -> dict[str, list[str]]:
    """The reasons for each union, in order."""
    read = await reader.ask(MATCHES, id=registration)
    return {match["union"]["name"]: match["reasons"] for match in read["duplicateMatches"]}


async def approved(reviewer: Client, applicant: Client, parent: TradeUnion, **changes: object) -> str:
    registration = await applicant.registered(parent, **changes)
    assert codes(await reviewer.review(registration)) == []
    return registration


async def test_the_same_code_person_or_name_in_a_region_is_pointed_out(world: World) -> None:
    city, applicant = await world.union("深圳市总工会"), await world.person()
    mayor, street = await world.administrator(city), await world.union("粤海街道总工会", city)
    # Waiting while others are planted: what is taken already cannot be submitted at all.
    registration = await applicant.registered(
        street, name="华强工会", uscc=CODE, legalPersonIdNumber=NUMBER, regionCode="440305"
    )
    assert await duplicates(mayor, registration) == []

    await approved(mayor, applicant, city, name="同码工会", uscc=CODE)
    await approved(mayor, applicant, city, name="同人工会", legalPersonIdNumber=NUMBER.lower())
    await approved(mayor, applicant, city, name="华 强工会", regionCode="440305")
    others = await world.union("别处", city)
    await world.administrator(others, "何敏")
    await world.union("华强工会", others, region="440306")  # that name in another region
    gone = await world.union("华强工会", region="440305")
    await world.dissolve(gone)
    assert await duplicates(mayor, registration) == ["同码工会", "同人工会", "华 强工会"]


async def test_what_the_reader_cannot_see_is_not_pointed_out(world: World) -> None:
    province = await world.union("广东省总工会")
    shenzhen, guangzhou = await world.union("深圳市总工会", province), await world.union("广州市总工会", province)
    governor, applicant = await world.administrator(province), await world.person()
    mayor, neighbour = await world.administrator(shenzhen), await world.administrator(guangzhou)
    await approved(neighbour, applicant, guangzhou, name="同人工会", legalPersonIdNumber=NUMBER)
    registration = await applicant.registered(shenzhen, legalPersonIdNumber=NUMBER)

    assert await duplicates(governor, registration) == ["同人工会"]
    assert await duplicates(mayor, registration) == []
    assert await duplicates(applicant, registration) == ["同人工会"]  # which they administer themselves
    other = await (await world.person("李静")).registered(shenzhen, legalPersonIdNumber=NUMBER)
    assert await duplicates(mayor, other) == []


async def test_a_union_is_no_duplicate_of_the_registration_it_came_of(world: World) -> None:
    city, applicant = await world.union("深圳市总工会"), await world.person()
    mayor = await world.administrator(city)
    first = await approved(mayor, applicant, city, name="第一工会", legalPersonIdNumber=NUMBER)
    second = await approved(mayor, applicant, city, name="第二工会", legalPersonIdNumber=NUMBER)
    assert await duplicates(mayor, first) == ["第二工会"]
    assert await duplicates(mayor, second) == ["第一工会"]
    page = await mayor.ask("{ viewer { registrations { nodes { id } } } }")
    assert page["registrations"]["nodes"] == []


async def test_registrations_on_one_page_do_not_hide_each_others_unions(world: World) -> None:
    city, applicant = await world.union("深圳市总工会"), await world.person()
    mayor = await world.administrator(city)
    await approved(mayor, applicant, city, name="第一工会", legalPersonIdNumber=NUMBER)
    await applicant.registered(city, name="第二工会", legalPersonIdNumber=NUMBER)
    page = await applicant.ask("{ viewer { registrations { nodes { name possibleDuplicates { name } } } } }")
    assert page["registrations"]["nodes"] == [
        {"name": "第二工会", "possibleDuplicates": [{"name": "第一工会"}]},
        {"name": "第一工会", "possibleDuplicates": []},
    ]


# ── why ──────────────────────────────────────────────────────────────────────────────────────


async def test_each_says_why_and_the_strongest_reason_comes_first(world: World) -> None:
    city, applicant = await world.union("深圳市总工会"), await world.person()
    mayor, second = await world.administrator(city), await world.union("粤海街道总工会", city)
    registration = await applicant.registered(
        second, name="宏达电子工会", uscc=CODE, legalPersonIdNumber=NUMBER, employer=EMPLOYER
    )
    elsewhere = {**EMPLOYER, "uscc": credit_code("91", 7)}
    await approved(mayor, applicant, city, name="宏达电器工会")
    await approved(mayor, applicant, city, name="单位名称相同", employer=elsewhere)
    await approved(mayor, applicant, city, name="不同区", employer=elsewhere, regionCode="440306")
    await approved(mayor, applicant, city, name="单位代码相同", employer=EMPLOYER | {"name": "别的名称"})
    await approved(mayor, applicant, city, name="同人工会", legalPersonIdNumber=NUMBER)
    everything = {"employer": EMPLOYER, "legalPersonIdNumber": NUMBER, "uscc": CODE}
    await approved(mayor, applicant, city, name="宏达电子有限公司工会", **everything)
    assert await matches(mayor, registration) == {
        "宏达电子有限公司工会": ["SAME_USCC", "SAME_LEGAL_PERSON", "SAME_EMPLOYER", "SIMILAR_NAME"],
        "同人工会": ["SAME_LEGAL_PERSON"],
        "单位名称相同": ["SAME_EMPLOYER"],
        "单位代码相同": ["SAME_EMPLOYER"],
        "宏达电器工会": ["SIMILAR_NAME"],
    }
    assert await duplicates(mayor, registration) == list(await matches(mayor, registration))


async def test_the_reasons_are_told_in_the_readers_language(world: World) -> None:
    city, applicant = await world.union("深圳市总工会"), await world.person()
    mayor, second = await world.administrator(city), await world.union("粤海街道总工会", city)
    registration = await applicant.registered(second, name="宏达电子厂工会", legalPersonIdNumber=NUMBER)
    await approved(mayor, applicant, city, name="宏达电子厂工会", legalPersonIdNumber=NUMBER)
    told = {}
    for mayor.language in ("zh-CN", "en"):
        [match] = (await mayor.ask(MATCHES, id=registration))["duplicateMatches"]
        told[mayor.language] = match["message"]
    assert told == {
        "zh-CN": "法定代表人身份证号码相同；名称相同或相似",
        "en": "the same legal person; the same or a similar name",
    }


@pytest.mark.parametrize(
    ("name", "other", "similar"),
    [
        ("华强电子厂工会", "华强电子厂工会委员会", True),
        ("深圳市华强电子有限公司工会", "华强电子（深圳）有限公司工会委员会", True),
        ("深圳市华强电子有限公司工会", "深圳市宏达电子有限公司工会", False),
        ("深圳市华强电子有限公司工会", "深圳市新华强电子有限公司工会", True),
        ("顺丰速运有限公司工会", "顺丰速递有限公司工会", True),
        ("中兴通讯股份有限公司工会", "广东省深圳市南山区中兴通讯工会", True),
        ("招商银行深圳分行工会", "招商银行工会", True),
        ("华为技术有限公司工会", "华为终端有限公司工会", False),
        ("第一中学工会", "第二中学工会", False),
        ("深圳大学工会", "深圳大学附属中学工会", False),
        ("南山区总工会", "深圳市南山区总工会", True),
        ("粤海街道总工会", "南山区粤海街道工会联合会", True),
        ("粤海街道总工会", "沙河街道总工会", False),
        ("ＡＢＣ科技工会", "abc 科技工会", True),
    ],
)
async def test_names_are_similar_by_what_tells_them_apart(world: World, name: str, other: str, similar: bool) -> None:  # noqa: FBT001 - a column of the table
    city, applicant = await world.union("深圳市总工会", region="440300"), await world.person()
    mayor = await world.administrator(city)
    await world.union(other, city, GRASSROOTS, region="440305")
    await world.union(other, await world.union("罗湖区总工会", city), GRASSROOTS, region="440303")
    registration = await applicant.registered(await world.union("街道", city), name=name, regionCode="440305")
    assert await matches(mayor, registration) == ({other: ["SIMILAR_NAME"]} if similar else {})


async def test_a_similar_name_out_of_reach_is_not_pointed_out(world: World) -> None:
    province = await world.union("广东省总工会")
    shenzhen, railway = await world.union("深圳市总工会", province), await world.union("铁路工会", province)
    governor, mayor = await world.administrator(province), await world.administrator(shenzhen)
    await world.union("华强电子厂工会", railway, GRASSROOTS, region="440305")
    registration = await (await world.person()).registered(shenzhen, name="华强电子工会", regionCode="440305")
    assert await matches(governor, registration) == {"华强电子厂工会": ["SIMILAR_NAME"]}
    assert await matches(mayor, registration) == {}


async def test_many_of_one_kind_are_bounded_and_crowd_out_no_other(world: World) -> None:
    city, applicant = await world.union("深圳市总工会"), await world.person()
    mayor, second = await world.administrator(city), await world.union("粤海街道总工会", city)
    registration = await applicant.registered(
        second, name="宏达电子厂工会", employer=EMPLOYER, legalPersonIdNumber=NUMBER, regionCode="440305"
    )
    await world.sql(PLANTED, top=city.id, employer=EMPLOYER["uscc"])
    await approved(mayor, applicant, city, name="同人工会", legalPersonIdNumber=NUMBER)
    found = await matches(mayor, registration)
    assert len(found) == MOST
    assert [name for name, reasons in found.items() if "SAME_LEGAL_PERSON" in reasons] == ["同人工会"]
    assert next(iter(found)) == "同人工会"


PLANTED: Final[Any] = """
    insert into trade_union (id, parent_id, path, kind, status, name, name_key, former_names, region_code,
        employer_name, employer_uscc, employer_address, employer_contact_phone)
    select n, :top, (tree_label(:top) || '.' || tree_label(n))::ltree, 'GRASSROOTS', 'ACTIVE', n || '厂', n || '厂',
        '{}', '440306', '厂', :employer, '路1号', '+8613800138000'
    from generate_series(100001, 100040) n
"""
