"""The registry: people, the tree, invites, registrations and what happened.

The first migration; nothing runs beside it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy_utils import LtreeType

revision = "0001"
down_revision = None

# The label of a union in the tree: its id in base 36 (models/treepath.py says the same in Python).
TREE_LABEL = """
create function tree_label(id bigint) returns text
language plpgsql immutable strict parallel safe as $$
declare
    label text := '';
begin
    while id > 0 loop
        label := substr('0123456789abcdefghijklmnopqrstuvwxyz', (id % 36)::int + 1, 1) || label;
        id := id / 36;
    end loop;
    return label;
end $$
"""

# Rounds, decisions and events are only ever added; whoever asks for anything else has a bug or an intention.
REFUSE_CHANGE = """
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is only ever added to', tg_table_name using errcode = 'restrict_violation';
end $$
"""
FROZEN = ("submission", "review", "event")


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("create extension if not exists ltree")
    op.execute(TREE_LABEL)
    op.execute(REFUSE_CHANGE)
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("real_name", sa.String(), nullable=False),
        sa.Column("real_name_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("phone", name=op.f("uq_account_phone")),
    )
    op.create_table(
        "region",
        sa.Column("code", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("parent_code", sa.String(length=6), nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.CheckConstraint("code ~ '^[1-9][0-9]{5}$'", name=op.f("ck_region_six_digits")),
        sa.ForeignKeyConstraint(["parent_code"], ["region.code"], name=op.f("fk_region_parent_code")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_region")),
    )
    op.create_index(op.f("ix_region_parent_code"), "region", ["parent_code"], unique=False)
    op.create_table(
        "certificate",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("uploaded_by", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("byte_size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_certificate_sha256")),
        sa.CheckConstraint("byte_size > 0 and width > 0 and height > 0", name=op.f("ck_certificate_sizes")),
        sa.ForeignKeyConstraint(["uploaded_by"], ["account.id"], name=op.f("fk_certificate_uploaded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
    )
    op.create_index(op.f("ix_certificate_sha256"), "certificate", ["sha256"], unique=False)
    op.create_index(op.f("ix_certificate_uploaded_by"), "certificate", ["uploaded_by"], unique=False)
    op.create_table(
        "idempotency_key",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_idempotency_key_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_session_account_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_session_token_hash")),
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"], unique=False)
    op.create_table(
        "trade_union",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("path", LtreeType(), nullable=False),
        sa.Column("parent_path", LtreeType(), sa.Computed("subpath(path, 0, -1)", persisted=True), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "GRASSROOTS", "HIGHER_LEVEL", name="unionkind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum("ACTIVE", "DISSOLVED", name="unionstatus", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("former_names", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("contact_phone", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("dissolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=True),
        sa.Column("employer_name", sa.String(), nullable=True),
        sa.Column("employer_uscc", sa.String(), nullable=True),
        sa.Column("employer_address", sa.String(), nullable=True),
        sa.Column("employer_contact_name", sa.String(), nullable=True),
        sa.Column("employer_contact_phone", sa.String(), nullable=True),
        sa.Column("employer_staff_count", sa.Integer(), nullable=True),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("region_code", sa.String(length=6), nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(kind = 'GRASSROOTS') = (employer_name is not null)", name=op.f("ck_trade_union_employer")),
        sa.CheckConstraint(
            "(status = 'DISSOLVED') = (dissolved_at is not null)", name=op.f("ck_trade_union_dissolved")
        ),
        sa.CheckConstraint("(parent_id is null) = (nlevel(path) = 1)", name=op.f("ck_trade_union_root")),
        sa.CheckConstraint("nlevel(path) <= 17", name=op.f("ck_trade_union_depth")),
        sa.CheckConstraint("subpath(path, -1, 1)::text = tree_label(id)", name=op.f("ck_trade_union_own_label")),
        sa.CheckConstraint(
            "num_nulls(employer_name, employer_uscc, employer_address, employer_contact_phone) in (0, 4)",
            name=op.f("ck_trade_union_employer_whole"),
        ),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_trade_union_certificate_id")),
        sa.ForeignKeyConstraint(
            ["parent_id", "parent_path"],
            ["trade_union.id", "trade_union.path"],
            name="fk_trade_union_parent",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_trade_union_region_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trade_union")),
        sa.UniqueConstraint("id", "path", name=op.f("uq_trade_union_id_path")),
    )
    op.create_index(op.f("ix_trade_union_certificate_id"), "trade_union", ["certificate_id"], unique=False)
    op.create_index(op.f("ix_trade_union_id_number_index"), "trade_union", ["id_number_index"], unique=False)
    op.create_index("ix_trade_union_name_key", "trade_union", ["name_key"], unique=False)
    op.create_index("ix_trade_union_parent_id_id", "trade_union", ["parent_id", "id"], unique=False)
    op.create_index(op.f("ix_trade_union_region_code"), "trade_union", ["region_code"], unique=False)
    op.create_index(
        "uq_trade_union_parent_id_name_key",
        "trade_union",
        ["parent_id", "name_key"],
        unique=True,
        postgresql_where="status = 'ACTIVE'",
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(
        "uq_trade_union_path", "trade_union", ["path"], unique=True, postgresql_include=["id", "kind", "status"]
    )
    op.create_index("uq_trade_union_uscc", "trade_union", ["uscc"], unique=True, postgresql_where="status = 'ACTIVE'")
    op.create_table(
        "appointment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("union_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "ADMINISTRATOR",
                "REVIEWER",
                "ANALYST",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appointed_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_appointment_account_id")),
        sa.ForeignKeyConstraint(["appointed_by"], ["account.id"], name=op.f("fk_appointment_appointed_by")),
        sa.ForeignKeyConstraint(["union_id"], ["trade_union.id"], name=op.f("fk_appointment_union_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
    )
    op.create_index("ix_appointment_account_id", "appointment", ["account_id"], unique=False)
    op.create_index("ix_appointment_appointed_by", "appointment", ["appointed_by"], unique=False)
    op.create_index("ix_appointment_union_id", "appointment", ["union_id"], unique=False)
    op.create_index(
        "uq_appointment",
        "appointment",
        ["union_id", "account_id", "role"],
        unique=True,
        postgresql_where="ended_at is null",
    )
    op.create_table(
        "invite",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("union_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("token ~ '^[0-9A-Za-z_-]{22,30}$'", name=op.f("ck_invite_token")),
        sa.CheckConstraint("max_uses > 0", name=op.f("ck_invite_max_uses")),
        sa.CheckConstraint("uses >= 0 and (max_uses is null or uses <= max_uses)", name=op.f("ck_invite_uses")),
        sa.ForeignKeyConstraint(["created_by"], ["account.id"], name=op.f("fk_invite_created_by")),
        sa.ForeignKeyConstraint(["union_id"], ["trade_union.id"], name=op.f("fk_invite_union_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invite")),
        sa.UniqueConstraint("token", name=op.f("uq_invite_token")),
    )
    op.create_index(op.f("ix_invite_created_by"), "invite", ["created_by"], unique=False)
    op.create_index(op.f("ix_invite_union_id"), "invite", ["union_id"], unique=False)
    op.create_table(
        "registration",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=False),
        sa.Column("applicant_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "GRASSROOTS", "HIGHER_LEVEL", name="unionkind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "PENDING",
                "APPROVED",
                "REJECTED",
                "WITHDRAWN",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column(
            "entry_route",
            sa.Enum(
                "WECHAT_SCAN",
                "APP_SCAN",
                "SEARCH",
                name="entryroute",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("invite_id", sa.BigInteger(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("union_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(status = 'APPROVED') = (union_id is not null)", name=op.f("ck_registration_union")),
        sa.CheckConstraint("round >= 1", name=op.f("ck_registration_round")),
        sa.ForeignKeyConstraint(["applicant_id"], ["account.id"], name=op.f("fk_registration_applicant_id")),
        sa.ForeignKeyConstraint(["invite_id"], ["invite.id"], name=op.f("fk_registration_invite_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["trade_union.id"], name=op.f("fk_registration_parent_id")),
        sa.ForeignKeyConstraint(["union_id"], ["trade_union.id"], name=op.f("fk_registration_union_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
        sa.UniqueConstraint("union_id", name=op.f("uq_registration_union_id")),
    )
    op.create_index("ix_registration_applicant_id", "registration", ["applicant_id", "id"], unique=False)
    op.create_index(op.f("ix_registration_invite_id"), "registration", ["invite_id"], unique=False)
    op.create_index("ix_registration_parent_id", "registration", ["parent_id"], unique=False)
    op.create_index(
        "ix_registration_pending",
        "registration",
        ["parent_id", "submitted_at", "id"],
        unique=False,
        postgresql_where="status = 'PENDING'",
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "action",
            sa.Enum(
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
                name="happening",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("union_id", sa.BigInteger(), nullable=True),
        sa.Column("path", LtreeType(), nullable=True),
        sa.Column("registration_id", sa.BigInteger(), nullable=True),
        sa.Column("details", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["account.id"], name=op.f("fk_event_actor_id")),
        sa.ForeignKeyConstraint(["registration_id"], ["registration.id"], name=op.f("fk_event_registration_id")),
        sa.ForeignKeyConstraint(["union_id"], ["trade_union.id"], name=op.f("fk_event_union_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_actor_id", "event", ["actor_id"], unique=False)
    op.create_index("ix_event_path", "event", ["path"], unique=False)
    op.create_index("ix_event_registration_id", "event", ["registration_id"], unique=False)
    op.create_index("ix_event_union_id", "event", ["union_id", "id"], unique=False)
    op.create_table(
        "review",
        sa.Column("registration_id", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "decision",
            sa.Enum("APPROVE", "REJECT", name="decision", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("opinion", sa.String(), nullable=True),
        sa.Column("field_opinions", JSONB(), nullable=False),
        sa.Column("reviewer_id", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("decision <> 'REJECT' or opinion is not null", name=op.f("ck_review_opinion")),
        sa.ForeignKeyConstraint(["registration_id"], ["registration.id"], name=op.f("fk_review_registration_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["account.id"], name=op.f("fk_review_reviewer_id")),
        sa.PrimaryKeyConstraint("registration_id", "round", name=op.f("pk_review")),
    )
    op.create_index(op.f("ix_review_reviewer_id"), "review", ["reviewer_id"], unique=False)
    op.create_table(
        "submission",
        sa.Column("registration_id", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("uscc", sa.String(), nullable=True),
        sa.Column("employer_name", sa.String(), nullable=True),
        sa.Column("employer_uscc", sa.String(), nullable=True),
        sa.Column("employer_address", sa.String(), nullable=True),
        sa.Column("employer_contact_name", sa.String(), nullable=True),
        sa.Column("employer_contact_phone", sa.String(), nullable=True),
        sa.Column("employer_staff_count", sa.Integer(), nullable=True),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("region_code", sa.String(length=6), nullable=False),
        sa.Column("certificate_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "num_nulls(employer_name, employer_uscc, employer_address, employer_contact_phone) in (0, 4)",
            name=op.f("ck_submission_employer_whole"),
        ),
        sa.ForeignKeyConstraint(["certificate_id"], ["certificate.id"], name=op.f("fk_submission_certificate_id")),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name=op.f("fk_submission_region_code")),
        sa.ForeignKeyConstraint(["registration_id"], ["registration.id"], name=op.f("fk_submission_registration_id")),
        sa.PrimaryKeyConstraint("registration_id", "round", name=op.f("pk_submission")),
    )
    op.create_index(op.f("ix_submission_certificate_id"), "submission", ["certificate_id"], unique=False)
    op.create_index(op.f("ix_submission_id_number_index"), "submission", ["id_number_index"], unique=False)
    op.create_index(op.f("ix_submission_region_code"), "submission", ["region_code"], unique=False)
    for table in FROZEN:
        op.execute(
            f"create trigger {table}_is_frozen before update or delete on {table} "
            "for each row execute function refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("submission")
    op.drop_table("review")
    op.drop_table("event")
    op.drop_table("registration")
    op.drop_table("invite")
    op.drop_table("appointment")
    op.drop_table("trade_union")
    op.drop_table("session")
    op.drop_table("idempotency_key")
    op.drop_table("certificate")
    op.drop_table("region")
    op.drop_table("account")
    op.execute("drop function refuse_change")
    op.execute("drop function tree_label")
    # ltree stays: it may have been there before.
