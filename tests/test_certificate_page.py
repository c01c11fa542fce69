"""GET /certificates/<number>: the photo for those who may see it, or by a link that lasts some minutes."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest

from models.permissions import Role
from resolvers.certificates import Link, _sign
from resolvers.context import Context
from schema.ids import encode_id
from tests.world import Client, World

MINUTE = 60


async def get(client: Client, path: str) -> httpx.Response:
    async with client.http() as http:
        return await http.get(path)


async def uploaded(person: Client) -> tuple[int, str]:
    """The number of a new certificate, and its link without the host."""
    url = urlsplit((await person.upload())["certificate"]["url"])
    return int(url.path.rpartition("/")[2]), f"{url.path}?{url.query}"


def signed(world: World, number: int, account_id: int, expires: int) -> str:
    """A link as the server would have made it for this account and this time."""
    proof = Link(account_id, expires, _sign(Context(world.resources), number, account_id, expires))
    return f"/certificates/{number}?for={proof.account_id}&expires={proof.expires}&signature={proof.signature}"


async def now(world: World) -> int:
    """The database's clock, which decides."""
    async with world.owner.connect() as connection:
        return int((await connection.exec_driver_sql("select floor(extract(epoch from now()))::bigint")).scalar_one())


# ── links ────────────────────────────────────────────────────────────────────────────────────


async def test_a_link_shows_the_photo_to_whoever_has_it(world: World) -> None:
    _, link = await uploaded(await world.person())
    photo = await get(world.stranger(), link)
    assert photo.status_code == 200
    assert photo.headers["content-type"] == "image/png"
    assert photo.content.startswith(b"\x89PNG")
    assert photo.headers["cache-control"] == "private, no-store"
    assert photo.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert photo.headers["content-disposition"] == "inline"
    assert photo.headers["x-content-type-options"] == "nosniff"
    assert photo.headers["referrer-policy"] == "no-referrer"
    assert photo.headers["cross-origin-resource-policy"] == "same-origin"


async def test_a_link_lasts_as_long_as_it_says(world: World) -> None:
    person = await world.person()
    number, _ = await uploaded(person)
    at = await now(world)
    assert (await get(world.stranger(), signed(world, number, person.account_id, at + MINUTE))).status_code == 200
    assert (await get(world.stranger(), signed(world, number, person.account_id, at))).status_code == 404
    assert (await get(world.stranger(), signed(world, number, person.account_id, at - MINUTE))).status_code == 404


async def test_nothing_of_a_link_can_be_changed(world: World) -> None:
    person, other = await world.person(), await world.person()
    number, link = await uploaded(person)
    another, _ = await uploaded(other)
    expires = int(link.partition("expires=")[2].partition("&")[0])
    last = "0" if link[-1] != "0" else "1"
    tampered = {
        "signature": link[:-1] + last,
        "no signature": link.partition("&signature=")[0],
        "empty signature": link.partition("&signature=")[0] + "&signature=",
        "foreign signature": link.partition("&signature=")[0] + "&signature=%E7%AD%BE",
        "later": link.replace(f"expires={expires}", f"expires={expires + 1}"),
        "another account": link.replace(f"for={person.account_id}&", f"for={other.account_id}&"),
        "another photo": link.replace(f"/certificates/{number}?", f"/certificates/{another}?"),
        "another spelling": link.replace(f"expires={expires}", f"expires={expires}.0"),
        "no account": link.replace(f"for={person.account_id}&", ""),
        "a huge account": link.replace("for=", "for=" + "9" * 40),
    }
    answers = {what: (await get(world.stranger(), changed)).status_code for what, changed in tampered.items()}
    assert set(answers.values()) == {404}, answers
    assert (await get(world.stranger(), link)).status_code == 200


async def test_a_broken_link_is_not_mended_by_being_signed_in(world: World) -> None:
    """Or an address with a stranger's proof would look as if that proof were good."""
    person = await world.person()
    number, link = await uploaded(person)
    assert (await get(person, f"/certificates/{number}")).status_code == 200
    assert (await get(person, link[:-1])).status_code == 404


async def test_a_link_does_not_outlive_the_right_it_was_made_with(world: World) -> None:
    city = await world.union("深圳市总工会")
    applicant, reviewer = await world.person(), await world.person()
    appointment = await world.appoint(reviewer, city, Role.REVIEWER)
    number, _ = await uploaded(applicant)
    await applicant.registered(city, certificateId=encode_id("Certificate", number))
    link = signed(world, number, reviewer.account_id, await now(world) + MINUTE)
    assert (await get(world.stranger(), link)).status_code == 200

    administrator = await world.administrator(city)
    ended = await administrator.do("endAppointment", "", appointmentId=encode_id("Appointment", appointment.id))
    assert ended["errors"] == []
    assert (await get(world.stranger(), link)).status_code == 404


# ── rights ───────────────────────────────────────────────────────────────────────────────────


async def test_without_a_link_the_photo_is_for_those_who_may_see_it(world: World) -> None:
    city, another = await world.union("深圳市总工会"), await world.union("广州市总工会")
    owner, other, elsewhere = await world.person(), await world.person(), await world.administrator(another)
    reviewer = await world.person()
    await world.appoint(reviewer, city, Role.REVIEWER)
    number, _ = await uploaded(owner)
    path = f"/certificates/{number}"

    assert (await get(owner, path)).status_code == 200
    for nobody in (world.stranger(), other, elsewhere, reviewer):
        assert (await get(nobody, path)).status_code == 404

    await owner.registered(city, certificateId=encode_id("Certificate", number))
    assert (await get(reviewer, path)).status_code == 200  # who decides has to see it
    for nobody in (world.stranger(), other, elsewhere):
        assert (await get(nobody, path)).status_code == 404


async def test_a_cookie_serves_as_well_as_a_header_and_a_wrong_token_as_none(world: World) -> None:
    owner = await world.person()
    number, _ = await uploaded(owner)
    async with world.stranger().http() as http:
        path = f"/certificates/{number}"
        assert (await http.get(path, headers={"cookie": f"uniontree_session={owner.token}"})).status_code == 200
        assert (await http.get(path, headers={"authorization": f"bearer  {owner.token}"})).status_code == 200
        for header in ("Bearer guess", "Bearer", f"Basic {owner.token}", str(owner.token)):
            assert (await http.get(path, headers={"authorization": header})).status_code == 404


@pytest.mark.parametrize(
    "number", ["0", "999", str(2**63 - 1), str(2**63), "9" * 100, "9" * 5000, "-1", "1.0", "x", "١"]
)
async def test_what_there_is_not_is_not_found(world: World, number: str) -> None:
    person = await world.person()
    await uploaded(person)
    for asking in (person, world.stranger()):
        absent = await get(asking, f"/certificates/{number}")
        assert absent.status_code == 404
        assert "image" not in absent.headers["content-type"]
