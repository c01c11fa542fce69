"""行政区划."""

from __future__ import annotations

from typing import Annotated

import strawberry

from models.region import check_region_code
from schema.context import GraphContext
from schema.errors import at
from schema.reading.chosen import Given
from schema.reading.fields import column, read
from storage import regions
from storage.reading.reads import Related
from storage.sources import REGION


@strawberry.type(description="行政区划: an administrative division of GB/T 2260.")
class Region:
    code: str = column("code", "行政区划代码: six digits, such as 440305.")
    name: str = column("name", "名称: such as 南山区.")
    full_name: str = column("full_name", "全称: from the province down, such as 广东省深圳市南山区.")
    parent_code: str | None = column("parent_code", "上级代码: the division around it; null for a province.")


def _regions(
    _context: GraphContext,
    parent_code: Annotated[
        str | None, strawberry.argument(description="上级代码: the division to look into; provinces if left out.")
    ] = None,
) -> Given:
    if parent_code is not None:
        at("parentCode", check_region_code, parent_code)
    return {"parent_code": parent_code}


@strawberry.type
class RegionQueries:
    regions: list[Region] = read(
        Related(REGION, regions.below, lambda rows: [rows.code], told=True),
        "行政区划: the current divisions directly below one, by code. Needs no sign-in.",
        _regions,
    )
