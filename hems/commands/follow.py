"""Noticing that the configuration has changed, and making the home that follows.

What is wrong with it is said in one alarm, and the running home goes on as it is.
"""

import asyncio
import os
from collections.abc import Callable
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
from hems.settings.toml_file import ConfigError

LOOK_EVERY_S: Final = 0.5
"""A file counts as changed once it has looked the same twice: who writes it by other means than
ours may be in the middle of it."""
_DEVICES: Final = "devices file"
_SETTINGS: Final = "settings"
_NEXT_START: Final = "next start"

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
    """

    path: Path
    make: Callable[[Config], Home]
    seen: Marks = field(default=())
    told: Callable[[Config], Config] = lambda config: config
    note: Note = unheard

    async def next(self, present: Config, alarms: Alarms) -> Made:
        """Wait for a change that can be used; return the home that it makes.

        What the program as a whole stands on waits for its next start; that is said.

        Args:
            present: What the running home was made of.
            alarms: Where is said what is wrong with the files.
        """
        last = marks(self.path, present)
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now, before = marks(self.path, present), last
            last = now
            if now == self.seen or now != before:
                continue
            changed, self.seen = _changed(self.seen, now), now
            try:
                loaded = self.told(load(self.path))
                config = taken(present, loaded)
                waits = say(
                    "A change of [web], [store], [agent] or home.devices holds from the next start."
                )
                alarms.lasting(_NEXT_START, None if config == loaded else waits)
                if config != loaded or config != present:
                    self._say(say("The configuration was changed."))
                if config != present:
                    return config, self.make(config)
                alarms.lasting(_DEVICES, None)
                alarms.lasting(_SETTINGS, None)
            except (ConfigError, CertificateError, PermanentError) as error:
                first = str(error).partition(os.linesep)[0]
                if changed:
                    said = say("The change of settings is not taken: {why}", why=first)
                    alarms.lasting(_SETTINGS, said)
                else:
                    said = say("The change of devices is not taken: {why}", why=first)
                    alarms.lasting(_DEVICES, said)
                self._say(said)

    def _say(self, text: str) -> None:
        self.note(SecurityEvent(EventKind.CONFIG_CHANGED, text, str(self.path.name)))


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
    stays = {"web": present.web, "store": present.store, "agent": present.agent, "home": home}
    return loaded.model_copy(update=stays)


def beside_the_home(config: Config) -> tuple[object, ...]:
    """Return what else than the home itself is made of a configuration: the page's own part.

    Where that changes, the page is served anew, from the same port.
    """
    told = config.home.name if config.mqtt.home_assistant else ""
    return (config.home.time_zone, told, config.mqtt)


def leaving(before: Config, after: Config) -> frozenset[str]:
    """Return the devices that a home no longer has, or reaches in another way."""
    stay = {(d.id, d.driver, d.host, d.port, d.unit, d.station, d.topic) for d in after.device}
    return frozenset(
        d.id
        for d in before.device
        if (d.id, d.driver, d.host, d.port, d.unit, d.station, d.topic) not in stay
    )
