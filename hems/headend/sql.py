"""What SQLite and PostgreSQL both know but SQLAlchemy writes by each one's own construct."""

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from hems.headend.models import Base

Insert = postgresql.Insert | sqlite.Insert


def insert(connection: Connection | AsyncConnection, table: type[Base]) -> Insert:
    """Return an INSERT that can also update, or do nothing, where the key is there already.

    Args:
        connection: Where it will run.
        table: Into which.
    """
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
