"""The log, the rules and the watchman, put together."""

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from certs.keys.store import KeyStore
from der.sentence import say
from hems.clock import Clock
from hems.emg.threats.answers import kept_out
from hems.emg.threats.barrier import Barrier
from hems.emg.threats.head import HeadFile, Seal, head_path, key_path
from hems.emg.threats.log import SecurityLog
from hems.emg.threats.rules.finding import Finding
from hems.emg.threats.rules.judge import Rules
from hems.emg.threats.rules.table import table
from hems.emg.threats.rules.thresholds import Thresholds
from hems.emg.threats.severity import Said
from hems.emg.threats.watchman import Answer, Tell, Watchman
from hems.store.store import Store

_MAKING: Final = threading.Lock()
"""The log's and the trail's end are sealed by one key: by the one that is made first."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How is watched.

    Attributes:
        thresholds: From how many on something is found.
        hour: Returns the hour of the day of a time; None where no hour is odd.
        block_s: For how long a source is kept out, s; 0 for never.
        own: Returns the hub's own addresses, which are never kept out.
        answers: What else is done about findings.
        said: Returns what the service provider says of how grave kinds are.
    """

    thresholds: Thresholds = field(default_factory=Thresholds)
    hour: Callable[[float], int] | None = None
    block_s: float = 900.0
    own: Callable[[], Collection[str]] = tuple
    answers: Sequence[Answer] = ()
    said: Callable[[], Said] = dict


@dataclass(frozen=True, slots=True)
class Watch:
    """Who watches, and whom he keeps out."""

    watchman: Watchman
    barrier: Barrier


def watch_of(
    store: Store, head: HeadFile | None, clock: Clock, manner: Manner, tell: Tell, *, restored: bool
) -> Watch:
    """Put it together.

    Args:
        store: What the hub remembers.
        head: Where the log's end is sealed; None for nowhere.
        clock: Where the time comes from.
        manner: How is watched.
        tell: Who is told.
        restored: Whether the store is a backup's that was just put in place.
    """
    barrier = Barrier(manner.own)

    def bar(finding: Finding) -> str:
        until = clock.monotonic() + manner.block_s
        source = kept_out(finding)
        if not source or manner.block_s <= 0 or not barrier.close(source, until, finding.text):
            return ""
        return say(
            "Nothing is answered to it for {minutes} min, unless somebody has logged in there.",
            minutes=round(manner.block_s / 60),
        )

    watchman = Watchman(
        SecurityLog(store.security_log, head, clock),
        Rules(table(manner.thresholds), manner.hour),
        store.settings,
        clock,
        tell=tell,
        answers=(bar, *manner.answers),
        said=manner.said,
        restored=restored,
    )
    return Watch(watchman, barrier)


def head_file(store: Path, keys: KeyStore) -> HeadFile:
    """Return where the end of a store's log is sealed, by a key of its own.

    Args:
        store: The store's file.
        keys: Makes and holds the key.
    """
    path = key_path(store)

    def sign(data: bytes) -> bytes:
        with _MAKING:
            if not path.exists():
                keys.make(path)
        return keys.sign(path, data)

    def own(data: bytes, signature: bytes) -> bool:
        if not path.exists():
            return False
        try:
            keys.public(path).verify(signature, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True

    return HeadFile(head_path(store), Seal(sign, own))
