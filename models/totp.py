"""Codes that an authenticator app counts by the clock: TOTP, RFC 6238, with SHA-1, six digits and 30 seconds.

Other digests and lengths are in the standard, and in few of the apps.
"""

from __future__ import annotations

import re
import secrets
from hmac import compare_digest
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES: Final = 20  # RFC 4226 recommends as many as the digest has
DIGITS: Final = 6
SECONDS: Final = 30
# A phone's clock may be this many intervals off, either way.
DRIFT: Final = 1
RECOVERY_CODES: Final = 10

# No letters that are read as digits.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_RECOVERY: Final = re.compile(rf"[{_LETTERS}]{{10}}")


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def new_recovery_code() -> str:
    """Such as `k7wqe-9tnda`: 49 bits, and throttled."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def recovery_code_in(text: str) -> str | None:
    """The code as it is hashed, however it was typed; None if it cannot be one."""
    code = "".join(text.split()).replace("-", "").lower()
    return code if _RECOVERY.fullmatch(code) else None


def step_of(secret: bytes, text: str, at: float) -> int | None:
    """The number of the 30 seconds that this is the code of, if they are now or next to now; None if it is no code."""
    code = "".join(text.split())
    if not (code.isascii() and code.isdigit() and len(code) == DIGITS):
        return None
    now = int(at) // SECONDS
    steps = range(now - DRIFT, now + DRIFT + 1)
    # Each is compared, whichever fits.
    fitting = [step for step in steps if compare_digest(_totp(secret).generate(step * SECONDS), code.encode())]
    return max(fitting, default=None)


def code_at(secret: bytes, at: float) -> str:
    """What the app shows."""
    return _totp(secret).generate(int(at)).decode()


def enrolment_uri(secret: bytes, account: str, issuer: str) -> str:
    """What the app scans: `otpauth://totp/…`."""
    return _totp(secret).get_provisioning_uri(account, issuer)


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), SECONDS)  # noqa: S303 - HMAC-SHA-1 stands, and it is what apps know
