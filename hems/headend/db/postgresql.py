"""Connections to PostgreSQL: to whichever of several servers takes writes. Needs `asyncpg`."""

import re
from typing import Final

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

DRIVER: Final = "postgresql+asyncpg://"
_CONNECT_S: Final = 5.0
_STUCK_S: Final = 120.0
"""A server that has fallen off the network says nothing."""
_PASSWORD: Final = re.compile(r"(?<=:)[^:@/]+(?=@)")


async def connect(
    url: str, lock_s: float = 0.0, within_s: float = _STUCK_S
) -> "asyncpg.Connection":
    """Connect to the first of the address's servers that takes writes.

    Args:
        url: Address, as postgresql://USER@HOST:PORT,HOST:PORT/NAME; what it leaves out is where
            libpq looks for it (environment, password file).
        lock_s: How long a statement waits for another's lock; 0 for as long as it takes.
        within_s: After which a statement is given up.

    Raises:
        OSError: None of them can be reached, lets us in, and takes writes.
    """
    try:
        return await asyncpg.connect(
            url,
            timeout=_CONNECT_S,
            command_timeout=within_s,
            # A standby takes none until it is promoted.
            target_session_attrs="read-write",
            server_settings={
                "application_name": "hems-headend",
                "lock_timeout": str(round(lock_s * 1000)),
            },
        )
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        ValueError,
    ) as error:
        raise ConnectionError(str(error)) from error


def engine(url: str, lock_s: float = 0.0, within_s: float = _STUCK_S) -> AsyncEngine:
    """Return an engine that makes each connection anew, and ends it after use; see `connect`."""
    return create_async_engine(
        DRIVER,
        async_creator=lambda: connect(url, lock_s, within_s),
        poolclass=NullPool,
        hide_parameters=True,
    )


def shown(url: str) -> str:
    """Return an address as it may be shown: without its password."""
    return _PASSWORD.sub("***", url)
