"""Events that are chained, and rights that are apart: what the server's role may not do, triggers do for it.

Safe while the old server runs: it writes events as before, and a trigger notes them. The events that are there are
noted under the lock of that trigger, which lets readers on and keeps writers waiting: 2 s for a million.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# With the rights of their owner: the server's role writes no counts, and says of no event that it waits.
COUNTING = ("note_trade_union_counts()", "note_registration_counts()", "fold_tally_changes()")
FROZEN = ("submission", "review", "event", "event_link")

# Who may write everything, whatever was granted, is no server: the chain will say who it was.
NOTE_EVENTS = """
create function note_events() returns trigger language plpgsql as $$
begin
    insert into event_waiting (event_id, stranger)
    select id, case when pg_has_role(session_user, 'pg_write_all_data', 'member') then session_user end from came;
    return null;
end $$
"""
NOTE_TRIGGER = """
create trigger note_insert after insert on event referencing new table as came
for each statement execute function note_events()
"""
# The names in these functions are of this schema, whatever search path and temporary tables their caller has.
AS_OWNER = """
do $$ begin execute format('alter function {} security definer set search_path = %I, pg_temp', current_schema()); end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.create_table(
        "event_link",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("stranger", sa.String(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_event_link")),
        sa.UniqueConstraint("event_id", name=op.f("uq_event_link_event_id")),
    )
    op.create_table(
        "event_waiting",
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stranger", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event_waiting")),
    )
    op.execute(
        "create trigger event_link_is_frozen before update or delete on event_link "
        "for each row execute function refuse_change()"
    )
    for table in FROZEN:
        op.execute(
            f"create trigger {table}_is_not_emptied before truncate on {table} "
            "for each statement execute function refuse_change()"
        )
    op.execute(NOTE_EVENTS)
    for function in (*COUNTING, "note_events()"):
        op.execute(AS_OWNER.format(function))
    op.execute(NOTE_TRIGGER)
    op.execute("insert into event_waiting (event_id) select id from event")


def downgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("drop trigger note_insert on event")
    op.execute("drop function note_events")
    for function in COUNTING:
        op.execute(f"alter function {function} security invoker reset search_path")
    for table in FROZEN:
        op.execute(f"drop trigger {table}_is_not_emptied on {table}")
    op.drop_table("event_waiting")
    op.drop_table("event_link")
