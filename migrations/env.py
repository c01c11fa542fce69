"""Runs the migrations over the connection it is handed (storage/migrations.py)."""

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy_utils import LtreeType

from models.tables import metadata

# Or autogenerate does not know what an ltree column is.
ischema_names["ltree"] = LtreeType

connection: Connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
