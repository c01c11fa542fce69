"""What the server's role may do: the whole of it, table by table. It owns nothing and cannot alter the schema.

Whoever migrates grants; what is granted beyond this list is taken back. `select … for update` and `for share` ask
for the right to update some column: where nothing else is ever updated, it is one that does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, make_url, text

from storage.erasure import STATED

READ: Final = frozenset({"select"})
READ_AND_ADD: Final = READ | {"insert"}


def _columns(right: str, *names: str) -> frozenset[str]:
    return frozenset(f"{right} {name}" for name in names)


TABLES: Final[Mapping[str, frozenset[str]]] = {
    "account": READ_AND_ADD | _columns("update", "password_hash", "real_name_verified_at"),
    "alembic_version": READ,
    "appointment": READ_AND_ADD | _columns("update", "ended_at"),
    "certificate": READ_AND_ADD | {"delete"} | _columns("update", "sha256", "erased_at"),  # swept, erased
    # Neither its number nor its time: those are the database's.
    "event": READ | _columns("insert", "action", "actor_id", "union_id", "path", "registration_id", "details"),
    "event_link": READ_AND_ADD,
    "event_waiting": READ | {"delete"},
    "idempotency_key": READ_AND_ADD | {"delete"} | _columns("update", "subject_id"),
    "invite": READ_AND_ADD | _columns("update", "uses", "revoked_at"),
    "key_proof": READ_AND_ADD,
    "recovery_code": READ_AND_ADD | {"delete"} | _columns("update", "used_at"),
    "region": READ,
    "registration": READ_AND_ADD
    | _columns("update", "status", "round", "submitted_at", "decided_at", "union_id", "erased_at"),
    # Of the next two only what erasing takes out, and triggers see to it that nothing else is put there.
    "review": READ_AND_ADD | _columns("update", "opinion", "field_opinions"),
    "submission": READ_AND_ADD | _columns("update", *STATED),
    "second_factor": READ_AND_ADD
    | {"delete"}
    | _columns("update", "secret_sealed", "created_at", "confirmed_at", "last_step"),
    "session": READ_AND_ADD
    | {"delete"}
    | _columns(
        "update", "ended_at", "idle_at", "used_at", "renewed_at", "token_hash", "former_hash", "by_second_factor"
    ),
    "tally": READ,  # written by triggers, with their owner's rights
    "tally_change": frozenset(),
    "throttle": READ_AND_ADD | {"update", "delete"},
    "trade_union": READ_AND_ADD | _columns("update", "contact_phone"),  # to hold it
}
# Where the program takes a number before it writes the row.
SEQUENCES: Final[Mapping[str, frozenset[str]]] = {"trade_union_id_seq": frozenset({"usage"})}

_HELD: Final = """
select relname, lower(privilege_type)
  from pg_class cross join aclexplode(relacl)
 where relnamespace = current_schema()::regnamespace and grantee = cast(:role as text)::regrole
 union all
select relname, lower(privilege_type) || ' ' || attname
  from pg_class join pg_attribute on attrelid = pg_class.oid cross join aclexplode(attacl)
 where relnamespace = current_schema()::regnamespace and grantee = cast(:role as text)::regrole
"""
# What everybody may do by default. Temporary tables are how a function's names are led astray.
_NOBODY: Final = """
do $$ begin
    execute format('revoke create on schema %I from public', current_schema());
    execute format('revoke temporary on database %I from public', current_database());
end $$
"""


def role_of(url: str) -> str:
    """Whom this address signs in as."""
    return make_url(url).username or ""


def held(connection: Connection, role: str) -> dict[str, frozenset[str]]:
    """What has been granted to the role, by table or sequence; of a column as `update name`."""
    found: dict[str, set[str]] = {}
    for relation, right in connection.execute(
        text(_HELD), {"role": connection.dialect.identifier_preparer.quote(role)}
    ):
        found.setdefault(relation, set()).add(right)
    return {relation: frozenset(rights) for relation, rights in found.items()}


def grant(connection: Connection, role: str) -> None:
    """Grants to the role what the server needs, and takes back whatever else was granted. Again changes nothing."""
    if role == connection.scalar(text("select current_user")):
        return  # a single role for everything owns it all
    whom = connection.dialect.identifier_preparer.quote(role)
    before = held(connection, role)
    for kind, wanted in (("table", TABLES), ("sequence", SEQUENCES)):
        for name, rights in wanted.items():
            if rights == before.pop(name, frozenset()):
                continue
            connection.execute(text(f"revoke all on {kind} {name} from {whom}"))
            for right in sorted(rights):
                word, _, column = right.partition(" ")
                of = f"{word} ({column})" if column else word
                connection.execute(text(f"grant {of} on {kind} {name} to {whom}"))
    for name in before:
        connection.execute(text(f'revoke all on "{name}" from {whom}'))
    connection.execute(text(_NOBODY))
    connection.execute(text(f"grant usage on schema {_schema(connection)} to {whom}"))


def _schema(connection: Connection) -> str:
    name: str = connection.execute(text("select quote_ident(current_schema())")).scalar_one()
    return name
