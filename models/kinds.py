"""The few words that tables, rules and the API share."""

from __future__ import annotations

from enum import StrEnum


class UnionKind(StrEnum):
    """基层工会 has an employer and takes no children; 基层以上工会 takes children and reviews them."""

    GRASSROOTS = "GRASSROOTS"
    HIGHER_LEVEL = "HIGHER_LEVEL"


class UnionStatus(StrEnum):
    ACTIVE = "ACTIVE"
    DISSOLVED = "DISSOLVED"


class TreeScope(StrEnum):
    """Children alone, or everything below."""

    DIRECT = "DIRECT"
    SUBTREE = "SUBTREE"


class EntryRoute(StrEnum):
    """How the applicant came: WeChat's scanner, the app's scanner, or a search without a code."""

    WECHAT_SCAN = "WECHAT_SCAN"
    APP_SCAN = "APP_SCAN"
    SEARCH = "SEARCH"


class InviteStatus(StrEnum):
    OPEN = "OPEN"
    EXPIRED = "EXPIRED"
    EXHAUSTED = "EXHAUSTED"
    REVOKED = "REVOKED"
