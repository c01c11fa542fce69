"""What is printed, what a program reads, and what stands in docs/reliability.md."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson

from faults.promises import Measured

DOCUMENT: Final = Path(__file__).parent.parent / "docs" / "reliability.md"
BETWEEN: Final = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- end of figures -->)", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """A line of the table. `measured` is a sentence where the scenario cannot be played here."""

    name: str
    fault: str
    promise: str
    measured: Measured | str
    seconds: float

    @property
    def is_broken(self) -> bool:
        return isinstance(self.measured, Measured) and bool(self.measured.broken)

    @property
    def state(self) -> str:
        return "skipped" if isinstance(self.measured, str) else "BROKEN" if self.is_broken else "kept"

    @property
    def told(self) -> str:
        if isinstance(self.measured, str):
            return self.measured
        return "; ".join([*self.measured.broken, self.measured.told])


def line(row: Row) -> str:
    head = f"{row.state:7}  {row.name} ({row.seconds:.0f} s)"
    return "\n         ".join([head, f"promised: {row.promise}", f"measured: {row.told}"])


def as_json(rows: Sequence[Row], seconds: float) -> str:
    told = [
        {
            "name": row.name,
            "state": row.state,
            "promise": row.promise,
            "measured": row.told,
            "figures": row.measured.figures if isinstance(row.measured, Measured) else {},
            "seconds": round(row.seconds, 1),
        }
        for row in rows
    ]
    return orjson.dumps({"seconds": round(seconds, 1), "rows": told}, option=orjson.OPT_INDENT_2).decode() + "\n"


def write(rows: Sequence[Row]) -> None:
    """Puts the table into the document, with the day and the machine."""
    lines = ["| fault | promise | measured |", "|---|---|---|"]
    lines += [f"| {row.fault} | {row.promise} | {row.state}: {row.told} |" for row in rows]
    made = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}"
    table = "\n".join([f"`make faults`, {made}:", "", *lines, ""])
    DOCUMENT.write_text(BETWEEN.sub(lambda _: table, DOCUMENT.read_text()))
