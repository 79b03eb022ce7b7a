"""The hub as a service of its machine: what the service manager is told, the log, crash reports.

It outlives the homes that follow one another in one process.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from der.sentence import say
from hems.crashes.catching import Catching
from hems.crashes.files import FOLDER, Kept
from hems.home import Home
from hems.logs import Levels, log_to_stderr
from hems.service.heart import Heart
from hems.service.notify import started_by
from hems.settings.config import Config
from hems.signals import reload_later

_log = logging.getLogger(__name__)

_LOOK_EVERY_S: Final = 10.0
"""How often it is looked whether a crash report is still to be shown."""
_CHATTY: Final = ("alembic", "asyncio", "ocpp", "sqlalchemy")


class Service:
    """What a hub is to its machine.

    Args:
        verbose: Whether to log every decision.
        parts: Levels of parts of the program, whatever is configured.
    """

    def __init__(self, *, verbose: bool, parts: Mapping[str, int]) -> None:
        log_to_stderr(logging.DEBUG if verbose else logging.INFO, epoch=verbose)
        for chatty in _CHATTY:
            logging.getLogger(chatty).setLevel(logging.WARNING)
        self._verbose = verbose
        self._levels = Levels(parts)
        self.heart = Heart(started_by())
        self.home: Callable[[], Home] | None = None
        self.config = Config()
        """The configuration that was read last and has no mistakes."""
        self._catching: Catching | None = None
        self._looked_at = -_LOOK_EVERY_S  # on the monotonic clock
        reload_later()

    def configured(self, config: Config) -> None:
        """Go by a configuration, and log as much as it wants."""
        self.config = config
        level = None if self._verbose else config.logging.level.number
        self._levels.apply(level, config.logging.levels())
        _log.debug("every decision is logged from now on")

    def begin(self, config: Config) -> None:
        """Catch faults from now on; within a running event loop."""
        self.configured(config)
        self._catching = Catching(config.store.path.with_name(FOLDER), self._state)
        self._catching.kept = lambda _kept: self.show_crash()
        self._catching.begin()
        self._catching.watch(asyncio.get_running_loop())
        watchdog_s = self.heart.watchdog_s
        if watchdog_s is not None and watchdog_s < 2 * config.home.cycle:
            _log.warning(
                "the service manager waits for %g s only, which is less than two control cycles: "
                "set WatchdogSec= to more than %g s",
                watchdog_s,
                2 * config.home.cycle,
            )

    def end(self) -> None:
        """The home has ended in order, or could not begin for a reason that was said."""
        if self._catching is not None:
            self._catching.end()
            self._catching = None
        self.home = None

    def show_crash(self, home: Home | None = None) -> None:
        """Say among a home's alarms that the hub has ended unexpectedly, if it has of late.

        Args:
            home: None for the present one.
        """
        if home is None and self.home is not None:
            home = self.home()
        if home is not None:
            kept = None if self._catching is None else self._catching.last()
            home.alarms.lasting("crash", None if kept is None else _crashed(kept))

    def status(self) -> str:
        """Return in one line how the hub stands, with nothing private: anybody may read it."""
        if self.home is None:
            return str(self.heart.phase)
        home = self.home()
        if not home.device_ids and not home.grid.utilities:
            return "waits to be set up on its page"
        parts = [_count(len(home.device_ids), "device")]
        parts += [f"utility {view.state}" for view in home.grid.utilities]
        if home.alarms.messages:
            parts.append(_count(len(home.alarms.messages), "alarm"))
        return f"controls {'; '.join(parts)}"

    def decided(self) -> None:
        """Take note of a valid control decision."""
        self.heart.decided(self.status)
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_EVERY_S:  # its week is over, or its file is removed
            self._looked_at = now
            self.show_crash()

    def reloads(self, ask: Callable[[], None]) -> None:
        """Have the configuration read anew, and say so."""
        if self.heart.reloading():
            _log.info("asked to read the configuration anew")
        ask()

    def reloaded(self, said: str) -> None:
        """Take note that a look at the configuration, which was asked for, made no other home."""
        _log.info("%s; certificates, roots and revocation lists are looked at anew", said)
        if self.home is not None:
            self.home().refresh_certificates()
            self.show_crash()
        self.heart.reloaded(self.status())

    def ends(self, stop: Callable[[], None]) -> None:
        """Have the home end in order, and say so."""
        self.heart.ending()
        stop()

    def _state(self) -> tuple[str, ...]:
        return (str(self.heart.phase), self.status())


def _crashed(kept: Kept) -> str:
    return say(
        "The hub ended unexpectedly at {at}. What is known of it, without anything of the home, "
        "is in {file}: please report it. This goes a week later, or once the file is removed.",
        at=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(kept.at)),
        file=str(kept.path),
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
