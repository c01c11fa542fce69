"""疑似重复: unions that a registration may be a second time, and what makes them look like it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Likeness(StrEnum):
    """What a registration and a union have in common; the strongest first."""

    SAME_USCC = "SAME_USCC"
    SAME_LEGAL_PERSON = "SAME_LEGAL_PERSON"
    SAME_EMPLOYER = "SAME_EMPLOYER"
    SIMILAR_NAME = "SIMILAR_NAME"


# Two names in one division are similar from this share on: Sørensen-Dice over neighbouring letters of what
# tells a name from others (0003 has the SQL). 华强电子 and 华强电器 reach 0.67, 华强电子 and 华南电子 0.33.
SIMILAR: Final = 0.6

# Of each kind of likeness, and of all together.
MOST: Final = 20
