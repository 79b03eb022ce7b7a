"""What belongs to a home on the disk, by its configuration."""

import os
from collections.abc import Iterable, Iterator
from glob import escape
from itertools import chain
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from hems.access.trail_watch import trail_path
from hems.archive import swap
from hems.archive.belongings import Belongings
from hems.crashes import files as crashes
from hems.emg.threats.head import head_path, key_path
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
    folder = _plain(path.parent)
    own = {folder / path.name, settings_file.place(path), _plain(config.home.devices)}
    keys = _plain(config.web.keys)
    named = {_plain(file) for file in _named(config)}
    named -= {_plain(config.store.path), _plain(config.home.devices), keys}
    if config.firmware.folder is not None:  # somebody else's, whose lists are only read
        named.discard(_plain(config.firmware.folder))
    inside = {file for file in (own | named) if file.is_relative_to(folder)}
    guard = config.store.path.with_suffix(".guard.json")
    store = _plain(config.store.path)
    seals = (head_path(store), key_path(store), trail_path(store))
    return Belongings(
        folder,
        store,
        tuple(sorted(inside)),
        (folder / IDENTITY, *([keys] if folder in keys.parents else [])),
        (
            folder / settings_file.HISTORY,
            folder / swap.FOLDER,
            folder / ".backups",
            guard,
            config.store.path.with_name("firmware"),
            folder / "updates",
            config.store.path.with_name(crashes.FOLDER),
            *seals,
            *_halves((*inside, _plain(config.home.devices), *seals)),
            *_beside(config.store.path),
        ),
        tuple(sorted(file for file in (own | named) - inside if file.exists())),
    )


def store_place(path: Path, unpacked: Path, config: Config) -> Path:
    """Return where a backup's store belongs once its files are in place.

    Args:
        path: The home's configuration file.
        unpacked: The folder in which the backup's is read before that.
        config: What that one says.
    """
    store, folder = _plain(config.store.path), _plain(unpacked)
    if store.is_relative_to(folder):
        return _plain(path.parent) / store.relative_to(folder)
    return store


def _beside(store: Path) -> list[Path]:
    """Return what may lie beside a store: its key, and what an interrupted start has left."""
    marks = (
        "backed-up",
        "damaged-*",
        "key*",
        "count*",
        "draft*",
        "former*",
        "meanwhile*",
        "time",
    )
    found = [store.parent.glob(f"{store.name}.{each}") for each in marks]
    copies = ("kept-*", ".kept-*", "tried-*", "rehearsal.db*")  # an update's; the folder may be any
    found += [(store.parent / "updates").glob(each) for each in copies]
    halves = [store.parent.glob(f".{store.name}.{each}") for each in ("key*", "count*", "time*")]
    return sorted({*chain.from_iterable(found), *chain.from_iterable(halves)})


def _halves(files: Iterable[Path]) -> list[Path]:
    """Return what an interrupted writing of files has left beside them, keys among it."""
    return sorted({half for file in files for half in file.parent.glob(f".{escape(file.name)}.*")})


def _plain(path: Path) -> Path:
    """Return a path without ".." in it, so that what lies in a folder is seen to do so."""
    return Path(os.path.normpath(path.absolute()))


def _named(section: BaseModel) -> Iterator[Path]:
    """Yield every file that a configuration names."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, Path):
                yield each
            elif isinstance(each, BaseModel):
                yield from _named(each)
