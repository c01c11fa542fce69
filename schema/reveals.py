"""身份证号码查看记录: who was shown an ID number, for those who answer for it."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry

from schema.accounts import Account
from schema.cards import UnionCard
from schema.context import GraphContext
from schema.reading.fields import column, computed, global_id, one
from schema.registrations import Registration
from schema.scalars import Moment
from storage.sources import ACCOUNT, CARD, REGISTRATION


def _reason(_context: GraphContext, stated: Mapping[str, str]) -> str:
    return stated.get("reason", "")


def _name(_context: GraphContext, stated: Mapping[str, str]) -> str:
    return stated.get("name", "")


@strawberry.type(description="身份证号码查看记录: somebody was shown the whole ID number of a legal person.")
class IdNumberReveal:
    id: strawberry.ID = global_id("Event", "编号: of the event (操作记录) that it is.")
    at: Moment = column("at", "时间.")
    actor: Account = one(ACCOUNT, lambda event, account: account.id == event.actor_id, "查看人.", told=True)
    reason: str = computed(lambda event, _: [event.details], _reason, "事由, as it was stated.")
    name: str = computed(lambda event, _: [event.details], _name, "登记的工会名称, as it was then.")
    union: UnionCard = one(
        CARD, lambda event, card: card.id == event.union_id, "上级工会: the union applied to.", told=True
    )
    registration: Registration | None = one(
        REGISTRATION, lambda event, registration: registration.id == event.registration_id, "登记: whose number it was."
    )
