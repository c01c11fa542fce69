"""The tree of the permission matrix: at each place of the oracle a union with one of everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select, text

from models.account import Appointment
from models.certificate import Certificate
from models.event import Event, Happening
from models.invite import Invite
from models.kinds import UnionKind
from models.particulars import Employer
from models.permissions import Role
from models.registration import Registration, Review, Submission
from models.review import Decision, State
from models.text import fold
from models.treepath import TreePath
from models.union import TradeUnion
from storage import events
from tests import oracle
from tests.oracle import ABOVE, ANONYMOUS, ANOTHER, APPLICANT, APPOINTED, NOBODY, Who
from tests.world import Client, World, credit_code, gid, id_number, picture

# In base 36: 1, 2, 10, 11, 1000, 100, 20, 101 and 12. 1.20 starts as 1.2 does, and 1.2.100 as 1.2.10: neither is below.
IDS: Final = dict(zip(ABOVE, [1, 2, 36, 37, 46656, 1296, 72, 1297, 38], strict=True))
# The id of nothing, of whichever type.
NEVER: Final = 10**9

# Every union and every form states the same legal person, so that each looks like a duplicate of all others.
LEGAL_PERSON: Final = id_number(1)
EMPLOYER: Final = Employer("华强电子厂", credit_code("91", 1), "华强北路1号", "何敏", "+8613800138000", 120)


class Row(NamedTuple):
    """Something with a global id, and the rule of the oracle that says who sees it."""

    name: str
    gid: str
    rule: Callable[[Who, Any], bool]
    about: str | Who

    def seen_by(self, who: Who) -> bool:
        return self.rule(who, self.about)


@dataclass
class Tree:
    """What was planted, by place and by person."""

    world: World
    unions: dict[str, TradeUnion] = field(default_factory=dict)
    people: dict[Who, Client] = field(default_factory=dict)
    appointments: dict[Who, Appointment] = field(default_factory=dict)
    invites: dict[str, Invite] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    pending: dict[str, Registration] = field(default_factory=dict)
    certificates: dict[str, Certificate] = field(default_factory=dict)
    # The applicant's other registration at `self`.
    rejected: Registration = field(init=False)

    def rows(self) -> list[Row]:
        """Everything that has an id."""
        found = [
            Row("account of the applicant", self.people[APPLICANT].gid, oracle.sees_registration, "self"),
            Row("rejected registration", gid(self.rejected), oracle.sees_registration, "self"),
        ]
        for at in ABOVE:
            of_union = (self.unions[at], self.invites[at], self.events[at])
            applied = (self.pending[at], self.certificates[at])
            found += [Row(f"{type(row).__name__} at {at}", gid(row), oracle.sees, at) for row in of_union]
            found += [Row(f"{type(row).__name__} at {at}", gid(row), oracle.sees_registration, at) for row in applied]
        for who, appointment in self.appointments.items():
            found.append(Row(f"appointment of {who}", gid(appointment), oracle.sees_appointment, who))
            found.append(Row(f"account of {who}", self.people[who].gid, oracle.sees_person, who))
        return found

    async def register(self, at: str, state: State = State.PENDING) -> tuple[Registration, Certificate]:
        """A new registration of a grassroots union; a rejected one was rejected by the administrator there."""
        applicant, resources = self.people[APPLICANT if at == "self" else ANOTHER], self.world.resources
        async with resources.db.writing() as session:
            photo = await _photo(self.world, applicant)
            row = Registration(parent_id=IDS[at], applicant_id=applicant.account_id, status=state)
            row.kind, row.parent_path = UnionKind.GRASSROOTS, self.unions[at].path
            session.add_all([photo, row])
            await session.flush()
            form = Submission(registration_id=row.id, round=1, name=f"第{row.id}工会", region_code="440305")
            form.certificate_id, form.employer = photo.id, EMPLOYER
            resources.sealer.seal(form, LEGAL_PERSON)
            session.add(form)
            if state is State.REJECTED:
                session.add(_rejection(row, self.people[Who("ADMINISTRATOR", at)]))
        return row, photo


async def _photo(world: World, uploader: Client) -> Certificate:
    content = picture()
    sha256 = await world.resources.files.put(content)
    row = Certificate(uploaded_by=uploader.account_id, sha256=sha256, media_type="image/png")
    row.byte_size, row.width, row.height = len(content), 40, 30
    return row


def _rejection(row: Registration, reviewer: Client) -> Review:
    review = Review(registration_id=row.id, round=1, reviewer_id=reviewer.account_id, decided_at=func.now())
    review.decision, review.opinion, review.field_opinions = Decision.REJECT, "证件不清晰", []
    return review


async def plant(world: World) -> Tree:
    """A union at each place, with an administrator, a reviewer, an analyst, a code, an event and registrations."""
    tree = Tree(world)
    await _plant_unions(tree)
    for who in (APPLICANT, ANOTHER, NOBODY, *APPOINTED):
        tree.people[who] = await world.person(str(who))
    tree.people[ANONYMOUS] = world.stranger()
    for who in APPOINTED:
        assert who.place is not None
        tree.appointments[who] = await world.appoint(tree.people[who], tree.unions[who.place], Role(who.role))
    for at in ABOVE:
        tree.invites[at] = await world.invite(tree.unions[at])
        tree.pending[at], tree.certificates[at] = await tree.register(at)
    tree.rejected, _ = await tree.register("self", State.REJECTED)
    return tree


async def _plant_unions(tree: Tree) -> None:
    places = {union_id: at for at, union_id in IDS.items()}
    async with tree.world.operator.db.writing() as session:
        for at, above in ABOVE.items():
            path = TreePath.root(IDS[at]) if above is None else tree.unions[above].path.child(IDS[at])
            union = TradeUnion(id=IDS[at], parent_id=above and IDS[above], path=path, kind=UnionKind.HIGHER_LEVEL)
            union.name, union.name_key, union.region_code = f"{at}工会", fold(f"{at}工会"), "440000"
            tree.world.resources.sealer.seal(union, LEGAL_PERSON)
            session.add(union)
            tree.unions[at] = union
        await session.flush()
        await session.execute(text("select setval(pg_get_serial_sequence('trade_union', 'id'), 1000000)"))
        for union in tree.unions.values():
            events.record(session, Happening.UNION_FOUNDED, by=None, at=union, name=union.name)
        await session.flush()
        tree.events = {places[row.union_id or 0]: row for row in await session.scalars(select(Event))}
