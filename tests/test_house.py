"""The laws of the house. A law without a checker decays: each of these says what to do instead."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

import pytest

from tests.sources import OURS, PRODUCTION, ROOT, SOURCES

LONGEST_FILE: Final = 400
LONGEST_FUNCTION: Final = 60
CLOCKS: Final = {
    *(("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today")),
    ("date", "today"),
}
VAGUE: Final = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}


def _offenders(
    breaks: Callable[[ast.AST], bool], among: Mapping[str, ast.Module], but_for: tuple[str, ...] = ()
) -> list[str]:
    """Where the law is broken, as `file:line`."""
    return [
        f"{name}:{getattr(node, 'lineno', 1)}"
        for name, tree in among.items()
        if name not in but_for
        for node in ast.walk(tree)
        if breaks(node)
    ]


# ── sizes and names ──────────────────────────────────────────────────────────────────────────


def test_files_are_short_enough_to_hold_one_idea() -> None:
    lengths = {name: (ROOT / name).read_text(encoding="utf-8").count("\n") for name in SOURCES}
    long = [f"{name} has {lines} lines" for name, lines in lengths.items() if lines > LONGEST_FILE]
    assert [one for one in long if not one.startswith("migrations/")] == [], (
        f"A file of more than {LONGEST_FILE} lines holds two ideas: give the second one a file and a name."
    )


def test_functions_are_short_enough_to_read() -> None:
    long = [
        f"{name}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for name, tree in SOURCES.items()
        # A migration lists tables; the manual is one story from the first scan to the last approval.
        if not name.startswith(("migrations/", "tests/test_manual.py"))
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == [], f"A function of more than {LONGEST_FUNCTION} lines does several things: name each of them."


def test_every_module_is_called_by_what_it_is_about() -> None:
    vague = [name for name in SOURCES if VAGUE & {*Path(name).parts[:-1], Path(name).stem}]
    assert vague == [], "A name that could stand on anything says nothing: call it by what it holds."


def test_every_package_has_its_init() -> None:
    # Alembic loads migrations by their path; as a package they could be imported by mistake.
    folders = {Path(name).parent for name in SOURCES if not name.startswith("migrations/")} - {Path()}
    bare = sorted(str(folder) for folder in folders if not (ROOT / folder / "__init__.py").exists())
    assert bare == [], "Without __init__.py mypy and import-linter pass a folder by in silence: add an empty one."


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of distributions with odd metadata
def test_no_installed_distribution_owns_our_names() -> None:
    owners = packages_distributions()
    taken = {name: owners[name] for name in OURS if name in owners}
    assert taken == {}, "Which one is imported would depend on where Python is started: rename ours or drop theirs."


# ── who does what ────────────────────────────────────────────────────────────────────────────


def test_nobody_else_commits() -> None:
    def commits(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"commit", "begin", "begin_nested"}
        )

    found = _offenders(commits, PRODUCTION, but_for=("storage/database.py", "storage/migrations.py"))
    assert found == [], (
        "A transaction is a mutation's: `async with ctx.working()` or `db.writing()` commits when the block ends "
        "well. Whoever commits inside of it leaves half of the work behind when the rest is refused."
    )


def test_nobody_else_filters_by_path() -> None:
    def filters(node: ast.AST) -> bool:
        if isinstance(node, ast.Compare):
            ranges = any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops)
            sides = (node.left, *node.comparators)
            return ranges and any(isinstance(side, ast.Attribute) and side.attr == "path" for side in sides)
        if isinstance(node, ast.Attribute):
            return node.attr in {"descendant_of", "ancestor_of", "lquery", "ltxtquery"}
        return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(re.search("<@|@>", node.value))

    found = _offenders(filters, PRODUCTION, but_for=("storage/scope.py",))
    assert found == [], (
        "Who sees which rows is said once: take `within` or `reachable` from storage/scope.py. A second filter is "
        "a second permission rule, and the test that holds scope.py to models/permissions.py does not see it."
    )


def test_nobody_asks_the_servers_clock() -> None:
    def asks(node: ast.AST) -> bool:
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            return False
        return (node.value.id, node.attr) in CLOCKS

    # A birth date is held against a day's grace; a draft's age against its own file system.
    found = _offenders(asks, PRODUCTION, but_for=("models/identifiers.py", "storage/files.py"))
    assert found == [], (
        "What expires does so by the database's clock, which all servers share: compare with `now()` in the statement, "
        "or with `SignedIn.at`. A server whose clock is an hour off must not open or close anything."
    )


def _imported(node: ast.AST) -> set[str]:
    """The modules that an import statement names, as far as they are ours."""
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").partition(".")[0]}
    return set()


def test_nobody_imports_the_composition_root() -> None:
    command_line = ("commands.py", "console.py", "serving.py")
    found = _offenders(lambda node: "server" in _imported(node), PRODUCTION, but_for=command_line)
    assert found == [], "server.py puts everything together; whoever imports it goes round in a circle."


def test_the_server_knows_its_command_line_only_when_it_is_run() -> None:
    main = SOURCES["server.py"].body[-1]
    assert isinstance(main, ast.If) and ast.unparse(main.test) == "__name__ == '__main__'"
    inside = {id(node) for node in ast.walk(main)}
    found = _offenders(lambda node: "commands" in _imported(node) and id(node) not in inside, PRODUCTION)
    found += _offenders(lambda node: "console" in _imported(node), PRODUCTION, but_for=("commands.py", "upkeep.py"))
    assert found == [], "`uvicorn --factory server:create_app` must not load a command line: import it when run."


def test_nobody_imports_the_tests() -> None:
    found = _offenders(lambda node: "tests" in _imported(node), PRODUCTION)
    assert found == [], "What the server needs does not lie among its tests."


# ── what is published ────────────────────────────────────────────────────────────────────────

REGISTRY: Final = re.compile(
    r"\b(?:[\w-]+\.)*(?:pythonhosted|pypi|npmjs|npmmirror|yarnpkg|jsdelivr|unpkg)\.\w+\b|//mirrors?\.|--(?:extra-)?index-url"
)
MACHINE: Final = re.compile(r"(?<![\w.])/(?:root|home|Users|work)/[\w.]|\b[A-Z]:\\+Users")


def _published() -> list[Path]:
    """What git tracks, and what it would take at the next commit."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so nothing says which files are published")
    asked = [git, "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


@pytest.mark.parametrize(
    ("pattern", "lesson"),
    [
        (REGISTRY, "An address of a registry binds everyone to it, and to ours it may be a mirror nobody else has."),
        (MACHINE, "A path of one machine is wrong on every other: make it relative, or a setting."),
    ],
    ids=["registry", "machine"],
)
def test_files_name_no_registry_and_no_machine(pattern: re.Pattern[str], lesson: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _published()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == [], lesson
