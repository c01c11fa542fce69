"""Sign-ins that end when nobody uses them and can be renewed, second factors, and what is used up of limits.

Safe while the old server runs: it writes sign-ins without the new columns, whose defaults let such a sign-in last as it
did before; it neither asks for a second factor nor counts attempts. So serve with the old and the new beside each other
no longer than the change takes. The defaults are constants, so that no table is written anew; `event` is read once.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

WORDS = (
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
)
NEW = ("account.secondFactorOn", "account.secondFactorOff", "account.signedOut")

UP = """
alter table session
    add column idle_at timestamptz not null default 'infinity',
    add column used_at timestamptz not null default now(),
    add column renewed_at timestamptz not null default now(),
    add column former_hash bytea,
    add column network bytea,
    add column program varchar,
    add column by_second_factor boolean not null default false;
create unique index ix_session_former_hash on session (former_hash) where former_hash is not null;
create table second_factor (
    account_id bigint constraint pk_second_factor primary key
        constraint fk_second_factor_account_id references account (id) on delete cascade,
    secret_sealed bytea not null,
    created_at timestamptz not null default now(),
    confirmed_at timestamptz,
    last_step bigint not null default 0
);
create table recovery_code (
    account_id bigint not null constraint fk_recovery_code_account_id references account (id) on delete cascade,
    code_hash bytea not null,
    used_at timestamptz,
    constraint pk_recovery_code primary key (account_id, code_hash)
);
create unlogged table throttle (
    key bytea constraint pk_throttle primary key,
    full_at timestamptz not null,
    granted integer not null
);
"""
DOWN = """
drop table throttle;
drop table recovery_code;
drop table second_factor;
drop index ix_session_former_hash;
alter table session
    drop column idle_at, drop column used_at, drop column renewed_at, drop column former_hash,
    drop column network, drop column program, drop column by_second_factor;
"""


def run(statements: str) -> None:
    op.execute("set local lock_timeout = '2s'")
    for statement in statements.split(";")[:-1]:
        op.execute(statement)


def allow(words: tuple[str, ...], unless: str = "") -> None:
    op.execute("alter table event drop constraint ck_event_happening")
    listed = ", ".join(f"'{word}'" for word in words)
    op.execute(f"alter table event add constraint ck_event_happening check (action in ({listed})) {unless}")


def upgrade() -> None:
    run(UP)
    allow((*WORDS, *NEW))


def downgrade() -> None:
    # What happened stays written, in words that the old server does not know.
    run(DOWN)
    allow(WORDS, unless="not valid")
