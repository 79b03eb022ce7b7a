"""What belongs to a home on the disk, by its configuration."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from hems.archive import swap
from hems.archive.belongings import Belongings
from hems.settings import settings_file
from hems.settings.config import Config

IDENTITY: Final = "identity"
"""Folder of the keys and certificates that the hub has made or was given."""


def belongings(path: Path, config: Config) -> Belongings:
    """Return what belongs to a home on the disk.

    Args:
        path: Its configuration file.
        config: What that says.
    """
    folder = path.parent.absolute()
    own = {folder / path.name, settings_file.place(path), config.home.devices}
    keys = config.web.keys.absolute()
    named = {file.absolute() for file in _named(config)}
    named -= {config.store.path.absolute(), config.home.devices.absolute(), keys}
    inside = {file for file in (own | named) if file.is_relative_to(folder)}
    guard = config.store.path.with_suffix(".guard.json")
    devices = config.home.devices
    return Belongings(
        folder,
        config.store.path.absolute(),
        tuple(sorted(inside)),
        (folder / IDENTITY, *([keys] if folder in keys.parents else [])),
        (
            folder / settings_file.HISTORY,
            folder / swap.FOLDER,
            folder / ".backups",
            guard,
            *sorted(devices.parent.glob(f".{devices.name}.*")),
            *sorted(config.store.path.parent.glob(f"{config.store.path.name}.damaged-*")),
        ),
        tuple(sorted(file for file in (own | named) - inside if file.exists())),
    )


def store_place(path: Path, config: Config) -> Path:
    """Return where a configuration's store belongs once its folder has taken another's place.

    Args:
        path: Where the configuration file will be.
        config: What it says, read from elsewhere.
    """
    return path.parent.absolute() / config.store.path.name


def _named(section: BaseModel) -> Iterator[Path]:
    """Yield every file that a configuration names."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, Path):
                yield each
            elif isinstance(each, BaseModel):
                yield from _named(each)
