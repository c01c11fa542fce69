"""What was rejected or withdrawn long ago is taken out whole; that it was there stays."""

from __future__ import annotations

import pytest

from resolvers.housekeeping import erase
from schema.ids import decode_id
from tests.test_uploads import files_of, settings
from tests.world import EMPLOYER, Client, World, codes, told

NUMBER = "11010519491231002X"
OPINION = "请致电何敏"
KEEPING = {"retention_days": 30}


async def age(world: World, days: int) -> None:
    """Makes all that happened older. Only the database's owner can."""
    await world.sql("update registration set submitted_at = submitted_at - make_interval(0, 0, 0, :days)", days=days)
    await world.sql("alter table event disable trigger event_is_frozen")
    await world.sql("update event set at = at - make_interval(0, 0, 0, :days)", days=days)
    await world.sql("alter table event enable trigger event_is_frozen")


async def scene(world: World) -> tuple[Client, Client, dict[str, str]]:
    """A governor, an applicant, and a registration in every state."""
    province = await world.union("广东省总工会")
    governor, applicant = await world.administrator(province), await world.person()
    made = {}
    for state in ("pending", "rejected", "withdrawn", "approved"):
        wanted = {"name": f"{state}工会", "legalPersonIdNumber": NUMBER, "employer": EMPLOYER, "regionCode": "440305"}
        made[state] = await applicant.registered(province, idempotencyKey=f"key-{state}", **wanted)
    await governor.review(made["rejected"], "REJECT", opinion=OPINION)
    await applicant.withdraw(made["withdrawn"])
    assert codes(await governor.review(made["approved"])) == []
    return governor, applicant, made


READ = """query($id: ID!) { registration(id: $id) { status name uscc employer { contactName } legalPersonIdNumber
    erasedAt region { code } certificate { id url erasedAt } reviews { decision opinion fieldOpinions { field } }
    submissions { name employer { name } certificate { sha256 } } viewerCan possibleDuplicates { id } } }"""


@pytest.mark.usefixtures("path")
async def test_what_was_rejected_or_withdrawn_is_erased_after_its_time(world: World) -> None:
    governor, applicant, made = await scene(world)
    photos = {state: (await applicant.ask(READ, id=made[state]))["certificate"]["url"] for state in made}
    before = files_of(world)
    await age(world, 31)
    with settings(world, **KEEPING):
        assert await erase(world.resources) == 2
        assert await erase(world.resources) == 0

    over = [decode_id(made[state], "Registration") for state in ("rejected", "withdrawn")]
    rows = await world.sql("select s::text from submission s where registration_id = any(:ids)", ids=over)
    rows += await world.sql("select r::text from review r where registration_id = any(:ids)", ids=over)
    for trace in (EMPLOYER["name"], EMPLOYER["uscc"], EMPLOYER["contactName"], "13800138000", OPINION, "\\x"):
        assert [row for row in rows if str(trace) in row] == []
    assert await world.sql("select key from idempotency_key order by 1") == ["key-approved", "key-pending"]
    assert len(files_of(world)) == len(before) - 2
    for state in ("rejected", "withdrawn"):
        for reader in (governor, applicant):
            shown = await reader.ask(READ, id=made[state])
            assert (shown["status"], shown["name"], shown["region"]["code"]) == (
                state.upper(),
                f"{state}工会",
                "440305",
            )
            assert shown["legalPersonIdNumber"] == "*" * 18 and shown["employer"] is None
            assert shown["erasedAt"] and shown["certificate"]["erasedAt"] and shown["viewerCan"] == ["READ"]
            async with reader.http() as http:
                assert (await http.get(photos[state])).status_code == 404
    for state in ("pending", "approved"):
        shown = await applicant.ask(READ, id=made[state])
        assert shown["legalPersonIdNumber"] == "1****************X" and shown["erasedAt"] is None
        async with applicant.http() as http:
            assert (await http.get(photos[state])).status_code == 200


async def test_it_leaves_an_event_and_nothing_can_be_done_any_more(world: World) -> None:
    governor, applicant, made = await scene(world)
    await age(world, 31)
    with settings(world, **KEEPING):
        await erase(world.resources)
    recorded = "select actor_id, details->>'name' from event where action = 'registration.erased' order by id"
    assert await world.sql(recorded) == [(None, "rejected工会"), (None, "withdrawn工会")]
    before = await world.fingerprint()
    refused = await applicant.resubmit(made["rejected"], certificateId=await applicant.certificate(), name="再来")
    assert told(refused) == {("WRONG_STATE", "registrationId")}
    assert refused["errors"][0]["message"] == "该登记的内容已清除，请重新登记。"
    assert told(await applicant.withdraw(made["rejected"])) == {("WRONG_STATE", "registrationId")}
    asked = {"registrationId": made["rejected"], "reason": "核对"}
    assert told(await governor.do("revealIdNumber", "idNumber", **asked)) == {("WRONG_STATE", "registrationId")}
    await world.sql("delete from certificate where id = (select max(id) from certificate)")
    assert before != "" and await world.sql("select count(*) from registration where status = 'PENDING'") == [1]


async def test_the_time_is_since_anything_happened_with_it(world: World) -> None:
    governor, applicant, made = await scene(world)
    await age(world, 29)
    with settings(world, **KEEPING):
        assert await erase(world.resources) == 0
        await governor.do("revealIdNumber", "idNumber", registrationId=made["rejected"], reason="复查")
        await age(world, 2)
        assert await erase(world.resources) == 1
        assert (await applicant.ask(READ, id=made["rejected"]))["erasedAt"] is None
        assert (await applicant.ask(READ, id=made["withdrawn"]))["erasedAt"] is not None


async def test_nothing_is_erased_where_all_is_to_be_kept(world: World) -> None:
    await scene(world)
    await age(world, 4000)
    before = await world.fingerprint()
    with settings(world, retention_days=0):
        assert await erase(world.resources) == 0
    assert await world.fingerprint() == before


async def test_a_photo_that_another_registration_shows_stays(world: World) -> None:
    """A withdrawn registration gives its photo free."""
    province = await world.union("广东省总工会")
    applicant = await world.person()
    photo = await applicant.certificate()
    first = await applicant.registered(province, certificateId=photo, name="第一工会")
    await applicant.withdraw(first)
    second = await applicant.registered(province, certificateId=photo, name="第二工会")
    before = files_of(world)
    await age(world, 31)
    with settings(world, **KEEPING):
        assert await erase(world.resources) == 1
    assert files_of(world) == before
    shown = await applicant.ask(READ, id=second)
    assert shown["certificate"]["erasedAt"] is None
    async with applicant.http() as http:
        assert (await http.get(shown["certificate"]["url"])).status_code == 200


# ── the database keeps to it ─────────────────────────────────────────────────────────────────

CHANGES = {
    "another name": "update submission set name = 'x'",
    "a number of staff taken out": "update submission set employer_staff_count = null",
    "a seal taken out": "update submission set id_number_sealed = null, id_number_index = null",
    "an opinion taken out": "update review set opinion = '', field_opinions = '[]'",
    "a round deleted": "delete from submission",
    "a decision deleted": "delete from review",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_what_is_not_erased_cannot_be_changed(world: World, change: str) -> None:
    await scene(world)
    before = await world.fingerprint()
    with pytest.raises(Exception, match="only ever added to"):
        await world.sql(CHANGES[change])
    assert await world.fingerprint() == before


async def test_what_is_erased_can_only_be_taken_out(world: World) -> None:
    _, _, made = await scene(world)
    key = decode_id(made["rejected"], "Registration")
    await world.sql("update registration set erased_at = now() where id = :id", id=key)
    for forged in ("name = 'x'", "uscc = '81440100MC12345674'", "certificate_id = 1 + certificate_id", "round = 9"):
        with pytest.raises(Exception, match="only ever added to"):
            await world.sql(f"update submission set {forged} where registration_id = :id", id=key)  # noqa: S608
    with pytest.raises(Exception, match="only ever added to"):
        await world.sql("update review set opinion = '很好' where registration_id = :id", id=key)
    await world.sql("update submission set employer_staff_count = null where registration_id = :id", id=key)


async def test_only_what_is_over_can_be_marked_as_erased(world: World) -> None:
    _, _, made = await scene(world)
    for state in ("pending", "approved"):
        with pytest.raises(Exception, match="ck_registration_erased"):
            await world.sql(
                "update registration set erased_at = now() where id = :id", id=decode_id(made[state], "Registration")
            )
