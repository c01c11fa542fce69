"""Refusals at the edge: data in a mutation's payload, a coded error in a query; in the reader's language."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TypeVar

import strawberry
from graphql import GraphQLError
from strawberry.extensions import FieldExtension

from models.errors import Caution, Code, Doubt, Problem, Problems, Rejected
from schema.context import GraphContext, Info
from schema.ids import decode_id
from schema.messages import caution, sentence
from storage.retrying import whole

Found = TypeVar("Found")


@strawberry.type(description="错误: one thing that was wrong with a mutation's input. All of them are told at once.")
class UserError:
    code: Code = strawberry.field(description="What is wrong. Decide by this, not by the message.")
    path: list[str] = strawberry.field(description="From `input` to the field at fault; empty if it is none of them.")
    message: str = strawberry.field(description="The same in words, in the request's language.")
    retry_after: int | None = strawberry.field(
        description="多少秒后可重试: of `RATE_LIMITED`, in how many seconds to try again; else null."
    )


@strawberry.type(description="提醒: something that the reviewer should look at. It never stops a submission.")
class Warning:
    code: str = strawberry.field(description="What it is about, such as `REGION_OUTSIDE_PARENT`.")
    path: list[str] = strawberry.field(description="The field of the form that it is about.")
    message: str = strawberry.field(description="The same in words, in the request's language.")


@dataclass(frozen=True)
class Told:
    """A problem or a caution with its sentence."""

    code: Code | Doubt
    path: list[str]
    message: str
    retry_after: int | None = None


def told(context: GraphContext, found: Problem | Caution) -> Told:
    say = caution if isinstance(found, Caution) else sentence
    seconds = found.params.get("seconds") if isinstance(found, Problem) else None
    wait = seconds if isinstance(seconds, int) else None
    return Told(found.code, list(found.path), say(context.locale, found), wait)  # type: ignore[arg-type]


class Answer(SimpleNamespace):
    """A payload's values. What is not given, as after a refusal, is null."""

    def __init__(self, **values: object) -> None:
        super().__init__(**{"errors": [], **values})

    def __getattr__(self, name: str) -> None:
        return None


class Refusals(FieldExtension):
    """Turns a use case's refusal into the payload's `errors`, and does again what was rolled back.

    Unavailable is the transport's to tell. Anything else is a bug, and masked.
    """

    async def resolve_async(self, next_: Callable[..., Awaitable[Any]], source: Any, info: Info, **kwargs: Any) -> Any:
        try:
            return await whole(lambda: next_(source, info, **kwargs))
        except Rejected as refusal:
            return Answer(errors=[told(info.context, problem) for problem in refusal.problems])
        finally:
            info.context.forget()


def mutation(resolver: Callable[..., Any], description: str) -> Any:
    """A field of the root Mutation."""
    return strawberry.mutation(resolver=resolver, description=description, extensions=[Refusals()])


def refused(info: Info, problem: Problem) -> GraphQLError:
    """The error of a query whose argument cannot be: coded like a payload's, at the field that has it."""
    return GraphQLError(
        sentence(info.context.locale, problem),
        extensions={"code": problem.code.value, "argument": ".".join(problem.path) or None},
    )


def at(name: str, read: Callable[[str], Found], given: str) -> Found:
    """What `read` makes of a query's argument.

    Raises:
        Rejected: as `read` does, at the argument.
    """
    try:
        return read(given)
    except Rejected as refusal:
        [problem] = refusal.problems
        raise Rejected(Problem(problem.code, (name,), problem.why, problem.params)) from None


def id_at(name: str, given: str, type_name: str) -> int:
    """The key in a query's id argument, which must be of this type. Raises: Rejected, INVALID at the argument."""
    return at(name, lambda text: decode_id(text, type_name), given)


def id_input(given: str, type_name: str, *path: str) -> int:
    """The key in an id of a mutation's input.

    Raises:
        Rejected: INVALID at the path.
    """
    problems = Problems()
    key = problems.take(path, lambda text: decode_id(text, type_name), given)
    problems.raise_any()
    assert key is not None
    return key
