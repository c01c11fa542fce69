"""Media types: which one a request is in, and which one to answer in.

The two kinds of answer differ in more than the label. `application/json` is for clients that came before
the specification and is sent with 200 whenever the request was understood, whatever came of it;
`application/graphql-response+json` is sent with 4xx when the operation could not be executed.
"""

import re
from functools import lru_cache
from typing import Final

from starlette.datastructures import Headers

from schema.refusals import Refusal, Refused

JSON: Final = "application/json"
GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
MULTIPART: Final = "multipart/form-data"

# Clients are of few kinds, and each sends the same header every time.
KEPT: Final = 64

QUALITY: Final = re.compile(r"[01](?:\.[0-9]*)?")


def parsed(header: str) -> tuple[str, dict[str, str]]:
    """A media type in lower case, and its parameters."""
    name, *parameters = (part.strip() for part in header.split(";"))
    pairs = (parameter.partition("=") for parameter in parameters)
    return name.lower(), {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}


def weighed(accept: str) -> dict[str, float]:
    """The media ranges of an Accept header with their q; a range whose q cannot be read is left out."""
    ranges = {}
    for item in accept.split(","):
        name, parameters = parsed(item)
        quality = parameters.get("q", "1")
        if name and QUALITY.fullmatch(quality):
            ranges[name] = float(quality)
    return ranges


def answer_type(headers: Headers) -> str:
    """The media type to answer in, by headers whose lines of one name are joined (QuickRequest).

    Raises:
        Refused: NOT_ACCEPTABLE.
    """
    accept = headers.get("accept")
    return JSON if accept is None else preferred_of(accept)


@lru_cache(KEPT)
def preferred_of(accept: str) -> str:
    """The media type that an Accept header prefers.

    What is asked for by name goes before what a wildcard lets through, and the newer type before the older;
    a wildcard alone, or no Accept at all, comes from a client that knows of no newer type. A client that
    would also take an event stream (urql says so on every request) gets a plain answer all the same.

    Raises:
        Refused: NOT_ACCEPTABLE.
    """
    if not accept.strip():
        return JSON
    ranges = weighed(accept)

    def rank(media_type: str) -> tuple[float, bool, bool]:
        named = media_type in ranges
        found = next((ranges[name] for name in (media_type, "application/*", "*/*") if name in ranges), 0.0)
        return found, named, named == (media_type == GRAPHQL_RESPONSE)

    best = max((JSON, GRAPHQL_RESPONSE), key=rank)
    if rank(best)[0] == 0:
        raise Refused(Refusal.NOT_ACCEPTABLE, f"answers are {GRAPHQL_RESPONSE} or {JSON}")
    return best


def request_type(headers: Headers) -> str:
    """The media type of a body that can be read: JSON or MULTIPART, in UTF-8, not compressed.

    Raises:
        Refused: UNSUPPORTED_MEDIA_TYPE.
    """
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(Refusal.UNSUPPORTED_MEDIA_TYPE, "a compressed body is not taken")
    return readable(headers.get("content-type", ""))


@lru_cache(KEPT)
def readable(content_type: str) -> str:
    """Raises: Refused, UNSUPPORTED_MEDIA_TYPE."""
    media_type, parameters = parsed(content_type)
    if media_type not in {JSON, MULTIPART}:
        raise Refused(Refusal.UNSUPPORTED_MEDIA_TYPE, f"Content-Type must be {JSON} or {MULTIPART}")
    if parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise Refused(Refusal.UNSUPPORTED_MEDIA_TYPE, "the charset must be utf-8")
    return media_type
