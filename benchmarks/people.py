"""The rows of people: who is appointed where, who applies, which codes are shared, and who writes in the load."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks import names, numbers
from benchmarks.rows import FIRST_DAY, LAST_DAY, Registry
from benchmarks.stated import CERTIFICATES, Row
from benchmarks.tree import Office, Tree
from models.permissions import Role

ACCOUNT: Final = ("id", "phone", "real_name", "real_name_verified_at", "created_at")
APPOINTMENT: Final = ("id", "account_id", "union_id", "role", "since", "ended_at")
INVITE: Final = ("id", "token", "union_id", "created_by", "created_at", "expires_at", "max_uses", "uses", "revoked_at")
CERTIFICATE: Final = ("id", "uploaded_by", "uploaded_at", "sha256", "media_type", "byte_size", "width", "height")
WRITER: Final = ("reviewer_id", "applicant_id", "union_id")

WRITERS: Final = 64


def appointed(tree: Tree) -> list[Office]:
    """The unions that have an administrator: account i + 1 is that of the i-th. The writers' come last."""
    upper = [office for level in ("root", "province", "industry", "city") for office in tree.of(level)]
    return [*upper, *tree.of("county")[:250], *_writing(tree)]


def _writing(tree: Tree) -> list[Office]:
    """Streets all over the map that take what is registered under load."""
    streets = tree.of("street")
    return streets[len(streets) % WRITERS :: len(streets) // WRITERS][:WRITERS]


def accounts(registry: Registry) -> Iterator[Row]:
    """Nobody has a password: the load opens sign-ins of its own."""
    for number in range(1, registry.staff + registry.applicants + 1):
        yield number, numbers.mobile(number), names.person(number), FIRST_DAY, FIRST_DAY


def appointments(offices: Sequence[Office]) -> Iterator[Row]:
    for number, office in enumerate(offices, start=1):
        yield number, number, office.id, Role.ADMINISTRATOR, FIRST_DAY, None


def writers(registry: Registry, offices: Sequence[Office]) -> Iterator[Row]:
    """Who decides, who applies, and under which union: one of each for every writer."""
    for number, office in enumerate(offices[-WRITERS:]):
        yield registry.staff - WRITERS + 1 + number, registry.staff + 1 + number, office.id


def invites(tree: Tree) -> Iterator[Row]:
    """An open code for every union above the streets; an older one, revoked, for every third."""
    offices = [office for office in tree.offices if office.level not in {"street", "park"}]
    for number, office in enumerate(offices):
        yield 2 * number + 1, token("open", office), office.id, 1, FIRST_DAY, None, None, 0, None
        if number % 3 == 0:
            yield 2 * number + 2, token("old", office), office.id, 1, FIRST_DAY, LAST_DAY, 500, 0, LAST_DAY


def token(purpose: str, office: Office) -> str:
    digest = hashlib.sha256(f"{purpose}:{office.id}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def certificates() -> Iterator[Row]:
    """Rows without a file: no workload opens one."""
    for number in range(1, CERTIFICATES + 1):
        digest = hashlib.sha256(f"planted:{number}".encode()).hexdigest()
        yield number, 1, FIRST_DAY, digest, "image/jpeg", 80_000, 720, 1010
