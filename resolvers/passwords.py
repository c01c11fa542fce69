"""Passwords: hashing and comparing."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from models.errors import Code, Problem, Rejected

LONGEST_PASSWORD: Final = 200
FEWEST_CHARACTERS: Final = 4  # different ones
# How many may wait for a comparison in this process: some five seconds. Who comes after them is told to come again.
MOST_WAITING: Final = 32
WAIT_SECONDS: Final = 5

_hasher: Final = PasswordHasher()  # argon2id with the library's parameters (RFC 9106, low-memory profile)
# A verification takes a core and 64 MiB for some 150 ms: one at a time leaves the others to answer everybody else.
_verifying: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="password")
_waiting: list[None] = []


def hash_password(password: str, *path: str) -> str:
    """The argon2id hash of a new password.

    Raises:
        Rejected: INVALID at the path, shorter than 8 or longer than 200 characters.
    """
    if not 8 <= len(password) <= LONGEST_PASSWORD:
        raise Rejected(Problem(Code.INVALID, path or ("password",), why="password_length"))
    return _hasher.hash(password)


def is_easy(password: str, phone: str) -> bool:
    """Whether it is among the first that somebody would try: a few characters, a row of them, the phone number."""
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    return len(set(password)) < FEWEST_CHARACTERS or steps in ({1}, {-1}) or phone.removeprefix("+86") in password


async def hash_aside(password: str, *path: str) -> str:
    """The same beside the event loop. Raises: as `hash_password`."""
    return await asyncio.get_running_loop().run_in_executor(_verifying, hash_password, password, *path)


async def matches(known: str | None, password: str) -> bool:
    """Whether this is the password. Without one to compare to it takes as long to say no.

    Raises:
        Rejected: RATE_LIMITED, if too many wait already.
    """
    if len(_waiting) >= MOST_WAITING:
        raise Rejected(Problem(Code.RATE_LIMITED, (), "wait", {"seconds": WAIT_SECONDS}))
    _waiting.append(None)
    try:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_verifying, _matches, known, password[: LONGEST_PASSWORD + 1])
    finally:
        _waiting.pop()


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_hex())


def _matches(known: str | None, password: str) -> bool:
    try:
        _hasher.verify(known or _nobodys_hash(), password)
    except VerificationError:
        return False
    return known is not None
