"""登记: registering a union, correcting and resubmitting, withdrawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import Code, Problem, Problems, Rejected
from models.event import Happening
from models.form import Form, changes, check_parent, checked
from models.invite import Invite
from models.kinds import EntryRoute
from models.limits import Limited
from models.registration import Registration, Submission
from models.review import Move, after
from models.union import TradeUnion
from resolvers.access import own_registration, reread
from resolvers.context import Context, Work
from resolvers.invites import CLOSED, token_in
from storage import certificates, events, invites, regions, registrations, unions
from storage.idempotency import Attempt
from storage.sealing import Sealer


@dataclass(frozen=True)
class Destination:
    """The union applied to: by the code that it shared, or as found in the directory."""

    invite_code: str | None = None
    union_id: int | None = None

    @property
    def path(self) -> tuple[str, str]:
        return ("parent", "unionId" if self.invite_code is None else "inviteCode")


@dataclass(frozen=True)
class Wanted:
    """A form as typed, and where it goes. `problems` are those that reading it already showed."""

    form: Form
    parent: Destination
    entry_route: EntryRoute | None = None
    idempotency_key: str | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def content(self) -> Mapping[str, object]:
        return {"form": asdict(self.form), "parent": asdict(self.parent), "route": self.entry_route}


async def register(ctx: Context, wanted: Wanted) -> Registration:
    """登记成功, which means received: a pending registration, in the queue of the union applied to.

    Raises:
        Rejected: UNAUTHENTICATED, REAL_NAME_REQUIRED or RATE_LIMITED; otherwise every problem of the form at once.
    """
    async with ctx.working() as work:
        if not work.account.real_name_verified:
            raise Rejected(Problem(Code.REAL_NAME_REQUIRED))
        problems = Problems(wanted.problems)
        attempt = Attempt(work.session, work.account.id, wanted.idempotency_key)
        earlier = await attempt.earlier("register", wanted.content, ctx.resources.sealer, problems)
        if earlier is not None:
            return await _seen(work, earlier)
        await ctx.spend(Limited.REGISTRATION)
        parent, invite = await _destination(work.session, wanted.parent, problems)
        form = await _sound(work, wanted.form, parent, problems)
        assert parent is not None
        if invite is not None and not await invites.use_up(work.session, invite):
            raise Rejected(Problem(CLOSED[invite.status], wanted.parent.path))
        registration = Registration(
            parent_id=parent.id,
            parent_path=parent.path,
            applicant_id=work.account.id,
            kind=form.kind,
            entry_route=wanted.entry_route,
            invite_id=invite.id if invite else None,
        )
        work.session.add(registration)
        await work.session.flush()
        _submit(work.session, ctx.resources.sealer, registration, form, changed=[])
        await attempt.made(registration.id)
        _record(work, Happening.REGISTRATION_SUBMITTED, registration, parent, form.name)
    return await reread(ctx, registration.id)


async def _destination(
    session: AsyncSession, wanted: Destination, problems: Problems
) -> tuple[TradeUnion | None, Invite | None]:
    """The union applied to, held as it is, and the invite that led there; None where a problem was noted."""
    invite, union_id = None, wanted.union_id
    if wanted.invite_code is not None:
        token = token_in(wanted.invite_code)
        invite = await invites.by_token(session, token) if token else None
        if invite is not None and invite.status in CLOSED:
            problems.note(CLOSED[invite.status], *wanted.path)
        union_id = invite.union_id if invite else None
    parent = await unions.parent_to_be(session, union_id) if union_id is not None else None
    if parent is None:
        if not any(problem.path == wanted.path for problem in problems):
            problems.note(Code.NOT_FOUND, *wanted.path)
    else:
        check_parent(parent.kind, parent.status, parent.depth, wanted.path, problems)
    return parent, invite


async def _sound(
    work: Work, form: Form, parent: TradeUnion | None, problems: Problems, *, again: int | None = None
) -> Form:
    """The form in its canonical spelling, if everything it says holds. `again` is the registration corrected.

    Raises:
        Rejected: every problem noted so far and found here.
    """
    form = checked(form, problems)
    session = work.session
    if form.region_code and await regions.current(session, form.region_code) is None:
        problems.note(Code.REGION_UNKNOWN, "regionCode")
    if parent is not None and form.name and await unions.name_taken(session, parent.id, form.name):
        problems.note(Code.NAME_TAKEN, "name")
    if form.uscc is not None and await unions.uscc_taken(session, form.uscc):
        problems.note(Code.USCC_TAKEN, "uscc")
    if not any(problem.path == ("certificateId",) for problem in problems):
        await _check_certificate(work, form.certificate_id, again, problems)
    problems.raise_any()
    return form


async def _check_certificate(work: Work, certificate_id: int, again: int | None, problems: Problems) -> None:
    if await certificates.own(work.session, work.account.id, certificate_id) is None:
        problems.note(Code.NOT_FOUND, "certificateId")
    elif await registrations.certificate_in_use(work.session, certificate_id, but_for=again):
        problems.note(Code.CERTIFICATE_IN_USE, "certificateId")


def _submit(
    session: AsyncSession, sealer: Sealer, registration: Registration, form: Form, *, changed: list[str]
) -> None:
    """Freezes a round."""
    submission = Submission(
        registration_id=registration.id,
        round=registration.round,
        name=form.name,
        region_code=form.region_code,
        uscc=form.uscc,
        employer=form.employer,
        certificate_id=form.certificate_id,
        changed=changed,
    )
    sealer.seal(submission, form.id_number)
    session.add(submission)


@dataclass(frozen=True)
class Correction:
    """What a resubmission changes: the form's fields by name, as they are to be."""

    registration_id: int
    given: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def content(self) -> Mapping[str, object]:
        return {"registration": self.registration_id, "given": self.given}


async def resubmit(ctx: Context, correction: Correction) -> Registration:
    """The registration, pending again in a new round; the round before stays as it was.

    Raises:
        Rejected: UNAUTHENTICATED, NOT_FOUND, FORBIDDEN, WRONG_STATE, RATE_LIMITED; or every problem of the form.
    """
    async with ctx.working() as work:
        sealer = ctx.resources.sealer
        registration = await own_registration(work, correction.registration_id)
        problems = Problems(correction.problems)
        attempt = Attempt(work.session, work.account.id, correction.idempotency_key)
        if await attempt.earlier("resubmit", correction.content, sealer, problems) is not None:
            return registration
        await ctx.spend(Limited.REGISTRATION)
        registration.status = after(registration.status, Move.RESUBMIT)
        before = _form_of(registration, sealer)
        parent = await unions.parent_to_be(work.session, registration.parent_id)
        assert parent is not None
        check_parent(parent.kind, parent.status, parent.depth, (), problems)
        wanted = replace(before, **correction.given)
        form = await _sound(work, wanted, parent, problems, again=registration.id)
        registration.round += 1
        registration.decided_at = None
        registration.submitted_at = func.now()
        _submit(work.session, sealer, registration, form, changed=changes(before, form))
        await attempt.made(registration.id)
        _record(work, Happening.REGISTRATION_RESUBMITTED, registration, parent, form.name)
    return await reread(ctx, registration.id)


def _form_of(registration: Registration, sealer: Sealer) -> Form:
    """The form as it stands in the registration's current round."""
    current = registration.current
    assert current.certificate_id is not None
    return Form(
        kind=registration.kind,
        name=current.name,
        region_code=current.region_code,
        uscc=current.uscc,
        employer=current.employer,
        id_number=sealer.open(current) or "",
        certificate_id=current.certificate_id,
    )


async def withdraw(ctx: Context, registration_id: int) -> Registration:
    """The registration, withdrawn by its applicant.

    Raises:
        Rejected: UNAUTHENTICATED, NOT_FOUND, FORBIDDEN, WRONG_STATE.
    """
    async with ctx.working() as work:
        registration = await own_registration(work, registration_id)
        registration.status = after(registration.status, Move.WITHDRAW)
        parent = await unions.by_id(work.session, registration.parent_id)
        _record(work, Happening.REGISTRATION_WITHDRAWN, registration, parent, registration.current.name)
        return registration


def _record(work: Work, what: Happening, registration: Registration, parent: TradeUnion, name: str) -> None:
    events.record(work.session, what, by=work.account.id, at=parent, of=registration, name=name)


async def _seen(work: Work, registration_id: int) -> Registration:
    found = await registrations.find(work.session, work.viewer, registration_id)
    assert found is not None, "an applicant always sees their own registration"
    return found
