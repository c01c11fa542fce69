"""The columns of a file of unions (名册): what an import takes, what an export writes, what each is called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from models.errors import Code, Problems
from models.kinds import UnionKind, UnionStatus

# What a spreadsheet takes for a formula, full-width letters of it too: those of East Asia count there.
# The apostrophes are matched so that a text which has one already gets one more, and back.
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r＝＋－＠]")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its English header, which is its key too, and its Chinese ones, the first of which is written."""

    key: str
    chinese: tuple[str, ...]
    imported: bool = True
    exported: bool = True


COLUMNS: Final = (
    Column("ref", ("编号",)),
    Column("parent_ref", ("上级编号",)),
    Column("parent_path", ("上级路径",), exported=False),
    Column("name", ("工会名称", "名称")),
    Column("kind", ("工会类型", "类型")),
    Column("status", ("工会状态", "状态")),
    Column("region_code", ("行政区划代码",)),
    Column("region", ("行政区划",), imported=False),
    Column("uscc", ("统一社会信用代码",)),
    Column("employer_name", ("单位名称",)),
    Column("employer_uscc", ("单位统一社会信用代码",)),
    Column("employer_address", ("单位地址",)),
    Column("employer_contact_name", ("单位联系人",)),
    Column("employer_contact_phone", ("单位联系电话",)),
    Column("employer_staff_count", ("职工人数",)),
    Column("contact_phone", ("联系电话",)),
    Column("id_number", ("法定代表人身份证号码",), imported=False),
    Column("former_names", ("曾用名",), imported=False),
    Column("path", ("路径",), imported=False),
    Column("depth", ("层级",), imported=False),
    Column("created_at", ("入库时间",), imported=False),
)
NEEDED: Final = ("name", "kind", "region_code")

KINDS: Final[Mapping[UnionKind, str]] = {UnionKind.GRASSROOTS: "基层工会", UnionKind.HIGHER_LEVEL: "基层以上工会"}
STATUSES: Final[Mapping[UnionStatus, str]] = {UnionStatus.ACTIVE: "正常", UnionStatus.DISSOLVED: "已撤销"}


def as_word(text: str) -> str:
    """A header, or a word such as HIGHER_LEVEL, as it is compared: `Higher-level` is the same."""
    return unicodedata.normalize("NFKC", text).strip().casefold().replace(" ", "_").replace("-", "_")


_BY_HEADER: Final = {as_word(name): column for column in COLUMNS for name in (column.key, *column.chinese)}


def columns_of(headers: Sequence[str]) -> list[Column]:
    """The column of each header, in Chinese or in English, in whatever order they stand.

    Raises:
        Rejected: INVALID for a header that is none or stands twice, REQUIRED for one that is missing.
    """
    problems = Problems()
    found: dict[Column, str] = {}
    for header in headers:
        column = _BY_HEADER.get(as_word(header))
        if column is None:
            problems.note(Code.INVALID, header, why="column", column=header[:40], columns=known_headers())
        elif column in found:
            problems.note(Code.INVALID, header, why="column_repeated", column=column.chinese[0], english=column.key)
        else:
            found[column] = header
    keys = {column.key for column in found}
    needed = (*NEEDED, "ref") if "parent_ref" in keys else NEEDED
    for column in COLUMNS:
        if column.key in needed and column.key not in keys:
            problems.note(Code.REQUIRED, why="column", column=column.chinese[0], english=column.key)
    problems.raise_any()
    return list(found)


def known_headers() -> str:
    return "、".join(f"{column.chinese[0]} {column.key}" for column in COLUMNS if column.imported)


def recognised(headers: Sequence[str]) -> int:
    """How many of these are headers of ours: what tells which character parts the cells of a file."""
    return sum(as_word(header) in _BY_HEADER for header in headers)


def guarded(cell: str) -> str:
    """The cell with an apostrophe in front if a spreadsheet would take it for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell as it was before `guarded`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
