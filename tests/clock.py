"""The throttle's clock, moved by hand: what was used up long ago is there again."""

from __future__ import annotations

from tests.world import World


async def pass_seconds(world: World, seconds: float) -> None:
    """As if so much time had gone by since the last attempt; nothing that was in hand is still good."""
    await world.sql("update throttle set full_at = full_at - make_interval(secs => :seconds)", seconds=seconds)
    world.resources.throttle.forget()
