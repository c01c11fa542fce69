"""People with passwords that are compared in no time."""

from __future__ import annotations

from typing import Any, Final

import pytest
from argon2 import PasswordHasher

from models.limits import Limit, Limited
from resolvers import passwords
from resolvers.founding import create_account
from tests.world import Client, World

PHONE: Final = "13800138000"
PASSWORD: Final = "correct horse 电池"


def hash_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys_hash.cache_clear()


def limit(world: World, monkeypatch: pytest.MonkeyPatch, **limits: tuple[int, int]) -> None:
    """Other limits than the default ones: `sign_in=(3, 60)`."""
    stated = {Limited[name.upper()]: Limit(*numbers) for name, numbers in limits.items()}
    throttle = world.resources.throttle
    monkeypatch.setattr(throttle, "limits", {**throttle.limits, **stated})


async def known(world: World, phone: str = PHONE) -> None:
    """An account with the password."""
    await create_account(world.resources, phone, "陈伟", password=PASSWORD, verified=True)


async def sign_in(client: Client, phone: str = PHONE, password: str = PASSWORD, **more: str) -> dict[str, Any]:
    """The payload of a sign-in."""
    selection = "token viewer { account { realName } } errors { retryAfter }"
    return await client.do("signIn", selection, phone=phone, password=password, **more)


async def signed_in(world: World, phone: str = PHONE, **more: str) -> Client:
    """The owner of an account, by the password."""
    payload = await sign_in(world.stranger(), phone, **more)
    assert payload["errors"] == [], payload
    return Client(world, 0, payload["token"])
