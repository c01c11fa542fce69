"""Our own code as syntax trees, for the tests that hold it to the laws of the house."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
LAYERS: Final = ("models", "storage", "resolvers", "schema", "web")
# Names at the top level, modules and packages alike.
OURS: Final = (
    *LAYERS,
    *("tests", "migrations", "benchmarks", "faults", "server", "serving", "commands", "console", "upkeep"),
)


def _python_files() -> Iterator[Path]:
    for name in OURS:
        yield from sorted((ROOT / name).rglob("*.py"))
    yield from sorted(ROOT.glob("*.py"))


# By path from the root, such as `models/union.py`.
SOURCES: Final[dict[str, ast.Module]] = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
    for path in _python_files()
    if "node_modules" not in path.parts
}
ASIDE: Final = ("tests/", "migrations/", "benchmarks/", "faults/")
PRODUCTION: Final = {name: tree for name, tree in SOURCES.items() if not name.startswith(ASIDE)}
