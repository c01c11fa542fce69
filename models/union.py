"""A trade union as a node of the tree. (The class is TradeUnion: Python's own union is another word.)"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Id, Now, Path, words
from models.kinds import UnionKind, UnionStatus
from models.particulars import Particulars, employer_is_whole
from models.tally import TOP
from models.treepath import MAX_DEPTH, TreePath


class TradeUnion(Particulars, Base):
    """工会. Nothing becomes one before the union above has said yes."""

    __tablename__ = "trade_union"
    __table_args__ = (
        # Truth is parent_id; path is derived from it. These refuse a path that contradicts its
        # parent, an orphan and a cycle (a path of finite length that ends in one's own label and
        # starts with one's parent's whole path cannot lead back to oneself). Deferred, because
        # a move rewrites a subtree in one statement.
        ForeignKeyConstraint(
            ["parent_id", "parent_path"],
            ["trade_union.id", "trade_union.path"],
            name="fk_trade_union_parent",
            deferrable=True,
            initially="DEFERRED",
        ),
        CheckConstraint("subpath(path, -1, 1)::text = tree_label(id)", name="own_label"),
        CheckConstraint("(parent_id is null) = (nlevel(path) = 1)", name="root"),
        CheckConstraint(f"nlevel(path) <= {MAX_DEPTH + 1}", name="depth"),
        CheckConstraint("(kind = 'GRASSROOTS') = (employer_name is not null)", name="employer"),
        employer_is_whole(),
        CheckConstraint("(status = 'DISSOLVED') = (dissolved_at is not null)", name="dissolved"),
        # The parent's key: what the foreign key above refers to.
        UniqueConstraint("id", "path"),
        # A subtree is a range of this index: path >= X and path < X || '0' (storage/scope.py).
        Index("uq_trade_union_path", "path", unique=True, postgresql_include=["id", "kind", "status"]),
        # The few whose tallies are added up for those above them (storage/tallies.py).
        Index("ix_trade_union_top", "path", postgresql_where=f"nlevel(path) <= {TOP + 1} and kind = 'HIGHER_LEVEL'"),
        Index("ix_trade_union_parent_id_id", "parent_id", "id"),
        Index(
            "uq_trade_union_parent_id_name_key",
            "parent_id",
            "name_key",
            unique=True,
            postgresql_where="status = 'ACTIVE'",
            postgresql_nulls_not_distinct=True,
        ),
        Index("uq_trade_union_uscc", "uscc", unique=True, postgresql_where="status = 'ACTIVE'"),
        Index("ix_trade_union_name_key", "name_key"),
        # By pieces of its names and by what stands above it: storage/search.py. An expression and no column,
        # so it takes no room in the row, and the database alone keeps it true.
        Index(
            "ix_trade_union_search",
            text("union_search_keys(name_key, former_names, uscc, kind, region_code, nlevel(path))"),
            text("trim_array(ancestors, 1)"),
            postgresql_using="gin",
        ),
        # What a registration may repeat: storage/duplicates.py.
        Index("ix_trade_union_employer_uscc", "employer_uscc"),
        Index("ix_trade_union_region_code_employer_name", "region_code", "employer_name"),
    )

    id: Mapped[Id]
    parent_id: Mapped[int | None] = mapped_column(BigInteger)
    path: Mapped[TreePath] = mapped_column(Path)
    parent_path: Mapped[TreePath | None] = mapped_column(Path, Computed("subpath(path, 0, -1)", persisted=True))
    # The path once more, as `TreePath.ids`: the unions along the way, root first, this one last. A statement
    # asks it "at this depth, which union?"; in Python the path itself answers, so it is not loaded.
    ancestors: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), Computed("tree_ids(path)", persisted=True), deferred=True, deferred_raiseload=True
    )
    kind: Mapped[UnionKind] = mapped_column(words(UnionKind))
    status: Mapped[UnionStatus] = mapped_column(words(UnionStatus), default=UnionStatus.ACTIVE)
    # Indexed together with the employer's name, above.
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    # The name folded (models/text.py): unique among live siblings.
    name_key: Mapped[str]
    former_names: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    # On the card, for those who hold the code.
    contact_phone: Mapped[str | None]
    created_at: Mapped[Now]
    dissolved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def seal_name(self) -> str:
        return seal_name(self.id)

    @property
    def depth(self) -> int:
        return self.path.depth


def seal_name(union_id: int) -> str:
    """What binds a sealed ID number to the union with this id."""
    return f"trade_union:{union_id}"
