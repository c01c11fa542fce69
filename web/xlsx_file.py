"""A table as an XLSX workbook, piece by piece: its bytes go out as the rows come in.

The libraries that write workbooks give out nothing before the last row is there. What a plain table needs
of the format (ECMA-376) is one part with the rows, and four short ones that say where it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import RawIOBase
from typing import IO, Final
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

# A worksheet has 1,048,576 rows. Half of them, for a part of 2 GiB needs a newer ZIP than Excel reads in a stream.
ROWS_A_SHEET: Final = 500_000
LONGEST_CELL: Final = 32_767

# What XML cannot hold. No text of ours has them; a file with one would not open at all.
_UNFIT: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_SHEET_HEAD: Final = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    '<sheetFormatPr defaultColWidth="18" defaultRowHeight="15"/><sheetData>'
)
_SHEET_TAIL: Final = "</sheetData></worksheet>"


class XlsxFile:
    """Each call gives the next bytes of the file. Of more than half a million rows it makes several sheets."""

    def __init__(self, name: str, rows: int) -> None:
        self._out = _Outlet()
        self._zip = ZipFile(self._out, "w", ZIP_DEFLATED)
        # The last one takes whatever rows there are beyond those that were expected.
        self._sheets = [f"{name} {number}" if number > 1 else name for number in range(1, 2 + rows // ROWS_A_SHEET)]
        self._number = 0
        self._rows = 0
        self._sheet: IO[bytes] | None = None
        self._header: Sequence[str | int] = ()

    def head(self) -> bytes:
        for name, part in _parts(self._sheets).items():
            self._zip.writestr(name, f"{_XML}{part}")
        self._open_sheet()
        return self._out.taken()

    def rows(self, rows: Sequence[Sequence[str | int]]) -> bytes:
        """The first row of the first call is the header of every sheet."""
        for row in rows:
            self._header = self._header or row
            if self._rows > ROWS_A_SHEET and self._number < len(self._sheets):
                self._close_sheet()
                self._open_sheet()
                self._write(self._header)
            self._write(row)
        return self._out.taken()

    def tail(self) -> bytes:
        self._close_sheet()
        while self._number < len(self._sheets):
            self._open_sheet()
            self._close_sheet()
        self.close()
        return self._out.taken()

    def close(self) -> None:
        """Also of a file that is broken off: a ZipFile complains about a part that is left open."""
        if self._sheet is not None:
            self._sheet.close()
        self._zip.close()

    def _open_sheet(self) -> None:
        self._number += 1
        self._rows = 0
        self._sheet = self._zip.open(f"xl/worksheets/sheet{self._number}.xml", "w")
        self._sheet.write(_SHEET_HEAD.encode())

    def _close_sheet(self) -> None:
        assert self._sheet is not None
        self._sheet.write(_SHEET_TAIL.encode())
        self._sheet.close()

    def _write(self, row: Sequence[str | int]) -> None:
        assert self._sheet is not None
        self._rows += 1
        cells = "".join(_cell(f"{_letters(place)}{self._rows}", value) for place, value in enumerate(row))
        self._sheet.write(f'<row r="{self._rows}">{cells}</row>'.encode())


def _cell(place: str, value: str | int) -> str:
    """A number, or a text, which no reader takes for a formula; nothing for an empty text."""
    if isinstance(value, int):
        return f'<c r="{place}"><v>{value}</v></c>'
    if not value:
        return ""
    text = escape(_UNFIT.sub("", value[:LONGEST_CELL]))
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _letters(place: int) -> str:
    """A to Z for the first 26 columns; a table of ours has no more."""
    assert place < 26
    return chr(ord("A") + place)


def _parts(sheets: Sequence[str]) -> dict[str, str]:
    """The parts that say what is where, by their names."""
    numbered = list(enumerate(sheets, 1))
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        for number, _ in numbered
    )
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{number}" r:id="rId{number}"/>' for number, name in numbered
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number, _ in numbered
    )
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>{overrides}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        f"<bookViews><workbookView/></bookViews><sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{related}</Relationships>',
    }


class _Outlet(RawIOBase):
    """Where the ZIP is written to, and taken from at once. It cannot go back, so that nothing has to be kept."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: bytes) -> int:  # type: ignore[override] # a ZipFile writes nothing else
        self._pieces.append(bytes(piece))
        return len(piece)

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
