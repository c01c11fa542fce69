"""Asking a pure rule: what it makes of a value, or why it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from models.errors import Code, Rejected

Given = TypeVar("Given")


def refusal(check: Callable[[Given], object], given: Given) -> tuple[Code, str | None]:
    """The code of the one refusal that this value must meet, and its exact reason if it has one."""
    with pytest.raises(Rejected) as refused:
        check(given)
    [problem] = refused.value.problems
    assert problem.path == (), "a rule does not know where its value stood"
    return problem.code, problem.why
