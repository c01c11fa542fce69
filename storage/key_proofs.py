"""Whether the keys are those that the database was written with: looked at when a server starts."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from models.key_proof import KeyProof, Purpose
from models.registration import Submission
from storage import chain
from storage.sealing import Sealer
from storage.settings import SettingsError


async def require_own_keys(session: AsyncSession, sealer: Sealer) -> None:
    """Notes the keys that seal from now on.

    Raises:
        SettingsError: a key is not the one of its name, or one is missing that something was written with.
    """
    noted = {(row.purpose, row.name): row.proof for row in await session.scalars(select(KeyProof))}
    _compare(noted, sealer)
    if not any(purpose == Purpose.ID_NUMBER for purpose, _ in noted):
        await _open_newest(session, sealer)
    for purpose, name in sealer.current:
        row = {"purpose": purpose, "name": name, "proof": sealer.proofs[purpose, name]}
        await session.execute(insert(KeyProof).values(row).on_conflict_do_nothing())


def _compare(noted: Mapping[tuple[str, str], bytes], sealer: Sealer) -> None:
    told = []
    for (purpose, name), proof in sorted(noted.items()):
        given = sealer.proofs.get((purpose, name))
        if given is None:
            told.append(f"{purpose} lacks the key {name}, which this database was written with.")
        elif given != proof:
            told.append(f"{purpose}: the key {name} is another one than this database was written with.")
    if told:
        told.append("Without it ID numbers cannot be read, or not be found: put the keys back from their backup.")
        raise SettingsError("\n".join(told))


async def _open_newest(session: AsyncSession, sealer: Sealer) -> None:
    """For a database that was written before proofs were kept."""
    sealed = select(Submission).where(Submission.id_number_sealed.is_not(None))
    newest = await session.scalar(sealed.order_by(Submission.registration_id.desc(), Submission.round.desc()).limit(1))
    if newest is None:
        return
    try:
        number = sealer.open(newest)
    except (InvalidTag, KeyError):
        raise SettingsError("ID_NUMBER_KEYS are not the keys that this database was written with.") from None
    assert number is not None
    if newest.id_number_index not in sealer.digests("id_number", number.encode()):
        raise SettingsError("BLIND_INDEX_KEY is not the key that this database was written with.")


async def forget_all_but(session: AsyncSession, sealer: Sealer) -> list[str]:
    """Forgets the keys that seal nothing any more; gives what may be taken out of the settings.

    The keys of the chain stay: its links are never made anew, and those that are out as anchors neither.
    """
    chained = {(Purpose.BLIND_INDEX.value, name) for name in await chain.keys(session)}
    unused = sealer.proofs.keys() - sealer.current - chained
    for purpose, name in unused:
        await session.execute(delete(KeyProof).where(KeyProof.purpose == purpose, KeyProof.name == name))
    return sorted(f"{purpose} {name}" for purpose, name in unused)
