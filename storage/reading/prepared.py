"""A statement as text, made once and asked many times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import BindParameter, ClauseElement
from sqlalchemy.dialects.postgresql.asyncpg import PGCompiler_asyncpg, PGDialect_asyncpg


class _Compiler(PGCompiler_asyncpg):
    """Leaves as parameters only what differs from one asking to the next: what has a value now is a literal.

    A plan that holds for every value can then still use an index that is only about some rows, such as the
    pending ones.
    """

    def visit_bindparam(self, bindparam: BindParameter[Any], *args: Any, **kwargs: Any) -> Any:
        return super().visit_bindparam(  # type: ignore[no-untyped-call]
            bindparam, *args, **{**kwargs, "literal_binds": not bindparam.required}
        )


class _Dialect(PGDialect_asyncpg):
    statement_compiler = _Compiler
    supports_statement_cache = True


_DIALECT: Final = _Dialect()  # type: ignore[no-untyped-call]


class Prepared:
    """A statement with the names of its parameters, in their order."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled: Any = statement.compile(dialect=_DIALECT)
        self.text = str(compiled)
        self.names: tuple[str, ...] = tuple(compiled.positiontup or ())

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        return [values[name] for name in self.names]
