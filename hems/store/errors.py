"""What can go wrong with the store.

    StoreError
    ├── StoreFullError      the disk is full; nothing was written, callers go on without it
    ├── StoreBusyError      another process holds the file locked
    ├── StoreCorruptError   the file is damaged; `set_aside` keeps it and makes room for a new one
    ├── StoreAwayError      the file cannot be got at: rights, a bad disk, something else there
    ├── StoreKeyError       its key cannot be had now; the file is left, another is used meanwhile
    └── StoreNewerError     a newer version of the software wrote it; it is left as it is

Each message names the file. Whatever is raised, the transaction it comes from left no trace.
"""

from hems.sep2.book.ledger import LedgerError


class StoreError(LedgerError):
    """Base of all store errors; `str()` is one sentence that names the file.

    It is a `LedgerError`, so that the protocol, which knows no store, goes on without it.
    """


class StoreFullError(StoreError):
    """The disk is full: this write is lost, all earlier ones stand, later ones may succeed."""


class StoreBusyError(StoreError):
    """Another process keeps the file locked for longer than is waited for."""


class StoreCorruptError(StoreError):
    """The file is damaged; worth an alarm, because a memory of events is lost with it."""


class StoreAwayError(StoreError):
    """The file cannot be got at now: by its rights, by the disk, or for what is in its place."""


class StoreKeyError(StoreError):
    """The file is encrypted under a key that cannot be had: nothing is wrong with it otherwise."""


class StoreNewerError(StoreError):
    """The file has a schema that this version does not know."""
