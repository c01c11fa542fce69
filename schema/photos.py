"""照片重复: registrations that show the same photo."""

from __future__ import annotations

import strawberry

from models.review import State
from schema.accounts import Account
from schema.cards import UnionCard
from schema.reading.fields import column, global_id, one
from schema.scalars import Moment
from storage.sources import ACCOUNT, CARD


@strawberry.type(
    description="照片重复: another registration that shows the same photo, now or in an earlier round. It stops nobody."
)
class PhotoMatch:
    id: strawberry.ID = global_id("Registration", "编号: the other registration's global id.")
    name: str = column(lambda registration: registration.current.name, "工会名称.")
    status: State = column("status", "登记状态.")
    submitted_at: Moment = column("submitted_at", "提交时间: of its latest round.")
    parent: UnionCard = one(
        CARD, lambda registration, card: card.id == registration.parent_id, "上级工会: the union applied to.", told=True
    )
    applicant: Account = one(
        ACCOUNT, lambda registration, account: account.id == registration.applicant_id, "申请人.", told=True
    )
