"""The sides on the disk: one record, the environments, and the link that the service follows.

    ROOT/switch.json   the record (`switch.State`); root's, readable by all
    ROOT/a, ROOT/b     environments that updates are installed into
    ROOT/current       link to the one that runs; made after the record at each start
    ROOT/answer.json   what came of the last order, for the hub
    ROOT/.lock         held while the record is read and written again

The standard library only.
"""

import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from hems.software.switch import PACKAGE, SIDES, Phase, State, Verdict

RECORD: Final = "switch.json"
CURRENT: Final = "current"
ANSWER: Final = "answer.json"
UPDATES: Final = "updates"
"""Folder of the home in which the hub speaks to the launcher and the helper."""
VERDICT: Final = "verdict.json"
_LOCK: Final = ".lock"
_HELD_FOR_S: Final = 10.0
"""Nobody holds the lock for longer than some writes take."""
_MOST: Final = 64 * 1024
_MOST_TRIALS: Final = 1_000_000
_SHOWN: Final = 200


class SidesError(Exception):
    """The record or a side cannot be used; `str()` names what and where."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Where the sides are.

    Attributes:
        root: Folder of record, link and environments; the hub's user cannot write to it.
        package: The environment of the package manager.
    """

    root: Path
    package: Path

    def place(self, side: str) -> Path:
        """Return a side's environment."""
        return self.package if side == PACKAGE else self.root / side

    def sound(self, side: str) -> bool:
        """Whether there is a command in a side that can be started at all.

        Its Python is the machine's: a new release of that takes it away from under a side.
        """
        commands = self.place(side) / "bin"
        return all(os.access(commands / name, os.X_OK) for name in ("hems", "python"))

    def linked(self) -> str:
        """Return the side that the service follows; the package where it follows none."""
        link = self.root / CURRENT
        try:
            target = link.readlink()
        except OSError:
            return PACKAGE
        return next((side for side in SIDES if self.place(side) == target), PACKAGE)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have nobody else change the record in this block: launcher, helper and watch all do.

        Where that cannot be had in time the block is run all the same: a home is controlled.
        """
        number = -1
        try:
            # Not readable by the hub's user, who could hold it for ever.
            number = os.open(self.root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            _lock(number)
        except OSError:
            pass  # a disk that is read-only, say
        try:
            yield
        finally:
            if number >= 0:
                os.close(number)

    def read(self) -> State:
        """Return the record; that of a machine without updates where there is none.

        Raises:
            SidesError: It is damaged, or cannot be read.
        """
        path = self.root / RECORD
        try:
            return _state(json.loads(path.read_bytes()))
        except FileNotFoundError:
            return State()
        except OSError as error:
            raise SidesError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise SidesError(f"{path}: damaged: {error}") from error

    def write(self, state: State) -> None:
        """Keep the record, so that it outlasts a power cut.

        Raises:
            SidesError: It cannot be; it is as it was.
        """
        put(self.root / RECORD, asdict(state), mode=0o644)

    def link(self, side: str) -> None:
        """Have the service follow a side from its next start on.

        Raises:
            SidesError: It cannot be; what it followed is as it was.
        """
        path, target = self.root / CURRENT, str(self.place(side))
        draft = path.with_name(f".{CURRENT}.new")
        try:
            if path.is_symlink() and str(path.readlink()) == target:
                return
            draft.unlink(missing_ok=True)
            draft.symlink_to(target)
            draft.replace(path)
            sync(self.root)
        except OSError as error:
            raise SidesError(f"{path}: cannot be changed: {error.strerror}") from error

    def packaged(self) -> str:
        """Return the package's version; empty where it has none."""
        found = self.package.glob("lib/python3*/site-packages/hems-*.dist-info")
        return next(
            (each.name.removeprefix("hems-").removesuffix(".dist-info") for each in found), ""
        )


def sync(path: Path) -> None:
    """Have a file's content, or a folder's names, be on the disk.

    Raises:
        OSError: It cannot be.
    """
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def put(path: Path, content: object, *, mode: int) -> None:
    """Write a file of JSON whole or not at all, and durably.

    Raises:
        SidesError: It cannot be written; the former one is as it was.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        with draft.open("w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(mode)
        draft.replace(path)
        sync(path.parent)
    except OSError as error:
        raise SidesError(f"{path}: cannot be written: {error.strerror}") from error


def taken(home: Path, name: str) -> bytes | None:
    """Return what the hub has written for others; None where there is nothing to be read.

    The folder is the hub's, and whoever reads may be root: no link is followed, nothing waited
    for, and nothing long is read.
    """
    try:
        folder = os.open(home / UPDATES, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        number = os.open(name, flags, dir_fd=folder)
        with os.fdopen(number, "rb") as file:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                return None
            found = file.read(_MOST + 1)
            return found if len(found) <= _MOST else None
    except OSError:
        return None
    finally:
        os.close(folder)


def verdict(home: Path) -> Verdict | None:
    """Return what the hub has found of a version on trial; None for nothing, or nothing sound."""
    text = taken(home, VERDICT)
    try:
        found = json.loads(text or b"null")
        trial, good, why = found["trial"], found["good"], found["why"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if type(trial) is not int or type(good) is not bool or type(why) is not str:
        return None
    if not 0 < trial <= _MOST_TRIALS:
        return None
    # It goes into logs and onto pages: no line of its own, nothing that cannot be encoded.
    return Verdict(trial, good, "".join(each for each in why[:_SHOWN] if each.isprintable()))


def _lock(number: int) -> None:
    until = time.monotonic() + _HELD_FOR_S
    while True:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.05)
        else:
            return


def _state(raw: object) -> State:
    """Return a record as it was read.

    Raises:
        TypeError, ValueError, KeyError: It is none.
    """
    if not isinstance(raw, dict):
        raise TypeError("no record")
    state = State(
        phase=Phase(raw["phase"]),
        current=str(raw["current"]),
        former=str(raw["former"]),
        candidate=str(raw["candidate"]),
        versions=tuple((str(side), str(version)) for side, version in raw["versions"]),
        migrates=bool(raw["migrates"]),
        starts=int(raw["starts"]),
        trial=int(raw["trial"]),
        returned=int(raw["returned"]),
        why=str(raw["why"]),
        barred=tuple(str(each) for each in raw["barred"]),
    )
    known = {PACKAGE, *SIDES}
    if state.current not in known or not {state.former, state.candidate} <= {"", *known}:
        raise ValueError("it names a side that there is not")
    if state.phase is Phase.ARMED and not state.candidate:
        raise ValueError("nothing is there to be tried")
    if state.phase is Phase.TRIAL and not state.former:
        raise ValueError("nothing is there to go back to")
    return state
