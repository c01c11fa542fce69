"""Registrations that were erased.

Safe while the old server runs: a column that may be null. The index keeps registrations from readers and writers while
it is built, which with 3 million is some seconds.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006b"
down_revision = "0006a"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.add_column("registration", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    over = "status = 'REJECTED' or status = 'WITHDRAWN'"
    op.create_check_constraint(op.f("ck_registration_erased"), "registration", f"erased_at is null or {over}")
    op.create_index(
        "ix_registration_to_erase",
        "registration",
        ["submitted_at", "id"],
        postgresql_where=f"erased_at is null and ({over})",
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.drop_index("ix_registration_to_erase", "registration")
    op.drop_constraint("ck_registration_erased", "registration")
    op.drop_column("registration", "erased_at")
