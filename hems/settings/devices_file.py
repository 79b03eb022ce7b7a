"""The devices file: what `hems device add` keeps, beside the configuration and merged into it.

The program alone writes it, so that nobody has to edit a file to add a device, and no program
ever touches the file that people write.
"""

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import tomli_w

from hems.settings import kept_file
from hems.settings.toml_file import ConfigError, read_toml

DEFAULT: Final = "devices.toml"
_HEADER: Final = (
    "# Written by `hems device add` and `hems device remove`: do not edit it while they run,\n"
    "# and write devices of your own into hems.toml. Same keys as its [[device]] sections.\n"
)

Value = str | int | float | bool | list[str]
"""What a key of a device may hold, as TOML has it."""
Table = Mapping[str, Value]
"""One device's section, as written."""


class DevicesFileError(ConfigError):
    """The devices file cannot be written; `str()` names it and the reason."""


def place(raw: Mapping[str, object], path: Path) -> Path:
    """Return where the devices file of a configuration is.

    Args:
        raw: The configuration as read, not checked yet.
        path: Its file.
    """
    home = raw.get("home")
    named = home.get("devices") if isinstance(home, Mapping) else None
    name = named if isinstance(named, str) and "\0" not in named else DEFAULT
    return path.parent.absolute() / name


def tables(path: Path) -> list[object]:
    """Return the sections of a devices file as they stand, unchecked; none if there is no file.

    Raises:
        ConfigError: It cannot be read, is not TOML, or has other things than devices.
    """
    try:
        path.stat()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    raw = read_toml(path)
    for key in raw:
        if key != "device":
            raise ConfigError(f"{path}: {key}: unknown key; [[device]] sections only")
    found = raw.get("device", [])
    if not isinstance(found, list):
        raise ConfigError(f"{path}: device: must be a list of tables")
    return found


def write(path: Path, devices: Sequence[Table]) -> None:
    """Replace the file; after a power cut at any moment it is the old one or the new one.

    Call it inside `locked`: one draft serves all, so that a power cut leaves no more than that.

    Raises:
        DevicesFileError: It cannot be written; the old one is as it was.
    """
    content = _HEADER + "\n" + tomli_w.dumps({"device": [dict(device) for device in devices]})
    try:
        kept_file.replace(path, content)
    except OSError as error:
        raise DevicesFileError(f"{path}: cannot be written: {error.strerror}") from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold off other commands that would change the file, while the context lasts.

    Raises:
        DevicesFileError: Another command is changing it, or its folder cannot be written to.
    """
    lock = path.with_name(f".{path.name}.lock")
    try:
        file = lock.open("ab")
    except OSError as error:
        raise DevicesFileError(f"{lock}: cannot be used: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DevicesFileError(f"{path}: another command is changing it") from error
        yield
