"""The two ways to an answer: compiled into one statement, or read step by step by the executor."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
from graphql import print_ast

from schema.reading.answers import Answers
from schema.reading.operations import Operation


@contextmanager
def step_by_step() -> Iterator[None]:
    """Meanwhile nothing is compiled."""

    async def nothing(*_: object) -> None:
        return

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Answers, "answer", nothing)
        yield


@contextmanager
def compiled() -> Iterator[None]:
    """Meanwhile a query that does not compile fails the test."""
    answer = Answers.answer

    async def certainly(self: Answers, operation: Operation, *rest: Any) -> list[bytes]:
        data = await answer(self, operation, *rest)
        assert data is not None, f"not compiled: {print_ast(operation.node)}"
        return data

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Answers, "answer", certainly)
        yield


# As it is served, where the executor words what cannot be; and all of it by the executor.
PATHS: dict[str, Callable[[], AbstractContextManager[None]]] = {"served": nullcontext, "step-by-step": step_by_step}

SIGNED = re.compile(r"expires=\d+&signature=[0-9a-f]+")


def timeless(answer: Any) -> Any:
    """An answer without when the links in it expire, which is another second the next time."""
    return json.loads(SIGNED.sub("", json.dumps(answer)))
