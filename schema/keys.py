"""The input field that many mutations share."""

from __future__ import annotations

from typing import Any

import strawberry


def idempotency_key() -> Any:
    return strawberry.field(
        default=None,
        description="幂等键: any 1 to 200 visible ASCII characters of the client's own making, such as a UUID. Asked "
        "again with the same key, the mutation does nothing more and shows what it did the first time as it is now.",
    )
