"""People, their appointments, signing in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry
from sqlalchemy import ColumnElement, and_, case

from models.permissions import Role
from models.review import State
from resolvers import accounts
from schema.cards import UnionCard
from schema.context import GraphContext, Info
from schema.errors import Answer, UserError, id_input, mutation
from schema.node import Node
from schema.paging import After, Connection, First
from schema.reading.chosen import Given
from schema.reading.cursors import window
from schema.reading.fields import column, global_id, many, one, paged, seen
from schema.reading.steps import Ref
from schema.scalars import Moment
from storage import phones, registrations
from storage.reading.rows import Eyes, Rows
from storage.sources import ACCOUNT, APPOINTMENT, CARD, VIEWER

if TYPE_CHECKING:
    from schema.registrations import Registration


def _phone(account: Rows, eyes: Eyes) -> ColumnElement[str]:
    oneself = account.id == eyes.account_id
    return case((oneself, phones.shown(account.phone)), else_=phones.masked(account.phone))


@strawberry.type(
    description="账号: a person, known by a phone number. Shown where a row names it, as a reviewer or an actor; "
    "`node` gives it to those within whose reach it is appointed or applies."
)
class Account(Node):
    id: strawberry.ID = global_id("Account", "编号: the account's global id.")
    real_name: str = column("real_name", "姓名.")
    phone: str | None = seen(_phone, "手机号: whole for oneself, `138****8000` for everybody else.")
    real_name_verified: bool = column(
        lambda account: account.real_name_verified_at.is_not(None),
        "是否实名: whether the real name has been verified, without which nobody registers a union.",
    )


@strawberry.type(description="任职: a role at a union, which reaches everything below it.")
class Appointment(Node):
    id: strawberry.ID = global_id("Appointment", "编号: the appointment's global id.")
    account: Account = one(
        ACCOUNT, lambda held, account: account.id == held.account_id, "任职人: who holds it.", told=True
    )
    role: Role = column("role", "职务: what it allows.")
    union: UnionCard = one(CARD, lambda held, card: card.id == held.union_id, "任职工会: where it is held.", told=True)
    since: Moment = column("since", "任职时间: when it began.")


def _registrations(
    _context: GraphContext,
    first: First = 50,
    after: After = None,
    status: Annotated[State | None, strawberry.argument(description="状态: only these; all if left out.")] = None,
) -> Given:
    return {**window(registrations.OWN, first, after), "status": status}


RegistrationConnection = Connection[Annotated["Registration", strawberry.lazy("schema.registrations")]]


@strawberry.type(description="当前用户: the person who asks, with what is theirs.")
class Viewer:
    account: Account = one(ACCOUNT, lambda me, account: account.id == me.id, "账号: oneself.", told=True)
    appointments: list[Appointment] = many(
        APPOINTMENT,
        lambda me, held: and_(held.account_id == me.id, held.ended_at.is_(None)),
        lambda held: [held.id],
        "我的任职: what one is appointed to now.",
        told=True,
    )
    registrations: RegistrationConnection = paged(
        registrations.OWN, _registrations, "我的登记: what one has applied for, newest first."
    )


@strawberry.type
class AccountQueries:
    viewer: Viewer | None = one(
        VIEWER, lambda eyes, me: me.id == eyes.account_id, "当前用户: who asks; null when not signed in.", told=True
    )


@strawberry.input(description="登录: a phone number and its password.")
class SignInInput:
    phone: str = strawberry.field(description="手机号: with or without +86.")
    password: str = strawberry.field(description="密码.")


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


@strawberry.input(description="任命: a role at a union for the account with this phone.")
class AppointInput:
    union_id: strawberry.ID = strawberry.field(description="工会编号: where.")
    phone: str = strawberry.field(description="手机号: of the account to appoint.")
    role: Role = strawberry.field(description="职务: what for.")


@strawberry.type(description="任命结果.")
class AppointPayload:
    appointment: Appointment | None = strawberry.field(description="任职: as it is held now.")
    errors: list[UserError] = strawberry.field(description="错误: everything that was wrong; empty on success.")


@strawberry.input(description="免职: which appointment ends.")
class EndAppointmentInput:
    appointment_id: strawberry.ID = strawberry.field(description="任职编号.")


@strawberry.type(description="免职结果.")
class EndAppointmentPayload:
    errors: list[UserError] = strawberry.field(description="错误: everything that was wrong; empty on success.")


async def _sign_in(
    info: Info,
    wanted: Annotated[SignInInput, strawberry.argument(name="input", description="Who wants to sign in.")],
) -> Answer:
    token, person = await accounts.sign_in(info.context, wanted.phone, wanted.password)
    return Answer(token=token, viewer=Ref(VIEWER, (person.id,)))


async def _sign_out(info: Info) -> Answer:
    await accounts.sign_out(info.context)
    return Answer()


async def _appoint(
    info: Info,
    wanted: Annotated[AppointInput, strawberry.argument(name="input", description="Whom, where, what for.")],
) -> Answer:
    union_id = id_input(wanted.union_id, "Union", "unionId")
    held = await accounts.appoint(info.context, union_id, wanted.phone, wanted.role)
    return Answer(appointment=Ref(APPOINTMENT, (held.id,)))


async def _end_appointment(
    info: Info,
    wanted: Annotated[EndAppointmentInput, strawberry.argument(name="input", description="Which one.")],
) -> Answer:
    await accounts.end_appointment(info.context, id_input(wanted.appointment_id, "Appointment", "appointmentId"))
    return Answer()


@strawberry.type
class AccountMutations:
    sign_in: SignInPayload = mutation(_sign_in, "登录: opens a sign-in and gives its token.")
    sign_out: SignOutPayload = mutation(_sign_out, "退出登录: ends this sign-in; its token opens nothing any more.")
    appoint: AppointPayload = mutation(
        _appoint, "任命: gives somebody a role at a union. Appointing twice is appointing once."
    )
    end_appointment: EndAppointmentPayload = mutation(
        _end_appointment, "免职: ends an appointment, or gives up one's own. It takes effect at once."
    )
