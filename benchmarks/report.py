"""What is printed: one table of ratios with their spread, in Markdown, and what stands beside it."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psutil

from benchmarks.load import CLIENTS, Contestant, Sample

GOALS: Final[Mapping[tuple[str, str], float]] = {
    **{("limit", name): 0.9 for name in ("W1", "W2", "W3")},
    **{("limit", name): 1.0 for name in ("W8", "W9")},
    **{("PostGraphile", name): 2.5 for name in ("W1", "W2", "W3", "W8", "W9")},
    ("stock", "W2"): 5.0,
    ("stock", "W8"): 8.0,
}
AVERAGED: Final = ("W1", "W2", "W3", "W8", "W9")
GEOMETRIC_GOAL: Final = 4.0
RIVALS: Final = ("limit", "PostGraphile", "stock")


@dataclass(frozen=True)
class Aside:
    """A figure that is no ratio of rates; `goal` is the most that it may be."""

    what: str
    value: float
    goal: float
    how: str


def machine(size: int, rounds: int, seconds: float) -> str:
    cpu = platform.processor() or platform.machine()
    gib = psutil.virtual_memory().total / 2**30
    return (
        f"N = {size:,}; {rounds} rounds of {seconds:g} s, {CLIENTS} clients; {os.cpu_count()} cores ({cpu}) shared by "
        f"clients, servers and database, {gib:.0f} GiB; Python {platform.python_version()}"
    )


def table(contestants: Sequence[Contestant], titles: Mapping[str, str]) -> list[str]:
    """A line a workload: what is served, and ours divided by each of the others, round by round."""
    by_name = {contestant.name: contestant for contestant in contestants}
    rivals = [name for name in RIVALS if name in by_name]
    lines = [
        f"| | | ours, req/s | p50 ms | p99 ms | {' | '.join(f'ours ÷ {name}' for name in rivals)} |",
        f"|---|---|---:|---:|---:|{'---|' * len(rivals)}",
    ]
    for name, title in titles.items():
        if name in by_name["ours"].failures:
            lines.append(f"| {name} | {title} | fails | | |{' |' * len(rivals)}")
        samples = list(by_name["ours"].samples.get(name, {}).values())
        if samples:
            middle = [_median(getattr(sample, part) for sample in samples) for part in ("rate", "p50", "p99")]
            against = " | ".join(_ratio_cell(by_name["ours"], by_name[rival], name) for rival in rivals)
            lines.append(f"| {name} | {title} | {middle[0]:,.0f} | {middle[1]:,.1f} | {middle[2]:,.1f} | {against} |")
    return lines


def _ratio_cell(ours: Contestant, rival: Contestant, name: str) -> str:
    found = ratios(ours.samples.get(name, {}), rival.samples.get(name, {}))
    if not found:
        return f"{rival.name} fails" if name in rival.failures else "–"
    middle, goal = _median(found), GOALS.get((rival.name, name))
    met = "" if goal is None else f" {'✓' if middle >= goal else '✗'} ≥ {goal:g}"
    return f"{middle:.2f} ({min(found):.2f}–{max(found):.2f}){met}"


def ratios(ours: Mapping[int, Sample], theirs: Mapping[int, Sample]) -> list[float]:
    """Ours divided by theirs, for each round that both played."""
    return [ours[number].rate / theirs[number].rate for number in ours.keys() & theirs.keys()]


def overall(ours: Contestant, rival: Contestant) -> str:
    """The geometric mean of the medians over the workloads that both played."""
    names = [name for name in AVERAGED if name in rival.samples and name in ours.samples]
    medians = [_median(ratios(ours.samples[name], rival.samples[name])) for name in names]
    mean = statistics.geometric_mean(medians)
    met = "✓" if mean >= GEOMETRIC_GOAL and len(names) == len(AVERAGED) else "✗"
    return f"ours ÷ {rival.name}, geometric mean of {' '.join(names)}: {mean:.2f} {met} ≥ {GEOMETRIC_GOAL:g}"


def writing(ours: Contestant, bare: Contestant) -> str:
    """W7 with all that reading needs, against W7 without it."""
    rate = _median(ratios(ours.samples["W7"], bare.samples["W7"]))
    slow = [ours.samples["W7"][number].p99 / bare.samples["W7"][number].p99 for number in ours.samples["W7"]]
    met = "✓" if rate >= 0.75 and _median(slow) <= 2 else "✗"
    return f"W7 ÷ without indexes, counters and roll-ups: {rate:.2f} (≥ 0.75), p99 {_median(slow):.2f} (≤ 2) {met}"


def p50_ratio(ours: Contestant, small: Contestant, name: str) -> float:
    """How much longer the middle answer takes than over the small tree."""
    large, little = ours.samples[name], small.samples[name]
    return _median(large[number].p50 / little[number].p50 for number in large.keys() & little.keys())


def asides(found: Iterable[Aside]) -> list[str]:
    lines = ["| | measured | goal | how |", "|---|---:|---:|---|"]
    for aside in found:
        met = "✓" if aside.value <= aside.goal else "✗"
        lines.append(f"| {aside.what} | {aside.value:.4g} | {met} ≤ {aside.goal:.4g} | {aside.how} |")
    return lines


def failures(contestants: Iterable[Contestant]) -> list[str]:
    """What contestants answered instead of data, when all clients asked at once."""
    return [
        f"{contestant.name} fails in {name}: {said[:300]}"
        for contestant in contestants
        for name, said in contestant.failures.items()
    ]


def memory(contestants: Iterable[Contestant]) -> str:
    held = (f"{contestant.name} {contestant.resident:.0f} MiB" for contestant in contestants)
    return f"resident under load, at most: {', '.join(held)}"


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)
