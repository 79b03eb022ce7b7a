"""Putting an unpacked backup in the place of what is there, and back if it does not run.

Every step is a rename that a journal names before the first is done, so that a power cut in
between is gone on from at the next start. The former files stay until the home has run once with
the new ones.

    FOLDER/.restore/journal.json   what is to be renamed, and how far it is
    FOLDER/.restore/new, old       the files on their way in, and those that they replaced
"""

import errno
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from certs.syncing import sync
from der.sentence import say
from hems.archive.backup import STORE, STORE_KEY, Manifest
from hems.archive.belongings import SIDECARS, Belongings
from hems.archive.errors import ArchiveError
from hems.store.key_file import key_path

FOLDER: Final = ".restore"
_JOURNAL: Final = "journal.json"


class State(StrEnum):
    """How far it is."""

    ADOPTING = "adopting"
    """The new files are being put in place."""
    TRYING = "trying"
    """They are in place; whether the home runs with them is not known yet."""
    RETURNING = "returning"
    """The former files are being put back."""


@dataclass(frozen=True, slots=True)
class Move:
    """One file's change.

    Attributes:
        place: Where it belongs.
        name: Under which it lies in `new` and `old`.
        comes: Whether there is a new one; else the present one only goes.
    """

    place: str
    name: str
    comes: bool


@dataclass(frozen=True, slots=True)
class Journal:
    """What is to be done, and how far it is."""

    state: State
    moves: tuple[Move, ...]
    failed: str = ""


_KIND: Final = TypeAdapter(Journal)


def staging(folder: Path) -> Path:
    """Return the folder to unpack into; what an attempt before left there is removed.

    Raises:
        ArchiveError: A backup is being put in place just now.
    """
    place = folder / FOLDER
    if (place / _JOURNAL).exists():
        raise ArchiveError(say("A backup is being put in place already."))
    shutil.rmtree(place, ignore_errors=True)
    try:
        place.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise ArchiveError(say("{place}: cannot be made.", place=str(place))) from error
    return place / "new"


def plan(present: Belongings, manifest: Manifest, store: Path) -> None:
    """Write down what is to be done; from now on the next start does it.

    Args:
        present: What belongs to the home now.
        manifest: What was unpacked.
        store: Where the unpacked store belongs.

    Raises:
        ArchiveError: It cannot be written down; everything is as it was.
    """
    unpacked = present.folder / FOLDER / "new"
    incoming = {str(present.folder / name): f"files/{name}" for name in manifest.files}
    if (unpacked / STORE).exists():
        incoming[str(key_path(store))] = STORE_KEY  # before the store: without it that is nothing
        incoming[str(store)] = STORE
    going = [*present.kept(), *present.store_files()]
    # What SQLite keeps beside the store goes before the store does: the new one must not find it.
    moves = [
        Move(str(path), f"gone/{number}", comes=False)
        for number, path in enumerate(going)
        if str(path) not in incoming
    ]
    moves += [Move(place, name, comes=True) for place, name in incoming.items()]
    try:
        _sync_tree(unpacked)
        _write(present.folder, Journal(State.ADOPTING, tuple(moves)))
    except OSError as error:
        raise ArchiveError(
            say("The backup cannot be put in place: {why}.", why=str(error))
        ) from error


def resume(folder: Path) -> Journal | None:
    """Go on with what was begun, at a start; returns it where the home now runs with new files.

    Raises:
        ArchiveError: It cannot be gone on with; nothing is lost, the journal says what is where.
    """
    journal = _read(folder)
    if journal is None:
        return None
    try:
        if journal.state is State.ADOPTING:
            _adopt(folder, journal.moves)
            journal = replace(journal, state=State.TRYING)
            _write(folder, journal)
        elif journal.state is State.RETURNING:
            _put_back(folder, journal.moves)
            _forget(folder)
            return None
    except OSError as error:
        raise ArchiveError(
            say(
                "{folder}: what was begun cannot be ended: {why}",
                folder=str(folder / FOLDER),
                why=str(error),
            )
        ) from error
    return journal


def give_up(folder: Path) -> bool:
    """Put the former files back where the home does not run with the new ones.

    Returns:
        Whether there was something to put back.
    """
    journal = _read(folder)
    if journal is None or journal.state is not State.TRYING:
        return False
    _write(folder, replace(journal, state=State.RETURNING))
    resume(folder)
    return True


def former(folder: Path) -> tuple[Path, ...]:
    """Return the former files that `confirm` removes; none while a backup is not being tried."""
    journal = _read(folder)
    if journal is None or journal.state is not State.TRYING:
        return ()
    found = (folder / FOLDER / "old" / move.name for move in journal.moves)
    return tuple(path for path in found if path.is_file())


def confirm(folder: Path) -> None:
    """Remove the former files: the home runs with the new ones."""
    journal = _read(folder)
    if journal is not None and journal.state is State.TRYING:
        _forget(folder)


def _forget(folder: Path) -> None:
    """Remove what is left on the way; the journal first, for without the files it would lie."""
    place = folder / FOLDER
    (place / _JOURNAL).unlink()
    sync(place)
    shutil.rmtree(place, ignore_errors=True)


def _adopt(folder: Path, moves: Sequence[Move]) -> None:
    new, old = folder / FOLDER / "new", folder / FOLDER / "old"
    for move in moves:
        place, comes, former = Path(move.place), new / move.name, old / move.name
        if move.comes and not comes.exists():
            continue  # it was put in place before the power went
        if place.exists() and not former.exists():
            _rename(place, former)
        if move.comes:
            _rename(comes, place)


def _put_back(folder: Path, moves: Sequence[Move]) -> None:
    new, old = folder / FOLDER / "new", folder / FOLDER / "old"
    for move in reversed(moves):
        place, former = Path(move.place), old / move.name
        if move.comes and place.exists() and not (new / move.name).exists():
            _rename(place, new / move.name)
        if move.name == STORE:
            for suffix in SIDECARS:  # of the new one: SQLite would take them for the former's
                place.with_name(place.name + suffix).unlink(missing_ok=True)
        if former.exists():
            _rename(former, place)


def _rename(path: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        path.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        draft = target.with_name(f".{target.name}.new")  # a disk of its own: the store's, perhaps
        shutil.copy2(path, draft)
        sync(draft)
        draft.replace(target)
        path.unlink()
    sync(target.parent)


def _sync_tree(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        sync(path)


def _read(folder: Path) -> Journal | None:
    path = folder / FOLDER / _JOURNAL
    try:
        return _KIND.validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise ArchiveError(say("{path}: cannot be read", path=str(path))) from error


def _write(folder: Path, journal: Journal) -> None:
    path = folder / FOLDER / _JOURNAL
    draft = path.with_name(f".{_JOURNAL}.new")
    draft.write_bytes(_KIND.dump_json(journal))
    sync(draft)
    draft.replace(path)
    sync(path.parent)
