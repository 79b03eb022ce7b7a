"""The guard process: `python -m hems.commands.guard STATE`, started by the hub, told by a pipe.

It is in a session of its own and outlives the hub that started it; it ends by itself once the hub
is gone and nothing is held any more, and at once when the next hub's guard takes its place. What is
held stands in the file STATE, from which that one goes on.
"""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from der.errors import PermanentError
from der.guard import Guard, Hold, Vigil
from der.model import DeviceSpec
from der.registry import build
from hems.guarding.letters import LetterError, read_note, read_opening
from hems.logs import log_to_stderr

_log = logging.getLogger("hems.guard")

_ASK_EVERY_S: Final = 0.05
_TAKE_OVER_S: Final = 10.0
_LONGEST_LINE: Final = 1 << 20
LONGEST_S: Final = 900.0
"""No set-point lapses later, but for those of devices that sleep."""
_WAKES: Final = 3
"""How many of its wakes a set-point of such a device outlasts."""
_KEPT: Final = TypeAdapter(dict[str, tuple[float, bool]])
"""By device id: when its set-point lapses, UTC epoch seconds, and whether its switch is open."""


def main() -> int:
    """Run the guard; returns its exit code."""
    log_to_stderr(logging.INFO)
    try:
        asyncio.run(_watch(Path(sys.argv[1])))
    except (LetterError, PermanentError, OSError) as error:
        _log.error("the guard cannot do its work: %s", error)
        return 1
    return 0


async def _watch(path: Path) -> None:
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    told = read_opening(await reader.readline())
    lock = await _take_over(path.with_suffix(".lock"))
    registry = build(told.devices, told.shared, now=time.time)
    guard = Guard(
        registry.devices,
        held(path, [description.spec for description in told.devices]),
        time.monotonic,
        lambda vigil: _keep(path, vigil),
        registry.start,
    )
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    try:
        running = asyncio.create_task(guard.run())
        listening = asyncio.create_task(_listen(reader, guard))
        replaced = asyncio.create_task(ended.wait())
        await asyncio.wait((running, replaced), return_when=asyncio.FIRST_COMPLETED)
        for task in (running, listening, replaced):
            task.cancel()
        await asyncio.gather(running, listening, replaced, return_exceptions=True)
    finally:
        await registry.stop()
        os.close(lock)


async def _listen(reader: asyncio.StreamReader, guard: Guard) -> None:
    """Take what the hub says until it says no more."""
    while line := await reader.readline():
        try:
            said = read_note(line)
        except LetterError as error:
            _log.warning("%s", error)
            continue
        if said.until is None:
            guard.free(said.device)
        else:
            guard.hold(said.device, said.until, opened=said.opened)
    guard.left_alone()


async def _take_over(path: Path) -> int:
    """Take the place of a guard that an earlier hub has left; returns the lock.

    Raises:
        OSError: The lock cannot be had.
    """
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _TAKE_OVER_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(lock)
                raise
        with contextlib.suppress(ValueError, ProcessLookupError):
            # Whoever holds the lock has written its own number there, so it is a guard.
            os.kill(int(os.pread(lock, 32, 0)), signal.SIGTERM)
        await asyncio.sleep(_ASK_EVERY_S)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def held(path: Path, specs: Iterable[DeviceSpec] = ()) -> Vigil:
    """Return what was held when the file was written.

    A machine without a clock of its own wakes in the past: nothing is held for longer than a
    set-point can last, whatever the file says.

    Args:
        path: The file.
        specs: The devices, for those that sleep.
    """
    try:
        kept = _KEPT.validate_json(path.read_bytes())
    except FileNotFoundError:
        return Vigil({})
    except (OSError, ValidationError) as error:
        _log.warning("%s: what was held before cannot be read: %s", path, error)
        return Vigil({})
    ahead_s = time.monotonic() - time.time()
    longest = {spec.id: _longest_s(spec) for spec in specs}
    vigil = Vigil({})
    for name, (until, opened) in kept.items():
        latest = time.monotonic() + longest.get(name, LONGEST_S)
        vigil = vigil.hold(name, min(until + ahead_s, latest), opened=opened)
    return vigil


def _longest_s(spec: DeviceSpec) -> float:
    sleep = spec.sleep
    asleep_s = 0.0 if sleep is None else _WAKES * (sleep.period_s + sleep.awake_s)
    return max(LONGEST_S, asleep_s)


def _keep(path: Path, vigil: Vigil) -> None:
    """Write down what is held, so that a reader finds all of it or what was before.

    Where nothing is held there is no file.
    """
    ahead_s = time.monotonic() - time.time()
    holds: dict[str, Hold] = dict(vigil.holds)
    text = json.dumps({name: (hold.until - ahead_s, hold.opened) for name, hold in holds.items()})
    draft = path.with_suffix(".new")
    try:
        if not holds:
            path.unlink(missing_ok=True)
            return
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:  # the vigil itself goes on
        _log.warning("%s: what is held cannot be written down: %s", path, error.strerror)


if __name__ == "__main__":
    raise SystemExit(main())
