"""Exporting a subtree: who may, what stands in it, that it is masked, safe and logged, and that it goes back in."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from python_calamine import CalamineWorkbook

from models.columns import COLUMNS
from models.permissions import Role
from models.union import TradeUnion
from resolvers import exporting
from schema.ids import encode_id
from storage import subtrees
from tests.readers import Reader
from tests.rolls import PROVINCE, bring_in, csv_text, told
from tests.world import GRASSROOTS, Client, World, credit_code, gid, id_number
from web import export_page, xlsx_file

CHINESE = [column.chinese[0] for column in COLUMNS if column.exported]
ENGLISH = [column.key for column in COLUMNS if column.exported]
NUMBER = id_number(1)


class Tree:
    """广东省总工会 with two cities, a grassroots union, and people."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def plant(self) -> Tree:
        world = self.world
        self.top = await world.union("中华全国总工会", uscc=credit_code("89", 9))
        self.province = await world.union("广东省总工会", self.top, uscc=credit_code("89", 1))
        self.city = await world.union("深圳市总工会", self.province, region="440300")
        self.other = await world.union("=cmd|' /C calc'!A0", self.province, region="440100")
        self.factory = await world.union("华强电子厂工会", self.city, GRASSROOTS, region="440305")
        async with world.operator.db.writing() as session:
            row = await session.get_one(TradeUnion, self.factory.id)
            row.employer_contact_name, row.employer_staff_count = "何敏", 0
            row.contact_phone, row.former_names = "+8675582100000", ["@旧名", "+旧名"]
            world.resources.sealer.seal(row, NUMBER)
        self.analyst = await world.person("赵敏")
        await world.appoint(self.analyst, self.province, Role.ANALYST)
        return self


@pytest.fixture
async def tree(world: World) -> Tree:
    return await Tree(world).plant()


async def fetch(who: Client, under: TradeUnion | str, **asked: str) -> httpx.Response:
    async with who.http() as http:
        place = under if isinstance(under, str) else gid(under)
        return await http.get("/exports/unions", params={"under": place, **asked})


def lines(response: httpx.Response) -> list[list[str]]:
    assert response.status_code == 200, response.text
    return list(csv.reader(StringIO(response.content.decode("utf-8-sig"), newline="")))


def refused(response: httpx.Response) -> tuple[int, list[str]]:
    assert response.headers["content-type"] == "application/json"
    errors = response.json()["errors"]
    assert all(error["message"] for error in errors)
    return response.status_code, [error["code"] for error in errors]


# ── what stands in it ────────────────────────────────────────────────────────────────────────


async def test_a_subtree_is_a_table_in_the_order_of_the_tree(tree: Tree) -> None:
    response = await fetch(tree.analyst, tree.province)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    name = "%E5%B9%BF%E4%B8%9C%E7%9C%81%E6%80%BB%E5%B7%A5%E4%BC%9A.csv"
    assert response.headers["content-disposition"] == f"attachment; filename=\"unions.csv\"; filename*=UTF-8''{name}"
    assert response.headers["cache-control"] == "private, no-store"
    assert response.content.startswith(b"\xef\xbb\xbf")

    header, *rows = lines(response)
    assert header == CHINESE
    assert [(row[2], row[-3]) for row in rows] == [
        ("广东省总工会", "1.2"),
        ("深圳市总工会", "1.2.3"),
        ("华强电子厂工会", "1.2.3.5"),
        ("'=cmd|' /C calc'!A0", "1.2.4"),
    ]
    factory = dict(zip(header, rows[2], strict=True))
    assert factory.pop("入库时间").startswith("20")
    assert factory == {
        "编号": gid(tree.factory),
        "上级编号": gid(tree.city),
        "工会名称": "华强电子厂工会",
        "工会类型": "基层工会",
        "工会状态": "正常",
        "行政区划代码": "440305",
        "行政区划": "广东省深圳市南山区",
        "统一社会信用代码": "",
        "单位名称": "厂",
        "单位统一社会信用代码": credit_code("91", 1),
        "单位地址": "路1号",
        "单位联系人": "何*",
        "单位联系电话": "138****8000",
        "职工人数": "0",
        "联系电话": "075*****0000",
        "法定代表人身份证号码": f"{NUMBER[0]}{'*' * 16}{NUMBER[-1]}",
        "曾用名": "'@旧名；+旧名",
        "路径": "1.2.3.5",
        "层级": "3",
    }
    assert rows[0][1] == ""  # what lies above the subtree is not in it


async def test_english_is_spoken_too(tree: Tree) -> None:
    tree.analyst.language = "en"
    header, top, *_ = lines(await fetch(tree.analyst, tree.province))
    assert header == ENGLISH
    assert top[3:5] == ["HIGHER_LEVEL", "ACTIVE"]


async def test_a_workbook_says_the_same(tree: Tree) -> None:
    response = await fetch(tree.analyst, tree.province, format="xlsx")
    assert response.headers["content-type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    book = CalamineWorkbook.from_filelike(BytesIO(response.content))
    assert book.sheet_names == ["工会"]
    rows = book.get_sheet_by_index(0).to_python()
    assert [[f"{cell:.0f}" if isinstance(cell, float) else cell for cell in row] for row in rows] == lines(
        await fetch(tree.analyst, tree.province)
    )
    assert rows[3][13] == 0.0  # numbers are numbers


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "'="])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_no_cell_is_a_formula(world: World, start: str, kind: str) -> None:
    top = await world.union(f"{start}SUM(1)")
    response = await fetch(await world.administrator(top), top, format=kind)
    if kind == "csv":
        assert lines(response)[1][2] == f"'{start}SUM(1)"
    else:
        book = CalamineWorkbook.from_filelike(BytesIO(response.content))
        assert book.get_sheet_by_index(0).to_python()[1][2] == f"'{start}SUM(1)"


# ── who may ──────────────────────────────────────────────────────────────────────────────────


async def test_who_may_export_what(tree: Tree) -> None:
    world = tree.world
    reviewer, nobody, administrator = await world.person(), await world.person(), await world.administrator(tree.city)
    await world.appoint(reviewer, tree.province, Role.REVIEWER)
    assert len(lines(await fetch(administrator, tree.city))) == 3
    assert len(lines(await fetch(tree.analyst, tree.province))) == 5
    before = await world.fingerprint()

    assert refused(await fetch(world.stranger(), tree.province)) == (401, ["UNAUTHENTICATED"])
    assert refused(await fetch(reviewer, tree.province)) == (403, ["FORBIDDEN"])
    assert refused(await fetch(administrator, tree.province)) == (404, ["NOT_FOUND"])  # above
    assert refused(await fetch(administrator, tree.other)) == (404, ["NOT_FOUND"])  # beside
    assert refused(await fetch(nobody, tree.province)) == (404, ["NOT_FOUND"])
    assert refused(await fetch(tree.analyst, encode_id("Union", 10**9))) == (404, ["NOT_FOUND"])
    assert await world.fingerprint() == before


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "REQUIRED"),
        ({"under": ""}, "REQUIRED"),
        ({"under": "1"}, "INVALID"),
        ({"under": encode_id("Account", 1)}, "INVALID"),
        ({"under": encode_id("Union", 1), "format": "pdf"}, "INVALID"),
        ({"under": encode_id("Union", 1), "format": ""}, "INVALID"),
    ],
)
async def test_what_cannot_be_asked_is_400(tree: Tree, asked: dict[str, str], code: str) -> None:
    async with tree.analyst.http() as http:
        assert refused(await http.get("/exports/unions", params=asked)) == (400, [code])
    async with tree.world.stranger().http() as http:
        assert refused(await http.get("/exports/unions", params=asked)) == (401, ["UNAUTHENTICATED"])


async def test_a_refusal_is_told_in_the_readers_language(tree: Tree) -> None:
    stranger = tree.world.stranger()
    told_in = {}
    for stranger.language in ("zh-CN", "en"):
        told_in[stranger.language] = (await fetch(stranger, tree.province)).json()["errors"][0]["message"]
    assert told_in == {"zh-CN": "请先登录。", "en": "Sign in first."}


async def test_only_get_is_answered(tree: Tree) -> None:
    before = await tree.world.fingerprint()
    async with tree.analyst.http() as http:
        for method in ("HEAD", "POST", "DELETE"):
            assert (await http.request(method, "/exports/unions", params={"under": gid(tree.city)})).status_code == 405
    assert await tree.world.fingerprint() == before


async def test_a_right_that_has_ended_opens_nothing(tree: Tree) -> None:
    assert len(lines(await fetch(tree.analyst, tree.city))) == 3
    async with tree.world.owner.begin() as connection:
        await connection.exec_driver_sql("update appointment set ended_at = now()")
    assert refused(await fetch(tree.analyst, tree.city)) == (404, ["NOT_FOUND"])


async def test_a_right_that_ends_before_the_rows_are_read_gives_none(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = exporting.begin_export

    async def begin_and_end(*asked: Any) -> Any:
        export = await begin(*asked)
        async with tree.world.owner.begin() as connection:
            await connection.exec_driver_sql("update appointment set ended_at = now()")
        return export

    monkeypatch.setattr(export_page, "begin_export", begin_and_end)
    assert lines(await fetch(tree.analyst, tree.city)) == [CHINESE]


# ── what it leaves behind, and what it takes ─────────────────────────────────────────────────


async def test_an_export_is_an_event(tree: Tree) -> None:
    lines(await fetch(tree.analyst, tree.city, format="csv"))
    await fetch(tree.analyst, tree.city, format="xlsx")
    events = await tree.analyst.ask(
        """query($id: ID!) { union(id: $id) {
             events(first: 3) { nodes { action summary actor { realName } union { name } } } } }""",
        id=gid(tree.city),
    )
    about = {"action": "union.exported", "actor": {"realName": "赵敏"}, "union": {"name": "深圳市总工会"}}
    assert events["events"]["nodes"] == [
        {**about, "summary": "导出 2 个工会（XLSX）"},
        {**about, "summary": "导出 2 个工会（CSV）"},
    ]


async def test_rows_come_through_a_cursor_that_no_timeout_cuts_off(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subtrees, "_AT_ONCE", 1)
    sizes = []
    each = subtrees.each

    async def noted(*asked: Any) -> AsyncIterator[Any]:
        async for some in each(*asked):
            sizes.append(len(some))
            yield some

    monkeypatch.setattr(subtrees, "each", noted)
    with tree.world.counted() as sent:
        assert len(lines(await fetch(tree.analyst, tree.province))) == 5
    assert sizes == [1, 1, 1, 1]
    assert sent.count("set local statement_timeout = 0") == 2
    assert sum("ORDER BY trade_union.path" in statement for statement in sent) == 1


async def test_exports_leave_connections_for_others(tree: Tree) -> None:
    """A quarter of the pool; a place is free again when a download ends, however it ends."""
    most = tree.world.resources.settings.pool_size // 4
    assert most == 2
    app, asked = tree.world.app, f"/exports/unions?under={gid(tree.province)}&format=xlsx"
    downloads = [Reader(app, asked, str(tree.analyst.token)) for _ in range(most)]
    for download in downloads:
        await download.begin()
    assert tree.world.resources.db.read_engine.pool.checkedout() == most  # type: ignore[attr-defined]
    assert refused(await fetch(tree.analyst, tree.province)) == (429, ["RATE_LIMITED"])
    await downloads[0].leave()
    assert len(lines(await fetch(tree.analyst, tree.province))) == 5
    await downloads[1].leave()
    assert tree.world.resources.db.read_engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_a_download_that_nobody_takes_is_broken_off(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_page, "PATIENCE", 0.05)
    asked = f"/exports/unions?under={gid(tree.province)}"
    download = Reader(tree.world.app, asked, str(tree.analyst.token))
    await download.begin()
    await download.ended()
    assert tree.world.resources.db.read_engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert len(lines(await fetch(tree.analyst, tree.province))) == 5


# ── and back in ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_what_was_exported_can_be_imported_elsewhere(world: World, tmp_path: Path, kind: str) -> None:
    """Not at once: contacts are masked, and a code is registered once."""
    file = tmp_path / "unions"
    start = await world.union("甲总工会")
    rows = [{**row, "uscc": "", "contact_phone": ""} for row in PROVINCE]
    assert told(await bring_in(world, file, rows, start)) == []
    administrator = await world.administrator(start)
    exported = (await fetch(administrator, start, format=kind)).content

    masked = await bring_in(world, file, exported, await world.union("乙总工会"))
    assert {(column, code, why) for _, column, code, why in told(masked)} == {
        ("单位联系人", "INVALID", "masked"),
        ("单位联系电话", "INVALID", "masked"),
    }
    table = table_of(exported, kind)
    whole = [[cell.replace("何*", "何敏").replace("138****8000", "13800138000") for cell in row] for row in table]
    target = await world.union("丙总工会")
    outcome = await bring_in(world, file, csv_text(whole), target)
    assert (told(outcome), outcome.created) == ([], 5)

    there = table_of((await fetch(await world.administrator(target), target, format=kind)).content, kind)
    assert [comparable(row) for row in there[2:]] == [comparable(row) for row in table[1:]]
    again = await bring_in(world, file, csv_text(whole), target)
    assert (again.created, again.known) == (0, 5)


def table_of(content: bytes, kind: str) -> list[list[str]]:
    if kind == "csv":
        return list(csv.reader(StringIO(content.decode("utf-8-sig"), newline="")))
    rows = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()
    return [[f"{cell:.0f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]


def comparable(row: list[str]) -> list[str]:
    """Without ids, paths, depth and time, which are the place's own."""
    return row[2:-3]


async def test_a_large_table_has_several_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_file, "ROWS_A_SHEET", 2)
    rows: list[list[str | int]] = [[f"{number}", number, ""] for number in range(1, 6)]
    file = xlsx_file.XlsxFile("工会", len(rows))
    content = file.head() + file.rows([["甲", "乙", "丙"]]) + file.rows(rows[:3]) + file.rows(rows[3:]) + file.tail()
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert book.sheet_names == ["工会", "工会 2", "工会 3"]
    assert [sheet[0][:2] for sheet in sheets] == [["甲", "乙"]] * 3
    assert [row[0] for sheet in sheets for row in sheet[1:]] == ["1", "2", "3", "4", "5"]


async def test_a_workbook_takes_any_text() -> None:
    text = "<a>&\"' \ud7ff\x00\x0b\ufffe\U0001f600 "
    file = xlsx_file.XlsxFile("工会", 1)
    content = file.head() + file.rows([[text, "x" * 40_000]]) + file.tail()
    row = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()[0]
    assert row == ["<a>&\"' \ud7ff\U0001f600 ", "x" * 32_767]
