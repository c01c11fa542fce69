"""The registration form (登记表): what it must say, and what is only worth a look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from models.errors import Caution, Code, Doubt, Problems
from models.identifiers import check_credit_code, check_id_number, check_phone, is_usual_prefix
from models.kinds import UnionKind, UnionStatus
from models.particulars import Employer
from models.region import check_region_code, is_inside
from models.text import check_line, check_name
from models.treepath import MAX_DEPTH

MOST_STAFF: Final = 10_000_000

# The fields of the form as a client names them; an opinion or a change refers to one of these.
FIELDS: Final = ("name", "regionCode", "uscc", "employer", "legalPersonIdNumber", "certificateId")
# Those of its employer, which an opinion may point at as well.
EMPLOYER_FIELDS: Final = ("name", "uscc", "address", "contactName", "contactPhone", "staffCount")
# Registration itself calls two of them by what they are instead of by their code or id.
OTHER_NAMES: Final = {"region": "regionCode", "certificate": "certificateId"}


@dataclass(frozen=True)
class Statement:
    """What is stated about a union, in a form or in a row of a file."""

    kind: UnionKind
    name: str
    region_code: str
    uscc: str | None
    employer: Employer | None


@dataclass(frozen=True)
class Form(Statement):
    """A whole form. As typed at first; as `checked` gives it, every part is sound by itself."""

    id_number: str
    certificate_id: int


def checked(form: Form, problems: Problems) -> Form:
    """The form in its canonical spelling, as far as it is sound; every fault is noted."""
    stated = checked_statement(form, problems)
    return Form(
        kind=stated.kind,
        name=stated.name,
        region_code=stated.region_code,
        uscc=stated.uscc,
        employer=stated.employer,
        id_number=problems.take(("legalPersonIdNumber",), check_id_number, form.id_number) or "",
        certificate_id=form.certificate_id,
    )


def checked_statement(stated: Statement, problems: Problems) -> Statement:
    """The same of a statement alone: without the person and the photo that stand behind a form."""
    uscc = problems.take(("uscc",), check_credit_code, stated.uscc) if stated.uscc is not None else None
    return Statement(
        kind=stated.kind,
        name=problems.take(("name",), check_name, stated.name) or "",
        region_code=problems.take(("regionCode",), check_region_code, stated.region_code) or "",
        uscc=uscc,
        employer=_checked_employer(stated, problems),
    )


def _checked_employer(stated: Statement, problems: Problems) -> Employer | None:
    employer = stated.employer
    if (employer is not None) != (stated.kind is UnionKind.GRASSROOTS):
        if employer is None:
            problems.note(Code.REQUIRED, "employer")
        else:
            problems.note(Code.INVALID, "employer", why="employer_of_higher_level")
        return None
    if employer is None:
        return None
    if employer.staff_count is not None and not 0 <= employer.staff_count <= MOST_STAFF:
        problems.note(Code.INVALID, "employer", "staffCount", why="staff_count")
    take, contact = problems.take, employer.contact_name
    return Employer(
        name=take(("employer", "name"), check_name, employer.name) or "",
        uscc=take(("employer", "uscc"), check_credit_code, employer.uscc) or "",
        address=take(("employer", "address"), check_line, employer.address) or "",
        contact_name=None if contact is None else take(("employer", "contactName"), check_name, contact),
        contact_phone=take(("employer", "contactPhone"), check_phone, employer.contact_phone) or "",
        staff_count=employer.staff_count,
    )


def check_parent(kind: UnionKind, status: UnionStatus, depth: int, path: tuple[str, ...], problems: Problems) -> None:
    """Whether a union of this kind and status, so far down, takes registrations."""
    if kind is UnionKind.GRASSROOTS:
        problems.note(Code.PARENT_IS_GRASSROOTS, *path)
    elif status is UnionStatus.DISSOLVED:
        problems.note(Code.PARENT_DISSOLVED, *path)
    elif depth >= MAX_DEPTH:
        problems.note(Code.INVALID, *path, why="deepest")


def cautions(kind: UnionKind, region_code: str, parent_region_code: str, uscc: str | None) -> list[Caution]:
    """What the reviewer should look at, though it stops nobody.

    Industry lines (railway, finance) cut across the map, and federations carry codes of several
    registries, so neither a region outside the parent's nor an unusual prefix is an error.
    """
    found = []
    if not is_inside(region_code, parent_region_code):
        found.append(Caution(Doubt.REGION_OUTSIDE_PARENT, ("regionCode",)))
    if uscc is not None and not is_usual_prefix(uscc, kind):
        found.append(Caution(Doubt.USCC_PREFIX_UNEXPECTED, ("uscc",)))
    return found


def changes(before: Form, after: Form) -> list[str]:
    """The fields in which two forms differ, in the API's spelling and the form's order."""
    pairs = {
        "name": (before.name, after.name),
        "regionCode": (before.region_code, after.region_code),
        "uscc": (before.uscc, after.uscc),
        "employer": (before.employer, after.employer),
        "legalPersonIdNumber": (before.id_number, after.id_number),
        "certificateId": (before.certificate_id, after.certificate_id),
    }
    assert tuple(pairs) == FIELDS
    return [field for field, (old, new) in pairs.items() if old != new]
