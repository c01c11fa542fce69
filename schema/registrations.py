"""登记: registrations as their applicants and reviewers read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from models.account import Account as AccountRow
from models.certificate import Certificate as CertificateRow
from models.form import cautions
from models.kinds import EntryRoute, UnionKind
from models.particulars import Employer as EmployerRow
from models.permissions import Action
from models.region import Region as RegionRow
from models.registration import Registration as RegistrationRow
from models.registration import Review as ReviewRow
from models.registration import Submission as SubmissionRow
from models.review import MOVES, Decision, Move, State
from models.union import TradeUnion
from schema.accounts import Account
from schema.cards import UnionCard
from schema.certificates import Certificate
from schema.context import Info
from schema.errors import Told, Warning, told
from schema.fields import resolved
from schema.messages import say
from schema.node import Node, node_id
from schema.particulars import Employer, certificate_of, employer_shown, masked_id_number, region_of, shared
from schema.regions import Region
from schema.scalars import Moment
from storage.unions import Card

if TYPE_CHECKING:
    from schema.unions import Union

LazyUnion = Annotated["Union", strawberry.lazy("schema.unions")]


@strawberry.type(description="分项意见: what is wrong with one field of the form.")
class FieldOpinion:
    field: str = strawberry.field(description="表单项: the input field, such as `certificateId` or `employer.name`.")
    opinion: str = strawberry.field(description="意见.")


async def _reviewer(root: ReviewRow, info: Info) -> AccountRow:
    return await info.context.load.account.load(root.reviewer_id)


def _field_opinions(root: ReviewRow) -> list[FieldOpinion]:
    return [FieldOpinion(**given) for given in root.field_opinions]


@strawberry.type(description="审核记录: the decision on one round.")
class Review:
    round: int = strawberry.field(description="第几次提交: the round that it is about.")
    decision: Decision = strawberry.field(description="审核结论.")
    opinion: str | None = strawberry.field(description="审核意见: always there with a rejection.")
    field_opinions: list[FieldOpinion] = resolved(_field_opinions, "分项意见: what is wrong, field by field.")
    reviewer: Account = resolved(_reviewer, "审核人.")
    decided_at: Moment = strawberry.field(description="审核时间.")


def _status_label(root: RegistrationRow, info: Info) -> str:
    return say(info.context.locale, f"status.{root.status}")


def _name(root: RegistrationRow) -> str:
    return root.current.name


async def _region(root: RegistrationRow, info: Info) -> RegionRow:
    return await region_of(root.current, info)


def _uscc(root: RegistrationRow) -> str | None:
    return root.current.uscc


async def _sees_contacts(root: RegistrationRow, info: Info) -> bool:
    viewer = info.context.viewer
    return viewer.account_id == root.applicant_id or viewer.may(Action.REVIEW, (await _parent(root, info)).path)


async def _employer(root: RegistrationRow, info: Info) -> EmployerRow | None:
    return employer_shown(root.current.employer, whole=await _sees_contacts(root, info))


async def _employer_then(root: SubmissionRow, info: Info) -> EmployerRow | None:
    registration = await info.context.load.registration.load(root.registration_id)
    whole = registration is not None and await _sees_contacts(registration, info)
    return employer_shown(root.employer, whole=whole)


def _id_number(root: RegistrationRow, info: Info) -> str | None:
    return masked_id_number(root.current, info)


async def _certificate(root: RegistrationRow, info: Info) -> CertificateRow | None:
    return await certificate_of(root.current, info)


async def _parent(root: RegistrationRow, info: Info) -> Card:
    return await info.context.load.card.load(root.parent_id)


async def _parent_path(root: RegistrationRow, info: Info) -> list[str]:
    card = await _parent(root, info)
    above = await info.context.load.union.load_many(list(card.path.ids[:-1]))
    # The last name is on the card; those above it are told to those who may see them.
    return [union.name for union in above if union is not None] + [card.name]


async def _applicant(root: RegistrationRow, info: Info) -> AccountRow:
    return await info.context.load.account.load(root.applicant_id)


async def _submissions(root: RegistrationRow, info: Info) -> list[SubmissionRow]:
    return await info.context.load.submissions.load(root.id)


async def _reviews(root: RegistrationRow, info: Info) -> list[ReviewRow]:
    return await info.context.load.reviews.load(root.id)


async def _warnings(root: RegistrationRow, info: Info) -> list[Told]:
    parent, current = await _parent(root, info), root.current
    found = cautions(root.kind, current.region_code, parent.region_code, current.uscc)
    return [told(info, caution) for caution in found]


async def _possible_duplicates(root: RegistrationRow, info: Info) -> list[Card]:
    ids = await info.context.load.duplicates.load(root.current)
    return await info.context.load.card.load_many(ids)


async def _deciders(root: RegistrationRow, info: Info) -> frozenset[int]:
    if root.status is not State.PENDING:
        return frozenset()
    card = await _parent(root, info)
    return await info.context.load.deciders.load((card.path, root.applicant_id))


async def _reviewers(root: RegistrationRow, info: Info) -> list[AccountRow]:
    return await info.context.load.account.load_many(sorted(await _deciders(root, info)))


async def _union(root: RegistrationRow, info: Info) -> TradeUnion | None:
    return await info.context.load.union.load(root.union_id) if root.union_id else None


async def _viewer_can(root: RegistrationRow, info: Info) -> list[Action]:
    me = info.context.viewer.account_id
    able = {Action.READ}
    if me == root.applicant_id:
        able |= {Action(move) for move in (Move.RESUBMIT, Move.WITHDRAW) if (root.status, move) in MOVES}
    if me in await _deciders(root, info):
        able.add(Action.REVIEW)
    return [action for action in Action if action in able]


@strawberry.type(description="提交记录: one round of a registration, frozen as it was submitted.")
class Submission:
    round: int = strawberry.field(description="第几次提交: 1 for the first.")
    submitted_at: Moment = strawberry.field(description="提交时间.")
    name: str = strawberry.field(description=shared("name"))
    region: Region = resolved(region_of, shared("region"))
    uscc: str | None = strawberry.field(description=shared("uscc"))
    employer: Employer | None = resolved(_employer_then, shared("employer"))
    certificate: Certificate = resolved(certificate_of, shared("certificate"))
    changed: list[str] = strawberry.field(
        description="变更项: the input fields that differ from the round before; empty in the first."
    )


@strawberry.type(
    description="登记: an application to become a union of the tree. Seen by its applicant, and by those appointed "
    "to the union applied to or to one above that."
)
class Registration(Node):
    id: strawberry.ID = node_id("Registration", "编号: the registration's global id.")
    status: State = strawberry.field(description="登记状态.")
    status_label: str = resolved(
        _status_label, "登记状态 in the request's language: 待审核, 审核通过, 审核不通过, 已撤回."
    )
    kind: UnionKind = strawberry.field(description="工会类型.")
    name: str = resolved(_name, shared("name"))
    region: Region = resolved(_region, shared("region"))
    uscc: str | None = resolved(_uscc, shared("uscc"))
    employer: Employer | None = resolved(_employer, shared("employer"))
    legal_person_id_number: str = resolved(_id_number, shared("id_number"))
    certificate: Certificate = resolved(_certificate, shared("certificate"))
    parent: UnionCard = resolved(_parent, "上级工会: the union that reviews it.")
    parent_path: list[str] = resolved(
        _parent_path,
        "上级路径: names from the root down to that union, as far as the viewer may see.",
    )
    applicant: Account = resolved(_applicant, "申请人.")
    entry_route: EntryRoute | None = strawberry.field(description="登记途径.")
    round: int = strawberry.field(description="第几次提交: 1 for the first.")
    submissions: list[Submission] = resolved(_submissions, "提交记录: every round as it was submitted, oldest first.")
    reviews: list[Review] = resolved(_reviews, "审核记录, oldest first.")
    warnings: list[Warning] = resolved(_warnings, "提醒: what the reviewer should look at.")
    possible_duplicates: list[UnionCard] = resolved(
        _possible_duplicates,
        "疑似重复: unions within the viewer's reach with the same credit code, the same legal person, "
        "or the same name in the same region.",
    )
    reviewers: list[Account] = resolved(_reviewers, "可审核人: who may decide now; nobody once it is decided.")
    submitted_at: Moment = strawberry.field(description="提交时间: of the latest round.")
    decided_at: Moment | None = strawberry.field(description="审核时间: of the latest decision; null while pending.")
    union: LazyUnion | None = resolved(_union, "登记成的工会: once approved.")
    viewer_can: list[Action] = resolved(_viewer_can, "可进行的操作: what the viewer may do with it now.")

    @classmethod
    def is_type_of(cls, row: object, _info: object) -> bool:
        return isinstance(row, RegistrationRow)
