"""行政区划."""

from __future__ import annotations

from typing import Annotated

import strawberry

from models.region import Region as RegionRow
from models.region import check_region_code
from schema.context import Info
from schema.errors import argument
from schema.fields import resolved
from storage import regions


@strawberry.type(description="行政区划: an administrative division of GB/T 2260.")
class Region:
    code: str = strawberry.field(description="行政区划代码: six digits, such as 440305.")
    name: str = strawberry.field(description="名称: such as 南山区.")
    full_name: str = strawberry.field(description="全称: from the province down, such as 广东省深圳市南山区.")
    parent_code: str | None = strawberry.field(description="上级代码: the division around it; null for a province.")


async def _regions(
    info: Info,
    parent_code: Annotated[
        str | None, strawberry.argument(description="上级代码: the division to look into; provinces if left out.")
    ] = None,
) -> list[RegionRow]:
    if parent_code is not None:
        argument(info, "parentCode", check_region_code, parent_code)
    async with info.context.db.reading() as session:
        return await regions.below(session, parent_code)


@strawberry.type
class RegionQueries:
    regions: list[Region] = resolved(
        _regions,
        "行政区划: the current divisions directly below one, by code. Needs no sign-in.",
    )
