"""Who keeps the time of the hub's machine, and from when on something is said."""

from dataclasses import dataclass
from enum import StrEnum


class Daemon(StrEnum):
    """The program that keeps the machine's clock."""

    AUTO = "auto"
    """Whichever answers: chrony first, then systemd-timesyncd; else the kernel alone is asked."""
    CHRONY = "chrony"
    TIMESYNCD = "timesyncd"
    NONE = "none"
    """Neither is asked; in a container the kernel tells whether the host's clock is kept."""


@dataclass(frozen=True, slots=True)
class TimeSettings:
    """See `hems.settings.time_section`.

    Attributes:
        daemon: Who keeps the machine's clock.
        chronyc: The program by which chrony is asked.
        chrony: Where chronyd listens for it; empty for its own rule.
        timedatectl: The program by which timesyncd is asked.
        apart_s: From when on it is said that a utility's clock and the hub's are apart.
    """

    daemon: Daemon = Daemon.AUTO
    chronyc: str = "chronyc"
    chrony: str = ""
    timedatectl: str = "timedatectl"
    apart_s: float = 10.0
