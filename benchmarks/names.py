"""What things and people are called: made up, in a shape that people would believe.

Every name is a function of a number, so that the same tree is planted everywhere and any row can be made alone.
"""

from __future__ import annotations

from typing import Final

SYLLABLES: Final = (
    "宏达鑫源盛泰华瑞恒丰金龙海天东方新科永兴广信安康美佳德联创富利嘉诚顺通正大百川云锦松柏梧桐青山绿水明月清风长江珠岭"
)
_TRADES: Final = (
    "电子纺织物流食品软件机械造船家具建材化工印刷包装服装玩具五金塑料陶瓷汽车医药"
    "餐饮酒店商贸建筑园林环保能源电力通信文化教育"
)
TRADES: Final = [_TRADES[start : start + 2] for start in range(0, len(_TRADES), 2)]
FORMS: Final = ("有限公司", "股份有限公司", "集团有限公司", "厂", "制造有限公司", "科技有限公司", "实业有限公司")
STREETS: Final = ("街道", "镇", "街道", "镇", "乡")
INDUSTRIES: Final = ("铁路", "金融", "电力", "邮政", "民航", "海员", "建设", "石油", "通信", "教科卫体")
SURNAMES: Final = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹"
GIVEN: Final = "芳静伟洋敏强磊军艳勇杰娟涛明超霞平刚丽辉玲桂英建华文斌波宇"

_PAIRS: Final = len(SYLLABLES) ** 2
_EMPLOYERS: Final = _PAIRS * len(TRADES) * len(FORMS)
# Without a common factor with the number of employers, steps of this length meet each of them once.
_STEP: Final = 104_729


def employer(place: str, ordinal: int, salt: int) -> str:
    """An employer in a place; no two ordinals below half a million give the same one under one salt."""
    pick = (ordinal * _STEP + salt * 31_337) % _EMPLOYERS
    pick, form = divmod(pick, len(FORMS))
    pair, trade = divmod(pick, len(TRADES))
    return f"{place}{_pair(pair)}{TRADES[trade]}{FORMS[form]}"


def street(ordinal: int) -> str:
    """A street or a town; its ordinal is its number among its siblings."""
    return f"{_pair(ordinal * 61 + 7)}{STREETS[ordinal % len(STREETS)]}"


def person(ordinal: int) -> str:
    given, surname = divmod(ordinal, len(SURNAMES))
    second, first = divmod(given, len(GIVEN))
    return f"{SURNAMES[surname]}{GIVEN[first]}{GIVEN[second % len(GIVEN)] if second else ''}"


def place(division: str) -> str:
    """How a division is named inside of other names: 深圳 for 深圳市."""
    return division[:-1] if len(division) > 2 and division[-1] in "省市区县" else division


def _pair(number: int) -> str:
    """Two syllables; every pair once before the first comes again."""
    second, first = divmod(number % _PAIRS, len(SYLLABLES))
    return SYLLABLES[first] + SYLLABLES[second]
