"""操作记录: what happened, as a list of sentences."""

from __future__ import annotations

import strawberry

from models.account import Account as AccountRow
from models.event import Event as EventRow
from models.permissions import Role
from schema.accounts import Account
from schema.cards import UnionCard
from schema.context import Info
from schema.fields import resolved
from schema.messages import say
from schema.node import Node, node_id
from schema.scalars import Moment
from storage.unions import Card


def _action(root: EventRow) -> str:
    return root.action.value


async def _actor(root: EventRow, info: Info) -> AccountRow | None:
    return await info.context.load.account.load(root.actor_id) if root.actor_id else None


async def _union(root: EventRow, info: Info) -> Card | None:
    return await info.context.load.card.load(root.union_id) if root.union_id else None


def _summary(root: EventRow, info: Info) -> str:
    locale = info.context.locale
    details = dict(root.details)
    if "role" in details:
        details["role"] = say(locale, f"role.{Role(details['role'])}")
    return say(locale, f"event.{root.action.value}", **details)


@strawberry.type(description="操作记录: something that happened. Records are only ever added.")
class Event(Node):
    id: strawberry.ID = node_id("Event", "编号: the event's global id.")
    at: Moment = strawberry.field(description="时间.")
    action: str = resolved(_action, "操作: a word for programs, such as `registration.approved`.")
    actor: Account | None = resolved(_actor, "操作人; null for the operator's command line.")
    union: UnionCard | None = resolved(_union, "所在工会: where it happened.")
    summary: str = resolved(_summary, "摘要: a sentence in the request's language.")

    @classmethod
    def is_type_of(cls, row: object, _info: object) -> bool:
        return isinstance(row, EventRow)
