"""What the database itself refuses, whoever asks: each with what it would have allowed in its place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from models.treepath import TreePath, label_of
from models.union import TradeUnion
from tests.world import GRASSROOTS, World


@dataclass
class Tree:
    """Guangdong with Shenzhen and Guangzhou, and a transaction that will be rolled back."""

    province: TradeUnion
    shenzhen: TradeUnion
    guangzhou: TradeUnion
    factory: TradeUnion
    connection: AsyncConnection

    async def run(self, statement: str, **values: Any) -> int:
        """Executes it and checks what is checked when a transaction ends; gives how many rows it changed."""
        done = await self.connection.execute(text(statement), values)
        await self.connection.execute(text("set constraints all immediate"))
        return done.rowcount

    async def refused(self, constraint: str, statement: str, **values: Any) -> None:
        with pytest.raises(IntegrityError, match=constraint):
            await self.run(statement, **values)


@pytest.fixture
async def tree(world: World) -> AsyncIterator[Tree]:
    province = await world.union("广东省总工会")
    shenzhen = await world.union("深圳市总工会", province)
    guangzhou = await world.union("广州市总工会", province)
    factory = await world.union("华强电子厂工会", shenzhen, GRASSROOTS)
    async with world.owner.connect() as connection:
        yield Tree(province, shenzhen, guangzhou, factory, connection)


PLACE = "update trade_union set parent_id = :parent, path = cast(:path as ltree) where id = :id"
INSERT = (
    "insert into trade_union (id, parent_id, path, kind, status, name, name_key, former_names, region_code,"
    " employer_name, employer_uscc, employer_address, employer_contact_phone)"
    " overriding system value values (:id, :parent, cast(:path as ltree), :kind, 'ACTIVE', :name, :name, '{}',"
    " '440300', :employer, :uscc, :address, :phone)"
)
SOUND = {
    "kind": "HIGHER_LEVEL", "name": "新工会", "employer": None, "uscc": None, "address": None, "phone": None,
}  # fmt: skip
EMPLOYED = {"kind": "GRASSROOTS", "employer": "厂", "uscc": "914403", "address": "路1号", "phone": "+8613800138000"}


def below(parent: TradeUnion, union_id: int) -> dict[str, Any]:
    return {"id": union_id, "parent": parent.id, "path": str(parent.path.child(union_id))}


# ── the tree ─────────────────────────────────────────────────────────────────────────────────


async def test_a_move_is_taken(tree: Tree) -> None:
    assert await tree.run(PLACE, **below(tree.guangzhou, tree.factory.id)) == 1


async def test_a_cycle_is_refused(tree: Tree) -> None:
    await tree.refused("fk_trade_union_parent", PLACE, **below(tree.shenzhen, tree.province.id))


async def test_a_union_below_itself_is_refused(tree: Tree) -> None:
    await tree.refused("fk_trade_union_parent", PLACE, **below(tree.shenzhen, tree.shenzhen.id))


async def test_an_orphan_is_refused(tree: Tree) -> None:
    await tree.refused(
        "fk_trade_union_parent", INSERT, **SOUND, id=99, parent=98, path=f"{label_of(98)}.{label_of(99)}"
    )


async def test_a_parent_is_not_taken_away(tree: Tree) -> None:
    await tree.refused("fk_trade_union_parent", "delete from trade_union where id = :id", id=tree.shenzhen.id)


async def test_a_leaf_can_be_taken_away(tree: Tree) -> None:
    assert await tree.run("delete from trade_union where id = :id", id=tree.factory.id) == 1


async def test_a_move_that_leaves_the_subtree_behind_is_refused(tree: Tree) -> None:
    await tree.refused("fk_trade_union_parent", PLACE, **below(tree.guangzhou, tree.shenzhen.id))


async def test_a_path_that_contradicts_its_parent_is_refused(tree: Tree) -> None:
    elsewhere = str(tree.guangzhou.path.child(tree.factory.id))
    await tree.refused("fk_trade_union_parent", PLACE, id=tree.factory.id, parent=tree.shenzhen.id, path=elsewhere)


async def test_a_root_with_a_longer_path_is_refused(tree: Tree) -> None:
    await tree.refused("ck_trade_union_root", PLACE, id=tree.factory.id, parent=None, path=str(tree.factory.path))


async def test_a_label_that_is_not_its_own_is_refused(tree: Tree) -> None:
    wrong = str(tree.shenzhen.path.child(tree.factory.id + 1))
    await tree.refused("ck_trade_union_own_label", PLACE, id=tree.factory.id, parent=tree.shenzhen.id, path=wrong)


async def test_a_tree_that_is_too_deep_is_refused(tree: Tree) -> None:
    path, parent = tree.shenzhen.path, tree.shenzhen.id
    for union_id in range(100, 115):
        path = TreePath((*path.labels, label_of(union_id)))
        await tree.run(INSERT, **{**SOUND, "name": f"第{union_id}"}, id=union_id, parent=parent, path=str(path))
        parent = union_id
    deeper = f"{path}.{label_of(115)}"
    await tree.refused("ck_trade_union_depth", INSERT, **SOUND, id=115, parent=parent, path=deeper)


@pytest.mark.parametrize("union_id", [1, 35, 36, 1295, 1296, 2_800_000, 2**53])
async def test_both_sides_spell_labels_alike(tree: Tree, union_id: int) -> None:
    labels = await tree.connection.execute(text("select tree_label(:id)"), {"id": union_id})
    assert labels.scalar_one() == label_of(union_id)


@pytest.mark.parametrize("ids", [(1,), (35, 36, 1295, 1296), (7, 2_800_000, 2**53, 36**12 - 1)])
async def test_both_sides_read_paths_alike(tree: Tree, ids: tuple[int, ...]) -> None:
    path = TreePath(tuple(map(label_of, ids)))
    read = await tree.connection.execute(text("select tree_ids(cast(:path as ltree))"), {"path": str(path)})
    assert tuple(read.scalar_one()) == path.ids == ids


async def test_ancestors_follow_the_path(tree: Tree) -> None:
    below_the_city = "select ancestors from trade_union where id = :id"
    await tree.run(PLACE, **below(tree.guangzhou, tree.factory.id))
    found = await tree.connection.execute(text(below_the_city), {"id": tree.factory.id})
    assert found.scalar_one() == [tree.province.id, tree.guangzhou.id, tree.factory.id]


@pytest.mark.parametrize("table", ["trade_union", "registration"])
async def test_ancestors_are_not_stated(tree: Tree, table: str) -> None:
    with pytest.raises(ProgrammingError, match="ancestors"):
        await tree.run(f"update {table} set ancestors = '{{1}}'")  # noqa: S608 - of the list above


# ── registrations ────────────────────────────────────────────────────────────────────────────

APPLY = (
    "insert into registration (id, parent_id, parent_path, applicant_id, kind, status, round) overriding system value"
    " values (99, :parent, cast(:path as ltree), 1, 'GRASSROOTS', 'PENDING', 1)"
)
WHERE = "select parent_path::text, ancestors from registration where id = 99"


async def test_a_registration_says_where_the_union_applied_to_stands(world: World, tree: Tree) -> None:
    await world.person()
    await tree.run(APPLY, parent=tree.shenzhen.id, path=str(tree.shenzhen.path))
    [(path, ancestors)] = await tree.connection.execute(text(WHERE))
    assert path == str(tree.shenzhen.path) and ancestors == [tree.province.id, tree.shenzhen.id]


@pytest.mark.parametrize("where", ["of another union", "nowhere"])
async def test_a_registration_with_another_path_is_refused(world: World, tree: Tree, where: str) -> None:
    await world.person()
    path = str(tree.guangzhou.path) if where == "of another union" else "zz"
    await tree.refused("fk_registration_parent", APPLY, parent=tree.shenzhen.id, path=path)


async def test_a_registration_moves_with_the_union_applied_to(world: World, tree: Tree) -> None:
    await world.person()
    district = await world.union("南山区总工会", tree.shenzhen)
    await tree.run(APPLY, parent=district.id, path=str(district.path))
    await tree.run(PLACE, **below(tree.guangzhou, district.id))
    [(path, ancestors)] = await tree.connection.execute(text(WHERE))
    assert path == str(tree.guangzhou.path.child(district.id))
    assert ancestors == [tree.province.id, tree.guangzhou.id, district.id]


# ── unions ───────────────────────────────────────────────────────────────────────────────────


async def test_a_whole_employer_is_taken(tree: Tree) -> None:
    assert await tree.run(INSERT, **{**SOUND, **EMPLOYED}, **below(tree.shenzhen, 99)) == 1


@pytest.mark.parametrize("missing", ["uscc", "address", "phone"])
async def test_half_an_employer_is_refused(tree: Tree, missing: str) -> None:
    half = {**SOUND, **EMPLOYED, missing: None}
    await tree.refused("ck_trade_union_employer_whole", INSERT, **half, **below(tree.shenzhen, 99))


@pytest.mark.parametrize("changes", [{"kind": "GRASSROOTS"}, {**EMPLOYED, "kind": "HIGHER_LEVEL"}])
async def test_an_employer_goes_with_a_grassroots_union_alone(tree: Tree, changes: dict[str, str]) -> None:
    await tree.refused("ck_trade_union_employer", INSERT, **{**SOUND, **changes}, **below(tree.shenzhen, 99))


async def test_a_sibling_of_the_same_name_is_refused(tree: Tree) -> None:
    await tree.run(INSERT, **SOUND, **below(tree.shenzhen, 98))
    await tree.run(INSERT, **SOUND, **below(tree.guangzhou, 99))
    same = {**SOUND, **below(tree.shenzhen, 100)}
    await tree.refused("uq_trade_union_parent_id_name_key", INSERT, **same)


# ── what is only ever added to ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("statement", ["update {} set {} = {}", "delete from {}"], ids=["update", "delete"])
@pytest.mark.parametrize(
    ("table", "column"),
    [("event", "details"), ("submission", "name"), ("review", "opinion")],
)
async def test_history_stays_as_it_was(world: World, tree: Tree, table: str, column: str, statement: str) -> None:
    administrator, applicant = await world.administrator(tree.shenzhen), await world.person()
    registration = await applicant.registered(tree.shenzhen)
    await administrator.review(registration, "REJECT", opinion="证件不清晰")
    before = await world.fingerprint()

    await tree.refused(f"{table} is only ever added to", statement.format(table, column, column))

    assert await world.rows(table) > 0
    assert await world.fingerprint() == before
