"""What an import refuses: each fault by line, column, code and sentence, and nothing of the file in the tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.errors import Rejected
from models.locale import Locale
from resolvers import importing
from schema.messages import sentence
from storage import planting_checks
from tests.rolls import CHINESE, PROVINCE, Cells, bring_in, csv_text, grassroots, higher, table, told, workbook
from tests.world import GRASSROOTS, World, credit_code

P, C, A, B = PROVINCE
PATHS = {**CHINESE, "parent_path": "上级路径", "status": "工会状态"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "unions"


async def refused(world: World, file: Path, content: Any, **where: Any) -> list[tuple[Any, ...]]:
    """The faults, each with a sentence in both languages, of an import that has left the database as it was."""
    before = await world.fingerprint()
    outcome = await bring_in(world, file, content, **where)
    assert (outcome.created, outcome.known) == (0, 0)
    assert await world.fingerprint() == before
    for fault in outcome.faults:
        for locale in Locale:
            assert sentence(locale, fault.problem)
    return told(outcome)


# ── one cell ─────────────────────────────────────────────────────────────────────────────────


CELLS: list[tuple[Cells, str, str, str | None]] = [
    ({**A, "name": ""}, "工会名称", "REQUIRED", None),
    ({**A, "name": "厂" * 101}, "工会名称", "TOO_LONG", None),
    ({**A, "name": "电子\0厂"}, "工会名称", "INVALID", "unseen_character"),
    ({**A, "name": "电子\u202e厂"}, "工会名称", "INVALID", "unseen_character"),
    ({**A, "name": "电子\n厂"}, "工会名称", "INVALID", "unseen_character"),
    ({**A, "ref": "A\u200b"}, "编号", "INVALID", "unseen_character"),
    ({**A, "kind": ""}, "工会类型", "REQUIRED", None),
    ({**A, "kind": "行业工会"}, "工会类型", "INVALID", "kind"),
    ({**A, "region_code": ""}, "行政区划代码", "REQUIRED", None),
    ({**A, "region_code": "449999"}, "行政区划代码", "REGION_UNKNOWN", None),
    ({**A, "region_code": "深圳市"}, "行政区划代码", "REGION_UNKNOWN", None),
    ({**A, "uscc": "81440100MC12345675"}, "统一社会信用代码", "USCC_INVALID", None),
    ({**A, "contact_phone": "1380013800x"}, "联系电话", "PHONE_INVALID", None),
    ({**A, "contact_phone": "138****8000"}, "联系电话", "INVALID", "masked"),
    ({**A, "employer_name": ""}, "单位名称", "REQUIRED", None),
    ({**A, "employer_uscc": "1"}, "单位统一社会信用代码", "USCC_INVALID", None),
    ({**A, "employer_address": "路" * 201}, "单位地址", "TOO_LONG", None),
    ({**A, "employer_contact_name": "何*"}, "单位联系人", "INVALID", "masked"),
    ({**A, "employer_contact_phone": ""}, "单位联系电话", "REQUIRED", None),
    ({**A, "employer_contact_phone": "138****8000"}, "单位联系电话", "INVALID", "masked"),
    ({**A, "employer_staff_count": "-1"}, "职工人数", "INVALID", "staff_count"),
    ({**A, "employer_staff_count": "10000001"}, "职工人数", "INVALID", "staff_count"),
    ({**A, "employer_staff_count": "１２"}, "职工人数", "INVALID", "staff_count"),
    ({**A, "status": "已撤销"}, "工会状态", "WRONG_STATE", "dissolved_row"),
    (higher("A", "C", employer_name="厂"), "单位名称", "INVALID", "employer_of_higher_level"),
]


@pytest.mark.parametrize("case", CELLS, ids=[f"{number} {case[2]}" for number, case in enumerate(CELLS)])
async def test_a_cell_is_refused_by_its_column(
    world: World, file: Path, case: tuple[Cells, str, str, str | None]
) -> None:
    row, *fault = case
    assert await refused(world, file, csv_text(table([P, C, B, row], PATHS))) == [(5, *fault)]
    assert told(await bring_in(world, file, csv_text(table([P, C, B, A], PATHS)))) == []


async def test_every_fault_of_every_row_is_told_in_the_order_of_the_file(world: World, file: Path) -> None:
    rows = [P, {**C, "uscc": "1", "region_code": "000000"}, {**A, "name": "", "employer_uscc": ""}, {**B, "kind": "?"}]
    assert [(line, column, code) for line, column, code, _ in await refused(world, file, rows)] == [
        (3, "统一社会信用代码", "USCC_INVALID"),
        (3, "行政区划代码", "REGION_UNKNOWN"),
        (4, "工会名称", "REQUIRED"),
        (4, "单位统一社会信用代码", "REQUIRED"),
        (5, "工会类型", "INVALID"),
    ]


async def test_faults_without_end_are_counted(world: World, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_TOLD", 3)
    outcome = await bring_in(world, file, [{**P, "uscc": "1", "ref": f"R{n}", "name": f"{n}"} for n in range(8)])
    assert (len(outcome.faults), outcome.untold, outcome.rows) == (3, 5, 8)
    assert await world.rows("trade_union") == 0


# ── one row and another ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        ([P, C, {**A, "parent_ref": "X"}], [(4, "上级编号", "NOT_FOUND", "parent_ref")]),
        ([P, C, A, {**B, "ref": "A"}], [(5, "编号", "INVALID", "repeated")]),
        ([P, C, A, {**B, "uscc": A["uscc"]}], [(5, "统一社会信用代码", "USCC_TAKEN", "in_file")]),
        ([P, C, A, {**B, "name": "Ａ厂 工会"}], [(5, "工会名称", "NAME_TAKEN", "in_file")]),
        ([P, {**P, "ref": "Q", "uscc": ""}], [(3, "工会名称", "NAME_TAKEN", "in_file")]),
        ([P, C, A, {**B, "parent_ref": "A"}], [(5, "上级编号", "PARENT_IS_GRASSROOTS", None)]),
        ([{**A, "parent_ref": ""}], [(2, "上级编号", "REQUIRED", "parent")]),
        ([P, {**C, "parent_ref": "C"}], [(3, "上级编号", "CYCLE", "in_file")]),
        (
            [P, higher("X", "Z"), higher("Y", "X"), higher("Z", "Y"), grassroots("W", "Y")],
            [(line, "上级编号", "CYCLE", "in_file") for line in (3, 4, 5, 6)],
        ),
        (
            [P, higher("X", "?"), higher("Y", "X"), higher("Z", "Y", name="Y总工会")],
            [(3, "上级编号", "NOT_FOUND", "parent_ref")],  # what hangs below it is not at fault
        ),
    ],
    ids=["no parent", "key", "code", "name", "root", "grassroots", "top", "itself", "circle", "below"],
)
async def test_a_row_is_refused_for_another(
    world: World, file: Path, rows: list[Cells], faults: list[tuple[Any, ...]]
) -> None:
    assert await refused(world, file, rows) == faults
    assert told(await bring_in(world, file, PROVINCE)) == []


async def test_the_line_of_the_other_row_is_told(world: World, file: Path) -> None:
    outcome = await bring_in(world, file, [P, C, A, {**B, "name": A["name"]}])
    assert [sentence(Locale.ZH, fault.problem) for fault in outcome.faults] == [
        "与第 4 行同属一个上级工会，名称也相同。"
    ]


@pytest.mark.parametrize("parents", [0, 3], ids=["roots", "below a union"])
async def test_a_tree_is_sixteen_unions_deep(world: World, file: Path, parents: int) -> None:
    top = None
    for depth in range(parents):
        top = await world.union(f"第{depth}层", top)
    chain = [higher("R0"), *(higher(f"R{n}", f"R{n - 1}") for n in range(1, 18 - parents))]
    assert await refused(world, file, chain, under=top) == [(19 - parents, "上级编号", "INVALID", "deepest")]
    outcome = await bring_in(world, file, chain[:-1], top)
    assert (told(outcome), outcome.created) == ([], 17 - parents)


async def test_a_chain_without_end_is_refused_soon(world: World, file: Path) -> None:
    chain = [higher("R0"), *(higher(f"R{n}", f"R{n - 1}") for n in range(1, 3000))]
    faults = await refused(world, file, chain)
    assert faults == [(line, "上级编号", "INVALID", "deepest") for line in range(19, 3002)]


# ── a row and the tree ───────────────────────────────────────────────────────────────────────


async def test_what_the_tree_has_elsewhere_is_taken(world: World, file: Path) -> None:
    other = await world.union("另一总工会")
    await world.union("别处工会", other, uscc=A["uscc"])
    assert await refused(world, file, PROVINCE) == [(4, "统一社会信用代码", "USCC_TAKEN", None)]
    assert told(await bring_in(world, file, [P, C, {**A, "uscc": ""}, B])) == []


async def test_a_name_is_taken_by_a_union_with_another_code(world: World, file: Path) -> None:
    await world.union("广东省总工会", uscc=credit_code("89", 7))
    await world.union("别处工会", await world.union("另一总工会"), uscc=A["uscc"])
    # What lies below it is held against the tree when it is known which union that is.
    assert await refused(world, file, PROVINCE) == [(2, "工会名称", "NAME_TAKEN", None)]


async def test_an_import_changes_no_union(world: World, file: Path) -> None:
    assert told(await bring_in(world, file, PROVINCE)) == []
    moved = [P, higher("G", "P"), {**C, "region_code": "440100"}, {**A, "parent_ref": "G"}]
    renamed = {**B, "employer_staff_count": "121", "employer_contact_phone": "13800138001"}
    assert await refused(world, file, [*moved, renamed]) == [
        (4, "行政区划代码", "IDEMPOTENCY_CONFLICT", "differs"),
        (5, "统一社会信用代码", "USCC_TAKEN", None),
        (6, "单位联系电话", "IDEMPOTENCY_CONFLICT", "differs"),
        (6, "职工人数", "IDEMPOTENCY_CONFLICT", "differs"),
    ]
    assert await refused(world, file, [{**P, "name": "广东省工会"}]) == [
        (2, "工会名称", "IDEMPOTENCY_CONFLICT", "differs")
    ]


async def test_the_place_must_take_unions(world: World, file: Path) -> None:
    province = await world.union("广东省总工会")
    grassroot = await world.union("厂工会", province, GRASSROOTS)
    ended = await world.union("旧工会", province)
    async with world.owner.begin() as connection:
        await connection.exec_driver_sql(
            "update trade_union set status = 'DISSOLVED', dissolved_at = now() where name = '旧工会'"
        )
    rows = [{**A, "parent_ref": ""}]
    assert await refused(world, file, rows, under=grassroot) == [(None, "--under", "PARENT_IS_GRASSROOTS", None)]
    assert await refused(world, file, rows, under=ended) == [(None, "--under", "PARENT_DISSOLVED", None)]
    for place, problem in {
        str(grassroot.path): (2, "上级路径", "PARENT_IS_GRASSROOTS", None),
        str(ended.path): (2, "上级路径", "PARENT_DISSOLVED", None),
        "1.zz": (2, "上级路径", "NOT_FOUND", None),
        "; drop": (2, "上级路径", "NOT_FOUND", None),
    }.items():
        text = csv_text(table([{**rows[0], "parent_path": place}], PATHS))
        assert await refused(world, file, text) == [problem]
    assert told(await bring_in(world, file, rows, province)) == []


async def test_a_row_does_not_leave_the_place_of_the_import(world: World, file: Path) -> None:
    guangdong, hunan = await world.union("广东省总工会"), await world.union("湖南省总工会")
    text = csv_text(table([{**A, "parent_ref": "", "parent_path": str(hunan.path)}], PATHS))
    assert await refused(world, file, text, under=guangdong) == [(2, "上级路径", "NOT_FOUND", None)]
    assert told(await bring_in(world, file, text, hunan)) == []


async def test_a_row_has_one_parent(world: World, file: Path) -> None:
    other = await world.union("另一总工会")
    text = csv_text(table([P, {**C, "parent_path": str(other.path)}], PATHS))
    assert await refused(world, file, text) == [(3, "上级路径", "INVALID", "two_parents")]


async def test_what_slips_past_the_checks_is_refused_by_the_database(
    world: World, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another writer may be first with a name or a code while the import runs."""
    other = await world.union("另一总工会", uscc=A["uscc"])
    monkeypatch.setattr(planting_checks, "_CHECKS", ())
    assert other.uscc == A["uscc"]
    assert await refused(world, file, PROVINCE) == [(None, "uscc", "USCC_TAKEN", None)]


async def test_a_place_that_is_none(world: World, file: Path) -> None:
    for place in ("1", "../etc", ""):
        outcome = await importing.import_tree(world.operator, _put(file), place, dry_run=False, progress=print)
        assert told(outcome) == [(None, "--under", "NOT_FOUND", None)]
    assert await world.rows("trade_union") == 0


def _put(file: Path) -> Path:
    file.write_bytes(workbook(table(PROVINCE)))
    return file


def test_a_refusal_has_a_reason() -> None:
    with pytest.raises(AssertionError):
        Rejected()
