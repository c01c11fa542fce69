"""Answers to queries, each by one statement, made once for all requests of its shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from schema.context import GraphContext
from schema.reading.compiling import Compiler, Plan, shape, values_of
from schema.reading.operations import Operation, Outline
from schema.reading.outline import Uncompilable
from storage.scope import NOBODYS_EYES, BoundEyes
from storage.sign_ins import SignedIn

# A client has some dozens of documents, each in a few shapes.
PLANS: Final = 512


class OutdatedError(Exception):
    """The rights that this would have been answered with are not the ones there are now."""


class Answers:
    """The answers of one schema. Bounded: the plan that has not been asked for longest is forgotten first."""

    def __init__(self) -> None:
        self.plans: dict[Any, Plan] = {}

    async def answer(
        self, operation: Operation, variables: Mapping[str, Any], context: GraphContext
    ) -> list[bytes] | None:
        """The `data` of the response to a query, in pieces; None where the executor has to answer.

        It does so for introspection, and for everything that comes to an error: it words them.

        Raises:
            OutdatedError: the rights in the context are not those of now.
        """
        given = operation.values(variables) if operation.valid else None
        outline = operation.outline(given) if given else None
        if given is None or outline is None:
            return None
        try:
            chosen = [site.chosen(context, given) for site in outline.sites]
        except Exception:  # noqa: BLE001 - whatever it is, the executor meets it again and tells of it
            return None
        eyes, looking = context.signed_in.rights.bound if context.signed_in else NOBODYS_EYES
        try:
            plan = self.plan(outline, eyes, chosen)
        except Uncompilable:
            return None
        row = await self.row(plan, {**looking, **values_of(chosen)}, context)
        try:
            return plan.answer(context, row)
        except Exception:  # noqa: BLE001 - the same: with the rest of the answer around it
            return None

    async def row(self, plan: Plan, values: dict[str, Any], context: GraphContext) -> Any:
        """What the plan's statement finds. Raises: OutdatedError."""
        if plan.statement is None:
            return ()
        values["token_hash"] = context.token_hash
        rows = await context.db.ask(plan.statement, values)
        if not rows:
            raise OutdatedError
        if context.signed_in is not None:
            context.signed_in = SignedIn(context.signed_in.rights, rows[0][-1])
        return rows[0]

    def plan(self, outline: Outline, eyes: BoundEyes, chosen: list[Any]) -> Plan:
        """Raises: Uncompilable."""
        key = (outline, eyes, *map(shape, chosen))
        plan = self.plans.pop(key, None) or Compiler(outline.sites, chosen).plan(outline.roots, eyes)
        self.plans[key] = plan  # behind all others
        if len(self.plans) > PLANS:
            del self.plans[next(iter(self.plans))]
        return plan
