"""The shape of a planted tree: one root, 3 to 31 provinces, and below them what the map of divisions has.

    0 root → 1 province → 2 city or industry → 3 county → 4 street → 5 park → 6 grassroots

Levels are skipped where life skips them: Beijing has no cities and Dongguan no counties, one county in
ten has no streets, and grassroots unions hang on every level. Nothing here reads or writes.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from benchmarks import names
from models.treepath import label_of

SMALLEST: Final = 20_000
"""A smaller tree has no room for what the workloads ask for."""

WIDEST: Final = 5_000
_FIRST_PROVINCES: Final = ("440000", "330000", "110000")
# How much of what is left each level gets, a union.
_PULL: Final = {"root": 0.0, "province": 30.0, "industry": 0.0, "city": 10.0, "county": 3.0, "street": 1.0, "park": 0.5}


@dataclass(frozen=True, slots=True)
class Division:
    code: str
    name: str
    full_name: str
    parent_code: str | None


@dataclass(slots=True)
class Office:
    """A higher-level union. `rooms` is how many grassroots unions hang on it directly."""

    id: int
    level: str
    name: str
    division: Division
    parent: Office | None
    path: str
    depth: int
    offices: int = 0
    rooms: int = 0


@dataclass(slots=True)
class Tree:
    """`offices[i]` has the id i + 1; the grassroots unions have the ids after those, in the order of `homes`."""

    offices: list[Office] = field(default_factory=list)
    # For each grassroots union, the place in `offices` of the one above it.
    homes: array[int] = field(default_factory=lambda: array("i"))

    @property
    def size(self) -> int:
        return len(self.offices) + len(self.homes)

    def of(self, level: str) -> list[Office]:
        return [office for office in self.offices if office.level == level]

    def add(self, level: str, name: str, division: Division, parent: Office | None) -> Office:
        union_id = len(self.offices) + 1
        path = f"{parent.path}.{label_of(union_id)}" if parent else label_of(union_id)
        office = Office(union_id, level, name, division, parent, path, parent.depth + 1 if parent else 0)
        if parent is not None:
            parent.offices += 1
        self.offices.append(office)
        return office


class Map:
    """Divisions by the one around them."""

    def __init__(self, divisions: Iterable[Division]) -> None:
        self._inside: dict[str | None, list[Division]] = defaultdict(list)
        for division in sorted(divisions, key=lambda division: division.code):
            self._inside[division.parent_code].append(division)

    def inside(self, division: Division | None) -> list[Division]:
        return self._inside[division.code if division else None]

    def provinces(self) -> list[Division]:
        """Those that have divisions inside, in the order in which a growing tree takes them."""
        known = [province for province in self.inside(None) if self.inside(province)]
        return sorted(known, key=lambda province: (province.code not in _FIRST_PROVINCES, -int(province.code)))


def grow(divisions: Iterable[Division], size: int, seed: int) -> Tree:
    """A tree of exactly `size` unions, the same for the same arguments."""
    assert size >= SMALLEST
    tree, atlas, random = Tree(), Map(divisions), Random(seed)  # noqa: S311 - a tree, not a secret
    provinces = atlas.provinces()[: max(3, size // 90_000)]
    capital = next(province for province in atlas.inside(None) if province.code == "110000")
    root = tree.add("root", "中华全国总工会", capital, None)
    for province in provinces:
        tree.add("province", f"{province.name}总工会", province, root)
    _add_industries(tree, max(1, size // 100_000))
    _add_divisions(tree, atlas)
    full = _full_cities(tree, size)
    _add_streets(tree, full, size)
    for street in tree.of("street")[::6]:
        tree.add("park", f"{street.name.removesuffix('总工会')}工业园工会联合会", street.division, street)
    _furnish(tree, full, size, random)
    tree.homes.extend(place for place, office in enumerate(tree.offices) for _ in range(office.rooms))
    random.shuffle(tree.homes)  # unions join in the order of time, not of the map
    assert tree.size == size
    return tree


def _add_industries(tree: Tree, wanted: int) -> None:
    """Industry lines cut across the map; the grassroots unions of one are its children, thousands of them."""
    provinces = tree.of("province")
    for number in range(wanted):
        above, industry = provinces[number % len(provinces)], names.INDUSTRIES[number % len(names.INDUSTRIES)]
        again = number // (len(provinces) * len(names.INDUSTRIES))
        name = f"{above.division.name}{industry}工会{again or ''}"
        tree.add("industry", name, above.division, above)


def _add_divisions(tree: Tree, atlas: Map) -> None:
    for province in tree.of("province"):
        inside = atlas.inside(province.division)
        level = "city" if any(atlas.inside(division) for division in inside) else "county"
        for division in inside:
            tree.add(level, f"{division.name}总工会", division, province)
    for city in tree.of("city"):
        for division in atlas.inside(city.division):
            tree.add("county", f"{division.name}总工会", division, city)


def _full_cities(tree: Tree, size: int) -> list[Office]:
    """Cities that will have ten counties with ten streets with ten grassroots unions each, or more."""
    able = [city for city in tree.of("city") if city.offices >= 10]
    return able[: max(3, min(len(able), size // 20_000))]


def _add_streets(tree: Tree, full: Sequence[Office], size: int) -> None:
    usual, full_counties = max(1, size // 190_000), _full_counties(tree, full)
    for office in tree.of("county") + tree.of("city"):
        wanted = 0 if office.id % 10 == 0 else usual
        if office.level == "city":
            wanted = 0 if office.offices else max(20, 3 * usual)
        if office.id in full_counties:
            wanted = max(10, wanted)
        for number in range(wanted):
            tree.add("street", f"{names.street(number)}总工会", office.division, office)


def _full_counties(tree: Tree, full: Sequence[Office]) -> dict[int, int]:
    """The first ten counties of each full city, by id, each with the rooms that its streets have at least."""
    counties: dict[int, list[Office]] = defaultdict(list)
    for county in tree.of("county"):
        assert county.parent is not None
        counties[county.parent.id].append(county)
    # The first of each city has streets of a hundred.
    return {county.id: 10 if place else 105 for city in full for place, county in enumerate(counties[city.id][:10])}


def _furnish(tree: Tree, full: Sequence[Office], size: int, random: Random) -> None:
    """Gives every office its rooms: first what the workloads need, then the rest by the level's pull and chance."""
    for number, industry in enumerate(tree.of("industry")):
        industry.rooms = random.randint(WIDEST // 5, WIDEST) if number else WIDEST
    full_counties = _full_counties(tree, full)
    for street in tree.of("street"):
        assert street.parent is not None
        street.rooms = full_counties.get(street.parent.id, 0)
    rest = size - len(tree.offices) - sum(office.rooms for office in tree.offices)
    assert rest > 0
    pulls = [_PULL[office.level] * random.lognormvariate(0, 0.8) for office in tree.offices]
    total, pulled, given = sum(pulls), 0.0, 0
    for office, pull in zip(tree.offices, pulls, strict=True):
        pulled += pull
        share = round(rest * pulled / total) - given
        office.rooms += share
        given += share
