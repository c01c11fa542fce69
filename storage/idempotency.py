"""Answering a repeated mutation with what the first one did."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import Code, Problem, Problems, Rejected
from models.idempotency import IdempotencyKey
from models.text import check_key
from storage.sealing import Sealer


class Attempt:
    """A mutation under an idempotency key, inside its transaction.

    Taking the key first makes a second attempt wait until the first has ended: it then finds
    what was done, or, if that was refused, does it itself.
    """

    def __init__(self, session: AsyncSession, account_id: int, key: str | None) -> None:
        self._session, self._account_id, self._key = session, account_id, key

    async def earlier(
        self, operation: str, content: Mapping[str, object], sealer: Sealer, problems: Problems
    ) -> int | None:
        """The id of what the first attempt made, or None if this is the first; what cannot be a key is noted.

        Raises:
            Rejected: IDEMPOTENCY_CONFLICT, if it was used for something else.
        """
        if self._key is None or problems.take(("idempotencyKey",), check_key, self._key) is None:
            return None
        canonical = orjson.dumps([operation, content], option=orjson.OPT_SORT_KEYS, default=str)
        fingerprint, *older = sealer.digests("idempotency", canonical)  # keyed: the content holds an ID number
        taken = await self._session.scalar(
            insert(IdempotencyKey)
            .values(account_id=self._account_id, key=self._key, fingerprint=fingerprint, subject_id=0)
            .on_conflict_do_nothing()
            .returning(IdempotencyKey.key)
        )
        if taken is not None:
            return None
        first = await self._session.get_one(IdempotencyKey, (self._account_id, self._key))
        if first.fingerprint not in (fingerprint, *older):
            raise Rejected(Problem(Code.IDEMPOTENCY_CONFLICT, ("idempotencyKey",)))
        return first.subject_id

    async def made(self, subject_id: int) -> None:
        """Notes what this attempt made, for the next one."""
        if self._key is not None:
            await self._session.execute(
                update(IdempotencyKey)
                .where(IdempotencyKey.account_id == self._account_id, IdempotencyKey.key == self._key)
                .values(subject_id=subject_id)
            )
