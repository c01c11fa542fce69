"""What is printed: one table of ratios with their spread, in Markdown, and what stands beside it."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    """A figure that the table of rates has no place for; `goal` is the most that it may be, or the least."""

    what: str
    value: float
    goal: float
    how: str
    at_least: bool = False

    @property
    def mark(self) -> str:
        return "✓" if (self.value >= self.goal if self.at_least else self.value <= self.goal) else "✗"


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
    return f"{middle:.2f} ({_spread(found)}){met}"


def _spread(found: Sequence[float]) -> str:
    return f"{min(found):.2f}–{max(found):.2f}"


def ratios(ours: Mapping[int, Sample], theirs: Mapping[int, Sample]) -> list[float]:
    """Ours divided by theirs, for each round that both played."""
    return [ours[number].rate / theirs[number].rate for number in ours.keys() & theirs.keys()]


def overall(ours: Contestant, rival: Contestant) -> Iterator[Aside]:
    """The geometric mean of the medians over the workloads that count for it."""
    found = {name: ratios(ours.samples.get(name, {}), rival.samples.get(name, {})) for name in AVERAGED}
    medians = [_median(some) for some in found.values() if some]
    if len(medians) == len(AVERAGED):
        mean, how = statistics.geometric_mean(medians), f"geometric mean of {' '.join(AVERAGED)}"
        yield Aside(f"ours ÷ {rival.name}", mean, GEOMETRIC_GOAL, how, at_least=True)


def writing(ours: Contestant, bare: Contestant) -> Iterator[Aside]:
    """W7 with all that reading needs, against W7 without it."""
    with_it, without = ours.samples.get("W7", {}), bare.samples.get("W7", {})
    both = with_it.keys() & without.keys()
    if both:
        slower = _median(with_it[number].p99 / without[number].p99 for number in both)
        how, spread = "÷ without indexes, counters and roll-ups", ratios(with_it, without)
        yield Aside("W7, pairs a second", _median(spread), 0.75, f"{how} ({_spread(spread)})", at_least=True)
        yield Aside("W7, p99", slower, 2, how)


def grown(ours: Contestant, small: Contestant) -> Iterator[Aside]:
    """How the time of an answer, and the memory that answering takes, grow with the tree."""
    for name in ("W1", "W2", "W3"):
        large, little = ours.samples.get(name, {}), small.samples.get(name, {})
        both = large.keys() & little.keys()
        if both:
            ratio = _median(large[number].p50 / little[number].p50 for number in both)
            how = f"{_median(large[number].p50 for number in both):.1f} ms"
            how += f", {_median(little[number].p50 for number in both):.1f} ms"
            yield Aside(f"{name}, p50 ÷ p50 over the small tree", ratio, 1.5, how)
    if small.resident:
        memory = round(ours.resident / small.resident, 2)
        how = f"having read: {ours.resident:.0f} MB, {small.resident:.0f} MB"
        yield Aside("resident ÷ resident over the small tree", memory, 1, how)


def resident(ours: Contestant) -> Iterator[Aside]:
    if ours.resident:
        yield Aside("resident under load, MB", ours.resident, 200, "the most that was seen")


def tabulated(found: Iterable[Aside]) -> list[str]:
    lines = ["| | measured | goal | how |", "|---|---:|---:|---|"]
    for aside in found:
        sign = "≥" if aside.at_least else "≤"
        lines.append(f"| {aside.what} | {aside.value:.4g} | {aside.mark} {sign} {aside.goal:.4g} | {aside.how} |")
    return lines


def failures(contestants: Iterable[Contestant]) -> list[str]:
    """Who was not measured in what, and why."""
    return [
        f"{contestant.name} fails in {name}: {said[:600]}"
        for contestant in contestants
        for name, said in contestant.failures.items()
    ]


def memory(contestants: Iterable[Contestant]) -> str:
    held = (f"{one.name} {one.resident:.0f} MB" for one in contestants if one.resident)
    return f"resident under load, at most: {', '.join(held)}"


def processor(contestants: Sequence[Contestant], names: Iterable[str]) -> list[str]:
    """What an answer takes of the processor in each server, the database's part left out, in microseconds."""
    lines = [f"| processor, µs | {' | '.join(one.name for one in contestants)} |", f"|---|{'---:|' * len(contestants)}"]
    for name in names:
        taken = [[sample.processor for sample in one.samples.get(name, {}).values()] for one in contestants]
        if any(taken):
            lines.append(f"| {name} | {' | '.join(f'{_median(some):,.0f}' if some else '–' for some in taken)} |")
    return lines


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)
