"""What `make faults` tells: each promise with its figure, and a status that a script can go by."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self

import orjson
import pytest
from click.testing import CliRunner

from faults import __main__ as faults
from faults import report
from faults.promises import Findings, Measured, Skipped, percentile
from faults.report import Row
from faults.stand import Stand


def row(measured: Measured | str) -> Row:
    return Row("locked-row", "60 writers", "p99 ≤ 500 ms", measured, 1.26)


KEPT = Measured("p99 17 ms", {"p99_ms": 17})
BROKEN = Measured("p99 900 ms", {"p99_ms": 900}, ("reads' p99 is 900 ms",))


def test_each_row_says_what_was_promised_and_what_was_measured() -> None:
    assert report.line(row(KEPT)).split("\n         ") == [
        "kept     locked-row (1 s)",
        "promised: p99 ≤ 500 ms",
        "measured: p99 17 ms",
    ]
    assert report.line(row(BROKEN)).startswith("BROKEN ") and row(BROKEN).is_broken
    assert report.line(row("only root may mount")).startswith("skipped ") and not row("only root may").is_broken


def test_a_program_reads_the_figures() -> None:
    told = orjson.loads(report.as_json([row(KEPT), row("only root may mount")], 3.14))
    assert told["seconds"] == 3.1
    assert [(one["state"], one["figures"]) for one in told["rows"]] == [("kept", {"p99_ms": 17}), ("skipped", {})]


def test_the_table_is_put_into_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "reliability.md"
    document.write_text("before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n")
    monkeypatch.setattr(report, "DOCUMENT", document)
    report.write([row(KEPT)])
    written = document.read_text()
    assert "| 60 writers | p99 ≤ 500 ms | kept: p99 17 ms |" in written and "old" not in written
    assert written.startswith("before\n<!-- figures -->\n") and written.endswith("<!-- end of figures -->\nafter\n")


def test_a_broken_promise_is_an_exit_status(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Nothing:
        log = tmp_path / "server.log"

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            return

    def skips(_stand: Stand) -> Measured:
        raise Skipped("libfaketime is not here")

    monkeypatch.setattr(faults, "standing", lambda _folder: Nothing())
    for scenario, status, said in ((lambda _: KEPT, 0, "kept"), (lambda _: BROKEN, 1, "BROKEN"), (skips, 0, "skipped")):
        monkeypatch.setitem(faults.SCENARIOS, "clock", ("the clock", "nothing changes", scenario))
        result = CliRunner().invoke(faults.main, ["clock"])
        assert (result.exit_code, result.output.split()[0]) == (status, said)


def test_findings_and_percentiles() -> None:
    findings = Findings()
    findings.hold(kept=True, otherwise="never said")
    findings.hold(kept=False, otherwise="two of one")
    assert findings.measured("told", rows=2) == Measured("told", {"rows": 2}, ("two of one",))
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0 and percentile([float(n) for n in range(1, 201)], 0.99) == 198.0


def test_every_row_of_the_page_is_a_scenario() -> None:
    page = report.DOCUMENT.read_text(encoding="utf-8")
    table = re.findall(r"^\| (.+?) \| .+? \| (?:kept|skipped|BROKEN): ", page, re.MULTILINE)
    assert not table or table == [fault for fault, _, _ in faults.SCENARIOS.values()]
