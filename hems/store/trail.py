"""The trail of who did and saw what, on the disk."""

from hems.store.chain import ChainRow
from hems.store.chained import ChainStore
from hems.store.database import Database
from hems.store.schema import trail

TrailRow = ChainRow
"""A row of the trail."""


class TrailStore(ChainStore):
    """The same on the disk; raises `hems.store.errors.StoreError` if SQLite refuses."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, trail)
