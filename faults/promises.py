"""A promise, and what was measured of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

Figures = dict[str, float | int | str]


class Skipped(Exception):  # noqa: N818 - this machine cannot try it; says why in a sentence
    """A scenario that cannot be played here."""


@dataclass(frozen=True)
class Measured:
    """What came of one scenario. `broken` has a sentence for each part of the promise that was not kept."""

    told: str
    figures: Figures = field(default_factory=dict)
    broken: tuple[str, ...] = ()


@dataclass
class Findings:
    """Collects what was not as promised."""

    broken: list[str] = field(default_factory=list)

    def hold(self, kept: bool, otherwise: str) -> None:  # noqa: FBT001 - a condition, as of an assert
        if not kept:
            self.broken.append(otherwise)

    def measured(self, told: str, **figures: float | str) -> Measured:
        return Measured(told, figures, tuple(self.broken))


def percentile(values: list[float], share: float) -> float:
    """The value below or at which this share of them lies."""
    assert values, "somebody was answered"
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
