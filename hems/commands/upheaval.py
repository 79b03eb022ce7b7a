"""What is done between one run of the hub and the next: restoring a backup, erasing a home."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hems.archive import swap, wipe
from hems.archive.belongings import Belongings
from hems.archive.errors import ArchiveError
from hems.archive.wipe import Proof
from hems.commands.held_keys import erase_former
from hems.on_demand import on_demand
from hems.settings import settings_file
from hems.settings.config import Config, load
from hems.settings.toml_file import ConfigError
from hems.setup.belonging import belongings, store_place

if TYPE_CHECKING:
    from hems.commands import erasure
else:
    erasure = on_demand("hems.commands.erasure")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Begun:
    """What was done before this run.

    Attributes:
        erased: What was erased; None where nothing was.
        restored: Whether this is the first run with a backup's files.
    """

    erased: Proof | None = None
    restored: bool = False


def begin(path: Path) -> Begun:
    """Do what was decided in the run before, or what a power cut kept it from.

    Args:
        path: The home's configuration file.

    Raises:
        ArchiveError: It cannot be done; nothing is lost.
    """
    folder = path.parent.absolute()
    if wipe.marked(folder):
        done = erasure.erase_home(path, belonging_to(path))
        for line in done.lines():
            _log.warning("%s", line)
        for left in done.left:
            _log.error("not erased: %s", left)
        return Begun(erased=replace(done.proof, left=done.left))
    restored = swap.resume(folder) is not None
    if restored:
        _log.warning("a backup was put in place; the files before it stay until the home has run")
    return Begun(restored=restored)


def belonging_to(path: Path) -> Belongings:
    """Return what belongs to a home, whatever its configuration is like by now."""
    try:
        return belongings(path, load(path))
    except ConfigError:
        folder = path.parent.absolute()
        bare = Config.model_validate({"home": {}, "store": {}}, context={"folder": folder})
        return belongings(path, bare)


def put_back(path: Path, why: str) -> bool:
    """Put the former files back where a backup's do not make a home that runs.

    Args:
        path: The home's configuration file.
        why: It does not run.

    Returns:
        Whether there was something to put back, so that another start makes sense.
    """
    back = swap.give_up(path.parent.absolute())
    if back:
        _log.error("the backup cannot be used here: %s; the files before it are back", why)
    return back


def confirm(path: Path) -> None:
    """Take the restored files for good: the home has run with them."""
    erase_former(path, swap.former(path.parent.absolute()))
    swap.confirm(path.parent.absolute())
    _log.info("the home runs with the backup's files; those before them are removed")


def checked(path: Path, folder: Path) -> Path:
    """Return where the store of an unpacked backup belongs.

    Args:
        path: The home's configuration file, whose place the backup's is to take.
        folder: Where the backup's files are.

    Raises:
        ArchiveError: Its settings cannot be used.
    """
    found = next((each for each in folder.glob("*.toml") if each.name == path.name), None)
    if found is None and not (folder / settings_file.NAME).exists():
        raise ArchiveError(
            f"the backup was made of a home whose configuration has another name than {path.name}"
        )
    try:
        return store_place(path, folder, load(folder / path.name))
    except ConfigError as error:
        raise ArchiveError(f"the settings in the backup cannot be used: {error}") from error
