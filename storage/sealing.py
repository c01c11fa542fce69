"""ID numbers at rest: sealed by AES-256-GCM, found again by a blind index.

A seal carries the id of its key, so keys can be replaced while the old ones still open what
they sealed, and is bound to its row: moved to another one, it does not open. (NIST SP 800-38D.)
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from models.key_proof import Purpose
from models.particulars import Particulars

_NONCE: Final = 12
_PROOF: Final = b"uniontree: this key and no other\0"


class Sealer:
    """Seals under `current`, opens under every key it was given.

    Indexes are made with `index_key`; what was made with `old_index_keys` is known still.
    """

    def __init__(
        self, keys: Mapping[str, bytes], current: str, index_key: bytes, old_index_keys: Sequence[bytes] = ()
    ) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = current
        self._index_keys = {_name(key): key for key in (index_key, *old_index_keys)}
        # What only these keys make, by what they are for and what they are called.
        self.proofs = {(Purpose.ID_NUMBER.value, key_id): _proof(key) for key_id, key in keys.items()}
        self.proofs |= {(Purpose.BLIND_INDEX.value, name): _proof(key) for name, key in self._index_keys.items()}
        self.current = {(Purpose.ID_NUMBER.value, current), (Purpose.BLIND_INDEX.value, _name(index_key))}

    @property
    def current_id(self) -> str:
        return self._current

    @property
    def prefix(self) -> bytes:
        """How each seal of the current key begins."""
        key_id = self._current.encode()
        return bytes([len(key_id)]) + key_id

    @property
    def has_old_indexes(self) -> bool:
        return len(self._index_keys) > 1

    @property
    def index_names(self) -> list[str]:
        """What the index keys are called, the current one first."""
        return list(self._index_keys)

    def seal(self, row: Particulars, number: str) -> None:
        """Puts the number into the row, with its blind index. The row must know its id."""
        row.id_number_sealed = self.sealed(number, row.seal_name)
        row.id_number_index = self.digest("id_number", number.encode())

    def sealed(self, text: str, seal_name: str) -> bytes:
        """The text, to be opened for the row of this name alone."""
        nonce = os.urandom(_NONCE)
        return self.prefix + nonce + self._ciphers[self._current].encrypt(nonce, text.encode(), seal_name.encode())

    def reseal(self, row: Particulars) -> bool:
        """Seals anew what the current keys have not sealed and indexed; gives whether it did. Raises as `open`."""
        number = self.open(row)
        assert number is not None and row.id_number_sealed is not None
        is_current = row.id_number_sealed.startswith(self.prefix)
        if is_current and row.id_number_index == self.digest("id_number", number.encode()):
            return False
        self.seal(row, number)
        return True

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
        return self.digest_by(next(iter(self._index_keys)), purpose, content)

    def digests(self, purpose: str, content: bytes) -> list[bytes]:
        """The same under every key that there was: what an earlier digest may be."""
        return [self.digest_by(name, purpose, content) for name in self._index_keys]

    def digest_by(self, name: str, purpose: str, content: bytes) -> bytes:
        """The same under the key of this name. Raises: KeyError."""
        stated = purpose.encode() + b"\0" + content
        return hmac.new(self._index_keys[name], stated, hashlib.sha256).digest()


def _proof(key: bytes) -> bytes:
    return hmac.new(key, _PROOF, hashlib.sha256).digest()


def _name(key: bytes) -> str:
    """What an index key is called, which has no id: the beginning of its proof."""
    return _proof(key).hex()[:8]
