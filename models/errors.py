"""Refusals are data: a code, a path into the input, and what the sentence needs.

The code is the API; the sentence is chosen at the edge, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")


class Code(StrEnum):
    """Why something was refused."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    REAL_NAME_REQUIRED = "REAL_NAME_REQUIRED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    REQUIRED = "REQUIRED"
    INVALID = "INVALID"
    TOO_LONG = "TOO_LONG"
    TOO_LARGE = "TOO_LARGE"
    UNSUPPORTED_MEDIA = "UNSUPPORTED_MEDIA"
    ID_NUMBER_INVALID = "ID_NUMBER_INVALID"
    USCC_INVALID = "USCC_INVALID"
    REGION_UNKNOWN = "REGION_UNKNOWN"
    PHONE_INVALID = "PHONE_INVALID"
    NAME_TAKEN = "NAME_TAKEN"
    USCC_TAKEN = "USCC_TAKEN"
    PARENT_IS_GRASSROOTS = "PARENT_IS_GRASSROOTS"
    PARENT_DISSOLVED = "PARENT_DISSOLVED"
    INVITE_EXPIRED = "INVITE_EXPIRED"
    INVITE_EXHAUSTED = "INVITE_EXHAUSTED"
    INVITE_REVOKED = "INVITE_REVOKED"
    CERTIFICATE_IN_USE = "CERTIFICATE_IN_USE"
    OPINION_REQUIRED = "OPINION_REQUIRED"
    SELF_REVIEW = "SELF_REVIEW"
    STALE = "STALE"
    WRONG_STATE = "WRONG_STATE"
    CYCLE = "CYCLE"
    HAS_CHILDREN = "HAS_CHILDREN"
    CREDENTIALS_INVALID = "CREDENTIALS_INVALID"
    SECOND_FACTOR_REQUIRED = "SECOND_FACTOR_REQUIRED"
    SECOND_FACTOR_INVALID = "SECOND_FACTOR_INVALID"
    RATE_LIMITED = "RATE_LIMITED"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"


class Doubt(StrEnum):
    """What a reviewer should look at; never stops a submission."""

    REGION_OUTSIDE_PARENT = "REGION_OUTSIDE_PARENT"
    USCC_PREFIX_UNEXPECTED = "USCC_PREFIX_UNEXPECTED"


@dataclass(frozen=True)
class Problem:
    """One thing that a person can mend.

    `path` leads from the mutation's `input` to the field at fault, in the API's spelling.
    `why` picks a more exact sentence than the code alone, which `params` may fill in.
    """

    code: Code
    path: tuple[str, ...] = ()
    why: str | None = None
    params: Mapping[str, object] = field(default_factory=dict)


class Rejected(Exception):  # noqa: N818 - an answer to a request, not an error of the program
    """A request refused for reasons its sender can mend; nothing was written."""

    def __init__(self, *problems: Problem) -> None:
        assert problems, "a refusal has a reason"
        super().__init__(", ".join(f"{problem.code} at {'.'.join(problem.path) or 'input'}" for problem in problems))
        self.problems = problems


class OutOfSpace(OSError):  # noqa: N818 - as above: nothing was written, and nobody who asks can mend it
    """The disk takes no more files, or no more than those that it must keep room for."""


class Lack(StrEnum):
    """What gave out when a request could not be answered. For the log, and for the client's developer."""

    DATABASE = "the database is away"
    CONNECTION = "no connection to the database was free in time"
    STATEMENT = "a statement took too long"
    LOCK = "a lock was not to be had in time"
    OPERATION = "the operation took too long"
    CONTENTION = "others were writing the same"
    RESOURCES = "the database has no room or no resources left"


class Unavailable(Exception):  # noqa: N818 - an answer to a request, not an error of the program
    """Not now. The same request may be answered when it is sent again.

    Nothing was written, unless the connection was lost, or time was up, while committing: nobody knows then, and
    an idempotency key finds out.
    """

    def __init__(self, lack: Lack) -> None:
        super().__init__(lack.value)
        self.lack = lack


class RolledBack(Unavailable):
    """Nothing was written for certain, and the same work may succeed at once: a deadlock, a lost connection."""


@dataclass(frozen=True)
class Caution:
    """Something for the reviewer to look at (the API's Warning), with its path into the form."""

    code: Doubt
    path: tuple[str, ...]


class Problems(list[Problem]):
    """Collects the problems of one form, so that they are told all at once."""

    def take(self, path: tuple[str, ...], check: Callable[[Given], Found], given: Given) -> Found | None:
        """What `check` makes of the value given, or None with its problems noted under `path`."""
        try:
            return check(given)
        except Rejected as refusal:
            self.extend(replace(problem, path=(*path, *problem.path)) for problem in refusal.problems)
            return None

    def note(self, code: Code, *path: str, why: str | None = None, **params: object) -> None:
        self.append(Problem(code, path, why, params))

    def raise_any(self) -> None:
        """Raises: Rejected, if anything was noted."""
        if self:
            raise Rejected(*self)
