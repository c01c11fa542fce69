"""Uploads: the GraphQL multipart request specification, held to one file, in any order of the parts.

wx.uploadFile sends exactly one file and some text fields, in an order it does not document:
`name: '0', formData: {operations: '…', map: '{"0": ["variables.file"]}'}`.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final, NoReturn

import strawberry
from graphql import GraphQLError
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from strawberry.types.scalar import ScalarDefinition
from typing_extensions import override

from schema.body import chunks, linger
from schema.parameters import Parameters, decode, well_formed
from schema.refusals import Refusal, Refused, bad
from storage.files import FULL

PREFLIGHT: Final = "graphql-preflight"
BEARER: Final = re.compile(r"bearer +[^ ]", re.IGNORECASE)
INDEX: Final = re.compile(r"0|[1-9][0-9]{0,4}")


def taken(value: object) -> UploadFile:
    """The file that the transport put in place of a null; a JSON value is never one."""
    if not isinstance(value, UploadFile):
        raise GraphQLError("Upload takes a file of a multipart request.")
    return value


def refuse(*_: object) -> NoReturn:
    raise GraphQLError("Upload is given as a variable, and never returned.")


UPLOAD: Final = strawberry.scalar(
    name="Upload",
    description="随 multipart 请求上传的一个文件。 One file of a multipart request, given as a variable.",
    serialize=refuse,
    parse_value=taken,
    parse_literal=refuse,
)
# For StrawberryConfig.scalar_map: a resolver's argument is annotated with what it really gets.
SCALARS: Final[Mapping[object, ScalarDefinition]] = {UploadFile: UPLOAD}


def refuse_forgeries(headers: Headers) -> None:
    """Demand a header that a page of another site cannot send unasked.

    A form on any web page can post multipart/form-data here with the visitor's cookie. What it cannot do
    is set a header: the browser would ask this server first (CORS), and this server never agrees.

    Raises:
        Refused: CSRF_PREVENTION.
    """
    if not headers.get(PREFLIGHT, "").strip() and not BEARER.match(headers.get("authorization", "")):
        raise Refused(Refusal.CSRF_PREVENTION, f"send Authorization: Bearer … or a non-empty {PREFLIGHT} header")


@asynccontextmanager
async def uploaded(request: Request, max_body: int, max_upload: int) -> AsyncIterator[Parameters]:
    """The parameters of a multipart request, whose file is open for as long as this context is.

    Text fields may have `max_body` bytes each, the file `max_upload`, all together the sum of the two; no more of
    any is read than that.

    Raises:
        Refused: CSRF_PREVENTION (before the body is read), PAYLOAD_TOO_LARGE, BAD_REQUEST.
    """
    refuse_forgeries(request.headers)
    try:
        async with aclosing(chunks(max_body + max_upload, request)) as stream:
            form = await WholeForm(request.headers, stream, max_body, max_upload).parse()
    except MultiPartException as error:
        if "exceeded maximum size" in error.message:
            await linger(request.receive, max_body)
            reason = f"operations and map have at most {max_body} bytes, a file {max_upload}"
            raise Refused(Refusal.PAYLOAD_TOO_LARGE, reason, headers={"connection": "close"}) from None
        raise bad("not a multipart form of operations, map and at most one file") from None
    except OSError as error:  # of a larger file, which is kept on the disk while it arrives
        if error.errno not in FULL:
            raise
        raise Refused(Refusal.INSUFFICIENT_STORAGE, "no room to keep the file while it arrives") from None
    try:
        yield assembled(form)
    finally:
        await form.close()


class WholeForm(MultiPartParser):
    """Starlette's parser, which by itself takes a form that breaks off and leaves its file open.

    It also decodes a field that is not UTF-8 as Latin-1 without saying so. Told that everything is Latin-1
    it changes nothing: each character is a byte, and `decode` finds out whether they are UTF-8. And it bounds
    fields, but no file.
    """

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes, None], max_field: int, max_file: int) -> None:
        super().__init__(headers, stream, max_files=1, max_fields=2, max_part_size=max_field)
        self.ended = False
        self.file_left = max_file

    @override
    def on_part_begin(self) -> None:
        self._charset = "latin-1"
        super().on_part_begin()

    @override
    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._current_part.file is not None:
            self.file_left -= end - start
            if self.file_left < 0:
                raise MultiPartException("The file exceeded maximum size.")
        super().on_part_data(data, start, end)

    @override
    def on_end(self) -> None:
        self.ended = True

    @override
    async def parse(self) -> FormData:
        form = await super().parse()
        if not self.ended:
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("the form breaks off")
        return form


def assembled(form: FormData) -> Parameters:
    """The operation of this form, with its file where `map` says.

    Raises:
        Refused: BAD_REQUEST.
    """
    parts = form.multi_items()
    if len({name for name, _ in parts}) != len(parts):
        raise bad("two parts have the same name")
    fields = {name: value.encode("latin-1") for name, value in parts if isinstance(value, str)}
    files = {name.encode("latin-1"): value for name, value in parts if isinstance(value, UploadFile)}
    if fields.keys() != {"operations", "map"}:
        raise bad("the text fields are operations and map")
    operations = well_formed(decode(fields["operations"], "operations"))
    for file in files.values():
        file.filename = (file.filename or "").encode("latin-1").decode("utf-8", "replace")
    place(files, decode(fields["map"], "map"), operations)
    return operations


def place(files: Mapping[bytes, UploadFile], places: object, operations: Parameters) -> None:
    """Put each file where its name in `map` leads.

    Raises:
        Refused: BAD_REQUEST.
    """
    if not isinstance(places, dict):
        raise bad("map must be an object")
    if {str(name).encode() for name in places} != files.keys():
        raise bad("map must name the file that is sent, and no other")
    for name, paths in places.items():
        if not isinstance(paths, list) or not paths:
            raise bad("map must give each file a list of paths")
        for path in paths:
            put(files[name.encode()], path, operations)


def put(file: UploadFile, path: object, operations: Parameters) -> None:
    """Replace the null at `path`.

    Raises:
        Refused: BAD_REQUEST, where there is no null or the path leads elsewhere than into the variables.
    """
    root, *steps = path.split(".") if isinstance(path, str) else [""]
    if root != "variables" or not steps:
        raise bad("a path in map is a string that leads into variables")
    holder: Any = operations.variables
    for step in steps[:-1]:
        holder = holder[key(holder, step)]
    last = key(holder, steps[-1])
    if holder[last] is not None:
        raise bad("a path in map must lead to a null")
    holder[last] = file


def key(holder: object, step: str) -> str | int:
    """`step` as a key of this object or an index into this list.

    Raises:
        Refused: BAD_REQUEST, where there is nothing under it.
    """
    if isinstance(holder, dict) and step in holder:
        return step
    if isinstance(holder, list) and INDEX.fullmatch(step) and int(step) < len(holder):
        return int(step)
    raise bad("a path in map leads nowhere")
