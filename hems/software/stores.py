"""The home's store while a version is on trial that brings it to another form.

    HOME/updates/store.json    which files the store is, as the hub has told
    HOME/updates/kept-N/       the store as it was before trial N
    HOME/updates/tried-N/      the store that trial N has left, once the former is back in place

Run as the hub's user before the hub is started, so nobody has the store open. Each step can be
done again after a power cut. The standard library only.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Final

from hems.software.sides import UPDATES, SidesError, put, sync, taken
from hems.software.switch import Phase, State

STORE: Final = "store.json"
OUT: Final = ".out"
"""In the folder of what was tried: all of it is out of the way."""
_SIDECARS: Final = ("", "-wal", "-shm")
_SPARE: Final = 16 * 1024 * 1024
"""Octets that must be left free for the hub once the copy is made."""


def tell(home: Path, store: Path) -> None:
    """Write down which file the store is; the hub's part.

    Raises:
        SidesError: It cannot be written.
    """
    folder = home / UPDATES
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SidesError(f"{folder}: cannot be made: {error.strerror}") from error
    put(folder / STORE, {"path": str(store.absolute())}, mode=0o600)


def look_after(home: Path, state: State) -> str:
    """Keep the store, put it back, or forget what was kept: what the record wants.

    Args:
        home: The home's folder.
        state: The record, as the launcher has left it for this start.

    Returns:
        What was done, in words; empty for nothing.

    Raises:
        SidesError: It cannot be done; the hub must not be started on it.
    """
    folder = home / UPDATES
    try:
        if state.phase is Phase.TRIAL and state.migrates:
            return _keep(_store(home), folder / f"kept-{state.trial}")
        if state.phase is Phase.SETTLED and state.returned:
            kept = folder / f"kept-{state.returned}"
            if kept.is_dir():
                return _put_back(_store(home), kept, folder / f"tried-{state.returned}")
        if state.phase is Phase.SETTLED:
            return _forget(folder)
    except OSError as error:
        raise SidesError(f"{error.filename or folder}: {error.strerror}") from error
    return ""


def tried(home: Path) -> Path | None:
    """Return the folder of a store that a trial has left, whose news is not taken over yet."""
    found = [each for each in (home / UPDATES).glob("tried-*") if (each / OUT).exists()]
    return max(found, key=lambda each: each.stat().st_mtime, default=None)


def _store(home: Path) -> Path:
    """Return the store's file.

    Raises:
        SidesError: The hub has not told.
    """
    try:
        return Path(json.loads(taken(home, STORE) or b"null")["path"])
    except (ValueError, TypeError, KeyError) as error:
        raise SidesError(
            f"{home / UPDATES / STORE}: it is not told which file is the store"
        ) from error


def _files(store: Path) -> list[Path]:
    beside = [store.with_name(store.name + each) for each in _SIDECARS]
    return [each for each in beside if each.exists()]


def _keep(store: Path, kept: Path) -> str:
    """Copy the store; where that was done, this is not the first start, and nothing is done."""
    if kept.exists():
        return ""
    files = _files(store)
    draft = kept.with_name(f".{kept.name}")
    shutil.rmtree(draft, ignore_errors=True)
    needs = sum(each.stat().st_size for each in files) + _SPARE
    if shutil.disk_usage(store.parent).free < needs:
        raise SidesError(f"{kept}: no room for a copy of the store: {needs} octets are needed")
    draft.mkdir(mode=0o700, parents=True)
    for each in files:
        shutil.copy2(each, draft / each.name)
        sync(draft / each.name)
    sync(draft)
    draft.rename(kept)
    sync(kept.parent)
    return f"{kept}: the store as it was"


def _put_back(store: Path, kept: Path, aside: Path) -> str:
    """Move what the trial has left out of the way, then what was kept into its place."""
    aside.mkdir(mode=0o700, exist_ok=True)
    if not (aside / OUT).exists():
        for each in _files(store):
            each.rename(aside / each.name)
        sync(store.parent)
        (aside / OUT).touch()
        sync(aside)
        sync(aside.parent)
    for each in sorted(kept.iterdir()):
        os.rename(each, store.with_name(each.name))  # noqa: PTH104 - as above, within one disk
    sync(store.parent)
    kept.rmdir()
    sync(kept.parent)
    return f"{store}: the store of the former version is back; {aside} has the other"


def _forget(folder: Path) -> str:
    """Remove what was kept of a trial that went well."""
    found = [*folder.glob("kept-*"), *folder.glob(".kept-*")]
    for each in found:
        shutil.rmtree(each)
    return f"{found[0]}: not needed any more" if found else ""
