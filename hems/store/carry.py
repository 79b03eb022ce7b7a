"""What a version on trial has written, taken over into the store of the version before it.

The former version cannot read the other's store, but it can read the columns that it knows: later
versions add columns and tables, and change none. What an event was answered, what was decided,
settings, accounts, the chained logs: these tables are taken over whole. Of history, what is new.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from certs.keys.store import KeyStore
from hems.store.cipher import StoreFile, opened
from hems.store.key_file import key_path, read_key
from hems.store.schema import metadata
from hems.store.sqlite import file_errors, store_errors

if TYPE_CHECKING:
    from sqlite3 import Connection

_LONG: Final = {
    "samples": "at_ms",
    "minutes": "minute",
    "quarters": "quarter",
    "blocks": "block",
    "accounts": "start",
    "account_minutes": "at",
}
"""Tables that grow for years, each with the column by which it is told what is new."""


def carry_over(store: Path, left: Path, keys: KeyStore) -> Sequence[str]:
    """Take over what another version has written, all of it or nothing. Blocks.

    It can be done again: the second time finds the same.

    Args:
        store: The store's file, of this version's form; nobody has it open.
        left: The other version's, which was made from it.
        keys: What holds their keys.

    Returns:
        The tables of which nothing could be taken over, for they are no longer what they were.

    Raises:
        StoreError: One of them cannot be read or written; the store is as it was.
    """
    with file_errors(store):
        key = read_key(store, keys)
        # A backup that was put in place during the trial, say, has brought another.
        theirs = read_key(left, keys) if key_path(left).exists() else key
    with store_errors(store), opened(StoreFile(store, key)) as connection:
        words = "ATTACH DATABASE ? AS tried" + f' KEY "{theirs.literal}"'
        connection.execute(words, (str(left),))
        connection.execute("BEGIN IMMEDIATE")
        other = [
            table.name for table in metadata.sorted_tables if not _taken(connection, table.name)
        ]
        connection.execute("COMMIT")
    return other


def _taken(connection: "Connection", table: str) -> bool:
    """Take a table over; returns whether that could be done."""
    own, theirs = _columns(connection, "main", table), _columns(connection, "tried", table)
    if not own:  # the store is of an older form, and brought up after this
        return not theirs
    if not set(own) <= set(theirs):
        return False
    names = ", ".join(f'"{each}"' for each in own)
    newest = _LONG.get(table)
    where = ""
    if newest is None:
        connection.execute(f'DELETE FROM main."{table}"')  # noqa: S608 - names of our own tables
    else:
        where = f'WHERE "{newest}" >= (SELECT coalesce(max("{newest}"), 0) FROM main."{table}")'  # noqa: S608 - the same
    connection.execute(
        f'INSERT OR REPLACE INTO main."{table}" ({names}) SELECT {names} FROM tried."{table}" {where}'  # noqa: E501, S608 - the same
    )
    return True


def _columns(connection: "Connection", schema: str, table: str) -> list[str]:
    rows = connection.execute(f'PRAGMA {schema}.table_info("{table}")')
    return [row[1] for row in rows]
