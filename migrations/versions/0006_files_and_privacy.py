"""Erasing what was refused or withdrawn: what its triggers allow, and the event that tells of it.

Safe while the old server runs: triggers that allow more than before, and one more word. The index keeps writers of
events waiting while it is built, which with 3 million is some seconds. Of what is read all the time this locks one
table from readers, as the two before it do: a reader of two would hold the one and wait for the other.
"""

from alembic import op

revision = "0006"
down_revision = "0006b"

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
    "union.imported",
    "union.exported",
    "account.secondFactorOn",
    "account.secondFactorOff",
    "account.signedOut",
)
NEW = (*OLD, "registration.erased")

# A round stays as it was submitted, but for two things: its number may be sealed anew, under another key; and once
# its registration is marked as erased, what it states may be taken out. Nothing can be put in its place.
SUBMISSION = """
create function refuse_change_of_submission() returns trigger language plpgsql as $$
declare
    sealed constant text[] := '{id_number_sealed,id_number_index}';
    before constant jsonb := to_jsonb(old);
    after constant jsonb := to_jsonb(new);
begin
    if after - sealed = before - sealed and num_nulls(new.id_number_sealed, new.id_number_index) = 0
       and num_nulls(old.id_number_sealed, old.id_number_index) = 0
       and new.id_number_sealed <> old.id_number_sealed then
        return new;
    end if;
    if exists (select from registration where id = old.registration_id and erased_at is not null)
       and not exists (select from jsonb_each(after) stated
                        where stated.value <> 'null' and stated.value <> before -> stated.key) then
        return new;
    end if;
    raise exception '% is only ever added to', tg_table_name using errcode = 'restrict_violation';
end $$
"""
REVIEW = """
create function refuse_change_of_review() returns trigger language plpgsql as $$
declare
    words constant text[] := '{opinion,field_opinions}';
begin
    if to_jsonb(new) - words = to_jsonb(old) - words and new.opinion is not distinct from left(old.opinion, 0)
       and new.field_opinions = '[]'
       and exists (select from registration where id = old.registration_id and erased_at is not null) then
        return new;
    end if;
    raise exception '% is only ever added to', tg_table_name using errcode = 'restrict_violation';
end $$
"""


def allow(words: tuple[str, ...], unless: str = "") -> None:
    op.execute("alter table event drop constraint ck_event_happening")
    listed = ", ".join(f"'{word}'" for word in words)
    op.execute(f"alter table event add constraint ck_event_happening check (action in ({listed})) {unless}")


def freeze(table: str, function: str, events: str) -> None:
    op.execute(
        f"create or replace trigger {table}_is_frozen before {events} on {table} "
        f"for each row execute function {function}()"
    )


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute(SUBMISSION)
    op.execute(REVIEW)
    freeze("submission", "refuse_change_of_submission", "update")
    freeze("review", "refuse_change_of_review", "update")
    for table in ("submission", "review"):
        op.execute(
            f"create trigger {table}_is_kept before delete on {table} for each row execute function refuse_change()"
        )
    op.create_index("ix_event_reveal", "event", ["path", "id"], postgresql_where="action = 'idNumber.revealed'")
    allow(NEW)


def downgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for table in ("submission", "review"):
        op.execute(f"drop trigger {table}_is_kept on {table}")
        freeze(table, "refuse_change", "update or delete")
    op.execute("drop function refuse_change_of_submission")
    op.execute("drop function refuse_change_of_review")
    # What happened stays written, in words that the old server does not know.
    allow(OLD, unless="not valid")
    op.drop_index("ix_event_reveal", "event")
