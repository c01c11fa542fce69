"""People and their appointments."""

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
from schema.reading.fields import column, computed, global_id, many, one, paged, seen
from schema.reading.steps import Ref
from schema.scalars import Moment
from schema.second_factor import SecondFactor
from schema.sessions import Session
from storage import phones, registrations
from storage.reading.rows import Eyes, Rows
from storage.second_factors import confirmed, recovery_codes_left
from storage.sign_ins import is_live
from storage.sources import ACCOUNT, APPOINTMENT, CARD, SESSION, VIEWER

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


def _second_factor(context: GraphContext, on: bool, left: int) -> SecondFactor:  # noqa: FBT001 - as it is read
    required = context.signed_in is not None and context.signed_in.held_back
    return SecondFactor(on=on, required=required, recovery_codes_left=left)


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
    sessions: list[Session] = many(
        SESSION,
        lambda me, session: and_(session.account_id == me.id, is_live(session)),
        lambda session: [session.id.desc()],
        "我的登录: where one is signed in now, the latest first.",
        told=True,
    )
    second_factor: SecondFactor = computed(
        lambda me, _: [confirmed(me), recovery_codes_left(me)],
        _second_factor,
        "两步验证: whether a code is asked for beside the password.",
    )


@strawberry.type
class AccountQueries:
    viewer: Viewer | None = one(
        VIEWER, lambda eyes, me: me.id == eyes.account_id, "当前用户: who asks; null when not signed in.", told=True
    )


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
    appoint: AppointPayload = mutation(
        _appoint, "任命: gives somebody a role at a union. Appointing twice is appointing once."
    )
    end_appointment: EndAppointmentPayload = mutation(
        _end_appointment, "免职: ends an appointment, or gives up one's own. It takes effect at once."
    )
