"""The database shows phone numbers as Python does."""

from __future__ import annotations

import pytest
from sqlalchemy import Text, literal, select

from models.identifiers import mask_phone, show_phone
from storage import phones
from tests.world import World

KEPT = [
    *("+8613800138000", "+8619912345678", "+862083330000", "+8675582100000", "+864008001234", "+8612351"),
    *("+86110", "+86123456789", "+8612345678", "+85225251234", "+12025550123", "+8521", "+86"),
]


@pytest.mark.parametrize("kept", KEPT)
async def test_a_number_is_shown_and_masked_alike(world: World, kept: str) -> None:
    number = literal(kept, Text)
    async with world.resources.db.reading() as session:
        [found] = await session.execute(select(phones.shown(number), phones.masked(number)))
    assert tuple(found) == (show_phone(kept), mask_phone(kept))


async def test_without_a_number_there_is_nothing_to_show(world: World) -> None:
    nothing = literal(None, Text)
    async with world.resources.db.reading() as session:
        assert await session.scalar(select(phones.shown(nothing))) is None
