"""组织登记二维码: codes that unions share."""

from __future__ import annotations

from typing import Annotated

import strawberry
from sqlalchemy import ColumnElement

from models.kinds import InviteStatus
from resolvers import invites
from resolvers.invites import WantedInvite
from schema.cards import UnionCard
from schema.context import GraphContext, Info
from schema.errors import Answer, UserError, id_input, mutation
from schema.keys import idempotency_key
from schema.node import Node
from schema.reading.chosen import Given
from schema.reading.fields import column, computed, global_id, one, read
from schema.reading.steps import Ref
from schema.scalars import Moment
from storage import invites as rows
from storage.qr import QrFormat, data_uri
from storage.reading.reads import Related
from storage.reading.rows import Eyes, Rows
from storage.sources import CARD, INVITE


@strawberry.type(description="小程序入口: which page of the mini-program to open, and with what.")
class MiniProgramLaunch:
    app_id: str | None = strawberry.field(description="小程序 AppID; null until the operator has configured it.")
    original_id: str | None = strawberry.field(description="小程序原始 ID, `gh_…`; null until configured.")
    path: str = strawberry.field(description="页面路径, without a leading slash.")
    query: str = strawberry.field(description="页面参数, such as `i=<token>`.")
    scene: str = strawberry.field(description="小程序码的 scene: at most 32 characters.")


def _url(context: GraphContext, token: str) -> str:
    return invites.link(context.settings, token)


def _launch(context: GraphContext, token: str) -> MiniProgramLaunch:
    settings = context.settings
    return MiniProgramLaunch(
        app_id=settings.wechat_app_id,
        original_id=settings.wechat_original_id,
        path=settings.wechat_page,
        query=f"i={token}",
        scene=f"i={token}",
    )


Format = Annotated[QrFormat, strawberry.argument(description="图片格式.")]


def _qr_code(context: GraphContext, token: str, *, format: Format = QrFormat.PNG) -> str:
    return data_uri(format, invites.link(context.settings, token))


def _registration_qr_code(context: GraphContext, token: str, *, format: Format = QrFormat.PNG) -> str:
    return data_uri(format, invites.registration_link(context.settings, token))


def _token(invite: Rows, _eyes: Eyes) -> list[ColumnElement[str]]:
    return [invite.token]


@strawberry.type(description="邀请: a code by which a union lets the unions below it register.")
class Invite(Node):
    id: strawberry.ID = global_id("Invite", "编号: the invite's global id.")
    token: str = column("token", "邀请码: 22 characters of [0-9A-Za-z_-], 128 bits.")
    status: InviteStatus = column(rows.status, "状态: whether it still takes registrations.")
    card: UnionCard = one(
        CARD, lambda invite, card: card.id == invite.union_id, "工会名片: of the union that invites.", told=True
    )
    url: str = computed(_token, _url, "链接: what the 组织登记二维码 holds, `https://host/i/<token>`.")
    qr_code: str = computed(_token, _qr_code, "组织登记二维码, as a data: URI. Scanning it shows the union's card.")
    registration_qr_code: str = computed(
        _token, _registration_qr_code, "工会登记二维码, as a data: URI. Scanning it opens the form."
    )
    launch: MiniProgramLaunch = computed(_token, _launch, "小程序入口: for the app.")
    expires_at: Moment | None = column("expires_at", "有效期至; null if it does not expire.")
    max_uses: int | None = column("max_uses", "最多使用次数; null if it is not limited.")
    uses: int = column("uses", "已使用次数: registrations submitted through it.")


def _invite(
    _context: GraphContext,
    code: Annotated[
        str,
        strawberry.argument(
            description="The token; or the scene string `i=<token>`; the whole link; or WeChat's encoded `q`."
        ),
    ],
) -> Given | None:
    token = invites.token_in(code)
    return None if token is None else {"token": token}


@strawberry.type
class InviteQueries:
    invite: Invite | None = read(
        Related(INVITE, lambda _, invite, token: invite.token == token, told=True),
        "扫码: the invite that a code names, whatever its status; null if there is none. Needs no sign-in.",
        _invite,
    )


@strawberry.input(description="新建组织登记二维码.")
class CreateInviteInput:
    union_id: strawberry.ID = strawberry.field(description="工会编号: the union that invites.")
    expires_at: Moment | None = strawberry.field(default=None, description="有效期至; never, if left out.")
    max_uses: int | None = strawberry.field(default=None, description="最多使用次数; any number, if left out.")
    idempotency_key: str | None = idempotency_key()


@strawberry.type(description="新建二维码的结果.")
class CreateInvitePayload:
    invite: Invite | None = strawberry.field(description="邀请: the new code.")
    errors: list[UserError] = strawberry.field(description="错误: everything that was wrong; empty on success.")


@strawberry.input(description="作废组织登记二维码.")
class RevokeInviteInput:
    invite_id: strawberry.ID = strawberry.field(description="邀请编号.")


@strawberry.type(description="作废二维码的结果.")
class RevokeInvitePayload:
    invite: Invite | None = strawberry.field(description="邀请: as it is now.")
    errors: list[UserError] = strawberry.field(description="错误: everything that was wrong; empty on success.")


async def _create(
    info: Info,
    wanted: Annotated[CreateInviteInput, strawberry.argument(name="input", description="For which union.")],
) -> Answer:
    made = WantedInvite(
        union_id=id_input(wanted.union_id, "Union", "unionId"),
        expires_at=wanted.expires_at,
        max_uses=wanted.max_uses,
        idempotency_key=wanted.idempotency_key,
    )
    invite = await invites.create_invite(info.context, made)
    return Answer(invite=Ref(INVITE, (invite.id,)))


async def _revoke(
    info: Info,
    wanted: Annotated[RevokeInviteInput, strawberry.argument(name="input", description="Which one.")],
) -> Answer:
    invite = await invites.revoke_invite(info.context, id_input(wanted.invite_id, "Invite", "inviteId"))
    return Answer(invite=Ref(INVITE, (invite.id,)))


@strawberry.type
class InviteMutations:
    create_invite: CreateInvitePayload = mutation(_create, "新建组织登记二维码: a new code of a union.")
    revoke_invite: RevokeInvitePayload = mutation(
        _revoke, "作废组织登记二维码: the code takes no more registrations. Revoking twice is revoking once."
    )
