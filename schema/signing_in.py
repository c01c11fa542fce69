"""登录、退出、修改密码."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers import signing_in
from schema.accounts import Viewer
from schema.context import Info
from schema.errors import Answer, UserError, mutation
from schema.reading.steps import Ref
from storage.sources import VIEWER


@strawberry.input(description="登录: a phone number and its password.")
class SignInInput:
    phone: str = strawberry.field(description="手机号: with or without +86.")
    password: str = strawberry.field(description="密码.")
    code: str | None = strawberry.field(
        default=None,
        description="验证码: for who has a second factor, the six digits that the app shows, or a recovery code. "
        "Without it the answer is `SECOND_FACTOR_REQUIRED` at `code`: ask for it, and sign in again.",
    )


@strawberry.type(description="登录结果.")
class SignInPayload:
    token: str | None = strawberry.field(
        description="令牌: send it as `Authorization: Bearer …`. Opaque; it is told this once."
    )
    viewer: Viewer | None = strawberry.field(description="当前用户: who is signed in now.")
    errors: list[UserError] = strawberry.field(description="错误: why nobody is; empty on success.")


@strawberry.type(description="退出结果.")
class SignOutPayload:
    errors: list[UserError] = strawberry.field(description="错误: always empty; signing out cannot be refused.")


@strawberry.type(description="更换令牌的结果.")
class RenewSessionPayload:
    token: str | None = strawberry.field(
        description="令牌: use it from now on. Null where a cookie keeps it, which it is in already."
    )
    errors: list[UserError] = strawberry.field(description="错误: everything that was wrong; empty on success.")


@strawberry.input(description="修改密码.")
class ChangePasswordInput:
    current_password: str = strawberry.field(description="当前密码.")
    new_password: str = strawberry.field(
        description="新密码: 8 to 200 characters; another one than before, and not the first that comes to mind."
    )


@strawberry.type(description="修改密码的结果.")
class ChangePasswordPayload:
    token: str | None = strawberry.field(
        description="令牌: use it from now on. Null where a cookie keeps it, which it is in already."
    )
    viewer: Viewer | None = strawberry.field(description="当前用户: who is still signed in.")
    errors: list[UserError] = strawberry.field(description="错误: everything that was wrong; empty on success.")


async def _sign_in(
    info: Info,
    wanted: Annotated[SignInInput, strawberry.argument(name="input", description="Who wants to sign in.")],
) -> Answer:
    token, person = await signing_in.sign_in(info.context, wanted.phone, wanted.password, wanted.code)
    return Answer(token=token, viewer=Ref(VIEWER, (person.id,)))


async def _sign_out(info: Info) -> Answer:
    await signing_in.sign_out(info.context)
    return Answer()


async def _renew(info: Info) -> Answer:
    return Answer(token=await signing_in.renew_session(info.context))


async def _change_password(
    info: Info,
    wanted: Annotated[ChangePasswordInput, strawberry.argument(name="input", description="Both passwords.")],
) -> Answer:
    token = await signing_in.change_password(info.context, wanted.current_password, wanted.new_password)
    assert info.context.signed_in is not None
    return Answer(token=token, viewer=Ref(VIEWER, (info.context.signed_in.account_id,)))


@strawberry.type
class SigningInMutations:
    sign_in: SignInPayload = mutation(_sign_in, "登录: opens a sign-in and gives its token.")
    sign_out: SignOutPayload = mutation(_sign_out, "退出登录: ends this sign-in; its token opens nothing any more.")
    renew_session: RenewSessionPayload = mutation(
        _renew,
        "更换令牌: another token for this sign-in, which lasts no longer for it. The present one works for a minute "
        "more; whoever comes with it later ends the sign-in, for then two have had it.",
    )
    change_password: ChangePasswordPayload = mutation(
        _change_password, "修改密码: every other sign-in ends, and this one goes on by another token."
    )
