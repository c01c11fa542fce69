"""Taking a subtree out as a table: masked, logged, and safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from models.columns import COLUMNS, KINDS, STATUSES, guarded
from models.event import Happening
from models.identifiers import mask_id_number, mask_name, mask_phone
from models.locale import Locale
from models.permissions import Action
from models.union import TradeUnion, seal_name
from resolvers.access import union_for
from resolvers.context import Context
from storage import accounts, events, subtrees, unions

Cell = str | int

_EXPORTED: Final = [column for column in COLUMNS if column.exported]
_KEYS: Final = [column.key for column in _EXPORTED]


@dataclass(frozen=True)
class Export:
    """A subtree that somebody may take out, and how many unions it has. It is logged that they did."""

    union: TradeUnion
    rows: int


async def begin_export(ctx: Context, union_id: int, kind: str) -> Export:
    """Allows an export, and writes it down before the first row is out: whoever breaks it off has seen some.

    Raises:
        Rejected: UNAUTHENTICATED, NOT_FOUND, FORBIDDEN.
    """
    async with ctx.working() as work:
        union = await union_for(work, union_id, Action.EXPORT)
        rows = await subtrees.count(work.session, work.viewer, union)
        me = work.account.id
        events.record(work.session, Happening.EXPORTED, by=me, at=union, format=kind.upper(), rows=str(rows))
        return Export(union, rows)


async def exported(ctx: Context, export: Export, show_id: Callable[[int], str]) -> AsyncGenerator[list[list[Cell]]]:
    """The header, then the unions in the order of the tree, some at a time; `show_id` gives a union's global id."""
    assert ctx.signed_in is not None, "begin_export has seen to it"
    yield [headers(ctx.locale)]
    async with ctx.db.reading() as session:
        # The rights, and the place of the union, as they are when the rows are read.
        viewer = await accounts.viewer_of(session, ctx.signed_in.account_id)
        union = await unions.find(session, viewer, export.union.id)
        if union is None:
            return
        table = _Table(ctx, union, show_id, await subtrees.region_names(session))
        async for some in subtrees.each(session, viewer, union):
            yield [table.cells(row) for row in some]


def headers(locale: Locale) -> list[Cell]:
    """What the columns are called, in the reader's language. An import takes either."""
    return [column.chinese[0] if locale is Locale.ZH else column.key for column in _EXPORTED]


class _Table:
    """Makes a row of cells of a union."""

    def __init__(
        self, ctx: Context, top: TradeUnion, show_id: Callable[[int], str], regions: Mapping[str, str]
    ) -> None:
        self._sealer = ctx.resources.sealer
        self._chinese = ctx.locale is Locale.ZH
        self._top = top
        self._show_id = show_id
        self._regions = regions

    def cells(self, union: Row[Any]) -> list[Cell]:
        """In the order of the columns; none of them is a formula."""
        values = self._values(union)
        return [_cell(values[key]) for key in _KEYS]

    def _values(self, union: Row[Any]) -> dict[str, Cell | None]:
        phone, contact = union.employer_contact_phone, union.employer_contact_name
        sealed = union.id_number_sealed
        number = sealed and self._sealer.unseal(sealed, seal_name(union.id))
        inside = union.id != self._top.id
        return {
            "ref": self._show_id(union.id),
            "parent_ref": self._show_id(union.parent_id) if inside else None,
            "name": union.name,
            "kind": KINDS[union.kind] if self._chinese else union.kind.value,
            "status": STATUSES[union.status] if self._chinese else union.status.value,
            "region_code": union.region_code,
            "region": self._regions[union.region_code],
            "uscc": union.uscc,
            "employer_name": union.employer_name,
            "employer_uscc": union.employer_uscc,
            "employer_address": union.employer_address,
            "employer_contact_name": contact and mask_name(contact),
            "employer_contact_phone": phone and mask_phone(phone),
            "employer_staff_count": union.employer_staff_count,
            "contact_phone": union.contact_phone and mask_phone(union.contact_phone),
            "id_number": number and mask_id_number(number),
            "former_names": "；".join(union.former_names),
            "path": union.place,
            "depth": union.place.count("."),
            "created_at": union.created_at.isoformat(timespec="seconds"),
        }


def _cell(value: Cell | None) -> Cell:
    if isinstance(value, int):
        return value
    return guarded(value) if value else ""
