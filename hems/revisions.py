"""Bringing a database's tables to the present revision with Alembic; the hub's and the utility's.

Alembic takes a fifth of a second and 11 MB: a start that needs no migration does without it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, select
from sqlalchemy.schema import CreateTable

from hems.on_demand import on_demand

if TYPE_CHECKING:
    from alembic import command
    from alembic import config as alembic_config
else:
    command = on_demand("alembic.command")
    alembic_config = on_demand("alembic.config")


@dataclass(frozen=True, slots=True)
class Revisions:
    """All revisions of one kind of database.

    Attributes:
        folder: Where they are, as Alembic has it: `env.py`, which takes "connection" and "table"
            from the configuration's attributes, and `versions/`.
        known: Their names, the oldest first; a test holds them and the folder together.
        table: Where a database keeps of which it is.
    """

    folder: Path
    known: tuple[str, ...]
    table: str = "alembic_version"

    @property
    def newest(self) -> str:
        """The present one."""
        return self.known[-1]

    def read(self, connection: Connection) -> str | None:
        """Return of which revision a database is that has the table; None where that is empty."""
        return connection.execute(select(self._table().c.version_num)).scalar_one_or_none()

    def stamp(self, connection: Connection, revision: str | None = None) -> None:
        """Write into a database that has not the table yet of which revision it is.

        Args:
            connection: The caller's, as is its transaction.
            revision: Which; the newest where left out.
        """
        table = self._table()
        connection.execute(CreateTable(table))
        connection.execute(insert(table).values(version_num=revision or self.newest))

    def upgrade(self, connection: Connection) -> None:
        """Bring a database to the newest revision; Alembic's log tells each as it begins.

        Args:
            connection: The caller's. A transaction that is open has all of it or nothing.
        """
        config = alembic_config.Config()
        # What follows a per cent sign would be taken for the name of another option.
        config.set_main_option("script_location", str(self.folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        config.attributes["table"] = self.table
        command.upgrade(config, "head")

    def _table(self) -> Table:
        return Table(self.table, MetaData(), Column("version_num", String(32), primary_key=True))
