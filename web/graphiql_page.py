"""GraphiQL from our own origin: the page at /graphiql and its assets, as `make graphiql` built them."""

import os
from pathlib import Path
from typing import Final

import anyio
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from typing_extensions import override

WEB: Final = Path(__file__).parent
DIST: Final = WEB / "graphiql" / "dist"
NOT_BUILT: Final = WEB / "templates" / "graphiql_not_built.html"

# Nothing from anywhere else and no script in the page. Styles alone may be inline: Monaco places
# every line and cursor with them, and its fonts and some icons are data: URIs in its style sheet.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",  # the page names its assets by their hashes, so it must be fresh
}
ASSET_HEADERS: Final = {
    # Of Monaco's workers, which are scripts with a policy of their own.
    "content-security-policy": "default-src 'none'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "public, max-age=31536000, immutable",
}


async def graphiql(_request: Request) -> Response:
    """The page; where it has not been built, 503 with a page that says how to.

    503 and not 200: what was asked for is not there, and a probe of this address should see that.
    """
    built = DIST / "index.html"
    if await anyio.Path(built).is_file():
        return FileResponse(built, headers=PAGE_HEADERS)
    return FileResponse(NOT_BUILT, status_code=503, headers=PAGE_HEADERS)


class BuiltAssets(StaticFiles):
    """Files whose names change with what is in them: a browser may keep them for good."""

    @override
    async def check_config(self) -> None:
        """A page that is not built yet has no assets: each is a 404, not a fault."""

    @override
    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(ASSET_HEADERS)
        return response


def graphiql_routes() -> list[BaseRoute]:
    """What `server` mounts; the assets come first, since the longer path is the narrower one."""
    assets = BuiltAssets(directory=DIST / "assets", check_dir=False)
    return [Mount("/graphiql/assets", assets, name="graphiql-assets"), Route("/graphiql", graphiql)]
