"""A table as CSV, piece by piece. The byte order mark is for Excel, which else takes UTF-8 for something older."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Final

MEDIA_TYPE: Final = "text/csv; charset=utf-8"


class CsvFile:
    """Each call gives the next bytes of the file."""

    def head(self) -> bytes:
        return "\N{ZERO WIDTH NO-BREAK SPACE}".encode()

    def rows(self, rows: Sequence[Sequence[str | int]]) -> bytes:
        text = StringIO()
        csv.writer(text).writerows(rows)
        return text.getvalue().encode()

    def tail(self) -> bytes:
        return b""

    def close(self) -> None: ...
