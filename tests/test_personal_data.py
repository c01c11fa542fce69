"""No ID number, phone or token is where it does not belong: all of it is searched after everything has been done."""

from __future__ import annotations

import gc
import io
import logging
import os
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from models.identifiers import without_numbers
from resolvers.founding import create_account, set_password
from resolvers.housekeeping import erase, sweep
from resolvers.keys import rotate_keys
from storage import registrations
from tests.conftest import FOLDER
from tests.world import EMPLOYER, Client, World, codes, gid

NUMBER: Final = "11010519491231002X"
OTHER_NUMBER: Final = "440524188001010014"
WRONG_NUMBER: Final = "440524188001010015"
PHONE: Final = "13912340001"
CONTACT: Final = "13912340002"
CONTACT_OF_EMPLOYER: Final = "13912340003"
PASSWORD: Final = "correct horse battery"
NEW_PASSWORD: Final = "another horse battery"

# The database holds telephones where they are for, and nowhere else; of ID numbers seals and digests alone.
PHONES: Final = {
    ("account", "phone"),
    ("trade_union", "contact_phone"),
    ("trade_union", "employer_contact_phone"),
    ("submission", "employer_contact_phone"),
}
# The code on a union's QR is for showing.
CODES: Final = {("invite", "token")}

INLINE: Final = """mutation { registerGrassrootsUnion(input: { parent: { unionId: "%s" }, certificateId: "%s",
    name: "内联工会", regionCode: "440305", legalPersonIdNumber: "%s",
    employer: { name: "厂", uscc: "x", address: "路", contactPhone: "%s" } }) { errors { code message } } }"""


def photo() -> bytes:
    """With a number among its metadata."""
    exif, content = Image.Exif(), io.BytesIO()
    exif[0x010E] = f"{NUMBER} {PHONE}"
    Image.new("RGB", (50, 40)).save(content, "JPEG", exif=exif, comment=NUMBER.encode())
    return content.getvalue()


PHOTO: Final = photo()  # made now: Pillow tells the log what it writes


async def signed_in(world: World, phone: str) -> str:
    query = "mutation($input: SignInInput!) { signIn(input: $input) { token errors { code } } }"
    read = await world.stranger().ask(query, input={"phone": phone, "password": PASSWORD})
    return str(read["token"])


async def everything(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[set[str], list[str]]:
    """Does all that there is to do, well and badly; gives the tokens that were made, and all that was answered."""
    resources, said = world.resources, []
    province = await world.union("广东省总工会")
    governor = await world.administrator(province)
    account = await create_account(resources, PHONE, "陈伟", password=PASSWORD, verified=True)
    token = await signed_in(world, PHONE)
    applicant = Client(world, account.id, token)
    certificate = (await applicant.upload(PHOTO))["certificate"]
    wanted: dict[str, Any] = {
        "name": "华强工会",
        "certificateId": certificate["id"],
        "legalPersonIdNumber": NUMBER,
        "employer": {**EMPLOYER, "contactPhone": CONTACT_OF_EMPLOYER},
        "regionCode": "440305",
        "idempotencyKey": "once",
    }
    assert codes(await applicant.register(province, **{**wanted, "legalPersonIdNumber": WRONG_NUMBER})) != []
    registration = await applicant.registered(province, **wanted)
    assert codes(await applicant.register(province, **{**wanted, "name": "另一个"})) == ["IDEMPOTENCY_CONFLICT"]
    said.append(str(await applicant.answer(INLINE % (gid(province), certificate["id"], NUMBER, PHONE))))
    said.append(str(await applicant.answer("query($x: Int!) { roots { id } }", x=NUMBER)))
    await governor.do(
        "revealIdNumber", "errors { code }", registrationId=registration, reason=f"核对 {NUMBER}，电话 {CONTACT}"
    )
    await governor.review(registration, "REJECT", opinion="不清晰")
    again = await applicant.upload()
    changes = {"certificateId": again["certificate"]["id"], "legalPersonIdNumber": OTHER_NUMBER}
    assert codes(await applicant.resubmit(registration, **changes)) == []
    assert codes(await governor.review(registration, round=2)) == []
    other = {"name": "撤回工会", "idempotencyKey": "twice", "certificateId": await applicant.certificate()}
    withdrawn = await applicant.registered(province, **{**wanted, **other})
    await applicant.withdraw(withdrawn)
    await faults(world, applicant, province, wanted, monkeypatch)
    said += await exports(governor, gid(province))
    for reader in (governor, applicant):
        said.append(str(await reader.ask(READ)).replace(f"'phone': '{PHONE}'", ""))  # one's own is told to oneself
    await rotate_keys(resources), await sweep(resources), await erase(resources)
    await set_password(resources, PHONE, NEW_PASSWORD)
    return {token, governor.token or "", PASSWORD, NEW_PASSWORD}, said


READ: Final = """{ roots { events(scope: SUBTREE) { nodes { action summary actor { phone } } } children { nodes { name
    legalPersonIdNumber certificate { url } events { nodes { summary } } } } idNumberReveals { nodes { reason } } }
    viewer { registrations { nodes { legalPersonIdNumber submissions { round } } } } }"""


async def faults(
    world: World, applicant: Client, parent: Any, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is refused by the database, and what breaks in the middle with a form at hand."""
    with pytest.raises(Exception, match="phone"):
        await create_account(world.resources, PHONE, "陈伟", password=PASSWORD, verified=True)
    with pytest.raises(Exception, match="account"):
        await world.sql("insert into account (phone, real_name) values (:phone, '何敏')", phone=f"+86{PHONE}")

    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    with monkeypatch.context() as patch:
        patch.setattr(registrations, "certificate_in_use", broken)
        register = "registerGrassrootsUnion(input: $input) { errors { code } }"
        answer = await applicant.answer(
            f"mutation($input: RegisterGrassrootsUnionInput!) {{ {register} }}",
            input=world.form(parent, **{"certificate": wanted["certificateId"], **wanted, "idempotencyKey": "never"}),
        )
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"


async def exports(governor: Client, union: str) -> list[str]:
    async with governor.http() as http:
        table = await http.get(f"/exports/unions?under={union}")
        book = await http.get(f"/exports/unions?under={union}&format=xlsx")
    assert (table.status_code, book.status_code) == (200, 200) and "华强工会" in table.text
    with zipfile.ZipFile(io.BytesIO(book.content)) as parts:
        unpacked = [parts.read(name).decode() for name in parts.namelist()]
    return [table.text, *unpacked, str(table.headers), str(book.headers)]


def spelled(secrets: Iterable[str]) -> re.Pattern[str]:
    """As they are, and as bytes are shown."""
    ways = {way for secret in secrets for way in (secret, secret.encode().hex(), secret.lower())}
    return re.compile("|".join(map(re.escape, sorted(ways))))


async def cells(world: World) -> list[tuple[str, str, str]]:
    """Every value in the database as text, with its table and column."""
    columns = await world.sql(
        "select table_name, column_name from information_schema.columns where table_schema = 'public'"
    )
    found = []
    for table, column in columns:
        values = await world.sql(f"select distinct {column}::text from {table} where {column} is not null")  # noqa: S608
        found += [(str(table), str(column), str(value)) for value in values]
    return found


async def test_nothing_personal_is_where_it_does_not_belong(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens, said = await everything(world, monkeypatch)
    numbers = {NUMBER, OTHER_NUMBER, WRONG_NUMBER}
    phones = {PHONE, CONTACT, CONTACT_OF_EMPLOYER}
    personal = spelled(numbers | phones | tokens)

    logged = [*caplog.messages, caplog.text]
    assert "failed" in caplog.text  # the fault was logged
    assert [line for line in logged if personal.search(line)] == []
    assert [answer for answer in said if personal.search(answer)] == []

    kept = await cells(world)
    assert ("account", "phone", f"+86{PHONE}") in kept  # the search does find what is there
    assert ("submission", "employer_contact_phone", f"+86{CONTACT_OF_EMPLOYER}") in kept
    assert [one for one in kept if personal.search(one[2]) and one[:2] not in PHONES | CODES] == []
    assert [one for one in kept if spelled(numbers).search(one[2])] == []
    reasons = await world.sql("select details->>'reason' from event where action = 'idNumber.revealed'")
    assert reasons == ["核对 1****************X，电话 139****0002"]

    asked = await world.sql("select query from pg_stat_activity")
    assert [query for query in asked if personal.search(query or "")] == []
    data = world.resources.settings.data_dir
    files = [path for path in data.rglob("*") if path.is_file()]
    files += [Path(os.environ[FOLDER]) / "cluster" / "postgres" / "server.log"]  # PostgreSQL's own
    assert [path for path in files if personal.search(path.read_bytes().decode("latin-1"))] == []
    assert [path for path in files if personal.search(str(path))] == []


async def test_no_document_with_texts_in_it_stays_in_memory(world: World) -> None:
    person = await world.person()
    given = "mutation M($id: ID!) { withdrawRegistration(input: {registrationId: $id}) { __typename } }"
    stated = given.replace("($id: ID!)", "").replace("$id", f'"{NUMBER}"')
    await person.answer(given, id=NUMBER)
    await person.answer(stated)
    del stated
    gc.collect()
    # Keys of caches, too: a string is found through what holds it.
    held = {text for one in gc.get_objects() for text in gc.get_referents(one) if type(text) is str}
    kept = [text for text in held if text.startswith("mutation M")]
    assert kept == [given]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (f"核对{NUMBER}。", "核对1****************X。"),
        ("440524 18800101 0014", "4****************4"),
        ("４４０５２４１８８００１０１００１４", "４****************４"),
        ("电话+86 139-1234-0001", "电话139****0001"),
        ("请致电13912340001，谢谢", "请致电139****0001，谢谢"),
        ("2026年11月22日第12351号", "2026年11月22日第12351号"),
        ("81440100MC12345674", "81440100MC12345674"),
        ("{name} {0} %s {", "{name} {0} %s {"),
    ],
)
def test_numbers_are_masked_in_what_is_kept_for_good(typed: str, kept: str) -> None:
    assert without_numbers(typed) == kept
