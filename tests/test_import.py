"""Importing a tree: what is planted, what is recognised, and that the same file again changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.roll import Entry
from models.union import TradeUnion
from resolvers.importing import Outcome
from storage import locks, planting
from storage.verification import counted, differences
from tests.rolls import CHINESE, PROVINCE, bring_in, grassroots, higher, table, told, workbook
from tests.world import EMPLOYER, World, credit_code


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "unions"


def sums(outcome: Outcome) -> tuple[int, int, int]:
    assert told(outcome) == []
    return outcome.rows, outcome.created, outcome.known


async def shape(world: World) -> list[tuple[str, str]]:
    """Name and path of every union, in the order of the tree."""
    async with world.owner.connect() as connection:
        rows = await connection.exec_driver_sql("select name, path::text from trade_union order by path")
        return [tuple(row) for row in rows]


# ── what is planted ──────────────────────────────────────────────────────────────────────────


async def test_a_file_becomes_a_tree(world: World, file: Path) -> None:
    # A child may stand before its parent: the order of the file is that of siblings alone.
    outcome = await bring_in(world, file, [*reversed(PROVINCE)])
    assert sums(outcome) == (4, 4, 0)
    assert await shape(world) == [
        ("广东省总工会", "1"),
        ("深圳市总工会", "1.2"),
        ("B厂工会", "1.2.3"),
        ("A厂工会", "1.2.4"),
    ]
    async with world.resources.db.reading() as session:
        root = await session.get_one(TradeUnion, 1)
    administrator = await world.administrator(root)
    node = await administrator.ask(
        """{ unionAt(path: "1.2.4") { name kind status uscc region { code } parent { name } formerNames
             employer { name uscc address contactName contactPhone staffCount } statistics { unions } } }"""
    )
    assert node == {
        "name": "A厂工会",
        "kind": "GRASSROOTS",
        "status": "ACTIVE",
        "uscc": credit_code("81", 1),
        "region": {"code": "440305"},
        "parent": {"name": "深圳市总工会"},
        "formerNames": [],
        "employer": {
            "name": "A厂",
            "uscc": credit_code("91", 1),
            "address": "华强北路1号",
            "contactName": "何敏",
            "contactPhone": "13800138000",
            "staffCount": 120,
        },
        "statistics": {"unions": 1},
    }


async def test_each_union_has_its_event_and_the_import_has_one(world: World, file: Path) -> None:
    province = await world.union("广东省总工会")
    administrator = await world.administrator(province)
    await bring_in(world, file, [higher("C"), grassroots("A", "C")], province)
    events = await administrator.ask(
        """query($p: TreePath!) { unionAt(path: $p) {
             events(scope: SUBTREE, first: 3) { nodes { action summary union { name } } } } }""",
        p=str(province.path),
    )
    assert events["events"]["nodes"] == [
        {"action": "union.imported", "summary": "从文件导入 2 个工会", "union": {"name": "广东省总工会"}},
        {"action": "union.founded", "summary": "A厂工会成为组织树中的工会", "union": {"name": "A厂工会"}},
        {"action": "union.founded", "summary": "C总工会成为组织树中的工会", "union": {"name": "C总工会"}},
    ]


async def test_what_is_derived_is_as_verify_computes_it(
    world: World, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planting, "_AT_ONCE", 2)  # so that the counts come from several statements
    province = await world.union("广东省总工会")
    city = await world.union("深圳市总工会", province)
    await (await world.person()).registered(city, employer=EMPLOYER)
    rows = [higher("S", "C"), grassroots("D", "S"), higher("C"), *(grassroots(f"A{n}", "C") for n in range(4))]
    assert sums(await bring_in(world, file, rows, city)) == (7, 7, 0)
    assert sums(await bring_in(world, file, [*rows, grassroots("E", "S"), higher("X")], city)) == (9, 2, 7)
    async with world.operator.db.standing_still() as session:
        assert [difference async for difference in differences(session)] == []
        # The province, the city and two of the file have something below them.
        assert await counted(session) == {"unions": 11, "registrations": 1, "tallies": 4}


async def test_without_a_place_the_event_is_at_the_root_of_each_tree_that_grew(world: World, file: Path) -> None:
    rows = [higher("X"), higher("Y"), higher("Z", "Y")]
    await bring_in(world, file, rows)
    await bring_in(world, file, [*rows, higher("W", "Z")])
    async with world.owner.connect() as connection:
        asked = "select path::text, details ->> 'created' from event where action = 'union.imported' order by id"
        found = await connection.exec_driver_sql(asked)
        # Whoever sees one tree learns nothing of the size of another.
        assert [tuple(row) for row in found] == [("1", "1"), ("2", "2"), ("2", "1")]


async def test_rows_go_below_a_union_of_the_tree(world: World, file: Path) -> None:
    province = await world.union("广东省总工会")
    city = await world.union("广州市总工会", province)
    rows = [higher("S"), grassroots("A", "S"), {**grassroots("B", ""), "parent_path": str(city.path)}]
    headers = {**CHINESE, "parent_path": "上级路径"}
    outcome = await bring_in(world, file, workbook(table(rows, headers)), province)
    assert sums(outcome) == (3, 3, 0)
    assert await shape(world) == [
        ("广东省总工会", "1"),
        ("广州市总工会", "1.2"),
        ("B厂工会", "1.2.5"),
        ("S总工会", "1.3"),
        ("A厂工会", "1.3.4"),
    ]


async def test_a_formula_in_a_name_stays_a_text(world: World, file: Path) -> None:
    names = ["=1+1工会", "+工会", "-工会", "@SUM(A1)工会", "'工会", "''=工会"]
    rows = [higher(f"R{number}", name=name) for number, name in enumerate(names)]
    assert sums(await bring_in(world, file, rows)) == (6, 6, 0)
    # What an export protects with an apostrophe comes back without it.
    assert [name for name, _ in await shape(world)] == [*names[:5], "'=工会"]
    again = [higher("X", name="'=1+1工会")]
    assert sums(await bring_in(world, file, again)) == (1, 0, 1)


async def test_a_progress_is_told(world: World, file: Path) -> None:
    shares: list[float] = []
    text = "name,kind,region_code\n" + "".join(f"第{n}总工会,higher-level,440000\n" for n in range(2500))
    outcome = await bring_in(world, file, text, progress=shares.append)
    assert sums(outcome) == (2500, 2500, 0)
    assert shares == sorted(shares) and 0 < shares[0] <= 0.5 and shares[-1] == 1


# ── what is recognised ───────────────────────────────────────────────────────────────────────


async def test_the_same_file_again_changes_nothing(world: World, file: Path) -> None:
    assert sums(await bring_in(world, file, PROVINCE)) == (4, 4, 0)
    before = await world.fingerprint()
    assert sums(await bring_in(world, file, PROVINCE)) == (4, 0, 4)
    assert await world.fingerprint() == before


async def test_the_same_file_again_below_a_union_changes_nothing(world: World, file: Path) -> None:
    top = await world.union("中华全国总工会")
    assert sums(await bring_in(world, file, PROVINCE, top)) == (4, 4, 0)
    before = await world.fingerprint()
    assert sums(await bring_in(world, file, PROVINCE, top)) == (4, 0, 4)
    assert await world.fingerprint() == before


async def test_a_longer_file_adds_what_is_new(world: World, file: Path) -> None:
    await bring_in(world, file, PROVINCE)
    longer = [*PROVINCE, higher("G", "P", name="广州市总工会"), grassroots("D", "G"), grassroots("E", "C")]
    assert sums(await bring_in(world, file, longer)) == (7, 3, 4)
    assert [name for name, _ in await shape(world)] == [
        *("广东省总工会", "深圳市总工会", "A厂工会", "B厂工会", "E厂工会", "广州市总工会", "D厂工会")
    ]


async def test_a_union_is_recognised_by_its_code_or_else_by_its_folded_name(world: World, file: Path) -> None:
    province = await world.union("广东省总工会", uscc=credit_code("89", 1))
    await world.union("ABC总工会", province)
    rows = [higher("P", name="广东省总工会", uscc=credit_code("89", 1)), higher("X", "P", name="ABC总工会")]
    assert sums(await bring_in(world, file, rows)) == (2, 0, 2)
    assert told(await bring_in(world, file, [rows[0], {**rows[1], "name": "ａｂｃ 总工会"}])) == [
        (3, "工会名称", "IDEMPOTENCY_CONFLICT", "differs")  # the same union, but not as it is written
    ]


async def test_an_empty_cell_says_nothing_about_a_union_that_is_there(world: World, file: Path) -> None:
    await bring_in(world, file, PROVINCE)
    bare = [{**row, "uscc": "", "contact_phone": "", "employer_staff_count": ""} for row in PROVINCE]
    assert sums(await bring_in(world, file, bare)) == (4, 0, 4)


# ── trying it first, and one at a time ───────────────────────────────────────────────────────


async def test_a_dry_run_says_the_same_and_writes_nothing(world: World, file: Path) -> None:
    before = await world.fingerprint()
    assert sums(await bring_in(world, file, PROVINCE, dry_run=True)) == (4, 4, 0)
    assert await world.fingerprint() == before
    assert sums(await bring_in(world, file, PROVINCE)) == (4, 4, 0)
    assert (await shape(world))[0] == ("广东省总工会", "1")  # it has not used up numbers either


async def test_two_imports_do_not_run_at_once(world: World, file: Path) -> None:
    async with world.resources.db.writing() as session:
        await locks.wait_for(session, locks.Turn.TREE_SURGERY)
        outcome = await bring_in(world, file, PROVINCE)
    assert told(outcome) == [(None, None, "RATE_LIMITED", "tree")]
    assert await world.rows("trade_union") == 0
    assert sums(await bring_in(world, file, PROVINCE)) == (4, 4, 0)


async def test_an_import_may_take_longer_than_a_request(world: World, file: Path) -> None:
    with world.counted(world.operator.db.engine) as sent:
        await bring_in(world, file, PROVINCE)
    assert "set local statement_timeout = 0" in sent
    # What is left for the commit, while others wait for the counts, takes no time for each union.
    assert "set constraints fk_trade_union_parent immediate" in sent


def test_a_row_is_copied_in_the_order_of_its_table() -> None:
    declared = planting._INCOMING.partition("(")[2].split(",")
    assert tuple(column.split()[0] for column in declared) == Entry._fields
