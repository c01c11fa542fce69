"""The reviewer is told of other registrations that show the same photo, as far as they may see them."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.paths import compiled
from tests.test_plans import MODES, plan
from tests.world import Client, World, picture

both_ways = pytest.mark.usefixtures("path")

READ = """query($id: ID!) { registration(id: $id) { samePhoto { id name status submittedAt parent { name }
    applicant { realName } } } }"""


def again(shade: int) -> bytes:
    """The same picture with other metadata: another upload, and no other photo."""
    content, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "from another phone"
    Image.open(io.BytesIO(picture(shade))).save(content, "PNG", exif=exif, compress_level=9)
    return content.getvalue()


async def shown(reader: Client, registration: str) -> list[str]:
    read = await reader.ask(READ, id=registration)
    return [one["name"] for one in read["samePhoto"]]


async def apply(person: Client, parent: object, name: str, content: bytes) -> str:
    certificate = (await person.upload(content))["certificate"]["id"]
    return await person.registered(parent, name=name, certificateId=certificate)  # type: ignore[arg-type]


@both_ways
async def test_the_same_photo_is_shown_to_the_reviewer_once_it_is_used_twice(world: World) -> None:
    province = await world.union("广东省总工会")
    city, other_city = await world.union("深圳市总工会", province), await world.union("广州市总工会", province)
    governor, mayor = await world.administrator(province), await world.administrator(city, "李静")
    first, second = await world.person("陈伟"), await world.person("赵敏")
    one = await apply(first, city, "第一工会", picture(7))
    assert await shown(mayor, one) == []

    two = await apply(second, city, "第二工会", again(7))
    await apply(second, city, "别的工会", picture(8))
    three = await apply(second, other_city, "第三工会", picture(7))

    assert await shown(governor, one) == ["第三工会", "第二工会"]  # the newest first
    assert await shown(mayor, one) == ["第二工会"]  # what is out of reach is not there
    assert await shown(mayor, two) == ["第一工会"]
    assert await shown(first, one) == []
    assert await shown(second, two) == ["第三工会"]  # one's own
    [found] = (await mayor.ask(READ, id=one))["samePhoto"]
    assert found["id"] == two and found["status"] == "PENDING" and found["submittedAt"]
    assert (found["parent"], found["applicant"]) == ({"name": "深圳市总工会"}, {"realName": "赵敏"})
    assert three


@both_ways
async def test_a_photo_of_an_earlier_round_is_found(world: World) -> None:
    province = await world.union("广东省总工会")
    governor, person = await world.administrator(province), await world.person()
    one = await apply(person, province, "第一工会", picture(7))
    await governor.review(one, "REJECT", opinion="不清晰")
    await person.resubmit(one, certificateId=await person.certificate())
    two = await apply(await world.person(), province, "第二工会", picture(7))
    assert await shown(governor, two) == ["第一工会"]
    assert await shown(governor, one) == []  # its present photo is another one


async def test_it_does_not_walk_through_all_that_is_in_reach(world: World) -> None:
    province = await world.union("广东省总工会")
    governor, person = await world.administrator(province), await world.person()
    one = await apply(person, province, "第一工会", picture(7))
    await world.sql("""
        insert into certificate (uploaded_by, sha256, media_type, byte_size, width, height)
        select uploaded_by, encode(sha256(n::text::bytea), 'hex'), media_type, 1, 1, 1
        from certificate, generate_series(1, 3000) n""")
    await world.sql("""
        insert into registration (parent_id, parent_path, applicant_id, kind, status, round)
        select parent_id, parent_path, applicant_id, kind, status, 1 from registration, generate_series(1, 3000)""")
    await world.sql("""
        insert into submission (registration_id, round, changed, name, region_code, certificate_id)
        select id, 1, '{}', 'x', '440305', id from registration where id > 1""")
    await world.sql("analyze registration, submission, certificate")
    with compiled(), world.asked() as found:
        await governor.ask(READ, id=one)
    for mode in MODES:
        planned = await plan(world, mode, *found[-1])
        assert "Seq Scan on registration" not in planned and "Seq Scan on certificate" not in planned, planned
        assert "Seq Scan on submission" not in planned, planned
