"""Who may do what, said a second time: from the rules alone, calling nothing of the code that it judges.

The union asked about is `self`. Every place is named by what it is to that union.
"""

from __future__ import annotations

from typing import Final, NamedTuple

# Each place with the one above it, in the order of the tree.
ABOVE: Final[dict[str, str | None]] = {
    "grandparent": None,
    "parent": "grandparent",
    "self": "parent",
    "child": "self",
    "grandchild": "child",
    "sibling": "parent",
    "uncle": "grandparent",
    "cousin": "uncle",
    "stranger": None,
}


class Who(NamedTuple):
    """Somebody by their appointment, or by having none."""

    role: str
    place: str | None = None

    def __str__(self) -> str:
        return f"{self.role} at {self.place}" if self.place else self.role


# They have two registrations at `self`: one waits, one was rejected by its administrator.
APPLICANT: Final = Who("applicant at self")
ANOTHER: Final = Who("applicant elsewhere")
NOBODY: Final = Who("nobody")
ANONYMOUS: Final = Who("anonymous")
APPOINTED: Final = [Who(role, at) for role in ("ADMINISTRATOR", "REVIEWER", "ANALYST") for at in ABOVE if at != "uncle"]
EVERYBODY: Final = [*APPOINTED, APPLICANT, NOBODY, ANONYMOUS]


def lineage(at: str) -> list[str]:
    """The place and everything above it, root first."""
    above = ABOVE[at]
    return [at] if above is None else [*lineage(above), at]


def subtree(at: str) -> list[str]:
    """The place and everything below it, in the order of the tree."""
    return [place for place in ABOVE if at in lineage(place)]


def sees(who: Who, at: str) -> bool:
    """An appointment reaches its union and everything below it, never up or sideways."""
    return who.place in lineage(at)


def manages(who: Who, at: str) -> bool:
    return who.role == "ADMINISTRATOR" and sees(who, at)


def decides(who: Who, at: str) -> bool:
    """Those appointed to the union applied to; nobody is at `uncle`, so there it is those at the nearest above."""
    nearest = next(place for place in reversed(lineage(at)) if place != "uncle")
    return who.role in {"ADMINISTRATOR", "REVIEWER"} and who.place == nearest


def applied(who: Who, at: str) -> bool:
    return who == APPLICANT and at == "self"


def sees_registration(who: Who, at: str) -> bool:
    """Those at that union; with their certificates, and with who applied."""
    return sees(who, at) or applied(who, at)


def reveals(who: Who, at: str) -> bool:
    """The whole ID number: for who decides, and for who submitted it."""
    return decides(who, at) or applied(who, at)


def sees_contacts(who: Who, at: str) -> bool:
    """The contact person of the employer on a form: whole for who submitted it, masked for who only reads."""
    return applied(who, at) or (sees(who, at) and who.role != "ANALYST")


def sees_person(who: Who, person: Who) -> bool:
    """Oneself, who is appointed within reach, and who decided on one's own form."""
    within_reach = person.place is not None and sees(who, person.place)
    return who == person or within_reach or (who == APPLICANT and person == Who("ADMINISTRATOR", "self"))


def sees_appointment(who: Who, person: Who) -> bool:
    return who == person or (person.place is not None and sees(who, person.place))


def actions(who: Who, at: str) -> list[str]:
    """What one may do at that union, in the order of the API's enum."""
    administers, reads = manages(who, at), sees(who, at)
    allowed = {
        "READ": reads,
        "INVITE": administers,
        "REVIEW": decides(who, at),
        "APPOINT": administers,
        "RENAME": administers,
        "MOVE": administers,
        "DISSOLVE": administers,
        "EXPORT": reads and who.role != "REVIEWER",
    }
    return [action for action, may in allowed.items() if may]
