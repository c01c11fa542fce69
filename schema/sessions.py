"""登录: where an account is signed in, and ending it."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers import sessions
from schema.context import GraphContext, Info
from schema.errors import Answer, UserError, id_input, mutation
from schema.reading.fields import column, computed, global_id
from schema.scalars import Moment


def _current(context: GraphContext, session_id: int) -> bool:
    return context.signed_in is not None and context.signed_in.session_id == session_id


@strawberry.type(description="登录: a sign-in of one's own that has not ended.")
class Session:
    id: strawberry.ID = global_id("Session", "编号: give it to `endSession`.")
    current: bool = computed(lambda session, _: [session.id], _current, "是否本次登录: whether it is this one.")
    program: str | None = column("program", "程序: what it was opened by, such as `WeChat`; null if that is not known.")
    by_second_factor: bool = column("by_second_factor", "是否经两步验证: whether a code was shown beside the password.")
    created_at: Moment = column("created_at", "登录时间.")
    used_at: Moment = column("used_at", "最近使用时间, to some minutes.")
    expires_at: Moment = column("expires_at", "有效期至; it ends sooner if it is not used.")


@strawberry.input(description="结束一个登录: which one.")
class EndSessionInput:
    session_id: strawberry.ID = strawberry.field(description="登录编号.")


@strawberry.type(description="结束登录的结果.")
class EndSessionPayload:
    errors: list[UserError] = strawberry.field(description="错误: everything that was wrong; empty on success.")


@strawberry.input(description="结束全部登录.")
class EndSessionsInput:
    this_too: bool = strawberry.field(default=False, description="包括本次登录: this one as well.")


@strawberry.type(description="结束全部登录的结果.")
class EndSessionsPayload:
    ended: int | None = strawberry.field(description="结束的个数: how many ended.")
    errors: list[UserError] = strawberry.field(description="错误: everything that was wrong; empty on success.")


async def _end(
    info: Info,
    wanted: Annotated[EndSessionInput, strawberry.argument(name="input", description="Which one.")],
) -> Answer:
    await sessions.end_session(info.context, id_input(wanted.session_id, "Session", "sessionId"))
    return Answer()


async def _end_all(
    info: Info,
    wanted: Annotated[EndSessionsInput, strawberry.argument(name="input", description="Whether this one as well.")],
) -> Answer:
    return Answer(ended=await sessions.end_sessions(info.context, this_too=wanted.this_too))


@strawberry.type
class SessionMutations:
    end_session: EndSessionPayload = mutation(
        _end, "结束登录: ends a sign-in of one's own; its token opens nothing any more."
    )
    end_sessions: EndSessionsPayload = mutation(
        _end_all, "结束全部登录: ends every other sign-in of one's own, or all."
    )
