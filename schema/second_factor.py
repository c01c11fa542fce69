"""两步验证: a second factor beside the password."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers import second_factor
from schema.context import Info
from schema.errors import Answer, UserError, mutation
from storage.qr import QrFormat, data_uri


@strawberry.type(description="两步验证: whether a code is asked for beside the password.")
class SecondFactor:
    on: bool = strawberry.field(description="是否启用.")
    required: bool = strawberry.field(
        description="是否须先启用: appointments do not count until one has signed in with a second factor."
    )
    recovery_codes_left: int = strawberry.field(description="剩余恢复码: how many have not been used.")


@strawberry.input(description="开始启用两步验证.")
class BeginSecondFactorInput:
    password: str = strawberry.field(description="密码: once more.")


@strawberry.type(
    description="开始启用两步验证的结果: for an authenticator app. Nothing is asked for until it is confirmed."
)
class BeginSecondFactorPayload:
    secret: str | None = strawberry.field(description="密钥, in base 32: to be typed into the app; told this once.")
    uri: str | None = strawberry.field(description="链接, `otpauth://totp/…`: what the app scans.")
    qr_code: str | None = strawberry.field(description="二维码: the same, as a data: URI.")
    errors: list[UserError] = strawberry.field(description="错误: everything that was wrong; empty on success.")


@strawberry.input(description="确认启用两步验证.")
class ConfirmSecondFactorInput:
    code: str = strawberry.field(description="验证码: the six digits that the app shows.")


@strawberry.type(description="确认启用两步验证的结果.")
class ConfirmSecondFactorPayload:
    recovery_codes: list[str] | None = strawberry.field(
        description="恢复码: each replaces the app once, for who has lost it; told this once."
    )
    errors: list[UserError] = strawberry.field(description="错误: everything that was wrong; empty on success.")


@strawberry.input(description="停用两步验证.")
class RemoveSecondFactorInput:
    password: str = strawberry.field(description="密码: once more.")
    code: str = strawberry.field(description="验证码: of the app, or a recovery code.")


@strawberry.type(description="停用两步验证的结果.")
class RemoveSecondFactorPayload:
    errors: list[UserError] = strawberry.field(description="错误: everything that was wrong; empty on success.")


async def _begin(
    info: Info,
    wanted: Annotated[BeginSecondFactorInput, strawberry.argument(name="input", description="The password.")],
) -> Answer:
    made = await second_factor.propose(info.context, wanted.password)
    return Answer(secret=made.secret, uri=made.uri, qr_code=data_uri(QrFormat.PNG, made.uri))


async def _confirm(
    info: Info,
    wanted: Annotated[ConfirmSecondFactorInput, strawberry.argument(name="input", description="The code.")],
) -> Answer:
    return Answer(recovery_codes=await second_factor.confirm(info.context, wanted.code))


async def _remove(
    info: Info,
    wanted: Annotated[RemoveSecondFactorInput, strawberry.argument(name="input", description="Who it is.")],
) -> Answer:
    await second_factor.remove(info.context, wanted.password, wanted.code)
    return Answer()


@strawberry.type
class SecondFactorMutations:
    begin_second_factor: BeginSecondFactorPayload = mutation(
        _begin, "开始启用两步验证: a secret for an authenticator app (TOTP, RFC 6238). It counts once it is confirmed."
    )
    confirm_second_factor: ConfirmSecondFactorPayload = mutation(
        _confirm, "确认启用两步验证: from now on `signIn` asks for a code. Every other sign-in ends."
    )
    remove_second_factor: RemoveSecondFactorPayload = mutation(_remove, "停用两步验证: no code is asked for any more.")
