"""登记事项: what forms, rounds and unions state alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import strawberry

from models.certificate import Certificate as CertificateRow
from models.identifiers import mask_id_number, mask_name, mask_phone, show_phone
from models.particulars import Employer as EmployerRow
from models.particulars import Particulars
from models.region import Region as RegionRow
from schema.context import Info


@strawberry.type(description="单位信息: the organisation whose staff a grassroots union is of.")
class Employer:
    name: str = strawberry.field(description="单位名称.")
    uscc: str = strawberry.field(description="单位统一社会信用代码.")
    address: str = strawberry.field(description="单位地址.")
    contact_name: str | None = strawberry.field(description="联系人: masked for those who only read.")
    contact_phone: str = strawberry.field(description="联系电话: masked for those who only read.")
    staff_count: int | None = strawberry.field(description="职工人数.")


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


def employer_shown(employer: EmployerRow | None, *, whole: bool) -> EmployerRow | None:
    """单位信息; its contact person masked, unless the viewer is the applicant or may review at that place."""
    if employer is None:
        return None
    name, phone = employer.contact_name, employer.contact_phone
    if whole:
        return replace(employer, contact_phone=show_phone(phone))
    return replace(employer, contact_name=name and mask_name(name), contact_phone=mask_phone(phone))


async def region_of(root: Particulars, info: Info) -> RegionRow:
    return await info.context.load.region.load(root.region_code)


async def certificate_of(root: Particulars, info: Info) -> CertificateRow | None:
    return await info.context.load.certificate.load(root.certificate_id) if root.certificate_id else None


def masked_id_number(root: Particulars, info: Info) -> str | None:
    number = info.context.resources.sealer.open(root)
    return None if number is None else mask_id_number(number)


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
