"""疑似重复: why a union looks like what a registration would register again."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from models.duplicates import Likeness
from schema.cards import UnionCard
from schema.context import GraphContext
from schema.messages import say
from schema.reading.fields import computed, one
from storage.sources import CARD


def _reasons(_context: GraphContext, reasons: Sequence[str]) -> list[Likeness]:
    return [Likeness(reason) for reason in reasons]


def _message(context: GraphContext, reasons: Sequence[str]) -> str:
    locale = context.locale
    return say(locale, "duplicate.between").join(say(locale, f"duplicate.{reason}") for reason in reasons)


@strawberry.type(description="疑似重复: a union that a registration may repeat, and why. It stops nobody.")
class DuplicateMatch:
    union: UnionCard = one(CARD, lambda match, card: card.id == match.union_id, "疑似重复的工会.", told=True)
    reasons: list[Likeness] = computed(lambda match, _: [match.reasons], _reasons, "原因, the strongest first.")
    message: str = computed(lambda match, _: [match.reasons], _message, "原因 in words, in the request's language.")
