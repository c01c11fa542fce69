"""Reads a workbook in a process of its own: `python -m storage.workbook_reader FILE` prints a JSON array a row.

calamine is fast, but it holds the whole sheet and ends its process when that needs more memory than there
is, for which a file of one kilobyte is enough. Here it may: limits are set before the file is opened, and
what is asked of it comes out row by row. The first line says which sheet it is and how many rows it has.
How it ends otherwise is told by its status; if that is none of these, the file cannot be read.
"""

from __future__ import annotations

import resource
import sys
from typing import Final

import orjson
from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

MOST_MEMORY: Final = 2 * 1024**3
MOST_SECONDS: Final = 120  # of the processor
LARGEST_EXACT: Final = 2**53  # a cell's number is a float: beyond this its last digits are not what was typed

TOO_LARGE: Final = 3
SEVERAL_SHEETS: Final = 4


def main(path: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with CalamineWorkbook.from_path(path) as book:
            print_rows(book)
    except MemoryError:
        sys.exit(TOO_LARGE)


def print_rows(book: CalamineWorkbook) -> None:
    """The one sheet that has rows and can be seen: to leave out others would be to import half a file."""
    names = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    filled = [sheet for name in names if (sheet := book.get_sheet_by_name(name)).height]
    if not filled:
        return
    if len(filled) > 1:
        sys.exit(SEVERAL_SHEETS)
    [sheet] = filled
    out = sys.stdout.buffer
    first = sheet.start[0] + 1 if sheet.start else 1
    out.write(orjson.dumps({"sheet": sheet.name, "first": first, "rows": sheet.height}) + b"\n")
    for row in sheet.iter_rows():
        out.write(orjson.dumps([text_of(cell) for cell in row]) + b"\n")


def text_of(cell: object) -> str | None:
    """The cell as it was typed; None for a date, a truth value, or a number that is no whole one.

    Excel turns codes and phone numbers into numbers: `440305` comes as 440305.0.
    """
    match cell:
        case str():
            return cell
        case bool():
            return None
        case int() | float() if abs(cell) < LARGEST_EXACT and cell == int(cell):
            return str(int(cell))
        case _:
            return None


if __name__ == "__main__":
    main(sys.argv[1])
