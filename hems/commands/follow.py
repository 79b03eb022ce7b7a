"""Noticing that the configuration has changed, and making the home that follows.

What is wrong with it is said in one alarm, and the running home goes on as it is.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from certs.errors import CertificateError
from der.errors import PermanentError
from der.sentence import say
from hems.alarms import Alarms
from hems.home import Home
from hems.security_event import EventKind, Note, SecurityEvent, unheard
from hems.settings import settings_file
from hems.settings.config import Config, load
from hems.settings.device_section import DeviceSection
from hems.settings.toml_file import ConfigError

LOOK_EVERY_S: Final = 0.5
"""A file counts as changed once it has looked the same twice: who writes it by other means than
ours may be in the middle of it."""
_DEVICES: Final = "devices file"
_SETTINGS: Final = "settings"
_NEXT_START: Final = "next start"
_FOUNDATIONS: Final = ("web", "store", "agent", "threats", "time")
"""Sections that the program as a whole stands on."""
_UNCHANGED: Final = "the configuration is as it was"
_STAYS: Final = "the home goes on as it was"

_log = logging.getLogger(__name__)

Made = tuple[Config, Home]
Mark = tuple[int, int, int] | None
"""By which a file that was replaced or written to is told: inode, size, time; None for no file."""
Marks = tuple[Mark, ...]


def mark(path: Path) -> Mark:
    """Return what differs once a file has changed."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def marks(path: Path, present: Config) -> Marks:
    """Return the marks of all files that a configuration is read from.

    Args:
        path: Its own file.
        present: What it says.
    """
    return tuple(map(mark, (path, settings_file.place(path), present.home.devices)))


@dataclass(slots=True)
class Follower:
    """Watches the files of one configuration.

    Attributes:
        path: The configuration.
        make: Makes a home that is not running yet from a configuration.
        seen: How the files were when they were last looked into; empty for never.
        told: Puts what the command line says in the place of what a configuration says.
        note: Told of each change.
        read: Told what could be read and used, whether or not another home follows from it.
        proves: Raises where what stands beside the home cannot be made of a configuration.
        looked: Told in a few words what came of a look that was asked for.
    """

    path: Path
    make: Callable[[Config], Home]
    seen: Marks = field(default=())
    told: Callable[[Config], Config] = lambda config: config
    note: Note = unheard
    read: Callable[[Config], None] = lambda _config: None
    proves: Callable[[Config], None] = lambda _config: None
    looked: Callable[[str], None] = lambda _text: None
    _asked: asyncio.Event = field(default_factory=asyncio.Event)

    def ask(self) -> None:
        """Have the files read now, whether or not they have changed."""
        self._asked.set()

    async def next(self, present: Config, alarms: Alarms) -> Made:
        """Wait for a change that can be used; return the home that it makes.

        What the program as a whole stands on waits for its next start; that is said.

        Args:
            present: What the running home was made of.
            alarms: Where is said what is wrong with the files.
        """
        last = marks(self.path, present)
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._asked.wait()
            asked = self._asked.is_set()
            self._asked.clear()
            now, before = marks(self.path, present), last
            last = now
            if not asked and (now == self.seen or now != before):
                continue
            changed, self.seen = asked or _changed(self.seen, now), now
            said = _UNCHANGED
            try:
                if (made := self._made(present, alarms)) is not None:
                    return made
                alarms.lasting(_DEVICES, None)
                alarms.lasting(_SETTINGS, None)
            except (ConfigError, CertificateError, PermanentError) as error:
                self._refused(error, alarms, settings=changed)
                said = f"{_STAYS}: {_first(error)}"
            if asked:
                self.looked(said)
                await asyncio.sleep(LOOK_EVERY_S)  # who asks all the time is answered together

    def back(self, before: Config, error: PermanentError) -> Home:
        """Return a home as it was before one that could not begin, which says why.

        Args:
            before: What it was made of.
            error: Why the other could not begin.

        Raises:
            ConfigError: That cannot be had any more, either; likewise the next two.
            CertificateError: See there.
            PermanentError: See there.
        """
        home = self.make(before)
        self._refused(error, home.alarms, settings=True)
        return home

    def _made(self, present: Config, alarms: Alarms) -> Made | None:
        """Return the home that follows from the files as they are; None where none does.

        Raises:
            ConfigError: They make no sense.
            CertificateError: A key or certificate that they name cannot be used.
            PermanentError: A device cannot be as they have it.
        """
        read = self.told(load(self.path))
        loaded = read.model_copy(update={"logging": present.logging})
        config = taken(present, loaded)
        made = None
        if config != present:
            self.proves(config)
            made = (config, self.make(config))
        self.read(read)  # all of it can be used: from here on it is taken
        waits = waiting(config, loaded)
        for key in waits:
            _log.warning("a change of %s holds from the next start", key)
        if waits or made is not None:
            self._say(say("The configuration was changed."))
        shown = alarms if made is None else made[1].alarms  # each home has its own
        said = say("This holds from the next start: {keys}.", keys=", ".join(waits))
        shown.lasting(_NEXT_START, said if waits else None)
        return made

    def _refused(self, error: Exception, alarms: Alarms, *, settings: bool) -> None:
        """Say what is wrong with the files: the first mistake in an alarm, all in the log."""
        first, *more = str(error).splitlines()
        if settings:
            said = say("The change of settings is not taken: {why}", why=first)
            alarms.lasting(_SETTINGS, said)
        else:
            said = say("The change of devices is not taken: {why}", why=first)
            alarms.lasting(_DEVICES, said)
        for line in more:
            _log.warning("and: %s", line)
        self._say(said)

    def _say(self, text: str) -> None:
        self.note(SecurityEvent(EventKind.CONFIG_CHANGED, text, str(self.path.name)))


def _first(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _changed(before: Marks, now: Marks) -> bool:
    """Return whether more has changed than the devices."""
    return bool(before) and before[:2] != now[:2]


def taken(present: Config, loaded: Config) -> Config:
    """Return what a running program takes of a configuration: all but what it stands on.

    Args:
        present: What the running home was made of.
        loaded: What the files say now.
    """
    home = loaded.home.model_copy(update={"devices": present.home.devices})
    stays = {name: getattr(present, name) for name in _FOUNDATIONS}
    return loaded.model_copy(update={**stays, "home": home})


def waiting(taken: Config, loaded: Config) -> list[str]:
    """Return the keys that hold from the next start only, as they are written in the file.

    Args:
        taken: What a running program takes.
        loaded: What the files say.
    """
    pairs = (
        (name, getattr(taken, name), getattr(loaded, name)) for name in (*_FOUNDATIONS, "home")
    )
    return [
        f"{section}.{key}"
        for section, now, then in pairs
        for key in type(now).model_fields
        if getattr(now, key) != getattr(then, key)
    ]


def beside_the_home(config: Config) -> tuple[object, ...]:
    """Return what else than the home itself is made of a configuration: the page's own part.

    Where that changes, the page is served anew, from the same port.
    """
    told = config.home.name if config.mqtt.home_assistant else ""
    feeds = config.feeds.url is not None or config.firmware.url is not None
    shown = config.utility if feeds else ()  # whose certificate the provider of feeds is shown
    return (
        config.home.time_zone,
        told,
        config.mqtt,
        config.push,
        config.feeds,
        config.firmware,
        shown,
    )


def leaving(before: Config, after: Config) -> frozenset[str]:
    """Return the devices that a home no longer has, or reaches in another way."""
    stay = {_reached(device) for device in after.device}
    return frozenset(d.id for d in before.device if _reached(d) not in stay)


def _reached(d: DeviceSection) -> tuple[object, ...]:
    """Return what a device is reached by."""
    at = (d.host, d.port, d.transport, d.unit, d.station, d.connector, d.topic, d.profile, d.map)
    return (d.id, d.driver, *at)
