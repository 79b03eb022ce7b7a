"""What people and programs may see of the hub's time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hems.timekeeping.reading import Upstream


@dataclass(frozen=True, slots=True)
class KeeperView:
    """What one of the machine's timekeepers says; see `hems.timekeeping.reading.Reading`.

    Attributes:
        source: "chrony", "timesyncd" or "kernel".
    """

    source: str
    synchronised: bool
    name: str
    stratum: int | None
    error_s: float | None
    leap: str
    upstreams: Sequence[Upstream]


@dataclass(frozen=True, slots=True)
class ServerView:
    """What a utility has told of its time.

    Attributes:
        name: The utility's.
        quality: Of its time, as it says (2030.5: 3 to 7).
        apart_s: Its time less the hub's, by which its events are run.
        error_s: How far that may be off.
        age_s: How long ago it was told.
        drift_ppm: How much faster its clock is than the hub's machine's.
    """

    name: str
    quality: int
    apart_s: float
    error_s: float
    age_s: float
    drift_ppm: float


@dataclass(frozen=True, slots=True)
class TimeView:
    """What time the hub believes it is, and how well.

    Attributes:
        now: UTC epoch seconds.
        known: Whether it knows it at all.
        source: See `hems.timekeeping.reading.Source`.
        name: Of who tells it; empty where nobody does.
        quality: As 2030.5 has it: 3 (NTP or better) to 7 (nobody's).
        error_s: How far it may be off; None where nobody can say.
        since: Since when it comes from there, UTC epoch seconds.
        words: The same in one sentence.
        said: The same where it does not stand beside its name.
        notes: What should be seen to, one sentence each.
        keepers: What the machine's timekeepers say.
        servers: What the utilities have told.
    """

    now: float
    known: bool
    source: str
    name: str
    quality: int
    error_s: float | None
    since: float
    words: str
    said: str
    notes: Sequence[str]
    keepers: Sequence[KeeperView]
    servers: Sequence[ServerView]


class TimeSurface(Protocol):
    """What the page may ask of the hub's time."""

    def time(self) -> TimeView:
        """Return how it stands."""
        ...
