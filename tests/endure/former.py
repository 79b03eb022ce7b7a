"""Stores of versions before: the first schema, and the present one taken back by a revision."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from hems.store import migrations
from hems.store.cipher import DRIVER
from hems.store.schema import REVISIONS
from tests.stored import looked_into

_MINUTES: Final = 1440


def first_version(path: Path, now: float) -> None:
    """Make a store as the first version left it: plain, a day of samples of one device in it."""
    path.touch(mode=0o600)
    _move(path, REVISIONS[0])
    rows = [(int((now - 60 * n) * 1000), 400.0 + n % 7) for n in range(1, _MINUTES)]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO devices (id, name) VALUES (1, 'meter')")
        connection.executemany(
            "INSERT INTO samples (device, at_ms, power_w) VALUES (1, ?, ?)", rows
        )


def version_before(path: Path) -> str:
    """Take a store back to the revision before the present one; returns which that is."""
    _move(path, REVISIONS[-2])
    return REVISIONS[-2]


def _move(path: Path, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__path__[0])))
    with looked_into(path) as raw:
        engine = create_engine(
            "sqlite://", creator=lambda: raw, poolclass=StaticPool, module=DRIVER
        )
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            step = command.downgrade if revision == REVISIONS[-2] else command.upgrade
            step(config, revision)
