"""What reading at national size needs: each row's ancestors, queues by depth, and counts that are kept.

Why it is safe while the old server runs: it is not. The tables are rewritten, and an old server does not know
that a registration says where the union applied to stands. Stop it first; 2.8 million unions take minutes.
"""

from typing import NamedTuple

import sqlalchemy as sa
from alembic import op
from sqlalchemy_utils import LtreeType

revision = "0002"
down_revision = "0001"

MAX_DEPTH = 16
# Unions of depth 0 and 1 have no counts of all below them (models/tally.py).
TOP = 2

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


# Where each union stands, to be written into the registrations that are there already.
PATH_OF = """
create function pg_temp.path_of(union_id bigint) returns ltree language sql stable as
$$ select path from trade_union where id = union_id $$
"""

CHILDREN = {"children_grassroots": "kind = 'GRASSROOTS'", "children_higher_level": "kind = 'HIGHER_LEVEL'"}
BELOW = {
    "grassroots": "kind = 'GRASSROOTS' and status = 'ACTIVE'",
    "higher_level": "kind = 'HIGHER_LEVEL' and status = 'ACTIVE'",
}
APPLIED = {state.lower(): f"status = '{state}'" for state in ("PENDING", "APPROVED", "REJECTED")}
COUNTS = [*CHILDREN, *BELOW, *APPLIED]


class Counted(NamedTuple):
    """A table whose rows are counted: under which place, and which of them in which column."""

    table: str
    place: str
    columns: dict[str, str]

    def sums(self, source: str) -> str:
        """A SELECT of how much each count changes, by place, where one does. `source` has the rows with a sign."""
        sums = ", ".join(
            f"coalesce(sum(sign) filter (where {which}), 0) as {name}" for name, which in self.columns.items()
        )
        changes = " or ".join(f"{name} <> 0" for name in self.columns)
        return f"""
            select * from (select {self.place} as place, {sums} from ({source}) counted group by {self.place}) summed
             where place <> '{{}}' and ({changes})"""

    def note(self, source: str) -> str:
        names = ", ".join(self.columns)
        return f"""
            insert into tally_change (first, place, {names})
            select row_number() over () = 1
                   and not exists (select from tally_change where transaction_id = txid_current()),
                   place, {names}
              from ({self.sums(source)}) changed"""


UNIONS = Counted("trade_union", "trim_array(ancestors, 1)", {**CHILDREN, **BELOW})
REGISTRATIONS = Counted("registration", "ancestors", APPLIED)


# A plan made while tally_change was empty would read the whole of it, which is thousands of dead rows an hour later.
BY_INDEX = "set enable_seqscan = off"


def note_counts(of: Counted) -> str:
    """The trigger function that notes, once a statement, what it changed in the counts."""
    gone = "select *, -1 as sign from gone"
    came = "select *, 1 as sign from came"
    # A union that is gone has nothing below it, so nothing waits to be added to its tally.
    forget = "delete from tally using gone where tally.union_id = gone.id;" if of is UNIONS else ""
    return f"""
create function note_{of.table}_counts() returns trigger language plpgsql {BY_INDEX} as $$
begin
    if tg_op = 'INSERT' then {of.note(came)};
    elsif tg_op = 'UPDATE' then {of.note(f"{gone} union all {came}")};
    else {of.note(gone)};
        {forget}
    end if;
    return null;
end $$
"""


TRANSITIONS = {
    "insert": "new table as came",
    "update": "old table as gone new table as came",
    "delete": "old table as gone",
}


def note_trigger(table: str, event: str) -> str:
    return (
        f"create trigger note_{event} after {event} on {table} referencing {TRANSITIONS[event]} "
        f"for each statement execute function note_{table}_counts()"
    )


def added_up(changes: str) -> str:
    """A SELECT of what `changes`, by place, come to for each union along these places that keeps the count."""
    sums = ", ".join(
        f"coalesce(sum({name}) filter (where nearest), 0) as {name}" if name in CHILDREN else f"sum({name}) as {name}"
        for name in COUNTS
    )
    return f"""
    select union_id, {sums}
      from (
        select place[level] as union_id, level = cardinality(place) as nearest, {", ".join(COUNTS)}
          from ({changes}) change, generate_subscripts(place, 1) as level
         where level > {TOP} or level = cardinality(place)
      ) along
     group by union_id
"""


# Once a transaction, at its very end: nobody waits longer than a commit takes. All in one statement and in the
# order of ids: who waits for one row holds none that comes after it, so no two wait for each other.
FOLD = f"""
create function fold_tally_changes() returns trigger language plpgsql {BY_INDEX} as $$
begin
    with change as (delete from tally_change where transaction_id = txid_current() returning *),
    summed as ({added_up("table change")})
    insert into tally as kept (union_id, {", ".join(COUNTS)})
    select summed.* from summed join trade_union on trade_union.id = union_id
     where ({", ".join(COUNTS)}) <> ({", ".join("0" for _ in COUNTS)})
     order by union_id
    on conflict (union_id) do update set {", ".join(f"{name} = kept.{name} + excluded.{name}" for name in COUNTS)};
    return null;
end $$
"""
ALL_CHANGES = f"""
    select place, {", ".join([*UNIONS.columns, *("0 as " + name for name in REGISTRATIONS.columns)])}
      from ({UNIONS.sums("select *, 1 as sign from trade_union")}) counted
    union all
    select place, {", ".join([*("0" for _ in UNIONS.columns), *REGISTRATIONS.columns])}
      from ({REGISTRATIONS.sums("select *, 1 as sign from registration")}) counted
"""
# For what is there before the triggers are, and for whoever went past them. Nobody may write meanwhile: what they
# noted would be added to a count that has it already.
RECOUNT = f"""
create function recount_tallies() returns void language plpgsql as $$
begin
    lock table trade_union, registration in share mode;
    delete from tally;
    insert into tally (union_id, {", ".join(COUNTS)}) {added_up(ALL_CHANGES)};
end $$
"""
FOLD_TRIGGER = """
create constraint trigger fold after insert on tally_change deferrable initially deferred
for each row when (new.first) execute function fold_tally_changes()
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute(TREE_IDS)
    _add_ancestors()
    _add_queues()
    _add_tallies()


def _add_ancestors() -> None:
    op.add_column("trade_union", _ancestors("path"))
    op.create_index(
        "ix_trade_union_top",
        "trade_union",
        ["path"],
        postgresql_where=f"nlevel(path) <= {TOP + 1} and kind = 'HIGHER_LEVEL'",
    )
    # Of three million rows: 35 s for writing the table anew, where an UPDATE of each took almost four minutes.
    op.execute(PATH_OF)
    op.add_column("registration", sa.Column("parent_path", LtreeType(), nullable=True))
    op.execute("alter table registration alter parent_path type ltree using pg_temp.path_of(parent_id)")
    op.alter_column("registration", "parent_path", nullable=False)
    op.add_column("registration", _ancestors("parent_path"))
    op.create_check_constraint(op.f("ck_registration_depth"), "registration", f"nlevel(parent_path) <= {MAX_DEPTH}")
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


def _add_queues() -> None:
    for depth in range(MAX_DEPTH):
        above = f"(ancestors[{depth + 1}])"
        op.create_index(
            f"ix_registration_queue_{depth}",
            "registration",
            [sa.text(above), "submitted_at", "id"],
            postgresql_where=f"status = 'PENDING' and {above} is not null",
        )


def _add_tallies() -> None:
    op.create_table(
        "tally",
        sa.Column("union_id", sa.BigInteger(), autoincrement=False, nullable=False),
        *_counts(),
        sa.PrimaryKeyConstraint("union_id", name=op.f("pk_tally")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "tally_change",
        sa.Column("transaction_id", sa.BigInteger(), server_default=sa.text("txid_current()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("first", sa.Boolean(), nullable=False),
        sa.Column("place", sa.ARRAY(sa.BigInteger()), nullable=False),
        *_counts(),
        sa.PrimaryKeyConstraint("transaction_id", "id", name=op.f("pk_tally_change")),
    )
    op.execute(FOLD)
    op.execute(FOLD_TRIGGER)
    op.execute(RECOUNT)
    op.execute("select recount_tallies()")
    for of in (UNIONS, REGISTRATIONS):
        op.execute(note_counts(of))
        for event in TRANSITIONS:
            op.execute(note_trigger(of.table, event))


def _counts() -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False) for name in COUNTS]


def downgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for of in (UNIONS, REGISTRATIONS):
        for event in TRANSITIONS:
            op.execute(f"drop trigger note_{event} on {of.table}")
        op.execute(f"drop function note_{of.table}_counts")
    op.drop_table("tally_change")
    op.drop_table("tally")
    op.execute("drop function fold_tally_changes")
    op.execute("drop function recount_tallies")
    op.drop_constraint("fk_registration_parent", "registration")
    op.create_foreign_key(op.f("fk_registration_parent_id"), "registration", "trade_union", ["parent_id"], ["id"])
    op.drop_column("registration", "ancestors")  # and the indexes and the CHECK on it with it
    op.drop_column("registration", "parent_path")
    op.drop_index("ix_trade_union_top", "trade_union")
    op.drop_column("trade_union", "ancestors")
    op.execute("drop function tree_ids")
