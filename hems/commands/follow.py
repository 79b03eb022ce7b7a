"""Noticing that the devices file has changed, and making the home that follows.

What is wrong with the file is said in one alarm, and the running home goes on as it is.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from certs.errors import CertificateError
from der.errors import PermanentError
from hems.alarms import Alarms
from hems.home import Home
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError

LOOK_EVERY_S: Final = 0.5
"""A file counts as changed once it has looked the same twice: who writes it by other means than
ours may be in the middle of it."""
_SOURCE: Final = "devices file"

Made = tuple[Config, Home]
Mark = tuple[int, int, int] | None
"""By which a file that was replaced or written to is told: inode, size, time; None for no file."""


def mark(path: Path) -> Mark:
    """Return what differs once a file has changed."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns)


@dataclass(slots=True)
class Follower:
    """Watches the devices file of one configuration.

    Attributes:
        path: The configuration.
        make: Makes a home that is not running yet from a configuration.
        seen: How the devices file was when it was last looked into; None for never.
    """

    path: Path
    make: Callable[[Config], Home]
    seen: Mark = None

    async def next(self, present: Config, alarms: Alarms) -> Made:
        """Wait for a change that can be used; return the home that it makes.

        Only the devices are taken from it: what else has changed in the configuration waits for
        the next start of the program.

        Args:
            present: What the running home was made of.
            alarms: Where is said what is wrong with the file.
        """
        last = mark(present.home.devices)
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now, before = mark(present.home.devices), last
            last = now
            if now == self.seen or now != before:
                continue
            self.seen = now
            try:
                config = present.model_copy(update={"device": load(self.path).device})
                if config.device == present.device:
                    alarms.lasting(_SOURCE, None)
                    continue
                return config, self.make(config)
            except (ConfigError, CertificateError, PermanentError) as error:
                first = str(error).partition(os.linesep)[0]
                alarms.lasting(_SOURCE, f"The change of devices is not taken: {first}")


def leaving(before: Config, after: Config) -> frozenset[str]:
    """Return the devices that a home no longer has, or reaches in another way."""
    stay = {(d.id, d.driver, d.host, d.port, d.unit, d.station, d.topic) for d in after.device}
    return frozenset(
        d.id
        for d in before.device
        if (d.id, d.driver, d.host, d.port, d.unit, d.station, d.topic) not in stay
    )
