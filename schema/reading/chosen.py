"""What to read for a field, once its arguments are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storage.reading.reads import Read

Given = Mapping[str, Any]


@dataclass(frozen=True)
class Chosen:
    """What to read, with what its statement needs of the arguments."""

    read: Read
    given: Given
