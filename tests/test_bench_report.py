"""The benchmark's report: ratios within a round, their median and spread, and whether a goal is met."""

from __future__ import annotations

import psutil

from benchmarks import report
from benchmarks.load import Contestant, Sample, summary
from benchmarks.servers import Server


def contestant(name: str, **rates: list[float]) -> Contestant:
    """One that served these requests a second in the rounds of each workload; p50 and p99 follow from them."""
    samples = {
        workload: {number: Sample(rate, 1000 / rate, 5000 / rate) for number, rate in enumerate(given)}
        for workload, given in rates.items()
    }
    return Contestant(Server(name, 0, psutil.Process()), samples)


def test_a_cell_is_the_median_of_ratios_within_a_round_not_a_ratio_of_medians() -> None:
    ours, limit = contestant("ours", W2=[10, 90, 30]), contestant("limit", W2=[10, 100, 10])
    [*_, line] = report.table([ours, limit], {"W2": "children"})
    assert line == "| W2 | children | 30 | 33.3 | 166.7 | 1.00 (0.90–3.00) ✓ ≥ 0.9 |"


def test_a_round_that_one_of_two_did_not_play_is_not_compared() -> None:
    ours, stock = contestant("ours", W8=[10, 20, 40]), contestant("stock", W8=[5])
    [*_, line] = report.table([ours, stock], {"W8": "branches"})
    assert line.endswith("| 2.00 (2.00–2.00) ✗ ≥ 8 |")


def test_who_fails_is_named_and_not_measured() -> None:
    ours, limit = contestant("ours", W1=[10]), contestant("limit")
    limit.fail("W1", ConnectionResetError("gone"))
    [*_, line] = report.table([ours, limit], {"W1": "card"})
    assert line.endswith("| limit fails |")
    assert report.failures([ours, limit]) == ["limit fails in W1: gone"]


def test_the_mean_over_workloads_is_geometric_and_wants_all_of_them() -> None:
    rates = {name: [float(rate)] for name, rate in zip(report.AVERAGED, (1, 2, 4, 8, 16), strict=True)}
    rival = contestant("PostGraphile", **{name: [1.0] for name in rates})
    [aside] = report.overall(contestant("ours", **rates), rival)
    assert (round(aside.value, 6), aside.mark) == (4, "✓")
    del rates["W9"]
    assert list(report.overall(contestant("ours", **rates), rival)) == []


def test_writing_is_held_to_its_rate_and_to_its_slowest() -> None:
    pace, slowest = report.writing(contestant("ours", W7=[75, 60]), contestant("bare", W7=[100, 100]))
    assert (pace.value, pace.mark) == (0.675, "✗")
    assert (round(slowest.value, 3), slowest.mark) == (1.5, "✓")


def test_a_sample_has_the_middle_and_the_hundredth_slowest() -> None:
    sample = summary([number / 1000 for number in range(1, 201)], took=2, busy=0.5)
    assert (sample.rate, round(sample.p50, 3), round(sample.p99, 3), sample.processor) == (100, 100.5, 199, 2500)


def test_what_an_answer_takes_of_the_processor_is_the_median_of_rounds() -> None:
    ours, limit = contestant("ours"), contestant("limit")
    ours.samples["W1"] = {number: Sample(1, 1, 1, taken) for number, taken in enumerate([310, 290, 300])}
    assert report.processor([ours, limit], ["W1", "W2"])[2:] == ["| W1 | 300 | – |"]
