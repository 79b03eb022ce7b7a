"""The home's store while a version is on trial that brings it to another form.

    HOME/updates/store.json     which files the store is, as the hub has told
    updates/kept-N/             the store as it was before trial N
    updates/tried-N/            the store that trial N has left, once the former is back in place

The latter two are beside the store, which may be on a disk of its own: what goes back is renamed.
Their folders are made before the trial, for after it the disk may be full.

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
_IN: Final = ".in"
"""In the folder for what is tried: nothing of it is there yet."""
OUT: Final = ".out"
"""In the folder of what was tried: all of it is out of the way."""
_PARTS: Final = ("", "-wal", "-shm", ".key")
"""Its key, too: a backup that is put in place during the trial brings another."""
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
    migrates = state.phase is Phase.TRIAL and state.migrates
    store = _store(home)
    if store is None:
        if migrates:
            raise SidesError(f"{home / UPDATES / STORE}: it is not told which file is the store")
        return ""
    folder = store.parent / UPDATES
    try:
        if migrates:
            return _keep(store, folder, state.trial)
        if state.phase is Phase.SETTLED and _kept(folder, state.returned).is_dir():
            return _put_back(store, folder, state.returned)
    except OSError as error:
        raise SidesError(f"{error.filename or folder}: {error.strerror}") from error
    return _forget(folder) if state.phase is Phase.SETTLED else ""


def is_kept(home: Path, state: State) -> bool:
    """Whether the store was copied for this trial, so that its version may have changed it."""
    store = _store(home)
    return (
        store is not None and state.migrates and _kept(store.parent / UPDATES, state.trial).exists()
    )


def tried(store: Path) -> Path | None:
    """Return the folder of a store that a trial has left, whose news is not taken over yet."""
    found = [each for each in (store.parent / UPDATES).glob("tried-*") if (each / OUT).exists()]
    return max(found, key=lambda each: each.stat().st_mtime, default=None)


def _store(home: Path) -> Path | None:
    """Return the store's file; None where the hub has not told."""
    try:
        return Path(json.loads(taken(home, STORE) or b"null")["path"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _kept(folder: Path, trial: int) -> Path:
    return folder / f"kept-{trial}"


def _tried(folder: Path, trial: int) -> Path:
    return folder / f"tried-{trial}"


def _files(store: Path) -> list[Path]:
    beside = [store.with_name(store.name + each) for each in _PARTS]
    return [each for each in beside if each.exists()]


def _keep(store: Path, folder: Path, trial: int) -> str:
    """Copy the store; where that was done, this is not the first start, and nothing is done."""
    kept, aside = _kept(folder, trial), _tried(folder, trial)
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
    _make(aside)
    draft.rename(kept)
    sync(kept.parent)
    return f"{kept}: the store as it was"


def _make(aside: Path) -> None:
    aside.mkdir(mode=0o700, exist_ok=True)
    (aside / _IN).touch()
    sync(aside)


def _put_back(store: Path, folder: Path, trial: int) -> str:
    """Move what the trial has left out of the way, then what was kept into its place."""
    kept, aside = _kept(folder, trial), _tried(folder, trial)
    if not (aside / OUT).exists():
        _make(aside)  # it is there, unless somebody has tidied up
        for each in _files(store):
            each.rename(aside / each.name)
        sync(store.parent)
        (aside / _IN).rename(aside / OUT)
        sync(aside)
        sync(aside.parent)
    for each in sorted(kept.iterdir()):
        os.rename(each, store.with_name(each.name))  # noqa: PTH104 - as above, within one disk
    sync(store.parent)
    kept.rmdir()
    sync(kept.parent)
    return f"{store}: the store of the former version is back; {aside} has the other"


def _forget(folder: Path) -> str:
    """Remove what was kept of a trial that went well; what cannot be removed is in nobody's way."""
    unused = [each for each in folder.glob("tried-*") if (each / _IN).exists()]
    found = [*folder.glob("kept-*"), *folder.glob(".kept-*"), *unused]
    for each in found:
        shutil.rmtree(each, ignore_errors=True)
    return f"{found[0]}: not needed any more" if found else ""
