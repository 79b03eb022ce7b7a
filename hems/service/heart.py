"""Tells the service manager how a hub is, by the rule of `feeding`.

While the home is controlled the decisions themselves bring it on, so it costs no wake-up. While
nothing is decided for a good reason a thread does it, which ends with the reason: the event loop
may be busy then, or not run at all.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from hems.service.feeding import OFTEN, Phase, Vitals, is_due, may_last
from hems.service.notify import ServiceManager

LOOK_EVERY_S: Final = 5.0
"""How often it is looked while nothing is decided, at most."""
PATIENCE_S: Final = 60.0
"""For how long more time is asked for, again and again."""


class Heart:
    """What is known of the hub, and who is told.

    Args:
        manager: The service manager.
        clock: Monotonic seconds.
    """

    def __init__(
        self, manager: ServiceManager, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._manager = manager
        self._clock = clock
        self._vitals = Vitals(since=clock())
        self._lock = threading.Lock()
        self._rest: threading.Event | None = None
        self._said = ""
        self._reloads = False

    @property
    def phase(self) -> Phase:
        """What the hub is at."""
        return self._vitals.phase

    @property
    def watchdog_s(self) -> float | None:
        """How long the service manager waits to be told that all is well; None for ever."""
        return self._manager.watchdog_s

    def decided(self, status: Callable[[], str]) -> None:
        """Take note of a valid decision.

        Args:
            status: Says how the hub stands, in one line without anything private.
        """
        with self._lock:
            now, before = self._clock(), self._vitals
            phase, since = before.phase, before.since
            if phase in {Phase.STARTING, Phase.CHANGING}:
                phase, since = Phase.CONTROLLING, now
            first = phase is Phase.CONTROLLING and phase is not before.phase
            self._vitals = replace(before, phase=phase, since=since, decided_at=now)
        if first:
            self._end_rest()
            self._ready(status())
        if self._feed() and not first:
            self._say(status())

    def changing(self) -> None:
        """Take note that one home follows another from now on; the next decision ends that."""
        if self._vitals.phase is Phase.CONTROLLING:
            self._turn(Phase.CHANGING)
            self._begin_rest()

    @contextmanager
    def step(self) -> Iterator[None]:
        """Mark a step that may last long, within a start or between two homes."""
        before = self._vitals.phase
        self._turn(Phase.STEP)
        self._begin_rest()
        try:
            yield
        finally:
            self._end_rest()
            after = Phase.CHANGING if self._vitals.ready else before
            self._turn(after)
            if after is Phase.CHANGING:
                self._begin_rest()

    def reloading(self) -> bool:
        """Say that the configuration is read anew; returns whether that is news.

        Not before the start is over, which what follows would seem to end; not at the end; and
        once for those who ask meanwhile.
        """
        if not self._vitals.ready or self._reloads or self._vitals.phase is Phase.ENDING:
            return False
        self._said, self._reloads = "", True
        self._manager.reloading()
        return True

    def reloaded(self, status: str) -> None:
        """Say what came of it."""
        if self._reloads and self._vitals.phase is not Phase.ENDING:
            self._ready(status)

    def ending(self) -> None:
        """Say that the hub ends."""
        self._end_rest()
        self._turn(Phase.ENDING)
        self._manager.stopping()

    def _turn(self, phase: Phase) -> None:
        with self._lock:
            self._vitals = replace(self._vitals, phase=phase, since=self._clock(), decided_at=None)

    def _ready(self, status: str) -> None:
        with self._lock:
            self._vitals = replace(self._vitals, ready=True)
        self._said, self._reloads = status, False
        self._manager.ready(status)

    def _say(self, status: str) -> None:
        if status != self._said:
            self._said = status
            self._manager.status(status)

    def _feed(self) -> bool:
        """Feed the watchdog if that is due; returns whether it was."""
        within_s = self._manager.watchdog_s
        with self._lock:
            now = self._clock()
            every_s = LOOK_EVERY_S * OFTEN if within_s is None else within_s
            due = is_due(self._vitals, now, every_s)
            if due:
                self._vitals = replace(self._vitals, fed_at=now)
        if due and within_s is not None:
            self._manager.well()
        return due

    def _begin_rest(self) -> None:
        """Have a thread look after it meanwhile."""
        if self._manager.address is None:
            return
        self._end_rest()
        self._rest = over = threading.Event()
        within_s = self._manager.watchdog_s
        every_s = LOOK_EVERY_S if within_s is None else min(LOOK_EVERY_S, within_s / OFTEN)

        def look() -> None:
            while True:
                if may_last(self._vitals, self._clock()):
                    self._manager.patience(PATIENCE_S)
                    self._manager.status(str(self._vitals.phase))
                self._feed()
                if over.wait(every_s):
                    return

        threading.Thread(target=look, name="service manager", daemon=True).start()

    def _end_rest(self) -> None:
        if self._rest is not None:
            self._rest.set()
            self._rest = None
