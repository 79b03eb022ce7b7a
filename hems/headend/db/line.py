"""A connection to PostgreSQL on which other workers' changes call. Needs `asyncpg`."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import asyncpg

from hems.headend.db.changes import CHANNEL
from hems.headend.db.postgresql import connect

_PATIENCE_S: Final = 5.0


class Line:
    """An open line. Use `Line.open`.

    Args:
        connection: To PostgreSQL.

    Attributes:
        up: Whether it still stands.
    """

    def __init__(self, connection: "asyncpg.Connection") -> None:
        self._connection = connection
        self.up = True

    @classmethod
    async def open(cls, url: str, called: Callable[[], None]) -> "Line":
        """Open a line.

        Args:
            url: Where the database is.
            called: Called when something has changed, and when the line has gone.

        Raises:
            OSError: PostgreSQL cannot be reached, or lets nobody in.
        """
        try:
            connection = await connect(url)
            line = cls(connection)

            def gone(_connection: object) -> None:
                line.up = False
                called()

            connection.add_termination_listener(gone)
            await connection.add_listener(CHANNEL, lambda *_: called())
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise ConnectionError(str(error)) from error
        return line

    async def close(self) -> None:
        """Hang up."""
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await self._connection.close(timeout=_PATIENCE_S)
