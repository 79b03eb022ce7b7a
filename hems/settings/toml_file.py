"""A TOML file as it lies there, and the one error for all that can be wrong with it."""

import tomllib
from collections.abc import Mapping
from pathlib import Path


class ConfigError(Exception):
    """The configuration cannot be used; `str()` names the file, the place and the reason."""


def read_toml(path: Path) -> dict[str, object]:
    """Return what a file says.

    Raises:
        ConfigError: It is missing, unreadable, or not TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    try:
        found: Mapping[str, object] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    return dict(found)
