"""Files of unions (名册) for the tests of import and export, and shorthands to bring them in.

`python -m tests.rolls 200000 > unions.csv` makes a large one, to measure with.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final

from models.union import TradeUnion
from resolvers.importing import Outcome, Progress, import_tree
from tests.world import World, credit_code
from web.xlsx_file import XlsxFile

CHINESE: Final = {
    "ref": "编号",
    "parent_ref": "上级编号",
    "name": "工会名称",
    "kind": "工会类型",
    "region_code": "行政区划代码",
    "uscc": "统一社会信用代码",
    "contact_phone": "联系电话",
    "employer_name": "单位名称",
    "employer_uscc": "单位统一社会信用代码",
    "employer_address": "单位地址",
    "employer_contact_name": "单位联系人",
    "employer_contact_phone": "单位联系电话",
    "employer_staff_count": "职工人数",
}
Cells = dict[str, str]
# Rows, the text of a CSV, or a file's bytes.
Content = Sequence[Cells] | str | bytes


def higher(ref: str, parent: str = "", **cells: str) -> Cells:
    """A sound row of a 基层以上工会."""
    name = f"{ref}总工会"
    return {"ref": ref, "parent_ref": parent, "name": name, "kind": "基层以上工会", "region_code": "440000", **cells}


def grassroots(ref: str, parent: str, **cells: str) -> Cells:
    """A sound row of a 基层工会."""
    employer = {
        "employer_name": f"{ref}厂",
        "employer_uscc": credit_code("91", 1),
        "employer_address": "华强北路1号",
        "employer_contact_name": "何敏",
        "employer_contact_phone": "13800138000",
        "employer_staff_count": "120",
    }
    sound = {"ref": ref, "parent_ref": parent, "name": f"{ref}厂工会", "kind": "基层工会", "region_code": "440305"}
    return {**sound, **employer, **cells}


# A province, a city and two grassroots unions, as most tests bring them in.
PROVINCE: Final = (
    higher("P", name="广东省总工会", uscc=credit_code("89", 1), contact_phone="12351"),
    higher("C", "P", name="深圳市总工会", region_code="440300"),
    grassroots("A", "C", uscc=credit_code("81", 1)),
    grassroots("B", "C"),
)


def table(rows: Iterable[Mapping[str, str]], headers: Mapping[str, str] = CHINESE) -> list[list[str]]:
    """The header, then a line for each row."""
    rows = list(rows)
    keys = [key for key in headers if any(key in row for row in rows)]
    return [[headers[key] for key in keys], *([row.get(key, "") for key in keys] for row in rows)]


def csv_text(lines: Iterable[Iterable[str]], delimiter: str = ",") -> str:
    text = StringIO()
    csv.writer(text, delimiter=delimiter).writerows(lines)
    return text.getvalue()


def workbook(lines: Iterable[Iterable[str | int]], *, rows: int = 0) -> bytes:
    """As XLSX, with sheets for so many rows."""
    file = XlsxFile("工会", rows)
    return file.head() + file.rows([list(line) for line in lines]) + file.tail()


def put(path: Path, content: Content) -> None:
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else csv_text(table(content))).encode()
    path.write_bytes(content)


async def bring_in(
    world: World,
    path: Path,
    content: Content,
    under: TradeUnion | None = None,
    *,
    dry_run: bool = False,
    progress: Progress = lambda _: None,
) -> Outcome:
    """What comes of importing rows, the text of a CSV, or a file's bytes."""
    put(path, content)
    place = str(under.path) if under else None
    return await import_tree(world.operator, path, place, dry_run=dry_run, progress=progress)


def told(outcome: Outcome) -> list[tuple[Any, ...]]:
    """Line, column, code and the exact reason of each fault."""
    return [(fault.line, fault.column, fault.problem.code, fault.problem.why) for fault in outcome.faults]


def large(unions: int) -> Iterator[Cells]:
    """A tree of so many unions, five levels deep; one in fifty has others below it."""
    higher_level = max(unions // 50, 1)
    yield higher("H0", uscc=credit_code("89", 0))
    for number in range(1, higher_level):
        above = 0 if number < 22 else 1 + number % 21 if number < 200 else 22 + number % 178
        yield higher(f"H{number}", f"H{above}", uscc=credit_code("89", number), contact_phone=f"136{number:08}")
    for number in range(unions - higher_level):
        yield grassroots(
            f"G{number}",
            f"H{number % higher_level}",
            uscc=credit_code("81", number),
            employer_uscc=credit_code("91", number),
            employer_address=f"华强北路{number}号",
            employer_contact_phone=f"137{number:08}",
        )


if __name__ == "__main__":
    sys.stdout.reconfigure(newline="")  # type: ignore[union-attr] # a TextIO here
    csv.writer(sys.stdout).writerows(table(large(int(sys.argv[1]))))
