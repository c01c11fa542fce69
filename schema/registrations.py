"""登记: registrations as their applicants and reviewers read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from sqlalchemy import ColumnElement

from models.form import cautions
from models.kinds import EntryRoute, UnionKind
from models.permissions import Action
from models.review import MOVES, Decision, Move, State
from schema.accounts import Account
from schema.cards import UnionCard
from schema.certificates import Certificate
from schema.context import GraphContext
from schema.duplicates import DuplicateMatch
from schema.errors import Told, Warning, told
from schema.messages import say
from schema.node import Node
from schema.particulars import Employer, EmployerRows, employer, masked_or_erased, sealed, shared
from schema.photos import PhotoMatch
from schema.reading.fields import column, computed, derived, global_id, many, one, read, seen
from schema.regions import Region
from schema.scalars import Moment
from storage import certificates, duplicates, photos, regions, registrations, scope
from storage.reading.reads import Derived, Each, Related
from storage.reading.rows import Eyes, Rows
from storage.sources import (
    ACCOUNT,
    CARD,
    CERTIFICATE,
    PHOTO_MATCH,
    REGION,
    REVIEW,
    SUBMISSION,
    UNION,
    RegistrationRows,
)

if TYPE_CHECKING:
    from schema.unions import Union

LazyUnion = Annotated["Union", strawberry.lazy("schema.unions")]


@strawberry.type(description="分项意见: what is wrong with one field of the form.")
class FieldOpinion:
    field: str = strawberry.field(description="表单项: the input field, such as `certificateId` or `employer.name`.")
    opinion: str = strawberry.field(description="意见.")


def _field_opinions(_context: GraphContext, given: Sequence[Mapping[str, str]]) -> list[FieldOpinion]:
    return [FieldOpinion(**one) for one in given]


@strawberry.type(description="审核记录: the decision on one round.")
class Review:
    round: int = column("round", "第几次提交: the round that it is about.")
    decision: Decision = column("decision", "审核结论.")
    opinion: str | None = column("opinion", "审核意见: always there with a rejection.")
    field_opinions: list[FieldOpinion] = computed(
        lambda review, _: [review.field_opinions], _field_opinions, "分项意见: what is wrong, field by field."
    )
    reviewer: Account = one(ACCOUNT, lambda review, account: account.id == review.reviewer_id, "审核人.", told=True)
    decided_at: Moment = column("decided_at", "审核时间.")


def _status_label(context: GraphContext, status: str) -> str:
    return say(context.locale, f"status.{status}")


def _warnings(
    context: GraphContext, kind: str, region_code: str, parents_region_code: str, uscc: str | None
) -> list[Told]:
    found = cautions(UnionKind(kind), region_code, parents_region_code, uscc)
    return [told(context, caution) for caution in found]


def _cautious(registration: RegistrationRows, _eyes: Eyes) -> Sequence[ColumnElement[Any]]:
    current = registration.current
    return [registration.kind, current.region_code, registrations.parents_region(registration), current.uscc]


def _what_decides(registration: Rows, eyes: Eyes) -> Sequence[ColumnElement[Any]]:
    able = scope.is_among(eyes, scope.deciders(registration, registration.applicant_id))
    return [registration.status, registration.applicant_id, registration.erased_at, able]


def _viewer_can(
    context: GraphContext, status: str, applicant_id: int, erased_at: object, *decides: bool
) -> list[Action]:
    able = {Action.READ}
    state = State(status)
    if context.viewer.account_id == applicant_id and erased_at is None:
        able |= {Action(move) for move in (Move.RESUBMIT, Move.WITHDRAW) if (state, move) in MOVES}
    if any(decides) and state is State.PENDING:
        able.add(Action.REVIEW)
    return [action for action in Action if action in able]


@strawberry.type(description="提交记录: one round of a registration, frozen as it was submitted.")
class Submission:
    round: int = column("round", "第几次提交: 1 for the first.")
    submitted_at: Moment = column("submitted_at", "提交时间.")
    name: str = column("name", shared("name"))
    region: Region = one(REGION, regions.stated, shared("region"), told=True)
    uscc: str | None = column("uscc", shared("uscc"))
    employer: Employer | None = employer(
        lambda filed: EmployerRows(filed, registrations.place_of(filed), registrations.applicant_of(filed))
    )
    certificate: Certificate = one(CERTIFICATE, certificates.stated, shared("certificate"), told=True)
    changed: list[str] = column(
        "changed", "变更项: the input fields that differ from the round before; empty in the first."
    )


@strawberry.type(
    description="登记: an application to become a union of the tree. Seen by its applicant, and by those appointed "
    "to the union applied to or to one above that."
)
class Registration(Node):
    id: strawberry.ID = global_id("Registration", "编号: the registration's global id.")
    status: State = column("status", "登记状态.")
    status_label: str = computed(
        lambda registration, _: [registration.status],
        _status_label,
        "登记状态 in the request's language: 待审核, 审核通过, 审核不通过, 已撤回.",
    )
    kind: UnionKind = column("kind", "工会类型.")
    name: str = column(lambda registration: registration.current.name, shared("name"))
    region: Region = one(
        REGION,
        lambda registration, region: regions.stated(registration.current, region),
        shared("region"),
        told=True,
    )
    uscc: str | None = column(lambda registration: registration.current.uscc, shared("uscc"))
    employer: Employer | None = employer(
        lambda registration: EmployerRows(registration.current, registration.parent_path, registration.applicant_id)
    )
    legal_person_id_number: str = computed(
        lambda registration, eyes: sealed(registration.current, registrations.seal_name(registration.current), eyes),
        masked_or_erased,
        shared("id_number"),
    )
    certificate: Certificate = one(
        CERTIFICATE,
        lambda registration, certificate: certificates.stated(registration.current, certificate),
        shared("certificate"),
        told=True,
    )
    parent: UnionCard = one(
        CARD,
        lambda registration, card: card.id == registration.parent_id,
        "上级工会: the union that reviews it.",
        told=True,
    )
    parent_path: list[str] = seen(
        registrations.parent_names,
        "上级路径: names from the root down to that union, as far as the viewer may see.",
    )
    applicant: Account = one(
        ACCOUNT, lambda registration, account: account.id == registration.applicant_id, "申请人.", told=True
    )
    entry_route: EntryRoute | None = column("entry_route", "登记途径.")
    round: int = column("round", "第几次提交: 1 for the first.")
    submissions: list[Submission] = many(
        SUBMISSION,
        lambda registration, filed: filed.registration_id == registration.id,
        lambda filed: [filed.round],
        "提交记录: every round as it was submitted, oldest first.",
    )
    reviews: list[Review] = many(
        REVIEW,
        lambda registration, review: review.registration_id == registration.id,
        lambda review: [review.round],
        "审核记录, oldest first.",
    )
    warnings: list[Warning] = computed(_cautious, _warnings, "提醒: what the reviewer should look at.")
    possible_duplicates: list[UnionCard] = read(
        Each(Derived(duplicates.statement, "place"), Related(CARD, lambda match, card: card.id == match.union_id)),
        "疑似重复: active unions within the viewer's reach that it may repeat, the likeliest first, at most 20. "
        "`duplicateMatches` says why.",
    )
    duplicate_matches: list[DuplicateMatch] = derived(
        duplicates.statement,
        "疑似重复及原因: the same unions in the same order, each with why it is listed.",
        order="place",
    )
    same_photo: list[PhotoMatch] = read(
        Each(
            Derived(photos.statement, "place"),
            Related(PHOTO_MATCH, lambda match, one: one.id == match.registration_id),
        ),
        "照片重复: other registrations within the viewer's reach that show the same photo, newest first, at most 20.",
    )
    reviewers: list[Account] = many(
        ACCOUNT,
        registrations.decides,
        lambda account: [account.id],
        "可审核人: who may decide now; nobody once it is decided.",
        told=True,
    )
    submitted_at: Moment = column("submitted_at", "提交时间: of the latest round.")
    decided_at: Moment | None = column("decided_at", "审核时间: of the latest decision; null while pending.")
    erased_at: Moment | None = column(
        "erased_at",
        "清除时间: since when what it stated is gone, but for name, region and kind; null while it is kept. Rejected "
        "or withdrawn registrations are erased after a time that the operator sets.",
    )
    union: LazyUnion | None = one(
        UNION, lambda registration, union: union.id == registration.union_id, "登记成的工会: once approved."
    )
    viewer_can: list[Action] = computed(_what_decides, _viewer_can, "可进行的操作: what the viewer may do with it now.")
