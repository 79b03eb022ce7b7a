"""What a timekeeper of the machine says of its clock."""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where the hub's time comes from."""

    CHRONY = "chrony"
    """chrony, whatever its own source is: NTP, or a reference clock (GPS, PTP, IRIG, radio)."""
    TIMESYNCD = "timesyncd"
    """systemd-timesyncd, by NTP."""
    KERNEL = "kernel"
    """Some other program that keeps the clock and has told the kernel so."""
    UTILITY = "utility"
    """A utility's server (2030.5 Time)."""
    HELD_OVER = "held over"
    """The machine's clock, as it was last kept."""
    MACHINE = "machine"
    """The machine's clock, of which nobody says that it is right."""
    NOBODY = "nobody"
    """The hub does not know what time it is."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A source that a timekeeper has.

    Attributes:
        name: Its address, or of a reference clock its name, such as "GPS" or "PHC0".
        reference_clock: Whether it is one that is attached to this machine.
        stratum: Of an NTP server, as it says; 0 for a reference clock.
        poll_s: How often it is asked.
        state: "used", "good", "unused" or "unreachable".
    """

    name: str
    reference_clock: bool
    stratum: int
    poll_s: float
    state: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a timekeeper says.

    Attributes:
        source: Who says it.
        synchronised: Whether it holds the clock to something outside.
        name: What that is; empty where it is not known, or nothing.
        stratum: The machine's own; None where it is not known.
        error_s: How far the clock may be off at most; None where it is not known.
        leap: Whether a leap second comes at the end of the day: "insert", "delete" or "".
        upstreams: What it has for sources.
    """

    source: Source
    synchronised: bool
    name: str = ""
    stratum: int | None = None
    error_s: float | None = None
    leap: str = ""
    upstreams: tuple[Upstream, ...] = ()
