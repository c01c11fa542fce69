"""Sealing under the current key what older ones sealed, while everybody goes on working."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import LargeBinary, cast, func, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession

from models.particulars import Particulars
from models.registration import Submission
from models.second_factor import SecondFactor
from models.union import TradeUnion
from storage.sealing import Sealer


@dataclass(frozen=True)
class Sealed:
    """A table that holds sealed numbers. Its rows are looked at by the first column of their key."""

    kind: type[Particulars]
    table: str
    key: tuple[str, ...]

    @property
    def update(self) -> str:
        """All rows of a batch by one statement: what is counted once a statement is counted once."""
        keys = ", ".join(f"cast(:{name} as bigint[])" for name in self.key)
        same = " and ".join(f"sealed.{name} = given.{name}" for name in self.key)
        return f"""
            update {self.table} sealed set id_number_sealed = given.number, id_number_index = given.index
              from unnest({keys}, cast(:number as bytea[]), cast(:index as bytea[]))
                   as given({", ".join(self.key)}, number, index)
             where {same}"""  # noqa: S608 - our own names


SEALED: Final = (
    Sealed(Submission, "submission", ("registration_id", "round")),
    Sealed(TradeUnion, "trade_union", ("id",)),
)


async def reseal(session: AsyncSession, of: Sealed, sealer: Sealer, after: int, most: int) -> tuple[int | None, int]:
    """Looks at the next so many rows, and seals anew those of an older key, or with an older index.

    Gives where it came to, None after the last, and how many it sealed. Nobody else changes them meanwhile.
    """
    columns = of.kind.__table__.c  # type: ignore[attr-defined]
    key, prefix = columns[of.key[0]], sealer.prefix
    older = func.substr(columns.id_number_sealed, 1, len(prefix)) != cast(prefix, LargeBinary)
    wanted = (key > after, columns.id_number_sealed.is_not(None), true() if sealer.has_old_indexes else older)
    ahead = (await session.scalars(select(key).where(*wanted).order_by(key).limit(most))).all()
    if not ahead:
        return None, 0
    # Up to the last of these keys: a registration's rounds are not parted.
    rows = select(of.kind).where(*wanted, key <= ahead[-1]).order_by(key).with_for_update(key_share=True)
    changed = [row for row in await session.scalars(rows) if sealer.reseal(row)]
    values = {name: [getattr(row, name) for row in changed] for name in of.key}
    values |= {"number": [row.id_number_sealed for row in changed], "index": [row.id_number_index for row in changed]}
    session.expunge_all()  # written below, not row by row
    await session.execute(text(of.update), values)
    return ahead[-1], len(changed)


async def reseal_second_factors(session: AsyncSession, sealer: Sealer) -> int:
    """Seals anew all secrets of an older key, which are a few beside the numbers; gives how many."""
    prefix = sealer.prefix
    older = func.substr(SecondFactor.secret_sealed, 1, len(prefix)) != cast(prefix, LargeBinary)
    factors = (await session.scalars(select(SecondFactor).where(older).with_for_update())).all()
    for factor in factors:
        secret = sealer.unseal(factor.secret_sealed, factor.seal_name)
        factor.secret_sealed = sealer.sealed(secret, factor.seal_name)
    return len(factors)


async def remaining(session: AsyncSession) -> dict[str, int]:
    """How many numbers and secrets each key seals, by its id."""
    counted: dict[str, int] = {}
    for sealed in (*(of.kind.id_number_sealed for of in SEALED), SecondFactor.secret_sealed):
        name = func.convert_from(func.substr(sealed, 2, func.get_byte(sealed, 0)), "UTF8")
        for key_id, number in await session.execute(
            select(name, func.count()).where(sealed.is_not(None)).group_by(name)
        ):
            counted[key_id] = counted.get(key_id, 0) + number
    return counted
