"""A place in the tree: a materialized path, as PostgreSQL's ltree holds it.

Labels are the base-36 of a union's id: renaming moves nothing, and the index stays small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_DEPTH: Final = 16
"""A root has depth 0. Five to seven levels exist in life; beyond sixteen a path is a mistake."""

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def label_of(union_id: int) -> str:
    """The ltree label of a union: its id in base 36, lower case. 46655 is `zzz`."""
    assert union_id > 0
    digits: list[str] = []
    while union_id:
        union_id, digit = divmod(union_id, 36)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


@dataclass(frozen=True, slots=True)
class TreePath:
    """Labels from the root down. `a.b1` is not within `a.b`: labels are compared, not text."""

    labels: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> TreePath:
        """The path that `text` spells, root first, labels joined by dots.

        Raises:
            ValueError: it is not what `str()` of a path gives.
        """
        labels = tuple(text.split("."))
        if len(labels) > MAX_DEPTH + 1 or not all(map(_is_label, labels)):
            raise ValueError("not a tree path")
        return cls(labels)

    @classmethod
    def root(cls, union_id: int) -> TreePath:
        return cls((label_of(union_id),))

    def child(self, union_id: int) -> TreePath:
        return TreePath((*self.labels, label_of(union_id)))

    def is_within(self, other: TreePath) -> bool:
        """Whether this is `other` or lies anywhere below it."""
        return self.labels[: len(other.labels)] == other.labels

    @property
    def depth(self) -> int:
        """0 for a root."""
        return len(self.labels) - 1

    @property
    def id(self) -> int:
        """The union at this place."""
        return int(self.labels[-1], 36)

    @property
    def ids(self) -> tuple[int, ...]:
        """The unions along the way, root first, this one last."""
        return tuple(int(label, 36) for label in self.labels)

    def __str__(self) -> str:
        return ".".join(self.labels)


def _is_label(label: str) -> bool:
    """A label has one spelling: no capitals, no leading zero, at most 12 digits (36**12 > 2**62)."""
    return 0 < len(label) <= 12 and label[0] != "0" and all(digit in _DIGITS for digit in label)
