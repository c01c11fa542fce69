"""What the transport answers when nothing was executed: a code for programs, a sentence for people.

Every answer of the endpoint is a well-formed GraphQL response, these too: a mini-program sees any HTTP
status as a success and reads the body.
"""

import random
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from starlette.requests import Request

from models.errors import Unavailable
from models.locale import Locale, preferred


class Refusal(StrEnum):
    """Codes of top-level errors. What a person can mend is in a payload's `errors` instead."""

    BAD_REQUEST = "BAD_REQUEST"
    CSRF_PREVENTION = "CSRF_PREVENTION"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    RATE_LIMITED = "RATE_LIMITED"
    MISDIRECTED_REQUEST = "MISDIRECTED_REQUEST"
    ORIGIN_NOT_ALLOWED = "ORIGIN_NOT_ALLOWED"
    # from here on the HTTP request was well-formed and the fault is in the GraphQL request it carried
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    DOCUMENT_TOO_COMPLEX = "DOCUMENT_TOO_COMPLEX"
    PERSISTED_DOCUMENT_NOT_FOUND = "PERSISTED_DOCUMENT_NOT_FOUND"
    PERSISTED_DOCUMENT_REQUIRED = "PERSISTED_DOCUMENT_REQUIRED"
    OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    INSUFFICIENT_STORAGE = "INSUFFICIENT_STORAGE"
    INTERNAL = "INTERNAL"
    UNAVAILABLE = "UNAVAILABLE"


STATUS: Final[Mapping[str, int]] = {
    Refusal.BAD_REQUEST: 400,
    Refusal.CSRF_PREVENTION: 403,
    Refusal.METHOD_NOT_ALLOWED: 405,
    Refusal.NOT_ACCEPTABLE: 406,
    Refusal.REQUEST_TIMEOUT: 408,
    Refusal.PAYLOAD_TOO_LARGE: 413,
    Refusal.UNSUPPORTED_MEDIA_TYPE: 415,
    Refusal.RATE_LIMITED: 429,
    Refusal.MISDIRECTED_REQUEST: 421,
    Refusal.ORIGIN_NOT_ALLOWED: 403,
    Refusal.INTERNAL: 500,
    Refusal.INSUFFICIENT_STORAGE: 507,
    Refusal.UNAVAILABLE: 503,
}

# Of these the same request may be answered when it is sent again.
RETRYABLE: Final = frozenset({Refusal.REQUEST_TIMEOUT, Refusal.UNAVAILABLE})

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    Refusal.BAD_REQUEST: ("请求的格式不正确。", "The request is not well-formed."),
    Refusal.CSRF_PREVENTION: (
        "上传文件的请求须带有 Authorization 或 GraphQL-Preflight 请求头。",
        "An upload needs an Authorization or a GraphQL-Preflight header.",
    ),
    Refusal.METHOD_NOT_ALLOWED: ("不支持这种请求方法。", "This method is not allowed here."),
    Refusal.NOT_ACCEPTABLE: ("无法以所要求的格式作答。", "No answer can be given in a format that was asked for."),
    Refusal.REQUEST_TIMEOUT: (
        "请求未能及时传完，请重试。",
        "The request took too long to arrive; please try again.",
    ),
    Refusal.PAYLOAD_TOO_LARGE: ("请求的内容过大。", "The request is too large."),
    Refusal.UNSUPPORTED_MEDIA_TYPE: ("不支持这种内容格式。", "This kind of content is not supported."),
    Refusal.RATE_LIMITED: ("操作过于频繁，请稍后再试。", "Too many requests; please wait and try again."),
    Refusal.MISDIRECTED_REQUEST: ("请求的地址不属于本系统。", "The request is addressed to another site."),
    Refusal.ORIGIN_NOT_ALLOWED: ("不接受其他网站的网页发来的请求。", "Pages of other sites may not ask here."),
    Refusal.INSUFFICIENT_STORAGE: (
        "服务器存储空间不足，暂时无法上传，请稍后再试。",
        "The server has no room for uploads now; please try again later.",
    ),
    Refusal.INTERNAL: ("系统出错，请稍后再试。", "Something went wrong; please try again later."),
    Refusal.UNAVAILABLE: (
        "系统繁忙，请稍后再试。",
        "This cannot be answered just now; please try again in a moment.",
    ),
}

Sentence = Callable[[str, Request], str]


class Refused(Exception):  # noqa: N818 -- says what happened, as `Rejected` does
    """An HTTP request that is answered before anything is executed.

    `reason` is for the developer of the client: English, and never made of what the client sent.
    `status` is the code's own unless given.
    """

    def __init__(
        self,
        code: str,
        reason: str,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = str(code)
        self.reason = reason
        self.status = status or STATUS[code]
        self.headers = dict(headers or {})
        # What else a program may want to know.
        self.extensions = dict(extensions or {})


def bad(reason: str) -> Refused:
    """The commonest refusal, to be raised."""
    return Refused(Refusal.BAD_REQUEST, reason)


def not_now(unavailable: Unavailable) -> Refused:
    """The refusal of what may be answered in a moment; those who were refused at once do not all come back at once."""
    wait = {"retry-after": str(random.randint(1, 3))}  # noqa: S311 - spreads, hides nothing
    return Refused(Refusal.UNAVAILABLE, str(unavailable), headers=wait)


def sentence(code: str, request: Request) -> str:
    """What a refusal says, in the reader's language."""
    return in_language(code, preferred(request.headers.get("accept-language", "")))


def in_language(code: str, locale: Locale) -> str:
    chinese, english = SENTENCES[code]
    return english if locale is Locale.EN else chinese
