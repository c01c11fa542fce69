"""What every table shares: naming of constraints, and the column types of this trade."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Identity, MetaData, func
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlalchemy_utils import Ltree, LtreeType

from models.treepath import TreePath

EnumType = TypeVar("EnumType", bound=StrEnum)


class Base(DeclarativeBase):
    # Named, so that a migration can drop what an earlier one made, and so that a violated
    # constraint can be told to a person (storage/database.py).
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Path(TypeDecorator[TreePath]):
    """An ltree column that holds a TreePath."""

    impl = LtreeType
    cache_ok = True

    def process_bind_param(self, value: TreePath | None, dialect: Dialect) -> Ltree | None:
        # LtreeType binds an Ltree, not a str.
        return None if value is None else Ltree(str(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> TreePath | None:
        return None if value is None else TreePath.parse(value.path)


def words(kind: type[EnumType]) -> TypeEngine[EnumType]:
    """A column that holds the words of an enum, as text with a CHECK.

    Not PostgreSQL's enum type: a word is added to a CHECK in one transaction, and dropped as well.
    """
    column: TypeEngine[Any] = Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=kind.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )
    return column


Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
At = Annotated[datetime, mapped_column(DateTime(timezone=True))]
# The database's clock, not the server's: several servers agree on it.
Now = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
