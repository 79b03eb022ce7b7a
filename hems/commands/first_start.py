"""Where a home's files are, and the start of one that has none yet."""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hems.settings import settings_file
from hems.settings.config import Config, there
from hems.settings.toml_file import ConfigError

_log = logging.getLogger(__name__)

DEFAULT: Final = "hems.toml"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a home's configuration is, and its page.

    Attributes:
        config: The configuration file; None for the one in `folder`.
        folder: The home's folder, which may be empty or not there yet.
        host: Address that the page is served at; None for the configuration's.
        port: Its port; None for the configuration's.
    """

    config: Path | None = None
    folder: Path = Path()
    host: str | None = None
    port: int | None = None

    @property
    def path(self) -> Path:
        """The configuration file, whether or not it is there."""
        return self.folder / DEFAULT if self.config is None else self.config


def housed(place: Place) -> Path:
    """Return a home's folder; make it where the home is named by that alone.

    Raises:
        ConfigError: It cannot be made, or is closed to this user.
    """
    folder = place.path.parent.absolute()
    if place.config is None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{folder}: cannot be made: {error.strerror}") from error
    with suppress(FileNotFoundError, NotADirectoryError):  # whoever reads it says so
        try:
            place.path.stat()
        except PermissionError as error:
            raise ConfigError(f"{folder}: cannot be looked into: {error.strerror}") from error
    return folder


def prepared(place: Place, *, erased: bool = False) -> Path:
    """Return a home's configuration file; where its folder has none, begin a new home there.

    Whoever names a configuration file means one that is there: a slip of the pen must not start
    an empty home in the place of one that is lived in.

    Args:
        place: Where the home is.
        erased: Whether the home that was there has just been erased.

    Raises:
        ConfigError: The folder cannot be made or written to.
    """
    housed(place)
    path = place.path
    if (place.config is None or erased) and not there(path):
        settings_file.write(settings_file.place(path), {}, time.time())
        _log.info("%s: no configuration here: a new home, to be set up on its page", path.parent)
    return path


def served(config: Config, place: Place) -> Config:
    """Return a configuration with the page where the command line has it."""
    told = {"host": place.host, "port": place.port}
    web = config.web.model_copy(update={k: v for k, v in told.items() if v is not None})
    return config.model_copy(update={"web": web})
