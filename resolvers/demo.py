"""A province to try things in, planted through the same use cases that serve it.

广东省总工会 with its 21 cities, some districts and grassroots unions, and registrations in every
state. The names of places are real; people, codes and numbers are made up, with true check characters.
"""

from __future__ import annotations

import io
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw
from stdnum.cn import ric, uscc

from models.form import Form
from models.kinds import EntryRoute, UnionKind
from models.particulars import Employer
from models.permissions import Role
from models.registration import Registration
from models.review import Decision
from resolvers.certificates import upload_certificate
from resolvers.context import Context, Resources
from resolvers.founding import Founded, appoint_by_operator, create_account, found_root
from resolvers.registration import Destination, Wanted, register, withdraw
from resolvers.review import FieldOpinion, Verdict, review
from resolvers.signing_in import open_session, sign_out
from storage import accounts, regions

PROVINCE: Final = "440000"
DISTRICTS: Final = ("440305", "440306", "440307", "440103", "440106", "440111", "440605", "440606")
EMPLOYERS: Final = (
    ("华强电子厂", "华强北路1号"),
    ("南方纺织有限公司", "工业大道12号"),
    ("珠江物流有限公司", "港前路88号"),
    ("新湖软件有限公司", "科技园路6号"),
    ("大鹏食品厂", "滨海大道20号"),
    ("海岸造船有限公司", "船厂路3号"),
)


@dataclass(frozen=True)
class Person:
    """An account of the demo, with the password that is told once."""

    phone: str
    name: str
    part: str
    password: str


PARTS: Final = (
    ("13800000001", "王芳", "省总工会管理员"),
    ("13800000002", "李静", "各市总工会管理员"),
    ("13800000003", "陈伟", "申请人"),
    ("13800000004", "刘洋", "深圳市总工会审核员"),
    ("13800000005", "赵敏", "省总工会分析员"),
)


@dataclass(frozen=True)
class Demo:
    founded: Founded
    people: list[Person]
    unions: int


async def plant_demo(resources: Resources, introduce: Callable[[list[Person]], None]) -> Demo:
    """Plants the province into an empty database.

    `introduce` is told whom to sign in as before the rest grows: whoever interrupts it can still sign in.
    """
    people = [Person(phone, name, part, secrets.token_urlsafe(9)) for phone, name, part in PARTS]
    for person in people:
        await create_account(resources, person.phone, person.name, password=person.password, verified=True)
    founded = await found_root(resources, "广东省总工会", PROVINCE, "12351")
    province, cities, applicant, reviewer, analyst = people
    root = str(founded.union.path)
    await appoint_by_operator(resources, province.phone, root, Role.ADMINISTRATOR)
    await appoint_by_operator(resources, analyst.phone, root, Role.ANALYST)
    introduce(people)
    forms = _Forms()
    async with _as(resources, province) as top, _as(resources, cities) as middle, _as(resources, applicant) as bottom:
        by_city = await _plant_cities(founded, middle, top, forms)
        grown = await _plant_below(by_city, bottom, middle, forms)
        await _leave_in_every_state(by_city["440300"], bottom, middle, forms)
    shenzhen = founded.union.path.child(by_city["440300"])
    await appoint_by_operator(resources, reviewer.phone, str(shenzhen), Role.REVIEWER)
    return Demo(founded, people, 1 + len(by_city) + grown)


@asynccontextmanager
async def _as(resources: Resources, person: Person) -> AsyncIterator[Context]:
    """What this person does, signed in for as long as it takes."""
    context = Context(resources)
    async with resources.db.reading() as session:
        account = await accounts.by_phone(session, f"+86{person.phone}")
    assert account is not None
    await open_session(context, account)
    yield context
    await sign_out(context)


async def _plant_cities(founded: Founded, applicant: Context, reviewer: Context, forms: _Forms) -> dict[str, int]:
    """The union of each prefecture-level city, by region code."""
    async with applicant.db.reading() as session:
        cities = await regions.inside(session, PROVINCE)
    planted = {}
    for city in cities:
        form = await forms.higher_level(applicant, f"{city.name}总工会", city.code)
        planted[city.code] = await _grow(applicant, reviewer, form, founded.union.id, EntryRoute.WECHAT_SCAN)
    return planted


async def _plant_below(by_city: dict[str, int], applicant: Context, reviewer: Context, forms: _Forms) -> int:
    """Some districts and grassroots unions; gives how many."""
    async with applicant.db.reading() as session:
        districts = [found for found in await regions.by_codes(session, DISTRICTS) if found is not None]
    for district in districts:
        form = await forms.higher_level(applicant, f"{district.name}总工会", district.code)
        parent = by_city[district.code[:4] + "00"]
        union_id = await _grow(applicant, reviewer, form, parent, EntryRoute.SEARCH)
        by_city[district.code] = union_id
    grown = 0
    for number, (code, parent) in enumerate(list(by_city.items())):
        if code in DISTRICTS or number % 3:
            continue
        form = await forms.grassroots(applicant, EMPLOYERS[number % len(EMPLOYERS)], code)
        await _grow(applicant, reviewer, form, parent, EntryRoute.APP_SCAN)
        grown += 1
    return grown


async def _leave_in_every_state(parent: int, applicant: Context, reviewer: Context, forms: _Forms) -> None:
    for employer in (EMPLOYERS[0], EMPLOYERS[2], EMPLOYERS[3]):
        await _apply(applicant, await forms.grassroots(applicant, employer, "440305"), parent)
    # Two doubts for the reviewer: a place outside of Shenzhen, and somebody whose union is registered already.
    elsewhere = await forms.grassroots(applicant, EMPLOYERS[1], "440606")
    await _apply(applicant, elsewhere, parent)
    rejected = await _apply(applicant, await forms.grassroots(applicant, EMPLOYERS[4], "440304"), parent)
    verdict = Verdict(
        rejected.id,
        round=1,
        decision=Decision.REJECT,
        opinion="证件照片不清晰，请重新拍照上传。",
        field_opinions=(FieldOpinion("certificateId", "看不清编号和有效期。"),),
    )
    await review(reviewer, verdict)
    given_up = await _apply(applicant, await forms.grassroots(applicant, EMPLOYERS[5], "440308"), parent)
    await withdraw(applicant, given_up.id)


async def _grow(applicant: Context, reviewer: Context, form: Form, parent: int, route: EntryRoute) -> int:
    """A union by registration and approval; gives its id."""
    registration = await _apply(applicant, form, parent, route)
    decided = await review(reviewer, Verdict(registration.id, round=1, decision=Decision.APPROVE))
    assert decided.union_id is not None
    return decided.union_id


async def _apply(
    applicant: Context, form: Form, parent: int, route: EntryRoute = EntryRoute.WECHAT_SCAN
) -> Registration:
    return await register(applicant, Wanted(form, Destination(union_id=parent), route))


class _Forms:
    """Fills in forms, each with numbers and a certificate of its own."""

    def __init__(self) -> None:
        self._count = 0

    async def higher_level(self, applicant: Context, name: str, code: str) -> Form:
        return await self._form(applicant, name, code, None)

    async def grassroots(self, applicant: Context, employer: tuple[str, str], code: str) -> Form:
        name, address = employer
        stated = Employer(
            name=name,
            uscc=self._uscc("91", code),
            address=address,
            contact_name="何敏",
            contact_phone="+8675582100000",
            staff_count=120,
        )
        return await self._form(applicant, f"{name}工会委员会", code, stated)

    async def _form(self, applicant: Context, name: str, code: str, employer: Employer | None) -> Form:
        self._count += 1
        born = f"19{60 + self._count % 40}{1 + self._count % 12:02}15"
        stem = f"{code}{born}{self._count:03}"
        certificate = await upload_certificate(applicant, _specimen(self._count))
        return Form(
            kind=UnionKind.GRASSROOTS if employer else UnionKind.HIGHER_LEVEL,
            name=name,
            region_code=code,
            uscc=self._uscc("81" if employer else "89", code),
            employer=employer,
            id_number=stem + ric.calc_check_digit(f"{stem}0"),  # wants the whole number
            certificate_id=certificate.id,
        )

    def _uscc(self, prefix: str, code: str) -> str:
        stem = f"{prefix}{code}MJ{prefix}{self._count:05}"
        return stem + uscc.calc_check_digit(stem)


def _specimen(number: int) -> bytes:
    """A picture that stands for a certificate, and looks like one at a glance."""
    image = Image.new("RGB", (720, 1010), "#fdf6e3")
    draw = ImageDraw.Draw(image)
    draw.rectangle((24, 24, 696, 986), outline="#b0202a", width=6)
    draw.ellipse((420, 680, 620, 880), outline="#b0202a", width=8)
    draw.text((240, 120), "SPECIMEN", fill="#b0202a", font_size=60)
    draw.text((240, 220), f"No. {number:06}", fill="#333333", font_size=40)
    for line in _lines():
        draw.line(line, fill="#999999", width=3)
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def _lines() -> Iterable[tuple[int, int, int, int]]:
    return ((90, 340 + 60 * row, 630, 340 + 60 * row) for row in range(5))
