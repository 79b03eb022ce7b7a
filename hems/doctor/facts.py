"""What is known of an installation before it is judged; None where it cannot be known here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Clock:
    """The machine's time.

    Attributes:
        now: UTC epoch seconds.
        kept: Whether somebody keeps it (NTP, GPS, ...).
        rtc_apart_s: The hardware clock's time less it, which is what counts after a power cut;
            None where there is no such clock.
        least: Before when it cannot be, UTC epoch seconds: this software's release.
    """

    now: float
    kept: bool | None
    rtc_apart_s: float | None
    least: float = 0.0


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system that a path is on.

    Attributes:
        path: Which.
        total: Octets.
        free: Octets that its user may still take.
        inodes: How many files it can hold; 0 where there is no such bound.
        free_inodes: How many more.
        read_only: Whether nothing can be written.
        written_per_day: Octets written a day since the machine was started, by all programs;
            known of SD cards and the like, which wear out by it.
        error: Why nothing is known of it; empty where something is.
    """

    path: Path
    total: int
    free: int
    inodes: int
    free_inodes: int
    read_only: bool
    written_per_day: float | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """The machine's memory, octets.

    Attributes:
        total: All.
        available: What programs can still have without swapping.
    """

    total: int
    available: int


@dataclass(frozen=True, slots=True)
class Version:
    """A part of the software.

    Attributes:
        name: Of it.
        text: Its version as it says.
        number: The same, for comparing; empty where it makes no sense.
    """

    name: str
    text: str
    number: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file that the configuration names, or the program keeps.

    Attributes:
        path: Where.
        what: What it is.
        there: Whether there is one.
        readable: Whether who runs this can read it.
        exposed: Whether others than its owner can.
        secret: Whether they must not.
    """

    path: Path
    what: str
    there: bool
    readable: bool
    exposed: bool
    secret: bool


@dataclass(frozen=True, slots=True)
class Listened:
    """An address at which the program listens, or is to.

    Attributes:
        place: HOST:PORT.
        what: What for.
        setting: By which it is set.
        refused: Why it cannot be had now; empty where it can.
    """

    place: str
    what: str
    setting: str
    refused: str


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What the hub remembers, on the disk.

    Attributes:
        path: The file.
        size: Octets; None where there is no file.
        error: Why it cannot be opened; empty where it can.
        revision: Its schema's.
        newest: The one that this version makes.
        pages: How many were checked; None where they were not.
        damaged: What is wrong with one; empty where nothing is.
        aside: Damaged stores that were set aside.
        backed_up_at: When the last backup was made, UTC epoch seconds; None for never.
        made_at: Since when there is a store, as far as its key's file tells.
    """

    path: Path
    size: int | None
    error: str
    revision: str | None
    newest: str
    pages: int | None
    damaged: str
    aside: tuple[str, ...]
    backed_up_at: float | None
    made_at: float | None


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """A device of the home.

    Attributes:
        id: Its id.
        meter: Whether it is the meter at the connection point.
        place: Where it is reached.
        quality: As the running hub has it; empty where none runs.
        age_s: Of its last reading.
        error: What the hub says is wrong with it.
        trusted: Whether the hub believes it, or why not; None where none runs.
        untrusted: Why it is not.
        risk: What may happen to it when the hub falls silent.
        unreachable: Why nobody answers where it is; empty if somebody does, None if not tried.
    """

    id: str
    meter: bool
    place: str
    quality: str = ""
    age_s: float | None = None
    error: str = ""
    trusted: bool | None = None
    untrusted: str = ""
    risk: str = ""
    unreachable: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way to a server.

    Attributes:
        name: "address", "name", "connection", "answer", "registration".
        good: Whether it could be taken.
        said: How it went.
    """

    name: str
    good: bool
    said: str


@dataclass(frozen=True, slots=True)
class UtilityFacts:
    """A utility.

    Attributes:
        name: Its name.
        state: As the running hub has it; empty where none runs.
        detail: Likewise, in a sentence.
        last_contact: UTC epoch seconds of its last good answer.
        apart_s: Its time less the hub's.
        steps: The way to it, as far as it could be gone from here; empty where it was not tried.
    """

    name: str
    state: str = ""
    detail: str = ""
    last_contact: float | None = None
    apart_s: float | None = None
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class HubFacts:
    """The running hub.

    Attributes:
        page: Its page; None where none runs.
        silent: Why it does not answer there; empty where it does.
        health: As it says of itself ("ok", "stalled", "starting").
        alarms: What it says is wrong.
        unasked: Why some of it could not be learned.
        hidden: Whether this user cannot see if one runs.
    """

    page: str | None
    silent: str = ""
    health: str = ""
    alarms: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    hidden: bool = False

    @property
    def absent(self) -> bool:
        """Whether none runs, for all that is known: then devices and ports may be tried."""
        return self.page is None and not self.hidden


@dataclass(frozen=True, slots=True)
class Worker:
    """A head-end that runs, as it says.

    Attributes:
        silent: Why it does not answer; empty where it does.
        ready: What it says of itself: "ok", "database", "behind".
        workers: How many of its kind told something in the last minutes.
        signals: How many last, by severity.
        bulletin_until: Until when the last bulletin counts, UTC epoch seconds.
    """

    silent: str = ""
    ready: str = ""
    workers: int = 0
    signals: Mapping[str, int] | None = None
    bulletin_until: float | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate in a file.

    Attributes:
        what: What it is for.
        path: The file.
        own: Whether it is ours, with a key.
        by_itself: Whether the program makes it anew in time.
        subject: Whose it is.
        starts_at: From when it counts, UTC epoch seconds.
        ends_at: Until when; None for ever.
        revoked: Whether a revocation list names it.
        error: Why it cannot be used: unreadable, or its key is missing or another's.
    """

    what: str
    path: Path
    own: bool = False
    by_itself: bool = False
    subject: str = ""
    starts_at: float = 0.0
    ends_at: float | None = None
    revoked: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A revocation list in a file.

    Attributes:
        path: The file.
        issuer: Of which authority.
        ends_at: When the next one is due, UTC epoch seconds; None where it does not say.
        error: Why it cannot be read.
    """

    path: Path
    issuer: str = ""
    ends_at: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Database:
    """The head-end's database.

    Attributes:
        place: Where it is, without a password.
        error: Why it cannot be asked; empty where it can.
        schema: Of which its tables are; None where there are none yet.
        newest: The one that this program makes.
        refused: Why this program does not use it; empty where it does.
    """

    place: str
    error: str
    schema: str | None
    newest: str
    refused: str = ""
