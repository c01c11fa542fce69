"""Proofs of keys, and photos that were erased.

Safe while the old server runs: a column that may be null, and a table that it does not know. It goes on serving; what
it makes meanwhile has no proof of its key, and is looked at when the next server starts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006a"
down_revision = "0005"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.create_table(
        "key_proof",
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("proof", sa.LargeBinary(length=32), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("purpose", "name", name=op.f("pk_key_proof")),
    )
    op.add_column("certificate", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.drop_column("certificate", "erased_at")
    op.drop_table("key_proof")
