"""登记、重新提交、撤回: the applicant's mutations."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from models.errors import Problem, Problems
from models.form import Form
from models.kinds import EntryRoute, UnionKind
from models.registration import Registration as RegistrationRow
from resolvers import registration
from resolvers.registration import Correction, Destination, Wanted
from schema.context import Info
from schema.errors import Answer, UserError, id_input, mutation
from schema.ids import decode_id
from schema.keys import idempotency_key
from schema.particulars import EmployerInput
from schema.reading.steps import Ref
from schema.registrations import Registration
from storage.sources import REGISTRATION


@strawberry.input(one_of=True, description="上级工会: by the code that it shared, or by its id from the directory.")
class ParentInput:
    invite_code: str | None = strawberry.field(
        default=strawberry.UNSET, description="邀请码: in any of the spellings that `invite(code:)` takes."
    )
    union_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="工会编号: of a union in the directory."
    )


def _name() -> Any:
    return strawberry.field(description="工会名称: at most 100 characters, unlike its siblings'.")


def _region_code() -> Any:
    return strawberry.field(description="行政区划代码: six digits of GB/T 2260, independent of the parent.")


def _uscc() -> Any:
    return strawberry.field(default=None, description="统一社会信用代码: 18 characters, GB 32100-2015.")


def _id_number() -> Any:
    return strawberry.field(description="法定代表人身份证号码: 18 characters, GB 11643-1999. Kept encrypted.")


def _certificate_id() -> Any:
    return strawberry.field(description="证件照片编号: of an upload of one's own that no other registration shows.")


def _entry_route() -> Any:
    return strawberry.field(default=None, description="登记途径: how the applicant came here.")


@strawberry.input(description="基层工会登记表.")
class RegisterGrassrootsUnionInput:
    parent: ParentInput = strawberry.field(description="上级工会.")
    name: str = _name()
    region_code: str = _region_code()
    uscc: str | None = _uscc()
    employer: EmployerInput = strawberry.field(description="单位信息.")
    legal_person_id_number: str = _id_number()
    certificate_id: strawberry.ID = _certificate_id()
    entry_route: EntryRoute | None = _entry_route()
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="基层以上工会登记表.")
class RegisterHigherLevelUnionInput:
    parent: ParentInput = strawberry.field(description="上级工会.")
    name: str = _name()
    region_code: str = _region_code()
    uscc: str | None = _uscc()
    legal_person_id_number: str = _id_number()
    certificate_id: strawberry.ID = _certificate_id()
    entry_route: EntryRoute | None = _entry_route()
    idempotency_key: str | None = idempotency_key()


@strawberry.type(description="登记结果.")
class RegisterUnionPayload:
    registration: Registration | None = strawberry.field(description="登记: received, and pending.")
    errors: list[UserError] = strawberry.field(description="错误: everything that was wrong; empty on success.")


@strawberry.input(description="重新提交: only what is given changes.")
class ResubmitRegistrationInput:
    registration_id: strawberry.ID = strawberry.field(description="登记编号.")
    name: str | None = strawberry.field(default=strawberry.UNSET, description="工会名称.")
    region_code: str | None = strawberry.field(default=strawberry.UNSET, description="行政区划代码.")
    uscc: str | None = strawberry.field(
        default=strawberry.UNSET, description="统一社会信用代码; null takes it out of the form."
    )
    employer: EmployerInput | None = strawberry.field(
        default=strawberry.UNSET, description="单位信息, all of it; for a grassroots union."
    )
    legal_person_id_number: str | None = strawberry.field(default=strawberry.UNSET, description="法定代表人身份证号码.")
    certificate_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="证件照片编号: of a new upload."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.type(description="重新提交的结果.")
class ResubmitRegistrationPayload:
    registration: Registration | None = strawberry.field(description="登记: pending again, in a new round.")
    errors: list[UserError] = strawberry.field(description="错误: everything that was wrong; empty on success.")


@strawberry.input(description="撤回登记.")
class WithdrawRegistrationInput:
    registration_id: strawberry.ID = strawberry.field(description="登记编号.")


@strawberry.type(description="撤回的结果.")
class WithdrawRegistrationPayload:
    registration: Registration | None = strawberry.field(description="登记: withdrawn.")
    errors: list[UserError] = strawberry.field(description="错误: why it could not be; empty on success.")


def _wanted(given: RegisterGrassrootsUnionInput | RegisterHigherLevelUnionInput, kind: UnionKind) -> Wanted:
    """The form as typed. An id that is none is noted, and told with whatever else is wrong."""
    problems = Problems()
    employer = given.employer.row() if isinstance(given, RegisterGrassrootsUnionInput) else None
    form = Form(
        kind=kind,
        name=given.name,
        region_code=given.region_code,
        uscc=given.uscc,
        employer=employer,
        id_number=given.legal_person_id_number,
        certificate_id=_certificate_key(given.certificate_id, problems),
    )
    return Wanted(form, _destination(given.parent, problems), given.entry_route, given.idempotency_key, tuple(problems))


def _certificate_key(given: strawberry.ID, problems: Problems) -> int:
    return problems.take(("certificateId",), lambda text: decode_id(text, "Certificate"), given) or 0


def _destination(parent: ParentInput, problems: Problems) -> Destination:
    if isinstance(parent.invite_code, str):
        return Destination(invite_code=parent.invite_code)
    wanted = Destination(union_id=0)
    key = problems.take(wanted.path, lambda text: decode_id(text, "Union"), parent.union_id or "")
    return Destination(union_id=key) if key else wanted


def _given(changes: ResubmitRegistrationInput) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """What changes, by the form's own names. Null where a form needs something means: as it was."""
    problems = Problems()
    given = {
        "name": changes.name,
        "region_code": changes.region_code,
        "employer": changes.employer.row() if changes.employer else None,
        "id_number": changes.legal_person_id_number,
        "certificate_id": _certificate_key(changes.certificate_id, problems)
        if isinstance(changes.certificate_id, str)
        else None,
    }
    wanted: dict[str, Any] = {
        name: value for name, value in given.items() if value is not None and value is not strawberry.UNSET
    }
    if changes.uscc is not strawberry.UNSET:
        wanted["uscc"] = changes.uscc
    return wanted, tuple(problems)


def _received(row: RegistrationRow) -> Answer:
    return Answer(registration=Ref(REGISTRATION, (row.id,)))


async def _register_grassroots(
    info: Info,
    wanted: Annotated[RegisterGrassrootsUnionInput, strawberry.argument(name="input", description="The form.")],
) -> Answer:
    return _received(await registration.register(info.context, _wanted(wanted, UnionKind.GRASSROOTS)))


async def _register_higher_level(
    info: Info,
    wanted: Annotated[RegisterHigherLevelUnionInput, strawberry.argument(name="input", description="The form.")],
) -> Answer:
    return _received(await registration.register(info.context, _wanted(wanted, UnionKind.HIGHER_LEVEL)))


async def _resubmit(
    info: Info,
    changes: Annotated[
        ResubmitRegistrationInput, strawberry.argument(name="input", description="Which one, and what changes.")
    ],
) -> Answer:
    registration_id = id_input(changes.registration_id, "Registration", "registrationId")
    given, problems = _given(changes)
    correction = Correction(registration_id, given, changes.idempotency_key, problems)
    return _received(await registration.resubmit(info.context, correction))


async def _withdraw(
    info: Info,
    wanted: Annotated[WithdrawRegistrationInput, strawberry.argument(name="input", description="Which one.")],
) -> Answer:
    registration_id = id_input(wanted.registration_id, "Registration", "registrationId")
    return _received(await registration.withdraw(info.context, registration_id))


@strawberry.type
class RegisteringMutations:
    register_grassroots_union: RegisterUnionPayload = mutation(
        _register_grassroots,
        "基层工会登记: for an account whose real name is verified. 登记成功 means received: 待审核.",
    )
    register_higher_level_union: RegisterUnionPayload = mutation(
        _register_higher_level,
        "基层以上工会登记: for an account whose real name is verified. 登记成功 means received: 待审核.",
    )
    resubmit_registration: ResubmitRegistrationPayload = mutation(
        _resubmit, "重新提交: a rejected registration, corrected by the opinion. The round goes up by one."
    )
    withdraw_registration: WithdrawRegistrationPayload = mutation(
        _withdraw, "撤回登记: by its applicant, until it is approved."
    )
