"""A disk that is full for a while: the hub's store can grow no more, as SQLite itself says."""

from typing import Final

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, Pool, PoolProxiedConnection

from hems.store.cipher import DRIVER

_FULL: Final = 1
"""SQLite takes this for as many pages as there are."""
_ROOM: Final = 1 << 30


class Disk:
    """The disk under the hub's store; the utility's is another one.

    Attributes:
        full: Whether it is.
    """

    def __init__(self) -> None:
        self.full = False
        event.listen(Pool, "checkout", self._limit)

    def close(self) -> None:
        """Have it be an ordinary disk."""
        event.remove(Pool, "checkout", self._limit)

    def _limit(
        self, connection: DBAPIConnection, _: ConnectionPoolEntry, __: PoolProxiedConnection
    ) -> None:
        if isinstance(connection, DRIVER.Connection):
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA max_page_count={_FULL if self.full else _ROOM}")
            cursor.close()
