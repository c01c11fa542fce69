"""SECURITY.md is held to the tests that it names."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.sources import ROOT

TABLE: Final = (ROOT / "SECURITY.md").read_text().partition("## Threats")[2]
ROWS: Final = [line for line in TABLE.splitlines() if line.startswith("| ") and "`tests/" in line]


def test_every_row_of_the_table_names_a_test() -> None:
    told = [line for line in TABLE.splitlines() if line.startswith("| ") and not line.startswith("| actor")]
    assert told == ROWS and len(ROWS) >= 60


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_the_test_is_there(row: str) -> None:
    named = re.findall(r"(?:`(tests/[\w/]+\.py))?(?:::(\w+))?", row.rpartition(" | ")[2])
    file = ""
    for place, test in named:
        file = place or file
        if place or test:
            source = (ROOT / file).read_text()
            assert not test or re.search(rf"^(async )?def {test}\(", source, re.MULTILINE), (file, test)
    assert file
