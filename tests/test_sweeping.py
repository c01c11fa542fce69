"""What nothing refers to is swept away, some time after it came; nothing else is, whatever goes on meanwhile."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from resolvers import housekeeping
from resolvers.housekeeping import alone, keep_house, sweep
from schema.ids import decode_id
from storage import sweeping
from tests.pictures import accept
from tests.test_uploads import files_of, sent, settings
from tests.world import World, codes, picture

DAYS = 24 * 60 * 60


async def age(world: World) -> None:
    """Makes everything that is there three days older."""
    await world.sql("update certificate set uploaded_at = uploaded_at - interval '3 days'")
    for path in files_of(world):
        os.utime(path, (time.time() - 3 * DAYS,) * 2)


@pytest.fixture
async def clean(world: World) -> World:
    """The files of other tests are on the same disk."""
    for path in files_of(world):
        path.unlink()
    return world


async def test_what_nothing_refers_to_is_swept_once_it_is_old(clean: World) -> None:
    person, union = await clean.person(), await clean.union("广东省总工会")
    shown, unused = await person.certificate(), await person.certificate()
    await person.registered(union, certificateId=shown)
    await clean.resources.files.put(b"a file without its row: its writer was killed between the two")
    before = files_of(clean)
    assert len(before) == 3
    assert (await sweep(clean.resources)).files == 0  # all that is new may be about to be used
    assert files_of(clean) == before and await clean.rows("certificate") == 2

    await age(clean)
    swept = await sweep(clean.resources)

    assert (swept.certificates, swept.files) == (1, 2) and swept.bytes > 0
    assert await clean.sql("select id from certificate") == [decode_id(shown, "Certificate")]
    [left] = files_of(clean)
    assert left.name == (await clean.sql("select sha256 from certificate"))[0]
    assert codes(await person.register(union, certificateId=unused)) == ["NOT_FOUND"]
    assert (await sweep(clean.resources)).files == 0


async def test_sign_ins_that_were_over_long_ago_are_forgotten(clean: World) -> None:
    kept, ended, fresh = [await clean.person() for _ in range(3)]
    old = "created_at = created_at - interval '100 days'"
    await clean.sql(f"update session set {old} where account_id = :kept", kept=kept.account_id)  # noqa: S608
    over = f"{old}, expires_at = expires_at - interval '99 days', ended_at = null"
    await clean.sql(f"update session set {over} where account_id = :ended", ended=ended.account_id)  # noqa: S608
    await clean.sql("update session set ended_at = now() where account_id = :fresh", fresh=fresh.account_id)
    assert (await sweep(clean.resources)).sign_ins == 1
    assert await clean.sql("select account_id from session order by 1") == [kept.account_id, fresh.account_id]
    assert await kept.ask("{ viewer { account { id } } }")


async def test_every_round_and_every_union_keeps_its_photo(clean: World) -> None:
    province = await clean.union("广东省总工会")
    governor, person = await clean.administrator(province), await clean.person()
    registration = await person.registered(province)
    await governor.review(registration, "REJECT", opinion="不清晰")
    await person.resubmit(registration, certificateId=await person.certificate())
    assert (await governor.review(registration, round=2))["errors"] == []
    await age(clean)
    assert (await sweep(clean.resources)).certificates == 0
    assert await clean.rows("certificate") == 2 and len(files_of(clean)) == 2


async def test_two_photos_of_one_content_are_one_file_until_both_are_gone(clean: World) -> None:
    person, union = await clean.person(), await clean.union("广东省总工会")
    await person.upload(picture(1))
    shown = (await person.upload(picture(1)))["certificate"]["id"]
    await person.registered(union, certificateId=shown)
    await age(clean)
    swept = await sweep(clean.resources)
    assert (swept.certificates, swept.files) == (1, 0) and len(files_of(clean)) == 1


async def test_a_form_under_way_keeps_its_photo(clean: World) -> None:
    """It holds the row: the sweeper passes it over, and afterwards it is shown."""
    person = await clean.person()
    await person.certificate()
    await age(clean)
    async with clean.resources.db.writing() as form:
        held = await form.connection()
        await held.exec_driver_sql("select id from certificate for update")
        assert (await sweep(clean.resources)).certificates == 0
    assert await clean.rows("certificate") == 1


async def test_a_photo_uploaded_anew_while_it_is_swept_has_its_file(clean: World) -> None:
    """Between the file and its row: the upload waits for the sweeper's turn, then writes the file again."""
    person = await clean.person()
    name = await clean.resources.files.put(accept(picture(1)).content)
    await age(clean)
    async with clean.resources.db.writing() as session:
        assert await sweeping.sweep_files(session, clean.resources.files, [name]) != []
        upload = asyncio.create_task(sent(person, picture(1)))
        while not await waiting(clean):  # noqa: ASYNC110 - PostgreSQL tells no event
            await asyncio.sleep(0.01)
        assert (await clean.resources.files.remove(name)) is not None
    answer = (await upload).json()["data"]["uploadCertificate"]
    assert answer["errors"] == []
    assert await clean.sql("select sha256 from certificate") == [name]
    assert await clean.resources.files.exists(name)


async def waiting(world: World) -> bool:
    return bool(await world.sql("select 1 from pg_locks where locktype = 'advisory' and not granted"))


async def test_of_several_workers_one_keeps_house(clean: World) -> None:
    async with alone(clean.resources) as first, alone(clean.resources) as second:
        assert (first, second) == (True, False)
    async with alone(clean.resources) as again:
        assert again


async def test_a_server_keeps_house_now_and_then(clean: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await clean.person()
    await person.certificate()
    await age(clean)
    failures = iter([RuntimeError("the database is away")])

    async def failing_once(resources: object) -> int:
        for failure in failures:
            raise failure
        return 0

    monkeypatch.setattr(housekeeping, "erase", failing_once)
    with settings(clean, housekeeping_hours=1e-6):
        house = asyncio.create_task(keep_house(clean.resources))
        while await clean.rows("certificate"):  # noqa: ASYNC110 - nor does the task
            await asyncio.sleep(0.01)
        house.cancel()
        await asyncio.wait([house])
    with settings(clean, housekeeping_hours=0):
        await keep_house(clean.resources)  # at once: there is nothing to do
