"""疑似重复: unions within reach that state the same as a registration."""

from __future__ import annotations

from typing import Final

from models.union import TradeUnion
from tests.world import Client, World, codes, credit_code

NUMBER: Final = "11010519491231002X"
CODE: Final = credit_code("89", 42)
DUPLICATES: Final = "query($id: ID!) { registration(id: $id) { possibleDuplicates { name } } }"


async def duplicates(reader: Client, registration: str) -> list[str]:
    read = await reader.ask(DUPLICATES, id=registration)
    return [card["name"] for card in read["possibleDuplicates"]]


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
