"""Bringing a store's file to the present revision with Alembic."""

from pathlib import Path

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from hems.store.sqlite import store_errors


def migrate(path: Path) -> None:
    """Migrate the file to the present revision, in one transaction: all of it or nothing.

    Blocks; call it in a thread.

    Raises:
        StoreError: SQLite refused; the file is as it was.
    """
    # Here and not above, because a start that needs no migration (all but the first) should not
    # pay a fifth of a second and 11 MB for it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    engine = create_engine(
        f"sqlite:///{path}", poolclass=NullPool, connect_args={"isolation_level": None}
    )
    event.listen(engine, "begin", begin)
    with store_errors(path), engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def begin(connection: Connection) -> None:
    """Open a real transaction: Python's sqlite3 leaves DDL and SELECT outside of one."""
    connection.exec_driver_sql("BEGIN")
