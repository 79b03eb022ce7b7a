"""What the service manager is told (systemd's sd_notify): one datagram a message.

The protocol is a few lines: `KEY=value` pairs in a datagram to the socket that `NOTIFY_SOCKET`
names. Without that variable nothing is said to anybody, and nothing here ever fails: a hub that
cannot reach its service manager controls its home all the same.
"""

import os
import socket
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Final, Self

_SOCKET: Final = "NOTIFY_SOCKET"
_WATCHDOG: Final = "WATCHDOG_USEC"
_WHOSE: Final = "WATCHDOG_PID"
_US: Final = 1e6
_LONGEST: Final = 200
"""A status is one line for people; what is longer is cut."""


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """Who started this program, and by what it is told.

    Attributes:
        address: Its socket: a path, or a name in the abstract space, which begins with a NUL;
            None where nobody wants to know.
        watchdog_s: How long it waits to be told that all is well before it ends the program, s;
            None where it does not wait.
    """

    address: str | None = None
    watchdog_s: float | None = None

    @classmethod
    def taken(cls, environment: MutableMapping[str, str], pid: int) -> Self:
        """Return who started this program, and take it out of the environment.

        No child of ours is to speak for us, so none gets to know the socket.

        Args:
            environment: Where its variables are.
            pid: Of this process; a watchdog that waits for another one is not ours to feed.
        """
        place = environment.pop(_SOCKET, "")
        every = environment.pop(_WATCHDOG, "")
        whose = environment.pop(_WHOSE, str(pid))
        address = None
        if place.startswith("@"):
            address = "\0" + place[1:]
        elif place.startswith("/"):
            address = place
        mine = address is not None and every.isdecimal() and int(every) > 0 and whose == str(pid)
        return cls(address, int(every) / _US if mine else None)

    def ready(self, status: str) -> None:
        """Say that the start, or a reload, is over."""
        self.send("READY=1", _status(status))

    def reloading(self) -> None:
        """Say that the configuration is being read anew; `ready` ends it."""
        moment = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.send("RELOADING=1", f"MONOTONIC_USEC={moment}", _status("reads its configuration"))

    def stopping(self) -> None:
        """Say that the program is about to end in order."""
        self.send("STOPPING=1", _status("ends in order"))

    def well(self) -> None:
        """Feed the watchdog."""
        self.send("WATCHDOG=1")

    def status(self, status: str) -> None:
        """Say in one line how it stands; everybody on this machine may read it."""
        self.send(_status(status))

    def patience(self, more_s: float) -> None:
        """Ask for more time: the start, or the end, goes on for at least so long from now."""
        self.send(f"EXTEND_TIMEOUT_USEC={round(more_s * _US)}")

    def send(self, *pairs: str) -> None:
        """Send pairs as one message, or nothing where it cannot be sent at once."""
        if self.address is None:
            return
        message = "\n".join(pairs).encode("utf-8", "replace")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
                line.setblocking(False)
                line.sendto(message, self.address)
        except OSError:  # it has gone, or is too busy: the next message tells it as much
            return


def started_by() -> ServiceManager:
    """Return who started this program; once, for it is taken out of the environment."""
    return ServiceManager.taken(os.environ, os.getpid())


def _status(text: str) -> str:
    return "STATUS=" + " ".join(text.split())[:_LONGEST]
