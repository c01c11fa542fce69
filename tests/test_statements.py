"""How many statements a page takes: as many for twenty rows as for two, whatever is asked of each row."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pytest
from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from models.account import Account
from models.certificate import Certificate
from models.event import Happening
from models.invite import Invite
from models.kinds import UnionKind
from models.particulars import Employer
from models.permissions import Role
from models.registration import Registration, Review, Submission
from models.review import Decision
from models.union import TradeUnion
from resolvers.invites import new_token
from schema.ids import encode_id
from storage import accounts, certificates, events, invites, unions
from tests.paths import compiled, step_by_step, timeless
from tests.world import GRASSROOTS, HIGHER_LEVEL, Client, World, credit_code, gid, id_number

FEW: Final = 2
MANY: Final = 20
FACTORY: Final = Employer("厂", credit_code("91", 1), "路1号", "何敏", "+8613800138000", 7)

REGION: Final = "region { code name fullName parentCode }"
CARD: Final = f"id name kind parentName contactPhone {REGION}"
ACCOUNT: Final = "id realName phone realNameVerified"
CERTIFICATE: Final = "certificate { id mediaType byteSize width height sha256 url uploadedAt }"
FORM: Final = f"name uscc employer {{ name uscc address contactName contactPhone staffCount }} {REGION} {CERTIFICATE}"
APPOINTMENT: Final = f"id role since account {{ {ACCOUNT} }} union {{ {CARD} }}"
UNION: Final = f"""id {FORM} formerNames kind status path depth legalPersonIdNumber createdAt viewerCan
    parent {{ id name {REGION} viewerCan }} ancestors {{ id name }} appointments {{ {APPOINTMENT} }}
    statistics {{ unions grassroots higherLevel pending approved rejected oldestPendingAt }}"""
REGISTRATION: Final = f"""id {FORM} status statusLabel kind legalPersonIdNumber entryRoute round submittedAt decidedAt
    viewerCan parentPath parent {{ {CARD} }} applicant {{ {ACCOUNT} }} reviewers {{ {ACCOUNT} }}
    submissions {{ round submittedAt changed {FORM} }} warnings {{ code path message }} union {{ id name }}
    reviews {{ round decision opinion fieldOpinions {{ field opinion }} reviewer {{ {ACCOUNT} }} decidedAt }}
    possibleDuplicates {{ {CARD} }} duplicateMatches {{ reasons message union {{ {CARD} }} }}"""
INVITE: Final = f"""id token status url expiresAt maxUses uses card {{ {CARD} }} qrCode registrationQrCode
    launch {{ appId originalId path query scene }}"""
EVENT: Final = f"id at action summary actor {{ {ACCOUNT} }} union {{ {CARD} }}"


def of_union(field: str, selection: str) -> str:
    return f"query($id: ID!) {{ union(id: $id) {{ page: {field} {{ nodes {{ {selection} }} }} }} }}"


NODES: Final = "query($ids: [ID!]!) { page: nodes(ids: $ids) { __typename id } }"
LISTS: Final = {
    "children": of_union("children", UNION),
    "descendants": of_union("descendants", UNION),
    "union-queue": of_union("pendingReviews", REGISTRATION),
    "invites": of_union("invites", INVITE),
    "events": of_union(f"events(first: {MANY})", EVENT),
    "union-appointments": f"query($id: ID!) {{ union(id: $id) {{ page: appointments {{ {APPOINTMENT} }} }} }}",
    "queue": f"{{ page: pendingReviews {{ nodes {{ {REGISTRATION} }} }} }}",
    "own": f"{{ viewer {{ page: registrations(first: {MANY}) {{ nodes {{ {REGISTRATION} }} }} }} }}",
    "own-appointments": f"{{ viewer {{ page: appointments {{ {APPOINTMENT} }} }} }}",
    "directory": f'{{ page: unionDirectory(search: "区总工会") {{ nodes {{ {CARD} }} }} }}',
    "roots": f"{{ page: roots {{ {UNION} }} }}",
    "nodes-Union": f"query($ids: [ID!]!) {{ page: nodes(ids: $ids) {{ ... on Union {{ {UNION} }} }} }}",
    "nodes-Registration": (
        f"query($ids: [ID!]!) {{ page: nodes(ids: $ids) {{ ... on Registration {{ {REGISTRATION} }} }} }}"
    ),
    "nodes-Invite": NODES,
    "nodes-Event": NODES,
    "nodes-Certificate": NODES,
    "nodes-Account": NODES,
    "nodes-Appointment": NODES,
}


class Measured(NamedTuple):
    """What a page took, and what came of it."""

    rows: list[dict[str, Any]]
    statements: list[str]
    steps: list[str]


class Growing:
    """A city that grows, and somebody who is everything there: reviewer, applicant, and appointed in many places."""

    def __init__(self, world: World, city: TradeUnion, one: Client, colleague: Client) -> None:
        self.world, self.city, self.one, self.colleague = world, city, one, colleague
        self.size, self.regions = 0, list[str]()

    async def grow(self, size: int) -> None:
        """Until there are so many of everything, each with everything that it can have."""
        self.regions = await self.world.sql("select code from region where parent_code like '44%' order by code")
        async with self.world.resources.db.writing() as session:
            for number in range(self.size, size):
                await self.add(session, number)
        self.size = size

    async def add(self, session: AsyncSession, number: int) -> None:
        person = Account(phone=f"+86138{number:08}", real_name=f"李{number}")
        root = TradeUnion(kind=HIGHER_LEVEL, name=f"根{number}", region_code=self.regions[number])
        session.add_all([person, await unions.plant(session, root, None)])
        await session.flush()
        await accounts.appoint(session, person.id, self.city.id, Role.ANALYST, self.colleague.account_id)
        await accounts.appoint(session, self.one.account_id, root.id, Role.REVIEWER, None)
        await invites.add(session, Invite(token=new_token(), union_id=self.city.id, created_by=person.id))
        child = await self.plant(session, number, HIGHER_LEVEL, self.city)
        await self.plant(session, number, GRASSROOTS, child)
        await accounts.appoint(session, person.id, child.id, Role.ADMINISTRATOR, None)
        await self.wait_for_review(session, number)
        events.record(session, Happening.UNION_FOUNDED, by=person.id, at=self.city, name=child.name)

    async def photo(self, session: AsyncSession, number: int) -> int:
        owner, name = self.one.account_id, f"{number:064x}"
        photo = Certificate(uploaded_by=owner, sha256=name, media_type="image/png", byte_size=1, width=1, height=1)
        return (await certificates.add(session, photo)).id

    async def plant(self, session: AsyncSession, number: int, kind: UnionKind, above: TradeUnion) -> TradeUnion:
        """With an ID number that makes it a possible duplicate of the registration of the same number."""
        name = f"第{number}厂工会" if kind is GRASSROOTS else f"第{number}区总工会"
        union = TradeUnion(kind=kind, name=name, region_code=self.regions[number])
        union.certificate_id = await self.photo(session, number)
        union.employer = FACTORY if kind is GRASSROOTS else None
        await unions.plant(session, union, above)
        self.world.resources.sealer.seal(union, id_number(number))
        await session.flush()
        return union

    async def wait_for_review(self, session: AsyncSession, number: int) -> None:
        """A registration in its second round, with the opinions on the first."""
        parent, applicant = self.city.id, self.one.account_id
        waiting = Registration(parent_id=parent, applicant_id=applicant, kind=GRASSROOTS, round=2)
        waiting.parent_path = self.city.path
        session.add(waiting)
        await session.flush()
        for at in (1, 2):
            form = Submission(registration_id=waiting.id, round=at, name=f"待审{number}", employer=FACTORY)
            form.region_code, form.certificate_id = self.regions[number], await self.photo(session, number)
            self.world.resources.sealer.seal(form, id_number(number))
            session.add(form)
        review = Review(registration_id=waiting.id, round=1, decision=Decision.REJECT, opinion="核对")
        review.field_opinions = [{"field": "name", "opinion": "核对"}]
        review.reviewer_id, review.decided_at = self.colleague.account_id, func.now()
        session.add(review)

    async def measure(self, name: str) -> Measured:
        query = LISTS[name]
        variables: dict[str, Any] = {}
        if "$ids" in query:
            kind = name.removeprefix("nodes-")
            table = f"trade_union where parent_id = {self.city.id}" if kind == "Union" else kind.lower()
            keys = await self.world.sql(f"select id from {table} limit {self.size}")  # noqa: S608 - our own
            variables["ids"] = [encode_id(kind, key) for key in keys]
        elif "$id" in query:
            variables["id"] = gid(self.city)
        await self.one.ask(query, **variables)  # from here on the rights are remembered, and searches paid for
        with compiled(), self.world.counted() as statements:
            page = await self.one.ask(query, **variables)
        with step_by_step(), self.world.counted() as steps:
            assert timeless(await self.one.ask(query, **variables)) == timeless(page)
        while isinstance(page, dict):
            [page] = page.values()
        return Measured(page, statements, steps)


@pytest.fixture(scope="module")
async def measured(lasting_world: World) -> dict[str, tuple[Measured, Measured]]:
    """Each list at two rows and at twenty."""
    world = lasting_world
    city = await world.union("深圳市总工会", region="440300")
    one, colleague = await world.person("王芳"), await world.administrator(city, "李静")
    await world.appoint(one, city)
    growing = Growing(world, city, one, colleague)
    await growing.grow(FEW)
    few = {name: await growing.measure(name) for name in LISTS}
    await growing.grow(MANY)
    return {name: (few[name], await growing.measure(name)) for name in LISTS}


@pytest.mark.parametrize("name", LISTS)
async def test_a_page_takes_one_statement_who_asks_included(
    measured: dict[str, tuple[Measured, Measured]], name: str
) -> None:
    few, many = measured[name]
    assert len(few.rows) < len(many.rows) <= 2 * MANY + 2
    assert len(many.statements) == len(few.statements) == 1, "\n".join(many.statements)


@pytest.mark.parametrize("name", LISTS)
async def test_step_by_step_it_takes_as_many_for_many_rows_as_for_few(
    measured: dict[str, tuple[Measured, Measured]], name: str
) -> None:
    few, many = measured[name]
    assert 2 <= len(many.steps) == len(few.steps), "\n".join(many.steps)
