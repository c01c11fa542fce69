"""登记表: everything that is wrong at once, and what is only worth a look."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from models.errors import Code, Doubt, Problems, Rejected
from models.form import FIELDS, MOST_STAFF, Form, cautions, changes, check_parent, checked
from models.kinds import UnionKind, UnionStatus
from models.particulars import Employer
from models.region import check_region_code, is_inside
from tests.rules import refusal

GRASSROOTS: Final = UnionKind.GRASSROOTS
HIGHER_LEVEL: Final = UnionKind.HIGHER_LEVEL

FACTORY: Final = Employer("华强电子厂", "91440300MA5ABCDE0E", "华强北路1号", "何敏", "+8613800138000", 120)
HIGHER: Final = Form(HIGHER_LEVEL, "深圳市总工会", "440300", "89440000MC12345676", None, "440524188001010014", 7)
GRASS: Final = replace(HIGHER, kind=GRASSROOTS, name="华强电子厂工会", uscc="81440100MC12345674", employer=FACTORY)


def faults(form: Form) -> set[tuple[str, str]]:
    """Code and path of everything that is wrong with it."""
    problems = Problems()
    checked(form, problems)
    return {(problem.code.value, ".".join(problem.path)) for problem in problems}


@pytest.mark.parametrize("form", [HIGHER, GRASS, replace(HIGHER, uscc=None)], ids=["higher", "grassroots", "no-code"])
def test_a_sound_form_stays_as_it_is(form: Form) -> None:
    problems = Problems()
    assert checked(form, problems) == form
    assert problems == []
    problems.raise_any()


def test_a_sound_form_comes_out_in_its_canonical_spelling() -> None:
    typed = replace(
        GRASS,
        name="  华强电子厂工会\u3000",
        uscc="81440100mc12345674",
        id_number="11010519491231002x",
        employer=replace(FACTORY, uscc="91440300ma5abcde0e", contact_phone="138 0013 8000", contact_name=" 何敏 "),
    )
    assert checked(typed, Problems()) == replace(GRASS, id_number="11010519491231002X")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = Form(
        kind=GRASSROOTS,
        name="",
        region_code="4403",
        uscc="1",
        employer=Employer("厂" * 101, "2", "\u202e", "\0", "3", -1),
        id_number="4",
        certificate_id=0,
    )
    assert faults(wrong) == {
        ("REQUIRED", "name"),
        ("REGION_UNKNOWN", "regionCode"),
        ("USCC_INVALID", "uscc"),
        ("TOO_LONG", "employer.name"),
        ("USCC_INVALID", "employer.uscc"),
        ("INVALID", "employer.address"),
        ("INVALID", "employer.contactName"),
        ("PHONE_INVALID", "employer.contactPhone"),
        ("INVALID", "employer.staffCount"),
        ("ID_NUMBER_INVALID", "legalPersonIdNumber"),
    }


def test_only_a_grassroots_union_has_an_employer() -> None:
    assert faults(replace(GRASS, employer=None)) == {("REQUIRED", "employer")}
    assert faults(replace(HIGHER, employer=FACTORY)) == {("INVALID", "employer")}


@pytest.mark.parametrize(
    ("staff", "taken"), [(None, True), (0, True), (MOST_STAFF, True), (-1, False), (MOST_STAFF + 1, False)]
)
def test_a_number_of_staff_is_one_that_can_be(staff: int | None, *, taken: bool) -> None:
    wrong = faults(replace(GRASS, employer=replace(FACTORY, staff_count=staff)))
    assert wrong == (set() if taken else {("INVALID", "employer.staffCount")})


def test_a_contact_name_may_be_left_out_but_not_empty() -> None:
    assert faults(replace(GRASS, employer=replace(FACTORY, contact_name=None))) == set()
    assert faults(replace(GRASS, employer=replace(FACTORY, contact_name=" "))) == {("REQUIRED", "employer.contactName")}


@pytest.mark.parametrize(
    ("kind", "status", "depth", "code"),
    [
        (HIGHER_LEVEL, UnionStatus.ACTIVE, 0, None),
        (HIGHER_LEVEL, UnionStatus.ACTIVE, 15, None),
        (HIGHER_LEVEL, UnionStatus.ACTIVE, 16, Code.INVALID),
        (HIGHER_LEVEL, UnionStatus.DISSOLVED, 0, Code.PARENT_DISSOLVED),
        (GRASSROOTS, UnionStatus.ACTIVE, 0, Code.PARENT_IS_GRASSROOTS),
        (GRASSROOTS, UnionStatus.DISSOLVED, 16, Code.PARENT_IS_GRASSROOTS),
    ],
)
def test_an_active_higher_level_union_takes_registrations(
    kind: UnionKind, status: UnionStatus, depth: int, code: Code | None
) -> None:
    problems = Problems()
    check_parent(kind, status, depth, ("parent", "unionId"), problems)
    assert [(problem.code, problem.path) for problem in problems] == ([(code, ("parent", "unionId"))] if code else [])


# ── what is only worth a look ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "region", "parent", "uscc", "doubts"),
    [
        (HIGHER_LEVEL, "440300", "440000", None, []),
        (HIGHER_LEVEL, "440300", "440000", "89440000MC12345676", []),
        (GRASSROOTS, "440305", "440300", "81440100MC12345674", []),
        (GRASSROOTS, "440103", "440300", "81440100MC12345674", [Doubt.REGION_OUTSIDE_PARENT]),
        (GRASSROOTS, "440305", "440300", "89440000MC12345676", [Doubt.USCC_PREFIX_UNEXPECTED]),
        (HIGHER_LEVEL, "110000", "440000", "91440300MA5ABCDE0E", list(Doubt)),
        (HIGHER_LEVEL, "440000", "440300", None, [Doubt.REGION_OUTSIDE_PARENT]),  # wider than the parent's
    ],
)
def test_cautions_are_for_the_reviewer(
    kind: UnionKind, region: str, parent: str, uscc: str | None, doubts: list[Doubt]
) -> None:
    paths = {Doubt.REGION_OUTSIDE_PARENT: ("regionCode",), Doubt.USCC_PREFIX_UNEXPECTED: ("uscc",)}
    found = cautions(kind, region, parent, uscc)
    assert [(caution.code, caution.path) for caution in found] == [(doubt, paths[doubt]) for doubt in doubts]


@pytest.mark.parametrize(
    ("code", "outer", "inside"),
    [
        ("440305", "440305", True),
        ("440305", "440300", True),
        ("440305", "440000", True),
        ("440300", "440000", True),
        ("440000", "440000", True),
        ("440000", "440300", False),
        ("440300", "440305", False),
        ("440103", "440300", False),
        ("450300", "440000", False),
        ("440310", "440310", True),
        ("440311", "440310", False),  # a code that ends in 0 is still one district
        ("441001", "440100", False),
        ("441001", "441000", True),
        ("440100", "441000", False),
        ("500101", "500000", True),
        ("510101", "500000", False),
        ("419001", "410000", True),
        ("419001", "419000", True),
    ],
)
def test_a_division_lies_within_another_by_its_pairs_of_digits(code: str, outer: str, *, inside: bool) -> None:
    assert is_inside(code, outer) is inside


@pytest.mark.parametrize("code", ["440305", "440000", "999999"])
def test_a_region_code_is_six_digits(code: str) -> None:
    assert check_region_code(code) == code


@pytest.mark.parametrize("code", ["", "44", "4403050", "040305", "44030X", "４４０３０５", "440305\n", "440305\0", "%"])
def test_what_has_not_the_form_of_a_region_code_is_none(code: str) -> None:
    assert refusal(check_region_code, code) == (Code.REGION_UNKNOWN, None)


# ── what a round changed ─────────────────────────────────────────────────────────────────────

OTHER: Final[dict[str, Any]] = {
    "name": "其他工会",
    "region_code": "440100",
    "uscc": None,
    "employer": replace(FACTORY, staff_count=121),
    "id_number": "11010519491231002X",
    "certificate_id": 8,
}


@pytest.mark.parametrize(("attribute", "field"), list(zip(OTHER, FIELDS, strict=True)))
def test_a_change_is_named_as_the_client_named_it(attribute: str, field: str) -> None:
    assert changes(GRASS, replace(GRASS, **{attribute: OTHER[attribute]})) == [field]


def test_changes_are_told_in_the_forms_order() -> None:
    assert changes(GRASS, GRASS) == []
    assert changes(GRASS, replace(GRASS, **dict(reversed(OTHER.items())))) == list(FIELDS)


def test_problems_are_noted_under_the_path_at_which_they_were_met() -> None:
    problems = Problems()
    assert problems.take(("employer", "regionCode"), check_region_code, "440305") == "440305"
    assert problems.take(("employer", "regionCode"), check_region_code, "") is None
    problems.note(Code.REQUIRED, "name")
    with pytest.raises(Rejected, match=r"REGION_UNKNOWN at employer\.regionCode, REQUIRED at name"):
        problems.raise_any()
