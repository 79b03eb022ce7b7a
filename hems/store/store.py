"""The hub's whole store behind one opening and one closing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from certs.keys.store import KeyStore
from hems.clock import Clock
from hems.store.accounts import Accounts
from hems.store.cipher import StoreFile, StoreKey
from hems.store.database import Database, open_database
from hems.store.effects import EffectLedger
from hems.store.history import History
from hems.store.integrity import look_over
from hems.store.ledger import SqlLedger
from hems.store.opening import make_meanwhile, make_ready, meanwhile
from hems.store.pace import Pace
from hems.store.people import PeopleStore
from hems.store.performances import Performances
from hems.store.quarters import Quarters
from hems.store.security_log import SecurityLogStore
from hems.store.settings import Settings
from hems.store.trail import TrailStore
from hems.store.visibility import VisibilityStore

PLAIN_FILES: Final = KeyStore()
"""Holds keys in plain files that their owner alone can read."""


@dataclass(frozen=True, slots=True)
class Store:
    """What the hub remembers.

    Attributes:
        ledger: Events and responses, the port of `hems.sep2`.
        effects: What the events did.
        history: What the devices measured.
        quarters: What that comes to in energy, for years.
        settings: What the owner chose.
        accounts: What it all cost.
        performances: What was delivered of what was asked.
        visibility: What is measured of the grid, and who may see it.
        people: Who may log in, and who is logged in.
        trail: Who did and saw what.
        security_log: What bears on security.
    """

    ledger: SqlLedger
    effects: EffectLedger
    history: History
    quarters: Quarters
    settings: Settings
    accounts: Accounts
    performances: Performances
    visibility: VisibilityStore
    people: PeopleStore
    trail: TrailStore
    security_log: SecurityLogStore
    _database: Database

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    @property
    def pace(self) -> Pace:
        """How long transactions on it take."""
        return self._database.pace

    async def file(self) -> StoreFile:
        """Return the file, all of it written, and what opens it, for who reads it beside this.

        Raises:
            StoreError: It cannot be made ready.
        """
        await self._database.up_to_date()
        return await self._database.file()

    def before_reading(self, write: Callable[[], Awaitable[None]]) -> None:
        """Have what waits in memory written before the history is read.

        Args:
            write: Writes it, and never raises; in place of who wrote before.
        """
        self._database.before_reading(write)

    async def look_over(self) -> int:
        """See whether all of the file is as it was written; returns how many pages it has.

        Raises:
            StoreCorruptError: It is not.
            StoreError: It cannot be read.
        """
        return await look_over(await self.file())

    async def close(self) -> None:
        """Close the file; what was written stands. Calling it again does nothing."""
        await self._database.close()


async def open_store(path: Path, clock: Clock, keys: KeyStore = PLAIN_FILES) -> Store:
    """Open the store in the file `path`; make, encrypt or migrate it where needed.

    Args:
        path: The file; its key's is beside it.
        clock: Where the time comes from.
        keys: What holds its key.

    Raises:
        StoreCorruptError: It is damaged; `hems.store.sqlite.set_aside` keeps it, and a second
            call makes a new one.
        StoreKeyError: Its key cannot be had; see `meanwhile_store`.
        StoreNewerError: A newer version wrote it; it is left as it is.
        StoreFullError: There is no room to make it.
        StoreError: It cannot be opened for another reason.
    """
    return store_of(await open_database(path, keys), clock)


def deferred_store(path: Path, clock: Clock, keys: KeyStore = PLAIN_FILES) -> Store:
    """Return a store whose file cannot be opened now; each use of it tries to, until one can.

    For a start on a full disk: until there is room, every call raises `StoreFullError`.
    """
    return store_of(Database(path, lambda: make_ready(path, keys)), clock)


def meanwhile_store(path: Path, clock: Clock) -> Store:
    """Return what is used as long as the key of the store `path` cannot be had.

    It is another file, which begins empty and which nobody can read once it is closed. The store
    itself is not touched.
    """
    key = StoreKey.make()
    return store_of(Database(meanwhile(path), lambda: make_meanwhile(path, key)), clock)


def store_of(database: Database, clock: Clock) -> Store:
    """Return a store on a file, whatever makes that ready."""
    quarters = Quarters(database)
    return Store(
        ledger=SqlLedger(database, clock),
        effects=EffectLedger(database),
        history=History(database, quarters),
        quarters=quarters,
        settings=Settings(database),
        accounts=Accounts(database),
        performances=Performances(database),
        visibility=VisibilityStore(database),
        people=PeopleStore(database),
        trail=TrailStore(database),
        security_log=SecurityLogStore(database),
        _database=database,
    )
