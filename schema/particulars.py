"""登记事项: what forms, rounds and unions state alike."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from typing import Any, Final

import strawberry
from sqlalchemy import ColumnElement, func, literal_column

from models.identifiers import mask_id_number, mask_name, mask_phone, show_phone
from models.particulars import Employer as EmployerRow
from models.permissions import Action
from models.treepath import TreePath
from schema.context import GraphContext
from schema.reading.fields import column, computed, part
from storage.reading.rows import Eyes

ID_NUMBER_LENGTH: Final = 18


@dataclass(frozen=True)
class EmployerRows:
    """单位信息 among the columns of a form, a round or a union.

    `place` is where it is reviewed, `applicant_id` whose it is, if it is anybody's.
    """

    stated: Any
    place: ColumnElement[Any]
    applicant_id: ColumnElement[Any] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stated, f"employer_{name}")

    def to_mask(self, name: str) -> list[ColumnElement[Any]]:
        """A column, and what decides whether it is shown whole."""
        nobody: ColumnElement[Any] = literal_column("null")
        return [getattr(self, name), self.place, nobody if self.applicant_id is None else self.applicant_id]


def _shown_whole(context: GraphContext, place: str | TreePath, applicant_id: int | None) -> bool:
    """Whether the viewer is the applicant, or may review at that place."""
    viewer = context.viewer
    if applicant_id is not None and viewer.account_id == applicant_id:
        return True
    return viewer.may(Action.REVIEW, TreePath.parse(str(place)))


def _contact_name(context: GraphContext, name: str | None, *whose: Any) -> str | None:
    return name if name is None or _shown_whole(context, *whose) else mask_name(name)


def _contact_phone(context: GraphContext, phone: str, *whose: Any) -> str:
    return show_phone(phone) if _shown_whole(context, *whose) else mask_phone(phone)


@strawberry.type(description="单位信息: the organisation whose staff a grassroots union is of.")
class Employer:
    name: str = column("name", "单位名称.")
    uscc: str = column("uscc", "单位统一社会信用代码.")
    address: str = column("address", "单位地址.")
    contact_name: str | None = computed(
        lambda employer, _: employer.to_mask("contact_name"), _contact_name, "联系人: masked for those who only read."
    )
    contact_phone: str = computed(
        lambda employer, _: employer.to_mask("contact_phone"),
        _contact_phone,
        "联系电话: masked for those who only read.",
    )
    staff_count: int | None = column("staff_count", "职工人数.")


def employer(rows: Any) -> Any:
    """The field `employer`, which is among the columns that `rows` gives."""
    return part(rows, lambda of: rows(of).name.is_not(None), shared("employer"))


@strawberry.input(description="单位信息: the organisation whose staff a grassroots union is of.")
class EmployerInput:
    name: str = strawberry.field(description="单位名称: at most 100 characters.")
    uscc: str = strawberry.field(description="单位统一社会信用代码: 18 characters, GB 32100-2015.")
    address: str = strawberry.field(description="单位地址: at most 200 characters.")
    contact_name: str | None = strawberry.field(default=None, description="联系人: at most 100 characters.")
    contact_phone: str = strawberry.field(description="联系电话: with or without a country code.")
    staff_count: int | None = strawberry.field(default=None, description="职工人数: 0 to 10,000,000.")

    def row(self) -> EmployerRow:
        return EmployerRow(self.name, self.uscc, self.address, self.contact_name, self.contact_phone, self.staff_count)


def sealed(of: Any, name: ColumnElement[Any], _eyes: Eyes) -> list[ColumnElement[Any]]:
    """A sealed ID number with the name of the row that it is bound to."""
    return [func.encode(of.id_number_sealed, literal_column("'base64'")), name]


def masked_id_number(context: GraphContext, number: str | None, seal_name: str) -> str | None:
    if number is None:
        return None
    return mask_id_number(context.resources.sealer.unseal(b64decode(number), seal_name))


def masked_or_erased(context: GraphContext, number: str | None, seal_name: str) -> str:
    """Of a form, which had a number: of one that was erased not even two characters are left."""
    return masked_id_number(context, number, seal_name) or "*" * ID_NUMBER_LENGTH


def shared(name: str) -> Any:
    """A description that a union, a registration and a round have in common."""
    return _DESCRIPTIONS[name]


_DESCRIPTIONS = {
    "name": "工会名称.",
    "region": "所在行政区划.",
    "uscc": "统一社会信用代码: unified social credit code, 18 characters, GB 32100-2015.",
    "employer": "单位信息: for a grassroots union; null for a higher-level one.",
    "id_number": "法定代表人身份证号码, masked but for its first and last character; see `revealIdNumber`.",
    "certificate": "工会法人资格证照片.",
}
