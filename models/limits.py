"""How often something may be done: which limits there are, and whose attempts count together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Final, NamedTuple


class Limited(StrEnum):
    """What is limited, by the name that the RateLimit header and the setting give it."""

    SIGN_IN = "sign-in"
    SIGN_IN_NETWORK = "sign-in-network"
    SIGN_IN_NEIGHBOURS = "sign-in-neighbours"
    SIGN_IN_ACCOUNT = "sign-in-account"
    SECOND_FACTOR = "second-factor"
    CARD = "card"
    CARD_ANONYMOUS = "card-anonymous"
    CODE_MISS = "code-miss"
    SEARCH = "search"
    UPLOAD = "upload"
    UPLOAD_KIB = "upload-kib"
    REGISTRATION = "registration"
    APPOINTMENT = "appointment"
    REVEAL = "reveal"

    # Enum's own is a function of Python's, for names that limits are looked up by with every request.
    __hash__ = str.__hash__


class Limit(NamedTuple):
    """So many permits, which come back evenly over so many seconds (GCRA: the generic cell rate algorithm)."""

    permits: int
    seconds: int

    @property
    def each(self) -> float:
        """Seconds until a permit that was used is there again."""
        return self.seconds / self.permits


Limits = Mapping[Limited, Limit]

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400

DEFAULTS: Final[Limits] = {
    # Wrong passwords; what was right gives its permit back. docs/adr/0027-guessing-passwords.md has the reasons.
    Limited.SIGN_IN: Limit(10, 15 * MINUTE),
    Limited.SIGN_IN_NETWORK: Limit(100, 10 * MINUTE),
    Limited.SIGN_IN_NEIGHBOURS: Limit(1000, 10 * MINUTE),
    Limited.SIGN_IN_ACCOUNT: Limit(100, HOUR),
    Limited.SECOND_FACTOR: Limit(20, HOUR),
    # A person who scans codes needs a few a minute, a hall full of them behind one address some hundreds.
    Limited.CARD: Limit(6000, MINUTE),
    Limited.CARD_ANONYMOUS: Limit(300, MINUTE),
    # Codes have 128 bits: whoever misses thirty of them is not scanning.
    Limited.CODE_MISS: Limit(30, 10 * MINUTE),
    Limited.SEARCH: Limit(600, MINUTE),
    # Whoever registers for a whole county sends some hundreds in a day.
    Limited.UPLOAD: Limit(2000, DAY),
    # 2 GiB: a photo of a phone has 1 to 5 MB.
    Limited.UPLOAD_KIB: Limit(2 * 1024**2, DAY),
    Limited.REGISTRATION: Limit(3000, DAY),
    # It tells whether a phone has an account.
    Limited.APPOINTMENT: Limit(300, HOUR),
    Limited.REVEAL: Limit(300, HOUR),
}

_PAIR: Final = re.compile(r"([a-z-]+)=([1-9][0-9]{0,8})/([1-9][0-9]{0,6})", re.ASCII)


def read_limits(text: str) -> Limits:
    """The limits with those that `name=permits/seconds,…` says otherwise.

    Raises:
        ValueError: says what it should look like.
    """
    stated = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        match = _PAIR.fullmatch(pair)
        if match is None or match[1] not in {*Limited}:
            raise ValueError(f"should look like card=6000/60,search=600/60; the names are {', '.join(Limited)}")
        stated[Limited(match[1])] = Limit(int(match[2]), int(match[3]))
    return {**DEFAULTS, **stated}


class Spent(NamedTuple):
    """What came of asking for permits: how many are left, and when all of them are there again."""

    what: Limited
    limit: Limit
    left: int
    full_in: float
    # Seconds until as many are there as were asked for; None if they were given.
    wait: float | None = None

    @property
    def seconds(self) -> int:
        """How long to wait, as people and headers are told it."""
        return max(1, ceil(self.wait or 0))


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Whose attempts count together: an IPv4 address by itself, an IPv6 address with its whole /64.

    An IPv4 address may be shared by many; its neighbours in the /24 are strangers. Whoever has one IPv6 address
    has the 2**64 of its subnet for the taking. What is no address, as on a Unix socket, is one network.
    """
    return _network(address, 32, 64)


@lru_cache(maxsize=4096)
def neighbourhood_of(address: str) -> str:
    """The /24 or the /48 around it: what a single customer of a provider may be given."""
    return _network(address, 24, 48)


def _network(address: str, v4: int, v6: int) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return str(ip_network((int(found), v6), strict=False))
        found = found.ipv4_mapped
    return str(ip_network((int(found), v4), strict=False))
