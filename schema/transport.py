"""GraphQL over HTTP: the endpoint of a schema, after the specification of that name.

Why a page of another site cannot act with a visitor's cookie: a mutation needs POST, and a POST needs
`application/json`, which no form can send and no script can without this server's leave (CORS), or a
multipart form with a header of which the same is true (see `multipart.refuse_forgeries`).
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import orjson
import strawberry
from graphql import GraphQLError, GraphQLFormattedError, OperationDefinitionNode, OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types import ExecutionResult

from models.errors import Unavailable
from schema.asked import Asked, finding
from schema.body import in_time, whole
from schema.faults import classify, describe, is_request_error, raise_unavailable
from schema.limits import DEFAULTS, Limits, too_complex
from schema.multipart import uploaded
from schema.negotiation import GRAPHQL_RESPONSE, JSON, answer_type, request_type
from schema.parameters import Parameters, decode, from_query_string, well_formed
from schema.refusals import RETRYABLE, STATUS, Refusal, Refused, Sentence, not_now, sentence
from schema.requests import QuickRequest
from schema.trusted import Trusted
from storage.deadlines import operation

log = logging.getLogger(__name__)

MIB: Final = 2**20

# An answer depends on who asks, and is nobody's to keep. Vary says the rest to a cache that keeps it anyway.
HEADERS: Final = {
    media_type: [
        (b"content-type", f"{media_type}; charset=utf-8".encode()),
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept, Accept-Language, Authorization, Cookie"),
        (b"x-content-type-options", b"nosniff"),
    ]
    for media_type in (JSON, GRAPHQL_RESPONSE)
}

OpenContext = Callable[[Request], AbstractAsyncContextManager[Any]]
Present = Callable[[GraphQLError, Any], GraphQLFormattedError]
# Why who asks may not see the schema, or None.
Introspection = Callable[[Any], GraphQLError | None]


class Endpoint:
    """An ASGI application that answers GraphQL requests.

    `open_context` gives what resolvers get as their context, and is not called for a request that is
    refused before execution; it may itself raise Refused. `max_upload` is the largest file, in bytes.
    `introspection` says who may not see the schema; all may by default.
    An answer may take so many `seconds` once the request is there; time is up for none if there are none.
    `refusal` says a refusal in the reader's language; `present` tells an error of an execution, which
    `faults.describe` does by default.
    """

    kind: type[Asked] = Asked

    def __init__(  # noqa: PLR0913 -- most are settings, given by keyword
        self,
        schema: strawberry.Schema,
        open_context: OpenContext,
        *,
        limits: Limits = DEFAULTS,
        max_body: int = MIB,
        max_upload: int = 10 * MIB,
        refusal: Sentence | None = None,
        present: Present | None = None,
        introspection: Introspection | None = None,
        trusted: Trusted | None = None,
        seconds: float | None = None,
    ) -> None:
        self.schema = schema
        self.open_context = open_context
        self.limits = limits
        self.max_body = max_body
        self.max_upload = max_upload
        self.refusal = refusal or sentence
        self.present = present
        self.introspection = introspection
        self.trusted = trusted or Trusted()
        self.asked = finding(self.kind, schema, limits)
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = QuickRequest(scope, receive, send)
        response = await self.respond(request)
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """The answer to any request whatever; never raises."""
        media_type = JSON
        try:
            refuse_other_methods(request)
            media_type = answer_type(request.headers)
            with in_time() as deadline:
                if request.method == "GET":
                    parameters = from_query_string(request.scope["query_string"])
                    return await self.run(request, parameters, media_type, deadline)
                if request_type(request.headers) == JSON:
                    body = decode(await whole(self.max_body, request), "the body")
                    return await self.run(request, well_formed(body), media_type, deadline)
                async with uploaded(request, self.max_body, self.max_upload) as parameters:
                    return await self.run(request, parameters, media_type, deadline)
        except (Refused, Unavailable) as refused:
            if isinstance(refused, Unavailable):
                log.warning("request %s: %s", request_id(request), refused)
                refused = not_now(refused)
            return self.refuse(request, refused, media_type)
        except ClientDisconnect:  # nobody is left to read this
            return self.refuse(request, Refused(Refusal.BAD_REQUEST, "the request broke off"), media_type)
        except Exception:
            log.exception("request %s failed", request_id(request))
            return self.refuse(request, Refused(Refusal.INTERNAL, "a fault of the server"), media_type)

    async def run(self, request: Request, parameters: Parameters, media_type: str, deadline: operation) -> Response:
        """Execute a well-formed request; a document that cannot be run opens no context."""
        deadline.start(self.seconds)
        try:
            parameters = self.trusted.named(parameters)
            asked = self.asked(parameters.query, parameters.operation_name)
            refuse_out_of_place(asked.node, request.method)
        except GraphQLError as error:
            return self.answer({"errors": [self.tell(error, request)]}, media_type)
        price = asked.price
        cost, most = price.of(parameters.variables), self.limits.cost
        extensions = {"cost": {"requested": cost, "limit": most}}
        if cost > most:
            errors = [self.tell(too_complex("cost", most, requested=cost), request)]
            return self.answer({"errors": errors, "extensions": extensions}, media_type)
        data = None if price.introspects else await self.quick(request, parameters, asked)
        if data is not None:
            told = b',"extensions":{"cost":{"requested":%d,"limit":%d}}}' % (cost, most)
            return respond_with(b"".join([b'{"data":', *data, told]), 200, media_type)
        async with self.open_context(request) as context:
            refused = self.introspection(context) if price.introspects and self.introspection else None
            if refused:
                return self.answer({"errors": [self.tell(refused, request)], "extensions": extensions}, media_type)
            result = await self.execute(parameters, asked, context)
            raise_unavailable(result)
            errors = [
                self.present(error, context) if self.present else self.tell(error, request)
                for error in classify(result)
            ]
        return self.answer(written(result, errors, extensions), media_type)

    async def quick(self, request: Request, parameters: Parameters, asked: Any) -> list[bytes] | None:
        """The `data` of an answer without errors, in pieces, if there is a quicker way to it than to execute."""
        return None

    async def execute(self, parameters: Parameters, asked: Any, context: object) -> ExecutionResult:
        """The result of one query or mutation."""
        return await self.schema.execute(
            parameters.query,
            variable_values=parameters.variables,
            operation_name=asked.node.name.value if asked.node.name else None,
            operation_extensions=parameters.extensions,
            context_value=context,
        )

    def tell(self, error: GraphQLError, request: Request) -> GraphQLFormattedError:
        return describe(error, masked=self.refusal(Refusal.INTERNAL, request), request_id=request_id(request))

    def answer(self, body: Mapping[str, Any], media_type: str) -> Response:
        """The response with this body; a full disk, and a fault that left no data, show in either media type."""
        status = 200
        codes = {error.get("extensions", {}).get("code") for error in body.get("errors", ())}
        if Refusal.INSUFFICIENT_STORAGE in codes:
            status = STATUS[Refusal.INSUFFICIENT_STORAGE]
        elif "data" not in body:
            status = 500 if Refusal.INTERNAL in codes else 400 if media_type == GRAPHQL_RESPONSE else 200
        return respond_with(orjson.dumps(body), status, media_type)

    def refuse(self, request: Request, refused: Refused, media_type: str) -> Response:
        extensions: dict[str, object] = {"code": refused.code, "reason": refused.reason, **refused.extensions}
        if refused.code in RETRYABLE:
            extensions["retryable"] = True
        if refused.code == Refusal.INTERNAL:
            extensions = {"code": refused.code, "requestId": request_id(request)}
        error = {"message": self.refusal(refused.code, request), "extensions": extensions}
        return respond_with(orjson.dumps({"errors": [error]}), refused.status, media_type, refused.headers)


def refuse_other_methods(request: Request) -> None:
    """Raises: Refused, METHOD_NOT_ALLOWED."""
    if request.method not in {"GET", "POST"}:
        raise Refused(Refusal.METHOD_NOT_ALLOWED, "use GET or POST", headers={"allow": "GET, POST"})


def refuse_out_of_place(operation: OperationDefinitionNode, method: str) -> None:
    """An operation must suit the way it came.

    Raises:
        Refused: METHOD_NOT_ALLOWED, for a mutation by GET, which any link could run.
        GraphQLError: BAD_REQUEST, for a subscription: this endpoint gives one answer.
    """
    if operation.operation is OperationType.SUBSCRIPTION:
        reason = "A subscription is not served here."
        raise GraphQLError(reason, operation, extensions={"code": Refusal.BAD_REQUEST})
    if operation.operation is OperationType.MUTATION and method == "GET":
        raise Refused(Refusal.METHOD_NOT_ALLOWED, "a mutation needs POST", headers={"allow": "POST"})


def written(
    result: ExecutionResult, errors: list[GraphQLFormattedError], extensions: Mapping[str, Any]
) -> dict[str, Any]:
    """The response map: errors first, as the specification would have it, and no `data` if nothing ran."""
    body: dict[str, Any] = {"errors": errors} if errors else {}
    if not is_request_error(result):
        body["data"] = result.data
    body["extensions"] = {**(result.extensions or {}), **extensions}
    return body


def respond_with(body: bytes, status: int, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(body, status, headers)
    response.raw_headers += HEADERS[media_type]
    return response


def request_id(request: Request) -> str:
    """What a middleware called this request, to be found in the log by."""
    return str(getattr(request.state, "request_id", "-"))
