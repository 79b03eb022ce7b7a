"""How a head-end's database stands, for its doctor: it is asked, and nothing in it changes."""

import asyncio
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from hems.doctor.facts import Database
from hems.headend.db.schema import REVISIONS, standing
from hems.headend.errors import StoreError
from hems.on_demand import on_demand

if TYPE_CHECKING:
    from hems.headend.db import postgresql
else:  # needs asyncpg
    postgresql = on_demand("hems.headend.db.postgresql")

_NEWEST: Final = REVISIONS.newest


async def database(where: Path | str) -> Database:
    """Return how a database stands: whether it answers, and of which schema it is.

    Args:
        where: A file, or an address of PostgreSQL.
    """
    if isinstance(where, Path):
        return await asyncio.to_thread(_file, where)
    try:
        return await _server(where)
    except ModuleNotFoundError as error:
        said = f"{error.name} is missing: pip install 'hems[headend]'"
        return Database("postgresql", said, None, _NEWEST)


def _file(path: Path) -> Database:
    shown = str(path)
    if not path.exists():
        return Database(shown, "", None, _NEWEST)
    address = f"{path.absolute().as_uri()}?mode=ro"
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(address, uri=True), poolclass=NullPool
    )
    try:
        with engine.connect() as connection:
            verdict = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
            if verdict != "ok":
                return Database(shown, f"the file is damaged: {verdict}", None, _NEWEST)
            return Database(shown, "", standing(connection, shown), _NEWEST)
    except StoreError as error:
        return Database(shown, "", None, _NEWEST, str(error))
    except DBAPIError as error:
        return Database(shown, str(error.orig), None, _NEWEST)


async def _server(url: str) -> Database:
    shown = postgresql.shown(url)
    engine = postgresql.engine(url)
    try:
        async with engine.connect() as connection:
            revision = await connection.run_sync(standing, shown)
    except StoreError as error:
        return Database(shown, "", None, _NEWEST, str(error))
    except (DBAPIError, OSError) as error:
        why = error.orig if isinstance(error, DBAPIError) else error
        return Database(shown, str(why), None, _NEWEST)
    finally:
        await engine.dispose()
    return Database(shown, "", revision, _NEWEST)
