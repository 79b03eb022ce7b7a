"""Connections to PostgreSQL: to whichever of several servers takes writes. Needs `asyncpg`."""

import re
from typing import Final

import asyncpg

_CONNECT_S: Final = 5.0
_STUCK_S: Final = 120.0
"""After which a statement is given up: a server that has fallen off the network says nothing."""
_PASSWORD: Final = re.compile(r"(?<=:)[^:@/]+(?=@)")


async def connect(url: str, **settings: str) -> "asyncpg.Connection":
    """Connect to the first of the address's servers that takes writes.

    Args:
        url: Address, as postgresql://USER@HOST:PORT,HOST:PORT/NAME; what it leaves out is where
            libpq looks for it (environment, password file).
        settings: Of the session.

    Raises:
        OSError: None of them can be reached, lets us in, and takes writes.
    """
    try:
        return await asyncpg.connect(
            url,
            timeout=_CONNECT_S,
            command_timeout=_STUCK_S,
            # A standby takes none until it is promoted.
            target_session_attrs="read-write",
            server_settings=settings,
        )
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        ValueError,
    ) as error:
        raise ConnectionError(str(error)) from error


def shown(url: str) -> str:
    """Return an address as it may be shown: without its password."""
    return _PASSWORD.sub("***", url)
