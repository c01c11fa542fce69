"""审核: the reviewer's mutations."""

from __future__ import annotations

from typing import Annotated

import strawberry

from models.review import Decision
from resolvers import review
from resolvers.review import FieldOpinion, Verdict
from schema.context import Info
from schema.errors import Answer, UserError, id_input, mutation
from schema.keys import idempotency_key
from schema.reading.steps import Ref
from schema.registrations import Registration
from storage.sources import REGISTRATION


@strawberry.input(description="分项意见: what is wrong with one field of the form.")
class FieldOpinionInput:
    field: str = strawberry.field(description="表单项: the input field, such as `certificateId` or `employer.name`.")
    opinion: str = strawberry.field(description="意见: at most 2000 characters.")


@strawberry.input(description="审核: a decision on the round that the reviewer read.")
class ReviewRegistrationInput:
    registration_id: strawberry.ID = strawberry.field(description="登记编号.")
    round: int = strawberry.field(description="第几次提交: the round that was read. Another one answers `STALE`.")
    decision: Decision = strawberry.field(description="审核结论.")
    opinion: str | None = strawberry.field(
        default=None, description="审核意见: needed to reject; at most 2000 characters."
    )
    field_opinions: list[FieldOpinionInput] | None = strawberry.field(
        default=None, description="分项意见: field by field, at most 50."
    )
    idempotency_key: str | None = idempotency_key()


@strawberry.type(description="审核的结果.")
class ReviewRegistrationPayload:
    registration: Registration | None = strawberry.field(description="登记: as decided.")
    errors: list[UserError] = strawberry.field(description="错误: everything that was wrong; empty on success.")


@strawberry.input(description="查看身份证号码.")
class RevealIdNumberInput:
    registration_id: strawberry.ID = strawberry.field(description="登记编号.")
    reason: str = strawberry.field(description="事由: why it has to be seen. It is kept with who saw it and when.")


@strawberry.type(description="查看身份证号码的结果.")
class RevealIdNumberPayload:
    id_number: str | None = strawberry.field(description="身份证号码: all 18 characters, of the current round.")
    errors: list[UserError] = strawberry.field(description="错误: why it is not shown; empty on success.")


async def _review(
    info: Info,
    wanted: Annotated[
        ReviewRegistrationInput, strawberry.argument(name="input", description="Which one, and the decision.")
    ],
) -> Answer:
    verdict = Verdict(
        registration_id=id_input(wanted.registration_id, "Registration", "registrationId"),
        round=wanted.round,
        decision=wanted.decision,
        opinion=wanted.opinion,
        field_opinions=tuple(FieldOpinion(given.field, given.opinion) for given in wanted.field_opinions or ()),
        idempotency_key=wanted.idempotency_key,
    )
    registration = await review.review(info.context, verdict)
    return Answer(registration=Ref(REGISTRATION, (registration.id,)))


async def _reveal(
    info: Info,
    wanted: Annotated[RevealIdNumberInput, strawberry.argument(name="input", description="Which one, and why.")],
) -> Answer:
    registration_id = id_input(wanted.registration_id, "Registration", "registrationId")
    return Answer(id_number=await review.reveal_id_number(info.context, registration_id, wanted.reason))


@strawberry.type
class ReviewingMutations:
    review_registration: ReviewRegistrationPayload = mutation(
        _review,
        "审核: approves or rejects. Approved, it is a union of the tree, and its applicant administers it.",
    )
    reveal_id_number: RevealIdNumberPayload = mutation(
        _reveal, "查看身份证号码: the whole number, for who may review it or submitted it. It leaves a record."
    )
