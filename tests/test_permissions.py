"""The rule in Python and the rule in SQL are one rule: every role, action and relation, then trees at random."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from models.kinds import UnionKind, UnionStatus
from models.permissions import DECIDING, NOBODY, Action, Grant, Role, Viewer, deciders, may
from models.treepath import TreePath
from models.union import TradeUnion
from storage.scope import reachable
from tests.world import World

# In base 36 these are 1, 2, 10, 11, 12, 100, 101, 1000 and z: texts that start like one another, places that do not.
PROVINCE, CITY, DISTRICT, STREET, RAILWAY = 1, 2, 36, 37, 38
OTHER_DISTRICT, OTHER_DISTRICT_OF_OTHER_CITY, WORKSHOP, OTHER_CITY = 1296, 1297, 46656, 35

ABOVE: Final[dict[int, int | None]] = {
    PROVINCE: None,
    CITY: PROVINCE,
    DISTRICT: CITY,
    STREET: DISTRICT,
    WORKSHOP: STREET,
    OTHER_DISTRICT: CITY,
    OTHER_CITY: PROVINCE,
    OTHER_DISTRICT_OF_OTHER_CITY: OTHER_CITY,
    RAILWAY: None,
}

# What the appointment at each place is to the district, and whether it reaches there: down, never up or sideways.
RELATIONS: Final = {
    "self": (DISTRICT, True),
    "parent": (CITY, True),
    "grandparent": (PROVINCE, True),
    "child": (STREET, False),
    "grandchild": (WORKSHOP, False),
    "sibling": (OTHER_DISTRICT, False),
    "uncle": (OTHER_CITY, False),
    "cousin": (OTHER_DISTRICT_OF_OTHER_CITY, False),
    "stranger": (RAILWAY, False),
    "none": (None, False),
}

# What each role is for, where it reaches.
ALLOWED: Final = {
    Role.ADMINISTRATOR: set(Action) - {Action.RESUBMIT, Action.WITHDRAW},  # these are the applicant's
    Role.REVIEWER: {Action.READ, Action.REVIEW},
    Role.ANALYST: {Action.READ, Action.EXPORT},
}


def place(union: int, above: dict[int, int | None]) -> TreePath:
    parent = above[union]
    return TreePath.root(union) if parent is None else place(parent, above).child(union)


async def allowed_in_sql(
    world: World, places: Sequence[TreePath], asked: Sequence[tuple[Sequence[Grant], Action]]
) -> dict[TreePath, list[bool]]:
    """For each place, what `reachable` says to each question: rows that are planted, asked once, and gone again."""
    rows: list[dict[str, object]] = [
        {
            "id": path.ids[-1],
            "parent_id": path.ids[-2] if path.depth else None,
            "path": path,
            "name": str(path),
            "name_key": str(path),
            "kind": UnionKind.HIGHER_LEVEL,
            "status": UnionStatus.ACTIVE,
            "former_names": [],
            "region_code": "440000",
        }
        for path in places
    ]
    answers = [reachable(grants, action).label(f"answer_{number}") for number, (grants, action) in enumerate(asked)]
    async with world.owner.connect() as connection:
        await connection.execute(insert(TradeUnion), rows)
        found = (await connection.execute(select(TradeUnion.path, *answers))).all()
        await connection.rollback()
    return {path: list(told) for path, *told in found}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("relation", RELATIONS)
def test_a_role_allows_its_actions_at_its_union_and_below(relation: str, role: Role, action: Action) -> None:
    over, reaches = RELATIONS[relation]
    grants = [] if over is None else [Grant(role, place(over, ABOVE))]

    assert may(grants, action, place(DISTRICT, ABOVE)) is (reaches and action in ALLOWED[role])


async def test_the_database_allows_the_same_for_every_role_action_and_relation(world: World) -> None:
    places = [place(union, ABOVE) for union in ABOVE]
    asked: list[tuple[list[Grant], Action]] = [([], action) for action in Action]
    asked += [([Grant(role, over)], action) for role, over, action in product(Role, places, Action)]

    told = await allowed_in_sql(world, places, asked)

    assert told == {at: [may(grants, action, at) for grants, action in asked] for at in places}


# Ids whose labels are beginnings of one another, and the last and first of each length.
IDS: Final = st.sampled_from([1, 2, 10, 35, 36, 37, 46, 71, 72, 360, 1295, 1296, 1297, 1332, 46655, 46656, 46657])


@st.composite
def trees(draw: st.DrawFn) -> list[TreePath]:
    """One to ten places, each a root or below one of those before it."""
    places: list[TreePath] = []
    for union in draw(st.lists(IDS, min_size=1, max_size=10, unique=True)):
        above = draw(st.sampled_from([None, *places]))
        places.append(TreePath.root(union) if above is None else above.child(union))
    return places


@st.composite
def trees_with_grants(draw: st.DrawFn) -> tuple[list[TreePath], list[Grant]]:
    """A tree with appointments in it; one may be at a place that is in no tree."""
    places = draw(trees())
    over = st.one_of(st.sampled_from(places), IDS.map(TreePath.root))
    return places, draw(st.lists(st.builds(Grant, st.sampled_from(Role), over), max_size=5))


@examples(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(planted=trees_with_grants())
async def test_the_database_allows_the_same_in_any_tree(
    world: World, planted: tuple[list[TreePath], list[Grant]]
) -> None:
    places, grants = planted

    told = await allowed_in_sql(world, places, [(grants, action) for action in Action])

    assert told == {at: [may(grants, action, at) for action in Action] for at in places}


@given(planted=trees_with_grants(), split=st.integers(0, 5))
def test_grants_add_up_and_nothing_subtracts(planted: tuple[list[TreePath], list[Grant]], split: int) -> None:
    places, grants = planted
    for at, action in product(places, Action):
        each = may(grants[:split], action, at) or may(grants[split:], action, at)
        assert may(grants, action, at) is each


def test_who_asks_may_do_what_their_grants_allow_and_nobody_anything() -> None:
    at = place(DISTRICT, ABOVE)
    reviewer = Viewer(7, (Grant(Role.REVIEWER, place(CITY, ABOVE)),))

    assert reviewer.actions(at) == [Action.READ, Action.REVIEW]
    assert reviewer.actions(place(PROVINCE, ABOVE)) == []
    assert NOBODY.actions(at) == [] and NOBODY.account_id is None


async def test_without_a_grant_there_are_no_rows(world: World) -> None:
    """An empty or_() would match every row."""
    await world.union("广东省总工会")
    async with world.resources.db.reading() as session:
        counted = select(func.count()).select_from(TradeUnion)
        assert await session.scalar(counted) == 1
        assert await session.scalar(counted.where(reachable([], Action.READ))) == 0


APPLICANT, WANG, LI, ZHAO = 1, 2, 3, 4


@pytest.mark.parametrize(
    ("appointed", "able"),
    [
        pytest.param({DISTRICT: {WANG}}, {WANG}, id="who is appointed to the union applied to"),
        pytest.param({DISTRICT: {WANG, LI}}, {WANG, LI}, id="all who are"),
        pytest.param({DISTRICT: {WANG}, CITY: {LI}}, {WANG}, id="nobody above while somebody is there"),
        pytest.param({CITY: {LI}, PROVINCE: {ZHAO}}, {LI}, id="nobody there: the nearest above"),
        pytest.param({PROVINCE: {ZHAO}}, {ZHAO}, id="nobody there nor above it: the next"),
        pytest.param({DISTRICT: set(), CITY: {LI}}, {LI}, id="an empty set is nobody"),
        pytest.param({DISTRICT: {APPLICANT, WANG}}, {WANG}, id="never the applicant"),
        pytest.param({DISTRICT: {APPLICANT}, CITY: {LI}}, {LI}, id="the applicant alone is there: the nearest above"),
        pytest.param({DISTRICT: {APPLICANT}, CITY: {APPLICANT}, PROVINCE: {ZHAO}}, {ZHAO}, id="and so on"),
        pytest.param({DISTRICT: {APPLICANT}}, set(), id="the applicant alone is anywhere"),
        pytest.param({STREET: {WANG}, OTHER_DISTRICT: {LI}, RAILWAY: {ZHAO}}, set(), id="nobody below or beside"),
        pytest.param({}, set(), id="nobody at all"),
    ],
)
def test_who_decides(appointed: dict[int, set[int]], able: set[int]) -> None:
    assert deciders(place(DISTRICT, ABOVE), APPLICANT, appointed) == able


def test_an_analyst_never_decides() -> None:
    assert set(DECIDING) == {Role.ADMINISTRATOR, Role.REVIEWER}
