"""操作记录: what happened, as a list of sentences."""

from __future__ import annotations

from collections.abc import Mapping

import strawberry

from models.permissions import Role
from schema.accounts import Account
from schema.cards import UnionCard
from schema.context import GraphContext
from schema.messages import say
from schema.node import Node
from schema.reading.fields import column, computed, global_id, one
from schema.scalars import Moment
from storage.sources import ACCOUNT, CARD


def _summary(context: GraphContext, action: str, stated: Mapping[str, str]) -> str:
    details = dict(stated)
    if "role" in details:
        details["role"] = say(context.locale, f"role.{Role(details['role'])}")
    return say(context.locale, f"event.{action}", **details)


@strawberry.type(description="操作记录: something that happened. Records are only ever added.")
class Event(Node):
    id: strawberry.ID = global_id("Event", "编号: the event's global id.")
    at: Moment = column("at", "时间.")
    action: str = column("action", "操作: a word for programs, such as `registration.approved`.")
    actor: Account | None = one(
        ACCOUNT,
        lambda event, account: account.id == event.actor_id,
        "操作人; null for the operator's command line.",
        told=True,
    )
    union: UnionCard | None = one(
        CARD, lambda event, card: card.id == event.union_id, "所在工会: where it happened.", told=True
    )
    summary: str = computed(
        lambda event, _: [event.action, event.details], _summary, "摘要: a sentence in the request's language."
    )
