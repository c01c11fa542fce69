"""What reading at national size needs: each row's ancestors.

Why it is safe while the old server runs: it is not. The tables are rewritten, and an old server does not know
that a registration says where the union applied to stands. Stop it first; 2.8 million unions take minutes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy_utils import LtreeType

revision = "0002"
down_revision = "0001"

# The unions along a path, root first (models/treepath.py says the same in Python): labels are ids in base 36.
# By bytes: 6 µs for six labels, where taking letters out of a text takes 10.
TREE_IDS = """
create function tree_ids(path ltree) returns bigint[]
language plpgsql immutable strict parallel safe as $$
declare
    letters constant bytea := convert_to(path::text, 'UTF8');
    letter int;
    id bigint := 0;
    ids bigint[] := '{}';
begin
    for place in 0 .. length(letters) - 1 loop
        letter := get_byte(letters, place);
        if letter = ascii('.') then
            ids := ids || id;
            id := 0;
        else
            id := id * 36 + letter - case when letter <= ascii('9') then ascii('0') else ascii('a') - 10 end;
        end if;
    end loop;
    return ids || id;
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute(TREE_IDS)
    _add_ancestors()


def _add_ancestors() -> None:
    op.add_column("trade_union", _ancestors("path"))
    op.add_column("registration", sa.Column("parent_path", LtreeType(), nullable=True))
    op.execute("update registration r set parent_path = u.path from trade_union u where u.id = r.parent_id")
    op.alter_column("registration", "parent_path", nullable=False)
    op.add_column("registration", _ancestors("parent_path"))
    op.create_check_constraint(op.f("ck_registration_depth"), "registration", "nlevel(parent_path) <= 16")
    op.drop_constraint("fk_registration_parent_id", "registration")
    op.create_foreign_key(
        "fk_registration_parent",
        "registration",
        "trade_union",
        ["parent_id", "parent_path"],
        ["id", "path"],
        onupdate="CASCADE",
    )


def _ancestors(path: str) -> sa.Column[list[int]]:
    return sa.Column(
        "ancestors", sa.ARRAY(sa.BigInteger()), sa.Computed(f"tree_ids({path})", persisted=True), nullable=False
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.drop_constraint("fk_registration_parent", "registration")
    op.create_foreign_key(op.f("fk_registration_parent_id"), "registration", "trade_union", ["parent_id"], ["id"])
    op.drop_column("registration", "ancestors")
    op.drop_column("registration", "parent_path")
    op.drop_column("trade_union", "ancestors")
    op.execute("drop function tree_ids")
