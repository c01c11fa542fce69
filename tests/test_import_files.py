"""What an import reads: encodings, delimiters, headers, workbooks; and what it refuses before it grows."""

from __future__ import annotations

import codecs
import time
import zipfile
from io import BytesIO
from pathlib import Path

import psutil
import pytest

from models.locale import Locale
from models.roll import MOST_ROWS
from resolvers import importing
from schema.messages import sentence
from storage import survey, workbook_reader, workbook_rows
from tests.rolls import CHINESE, PROVINCE, Cells, bring_in, csv_text, higher, table, told, workbook
from tests.world import World
from web import xlsx_file
from web.xlsx_file import _parts

ENGLISH = {key: key for key in CHINESE}
TEXT = csv_text(table(PROVINCE))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "unions"


def readers() -> list[psutil.Process]:
    """Processes of ours that read workbooks."""
    return [child for child in psutil.Process().children() if "storage.workbook_reader" in child.cmdline()]


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (TEXT.encode(), "CSV UTF-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "CSV UTF-8"),
        (TEXT.encode("gb18030"), "CSV GB18030"),
        (csv_text(table(PROVINCE), ";").encode(), "CSV UTF-8"),
        (csv_text(table(PROVINCE), "\t").encode("gb18030"), "CSV GB18030"),
        (TEXT.replace("\r\n", "\n").encode(), "CSV UTF-8"),
        (TEXT.replace("\r\n", "\r").encode(), "CSV UTF-8"),
        (f"\r\n{TEXT}\r\n,,,\r\n".encode(), "CSV UTF-8"),
        (csv_text(table(PROVINCE, ENGLISH)).encode(), "CSV UTF-8"),
        (csv_text(table(PROVINCE, {**ENGLISH, "kind": " KIND ", "region_code": "Region Code"})).encode(), "CSV UTF-8"),
        (csv_text([[*line, "", ""] for line in table(PROVINCE)]).encode(), "CSV UTF-8"),
        (workbook(table(PROVINCE)), "XLSX 工会"),
        (workbook([[], ["", ""], *([""] * 2 + line for line in table(PROVINCE))][2:]), "XLSX 工会"),
    ],
    ids=["utf-8", "bom", "gb18030", ";", "tab", "lf", "cr", "blank", "english", "spelling", "commas", "xlsx", "moved"],
)
async def test_a_file_is_read(world: World, file: Path, content: bytes, words: str) -> None:
    outcome = await bring_in(world, file, content)
    assert (told(outcome), outcome.words, outcome.created) == ([], words, 4)


async def test_lines_are_counted_as_an_editor_counts_them(world: World, file: Path) -> None:
    lines = table([*PROVINCE[:2], {**PROVINCE[2], "employer_address": "华强北路\n1号"}, {**PROVINCE[3], "name": ""}])
    outcome = await bring_in(world, file, f"\n\n{csv_text(lines)}")
    assert told(outcome) == [
        (6, "单位地址", "INVALID", "unseen_character"),
        (8, "工会名称", "REQUIRED", None),
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [("X,P", "cells"), ("X,P,总工会,基层以上工会,440000,,,,,,,,,x", "cells"), ('X,P,"总"工会,b,4', "quotes")],
    ids=["short", "long", "quotes"],
)
async def test_a_ragged_row_is_refused(world: World, file: Path, line: str, why: str) -> None:
    outcome = await bring_in(world, file, f"{TEXT}{line}\r\n{line}\r\n")
    assert told(outcome) == [(6, None, "INVALID", why), (7, None, "INVALID", why)]
    assert await world.rows("trade_union") == 0


async def test_a_quote_that_never_closes_is_refused(world: World, file: Path) -> None:
    outcome = await bring_in(world, file, TEXT + '"' + TEXT.replace('"', ""))
    assert told(outcome) == [(6, None, "INVALID", "quotes")]


# ── headers ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("header", "faults"),
    [
        ("name,kind", [(1, None, "REQUIRED", "column")]),
        ("name,kind,region_code,parent_ref", [(1, None, "REQUIRED", "column")]),
        ("name,kind,region_code,colour", [(1, "colour", "INVALID", "column")]),
        ("name,工会名称,kind,region_code", [(1, "工会名称", "INVALID", "column_repeated")]),
        ("name,,kind,region_code", [(1, None, "INVALID", "column")]),
        ("广东省总工会,P", None),
        ("name|kind|region_code", None),
    ],
    ids=["missing", "key missing", "unknown", "twice", "blank", "no header", "delimiter"],
)
async def test_a_header_that_does_not_fit_is_refused(
    world: World, file: Path, header: str, faults: list[tuple[object, ...]] | None
) -> None:
    outcome = await bring_in(world, file, f"{header}\n1,2,3,4\n")
    assert outcome.faults and {fault.line for fault in outcome.faults} == {1}
    assert faults is None or told(outcome) == faults
    assert all(sentence(locale, fault.problem) for fault in outcome.faults for locale in Locale)
    assert await world.rows("trade_union") == 0


async def test_columns_of_an_export_that_an_import_does_not_take_are_passed_over(world: World, file: Path) -> None:
    text = "name,kind,region_code,region,path,depth,created_at,id_number,former_names,status\n"
    outcome = await bring_in(world, file, f"{text}省总工会,HIGHER_LEVEL,440000,?,?,?,?,4****4,?,active\n")
    assert (told(outcome), outcome.created) == ([], 1)


# ── what is no such file ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "code", "why"),
    [
        (b"", "INVALID", "empty"),
        (b"\r\n \r\n,,\r\n", "INVALID", "empty"),
        (codecs.BOM_UTF8, "INVALID", "empty"),
        (TEXT.encode("utf-16"), "UNSUPPORTED_MEDIA", "encoding"),
        (TEXT.encode() + b"\xff", "UNSUPPORTED_MEDIA", "encoding"),
        (TEXT.encode()[:-2] + "会".encode()[:2], "UNSUPPORTED_MEDIA", "encoding"),
        (TEXT.encode() + TEXT.encode("gb18030") + "é".encode("latin-1"), "UNSUPPORTED_MEDIA", "encoding"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "UNSUPPORTED_MEDIA", "locked_or_old_workbook"),
        (b"PK\x03\x04" + bytes(100), "UNSUPPORTED_MEDIA", "workbook"),
        (workbook(table(PROVINCE))[:-200], "UNSUPPORTED_MEDIA", "workbook"),
        (workbook([]), "INVALID", "empty"),
    ],
    ids=["empty", "blank", "bom", "utf-16", "bytes", "cut", "mixed", "ole", "zip", "cut zip", "empty xlsx"],
)
async def test_what_is_no_table_is_refused(world: World, file: Path, content: bytes, code: str, why: str) -> None:
    outcome = await bring_in(world, file, content)
    assert told(outcome) == [(None, None, code, why)]
    assert await world.rows("trade_union") == 0


async def test_a_folder_is_no_file(world: World, tmp_path: Path) -> None:
    outcome = await importing.import_tree(world.operator, tmp_path, None, dry_run=False, progress=print)
    assert told(outcome) == [(None, None, "UNSUPPORTED_MEDIA", "not_a_file")]


# ── too much ─────────────────────────────────────────────────────────────────────────────────


async def test_ten_million_lines_are_refused_before_memory_grows(world: World, file: Path) -> None:
    with file.open("wb") as out:
        for _ in range(100):
            out.write(b"1,2\n" * 100_000)
    before, begun = psutil.Process().memory_info().rss, time.monotonic()
    outcome = await importing.import_tree(world.operator, file, None, dry_run=False, progress=print)
    assert told(outcome) == [(None, None, "TOO_LARGE", "rows")]
    assert psutil.Process().memory_info().rss - before < 32 * 1024**2
    assert time.monotonic() - begun < 5
    assert await world.rows("trade_union") == 0


async def test_more_rows_than_an_import_takes_are_refused(
    world: World, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_ROWS == 1_000_000
    monkeypatch.setattr(importing, "MOST_ROWS", 3)  # in a workbook there are no lines to be counted before
    outcome = await bring_in(world, file, workbook(table(PROVINCE)))
    assert told(outcome) == [(None, None, "TOO_LARGE", "rows")]
    assert (await bring_in(world, file, workbook(table(PROVINCE[:3])))).created == 3


@pytest.mark.parametrize("content", [TEXT.encode(), workbook(table(PROVINCE))], ids=["csv", "xlsx"])
async def test_a_file_that_is_too_large_is_refused(
    world: World, file: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound in ("MOST_BYTES", "MOST_WORKBOOK_BYTES"):
        monkeypatch.setattr(survey, bound, len(content) - 1)
    assert told(await bring_in(world, file, content)) == [(None, None, "TOO_LARGE", "file")]
    for bound in ("MOST_BYTES", "MOST_WORKBOOK_BYTES"):
        monkeypatch.setattr(survey, bound, len(content))
    assert told(await bring_in(world, file, content)) == []


async def test_a_line_without_end_is_refused(world: World, file: Path) -> None:
    outcome = await bring_in(world, file, f"{TEXT}{'x' * 70_000}\r\n")
    assert told(outcome) == [(None, None, "TOO_LONG", "line")]
    assert [fault.problem.params["line"] for fault in outcome.faults] == [6]


def unfolding(rows: str) -> bytes:
    """A workbook with this as its rows."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, part in _parts(["工会"]).items():
            file.writestr(name, part)
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        file.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
        )
    return content.getvalue()


def test_a_bomb_is_small() -> None:
    assert len(BOMB) < 2000


BOMB = unfolding('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')


async def test_a_workbook_that_unfolds_to_more_than_there_is_is_refused(world: World, file: Path) -> None:
    before = psutil.Process().memory_info().rss
    assert told(await bring_in(world, file, BOMB)) == [(None, None, "TOO_LARGE", "workbook")]
    assert psutil.Process().memory_info().rss - before < 32 * 1024**2
    assert readers() == []


async def test_one_sheet_has_rows(world: World, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To pass over the others would be to import half a file."""
    monkeypatch.setattr(xlsx_file, "ROWS_A_SHEET", 4)
    lines = table(PROVINCE)
    outcome = await bring_in(world, file, workbook([*lines, *lines[1:]], rows=7))
    assert told(outcome) == [(None, None, "INVALID", "sheets")]
    assert await world.rows("trade_union") == 0
    assert (await bring_in(world, file, workbook(lines, rows=7))).created == 4  # the second one is empty


async def test_a_reader_that_is_no_longer_needed_is_ended(world: World, file: Path) -> None:
    rows: list[Cells] = [higher(f"R{number}") for number in range(5000)]
    lines = table(rows)
    lines[0][0] = "colour"
    outcome = await bring_in(world, file, workbook(lines))
    assert outcome.faults[0].problem.why == "column"
    assert readers() == []


# ── cells of a workbook ──────────────────────────────────────────────────────────────────────


async def test_numbers_of_a_workbook_are_read_as_they_were_typed(world: World, file: Path) -> None:
    """Excel makes numbers of codes and phones."""
    lines: list[list[str | int]] = [list(line) for line in table(PROVINCE)]
    lines[1][4], lines[1][6], lines[3][11] = 440000, 12351, 120
    assert lines[0][4] == "行政区划代码" and lines[0][6] == "联系电话" and lines[0][11] == "单位联系电话"
    lines[3][11] = 13800138000
    assert told(await bring_in(world, file, workbook(lines))) == []


async def test_a_cell_that_is_no_text_is_refused(world: World, file: Path) -> None:
    rows = "".join(
        f'<row r="{number}"><c r="A{number}" t="str"><v>{name}</v></c><c r="B{number}" {kind}</c>'
        f'<c r="C{number}" t="str"><v>{code}</v></c></row>'
        for number, name, kind, code in [
            (1, "name", 't="str"><v>kind</v>', "region_code"),
            (2, "甲", 't="str"><f>"HIGHER"&amp;"_LEVEL"</f><v>HIGHER_LEVEL</v>', "440000"),
            (3, "乙", 't="b"><v>1</v>', "440000"),
            (4, "丙", "><v>1.5</v>", "440000"),
            (5, "丁", "><v>914403001922038216</v>", "440000"),
        ]
    )
    outcome = await bring_in(world, file, unfolding(rows))
    assert told(outcome) == [(line, "kind", "INVALID", "not_text") for line in (3, 4, 5)]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("华强", "华强"),
        (440305.0, "440305"),
        (7, "7"),
        (True, None),
        (1.5, None),
        (2.0**60, None),
        (float("nan"), None),
    ],
)
def test_a_cell_is_what_was_typed(cell: object, text: str | None) -> None:
    assert workbook_reader.text_of(cell) == text


def test_the_reader_gets_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    given: dict[str, object] = {}

    def started(words: list[str], **options: object) -> None:
        given.update(options)
        raise OSError

    monkeypatch.setattr("subprocess.Popen", started)
    found = survey.Survey(file, "xlsx", None, 1, "")
    with pytest.raises(OSError), workbook_rows.workbook_rows(found):  # noqa: PT011 - ours
        pass
    assert given["env"] == {}
