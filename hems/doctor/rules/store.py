"""What the hub remembers. Pure."""

from collections.abc import Iterator
from typing import Final

from hems.doctor.facts import StoreFacts
from hems.doctor.finding import Finding, attention, ok, trouble

BACKUP_EVERY_S: Final = 90 * 86_400.0
"""A backup that is older holds too little of what has come since."""
FIRST_BACKUP_S: Final = 7 * 86_400.0
"""A home that is so young need not have one yet."""
_DAY_S: Final = 86_400.0
_BACKUP: Final = "make one now, onto another machine or a stick: `hems backup FILE`"


def of_store(store: StoreFacts, now: float) -> Iterator[Finding]:
    """Judge the store and its backups.

    Args:
        store: What is known of it.
        now: UTC epoch seconds.
    """
    where = str(store.path)
    if store.size is None:
        yield ok("store", "there is none yet; the first start makes one", where)
    elif store.error:
        yield trouble(
            "store",
            store.error,
            where,
            "the hub works without its past meanwhile; run this as the hub's user, or see "
            "`docs/operate.md`, When something fails",
        )
    elif store.damaged:
        yield trouble(
            "store", store.damaged, where, "restore a backup; if it comes again, replace the disk"
        )
    else:
        yield ok("store", f"{_known(store)}, {store.size / 1e6:.1f} MB", where)
    for each in store.aside:
        yield attention(
            "store", "a damaged store was set aside", each, "keep it for support, else delete it"
        )
    if store.size is not None:
        yield _of_backup(store, now)


def _known(store: StoreFacts) -> str:
    seen = "" if store.pages is None else f"{store.pages} pages as they were written, "
    if store.revision is None or store.revision == store.newest:
        return f"{seen}schema {store.revision or 'not made yet'}"
    return f"{seen}schema {store.revision}, {store.newest} after the next start"


def _of_backup(store: StoreFacts, now: float) -> Finding:
    at = store.backed_up_at
    if at is None:
        young = store.made_at is not None and now - store.made_at < FIRST_BACKUP_S
        if young:
            return ok("store", "no backup yet: the home is new")
        return attention("store", "no backup was ever made on this machine", do=_BACKUP)
    days = max(now - at, 0.0) / _DAY_S
    if now - at > BACKUP_EVERY_S:
        return attention("store", f"the last backup is {days:.0f} days old", do=_BACKUP)
    return ok("store", f"the last backup is {days:.0f} days old")
