"""Who keeps the time of the hub's machine, and from when on something is said."""

from typing import Annotated

from pydantic import Field

from hems.settings.section import Duration, Section, Text
from hems.timekeeping.settings import Daemon, TimeSettings


class TimeSection(Section):
    """The hub sets no clock and asks no NTP server: that is chrony's or timesyncd's work."""

    daemon: Daemon = Daemon.AUTO
    """Who keeps the machine's clock."""
    chronyc: Text = "chronyc"
    """The program by which chrony is asked."""
    chrony: str = ""
    """Where chronyd listens for it: an address or a socket's path; empty for its own rule."""
    timedatectl: Text = "timedatectl"
    """The program by which timesyncd is asked."""
    apart: Annotated[Duration, Field(ge=1.0)] = 10.0
    """From when on it is said that a utility's clock and the hub's are apart."""

    @property
    def settings(self) -> TimeSettings:
        """The same as the timekeeper wants it."""
        return TimeSettings(self.daemon, self.chronyc, self.chrony, self.timedatectl, self.apart)
