"""审核: the administrator one level up approves, or rejects with an opinion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import Code, Problem, Problems, Rejected
from models.event import Happening
from models.form import EMPLOYER_FIELDS, FIELDS, OTHER_NAMES, check_parent
from models.kinds import UnionKind
from models.limits import Limited
from models.permissions import Role, deciders
from models.registration import Registration, Review
from models.review import NEEDS_OPINION, Decision, State, after
from models.text import check_prose
from models.treepath import TreePath
from models.union import TradeUnion
from resolvers.access import registration_for, require_stated, reread
from resolvers.context import Context, Work
from storage import accounts, events, unions
from storage.database import clashes_told
from storage.idempotency import Attempt
from storage.sealing import Sealer

MOST_FIELD_OPINIONS: Final = 50
# What an opinion can be about.
REMARKABLE: Final[Mapping[UnionKind, frozenset[str]]] = {
    UnionKind.HIGHER_LEVEL: frozenset(FIELDS) - {"employer"},
    UnionKind.GRASSROOTS: frozenset({*FIELDS, *(f"employer.{part}" for part in EMPLOYER_FIELDS)}),
}


@dataclass(frozen=True)
class FieldOpinion:
    field: str
    opinion: str


@dataclass(frozen=True)
class Verdict:
    """A decision on the round that the reviewer read."""

    registration_id: int
    round: int
    decision: Decision
    opinion: str | None = None
    field_opinions: tuple[FieldOpinion, ...] = ()
    idempotency_key: str | None = None

    @property
    def content(self) -> Mapping[str, object]:
        return {**asdict(self), "idempotency_key": None}


async def may_review(session: AsyncSession, at: TreePath, applicant_id: int) -> frozenset[int]:
    """The accounts that decide now on a registration of this applicant under the union at this place.

    The check before a decision asks here; lists and buttons ask for the same in SQL (storage/scope.py).
    """
    return deciders(at, applicant_id, await accounts.deciding_at(session, at.ids))


async def review(ctx: Context, verdict: Verdict) -> Registration:
    """The registration as decided. Approved, it is a union that its applicant administers.

    Raises:
        Rejected: UNAUTHENTICATED, NOT_FOUND, SELF_REVIEW, FORBIDDEN; STALE if the round moved on,
            WRONG_STATE if somebody else decided, OPINION_REQUIRED; NAME_TAKEN, USCC_TAKEN and the
            parent's codes if that changed meanwhile.
    """
    async with ctx.working() as work:
        registration = await registration_for(work, verdict.registration_id)
        parent = await unions.parent_to_be(work.session, registration.parent_id)
        assert parent is not None
        await _require_reviewer(work, registration, parent)
        problems = Problems()
        attempt = Attempt(work.session, work.account.id, verdict.idempotency_key)
        if await attempt.earlier("review", verdict.content, ctx.resources.sealer, problems) is not None:
            return registration
        opinion, opinions = _checked_opinions(verdict, registration.kind, problems)
        if verdict.round != registration.round:
            problems.note(Code.STALE, "round", round=registration.round)
            problems.raise_any()
        status = problems.take((), lambda move: after(registration.status, move), verdict.decision.move)
        if status is State.APPROVED:
            await _check_still_true(work.session, registration, parent, problems)
        problems.raise_any()
        assert status is not None
        await _decide(work, ctx.resources.sealer, registration, parent, status)
        work.session.add(
            Review(
                registration_id=registration.id,
                round=registration.round,
                decision=verdict.decision,
                opinion=opinion,
                field_opinions=opinions,
                reviewer_id=work.account.id,
                decided_at=func.now(),
            )
        )
        await attempt.made(registration.id)
    return await reread(ctx, registration.id)


async def _require_reviewer(work: Work, registration: Registration, parent: TradeUnion) -> None:
    if registration.applicant_id == work.account.id:
        raise Rejected(Problem(Code.SELF_REVIEW, ("registrationId",)))
    if work.account.id not in await may_review(work.session, parent.path, registration.applicant_id):
        raise Rejected(Problem(Code.FORBIDDEN, ("registrationId",)))


def _checked_opinions(verdict: Verdict, kind: UnionKind, problems: Problems) -> tuple[str | None, list[dict[str, str]]]:
    opinion = (verdict.opinion or "").strip() or None
    if opinion is not None:
        opinion = problems.take(("opinion",), check_prose, opinion)
    elif verdict.decision.move in NEEDS_OPINION:
        problems.note(Code.OPINION_REQUIRED, "opinion")
    if len(verdict.field_opinions) > MOST_FIELD_OPINIONS:
        problems.note(Code.TOO_LARGE, "fieldOpinions", max=MOST_FIELD_OPINIONS)
        return opinion, []
    checked = []
    for index, given in enumerate(verdict.field_opinions):
        path = ("fieldOpinions", str(index))
        field = OTHER_NAMES.get(given.field, given.field)
        if field not in REMARKABLE[kind]:
            problems.note(Code.INVALID, *path, "field", why="field", fields=", ".join(sorted(REMARKABLE[kind])))
        words = problems.take((*path, "opinion"), check_prose, given.opinion)
        checked.append({"field": field, "opinion": words or ""})
    return opinion, checked


async def _check_still_true(
    session: AsyncSession, registration: Registration, parent: TradeUnion, problems: Problems
) -> None:
    """What held when the form was submitted can have changed by the time it is approved."""
    check_parent(parent.kind, parent.status, parent.depth, (), problems)
    current = registration.current
    if await unions.name_taken(session, parent.id, current.name):
        problems.note(Code.NAME_TAKEN, "registrationId")
    if current.uscc is not None and await unions.uscc_taken(session, current.uscc):
        problems.note(Code.USCC_TAKEN, "registrationId")


async def _decide(work: Work, sealer: Sealer, registration: Registration, parent: TradeUnion, status: State) -> None:
    """Moves the registration, and plants the union if that is what it came to."""
    union = await _plant(work.session, sealer, registration, parent) if status is State.APPROVED else None
    registration.status = status
    registration.decided_at = func.now()
    registration.union_id = union.id if union else None
    happened = Happening.REGISTRATION_APPROVED if union else Happening.REGISTRATION_REJECTED
    name = registration.current.name
    events.record(work.session, happened, by=work.account.id, at=parent, of=registration, name=name)
    if union is not None:
        await _appoint_applicant(work, registration.applicant_id, union)


async def _appoint_applicant(work: Work, applicant_id: int, union: TradeUnion) -> None:
    me = work.account.id
    applicant = await accounts.by_id(work.session, applicant_id)
    await accounts.appoint(work.session, applicant_id, union.id, Role.ADMINISTRATOR, me)
    name, whom, role = applicant.real_name, str(applicant.id), Role.ADMINISTRATOR
    events.record(work.session, Happening.UNION_FOUNDED, by=me, at=union, name=union.name)
    events.record(work.session, Happening.APPOINTED, by=me, at=union, name=name, account=whom, role=role)


async def _plant(session: AsyncSession, sealer: Sealer, registration: Registration, parent: TradeUnion) -> TradeUnion:
    """The approved round as a node of the tree, with the number sealed anew for its own row."""
    current = registration.current
    union = TradeUnion(
        kind=registration.kind,
        name=current.name,
        region_code=current.region_code,
        uscc=current.uscc,
        employer=current.employer,
        certificate_id=current.certificate_id,
    )
    await unions.plant(session, union, parent)
    number = sealer.open(current)
    assert number is not None
    sealer.seal(union, number)
    with clashes_told("registrationId"):
        await session.flush()
    return union


async def reveal_id_number(ctx: Context, registration_id: int, reason: str) -> str:
    """The whole ID number of the current round. Who saw it, when and why is kept.

    Raises:
        Rejected: UNAUTHENTICATED, RATE_LIMITED, NOT_FOUND, FORBIDDEN, WRONG_STATE; REQUIRED and others for the reason.
    """
    if ctx.signed_in is not None:
        await ctx.spend(Limited.REVEAL, exactly=True)
    async with ctx.working() as work:
        registration = await registration_for(work, registration_id)
        parent = await unions.by_id(work.session, registration.parent_id)
        if registration.applicant_id != work.account.id:
            await _require_reviewer(work, registration, parent)
        require_stated(registration)
        problems = Problems()
        stated = problems.take(("reason",), check_prose, reason)
        problems.raise_any()
        number = ctx.resources.sealer.open(registration.current)
        assert number is not None and stated is not None
        events.record(
            work.session,
            Happening.ID_NUMBER_REVEALED,
            by=work.account.id,
            at=parent,
            of=registration,
            name=registration.current.name,
            reason=stated,
        )
        return number
