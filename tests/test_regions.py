"""行政区划: the divisions of GB/T 2260, as the form offers them."""

from __future__ import annotations

from typing import Any, Final

import pytest

from models.region import is_inside
from tests.world import World

REGIONS: Final = "query($p: String) { regions(parentCode: $p) { code name fullName parentCode } }"


async def listed(world: World, parent: str | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await world.stranger().ask(REGIONS, p=parent)
    return found


async def test_the_provinces_are_the_tops(world: World) -> None:
    provinces = await listed(world, None)
    assert len(provinces) == 34
    assert [one["code"] for one in provinces] == sorted(one["code"] for one in provinces)
    assert all(one["parentCode"] is None and one["fullName"] == one["name"] for one in provinces)
    by_code = {one["code"]: one["name"] for one in provinces}
    assert (by_code["440000"], by_code["710000"], by_code["810000"]) == ("广东省", "台湾省", "香港特别行政区")
    assert await world.stranger().ask("{ regions { code name fullName parentCode } }") == provinces


async def test_guangdong_has_21_cities(world: World) -> None:
    cities = await listed(world, "440000")
    assert len(cities) == 21
    assert {"code": "440300", "name": "深圳市", "fullName": "广东省深圳市", "parentCode": "440000"} in cities
    assert all(is_inside(one["code"], "440000") for one in cities)


async def test_a_district_is_told_with_all_that_lies_around_it(world: World) -> None:
    districts = await listed(world, "440300")
    shown = {"code": "440305", "name": "南山区", "fullName": "广东省深圳市南山区", "parentCode": "440300"}
    assert shown in districts and len(districts) == 9
    assert await listed(world, "440305") == []


@pytest.mark.parametrize("city", ["441900", "442000"], ids=["dongguan", "zhongshan"])
async def test_dongguan_and_zhongshan_have_no_counties(world: World, city: str) -> None:
    assert city in {one["code"] for one in await listed(world, "440000")}
    assert await listed(world, city) == []


async def test_every_division_hangs_below_one_that_lies_around_it(world: World) -> None:
    rows = await world.sql("select code, name, full_name, parent_code from region where not retired")
    by_code = {code: (name, full_name) for code, name, full_name, _ in rows}
    assert len(rows) == len(by_code) > 3000
    for code, name, full_name, parent in rows:
        assert full_name == (by_code[parent][1] if parent else "") + name
        assert parent is None or is_inside(code, parent)


async def test_a_retired_division_is_not_offered(world: World) -> None:
    await world.sql("insert into region values ('440399', '宝安县', '广东省深圳市宝安县', '440300', true)")
    try:
        assert "440399" not in {one["code"] for one in await listed(world, "440300")}
    finally:
        await world.sql("delete from region where code = '440399'")


@pytest.mark.parametrize("wrong", ["", "44", "x", "440300\0", "4403000", "%"])
async def test_what_has_not_the_form_of_a_code_is_told(world: World, wrong: str) -> None:
    for language, sentence in (
        ("zh-CN", "行政区划代码不存在或已停用。"),
        ("en", "There is no such division, or no longer."),
    ):
        reader = world.stranger()
        reader.language = language
        [error] = (await reader.answer(REGIONS, p=wrong))["errors"]
        assert error["extensions"] == {"code": "REGION_UNKNOWN", "argument": "parentCode"}
        assert error["message"] == sentence
    assert await listed(world, "990000") == []  # of the right form, and nothing there
