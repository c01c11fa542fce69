"""Words for what imports and exports leave behind.

Safe while the old server runs: it writes none but the old words, which the new constraint takes as well. It cannot
list an event with a new one: import and export when every worker is new. The table is read once, under the lock.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

OLD = (
    "union.founded",
    "account.created",
    "account.passwordSet",
    "appointment.made",
    "appointment.ended",
    "invite.created",
    "invite.revoked",
    "registration.submitted",
    "registration.resubmitted",
    "registration.withdrawn",
    "registration.approved",
    "registration.rejected",
    "idNumber.revealed",
)
NEW = (*OLD, "union.imported", "union.exported")


def allow(words: tuple[str, ...], unless: str = "") -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("alter table event drop constraint ck_event_happening")
    listed = ", ".join(f"'{word}'" for word in words)
    op.execute(f"alter table event add constraint ck_event_happening check (action in ({listed})) {unless}")


def upgrade() -> None:
    allow(NEW)


def downgrade() -> None:
    # What happened stays written, in words that the old server does not know.
    allow(OLD, unless="not valid")
