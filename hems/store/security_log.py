"""The log of what bears on security, on the disk."""

from hems.store.chained import ChainStore
from hems.store.database import Database
from hems.store.schema import security_log


class SecurityLogStore(ChainStore):
    """Its rows; raises `hems.store.errors.StoreError` if SQLite refuses."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, security_log)
