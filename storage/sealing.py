"""ID numbers at rest: sealed by AES-256-GCM, found again by a blind index.

A seal carries the id of its key, so keys can be replaced while the old ones still open what
they sealed, and is bound to its row: moved to another one, it does not open. (NIST SP 800-38D.)
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from models.particulars import Particulars

_NONCE: Final = 12


class Sealer:
    """Seals under `current`, opens under every key it was given."""

    def __init__(self, keys: Mapping[str, bytes], current: str, index_key: bytes) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = current
        self._index_key = index_key

    def seal(self, row: Particulars, number: str) -> None:
        """Puts the number into the row, with its blind index. The row must know its id."""
        row.id_number_sealed = self.sealed(number, row.seal_name)
        row.id_number_index = self.digest("id_number", number.encode())

    def sealed(self, text: str, seal_name: str) -> bytes:
        """The text, to be opened for the row of this name alone."""
        nonce, key_id = os.urandom(_NONCE), self._current.encode()
        cipher = self._ciphers[self._current]
        return bytes([len(key_id)]) + key_id + nonce + cipher.encrypt(nonce, text.encode(), seal_name.encode())

    def open(self, row: Particulars) -> str | None:
        """The number that the row holds; None if it holds none.

        Raises:
            cryptography.exceptions.InvalidTag: the seal is of another row or was tampered with.
            KeyError: the key that it was sealed with is not among those given.
        """
        return None if row.id_number_sealed is None else self.unseal(row.id_number_sealed, row.seal_name)

    def unseal(self, sealed: bytes, seal_name: str) -> str:
        """The number that was sealed for the row of this name. Raises as `open`."""
        start = 1 + sealed[0]
        cipher = self._ciphers[sealed[1:start].decode()]
        nonce, text = sealed[start : start + _NONCE], sealed[start + _NONCE :]
        return cipher.decrypt(nonce, text, seal_name.encode()).decode()

    def digest(self, purpose: str, content: bytes) -> bytes:
        """A keyed SHA-256: equal for equal content, and no use to someone who guesses without the key."""
        return hmac.new(self._index_key, purpose.encode() + b"\0" + content, hashlib.sha256).digest()
