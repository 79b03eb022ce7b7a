"""What Alembic runs for each command; the connection is the caller's.

Where the caller has a transaction open (SQLite), all revisions are part of it; else (PostgreSQL)
each has one of its own, and what a fleet's long tables have gone through need not be done again.
"""

from alembic import context

given = context.config.attributes
context.configure(
    connection=given["connection"],
    version_table=given["table"],
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
