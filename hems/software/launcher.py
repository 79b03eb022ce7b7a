"""Before each start of the hub: which side runs, and with which store.

    python -I -m hems.software.launcher settle ROOT HOME PACKAGE   as who may write to ROOT
    python -I -m hems.software.launcher store  ROOT HOME PACKAGE   as the hub's user, after it
    python -I -m hems.software.launcher watch  ROOT HOME PACKAGE   beside a hub on trial

It is run from the package's environment, which no update touches, and imports the standard
library only: what a new version has broken cannot keep it from going back.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from hems.software.sides import Sides, SidesError, verdict
from hems.software.stores import is_kept, look_after
from hems.software.switch import PACKAGE, Phase, State, judged, packaged, returned, started

WITHIN_S: Final = 900.0
"""So long a version on trial has, from its start, to prove itself."""
LOOK_EVERY_S: Final = 5.0
_ANEW: Final = 3
"""Exit code of `watch`: the hub must be started anew, on the former side."""
_WORDS: Final = 4
_FAILED: Final = ("systemctl", "is-failed", "--quiet", "hems.service")
_ANSWER_S: Final = 10.0


def settle(sides: Sides, home: Path) -> State:
    """Take the record to this start, and have the link follow it.

    Whatever is wrong, some side is linked: a home is controlled by an old version rather than by
    none.

    Returns:
        The record.
    """
    with sides.held():
        return _settled(sides, home)


def _settled(sides: Sides, home: Path) -> State:
    said = verdict(home)
    damaged = False
    try:
        before = sides.read()
    except SidesError as error:
        _say(f"{error}; what runs goes on")
        before, damaged = State(current=sides.linked()), True
    known = before
    if before.trial == 0 and said is not None:
        # The record was lost, and the verdict is of a trial before that: it is to count nothing.
        known = replace(before, trial=said.trial)
    state = started(packaged(known, sides.packaged()), said)
    if not sides.sound(state.current):
        state = _sound(sides, state)
    try:
        if damaged or state != before:
            sides.write(state)
    except SidesError as error:
        # A trial that cannot be counted could go on for ever. But where the store was brought to
        # another form it stays: that could not be put back either.
        back = before.phase is Phase.TRIAL and not is_kept(home, before)
        side = before.former if back else before.current
        _say(f"{error}; {side} runs, and nothing new is tried")
        sides.link(side)
        return before
    sides.link(state.current)
    if state != before:
        _say(_told(state))
    return state


def watch(
    sides: Sides,
    home: Path,
    *,
    within_s: float = WITHIN_S,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
    given_up: Callable[[], bool] | None = None,
) -> bool:
    """Wait for the verdict on a version on trial, and no longer than it has.

    Returns:
        Whether the hub must be started anew, because the former side is to run.

    A record that cannot be written, on a full disk say, is tried again.

    Raises:
        SidesError: The record cannot be read.
    """
    until, told = clock() + within_s, ""
    while True:
        with sides.held():
            state = sides.read()
            if state.phase is not Phase.TRIAL:
                return False
            after = judged(state, verdict(home))
            if after == state and (given_up or _given_up)():
                after = returned(state, "it has ended, and says that it is of no use to start it")
            if after == state and clock() >= until:
                after = returned(state, f"it did not prove itself within {within_s / 60:g} minutes")
            try:
                if after != state:
                    sides.write(after)
                    _say(_told(after))
                    return after.current != state.current
            except SidesError as error:
                if str(error) != told:
                    told = str(error)
                    _say(told)
        wait(LOOK_EVERY_S)


def main(arguments: list[str]) -> int:
    """Run it; returns the exit code."""
    if len(arguments) != _WORDS or arguments[0] not in {"settle", "store", "watch"}:
        _say((__doc__ or "").partition("\n\n")[2].partition("\n\n")[0])
        return 2
    what, root, home, package = arguments
    sides = Sides(Path(root), Path(package))
    if what != "store":
        os.umask(0o022)  # the hub's user reads and follows what is written here
    try:
        match what:
            case "settle":
                sides.root.mkdir(mode=0o755, parents=True, exist_ok=True)
                settle(sides, Path(home))
            case "store":
                said = _stored(sides, Path(home))
                if said:
                    _say(said)
            case _:
                return _ANEW if watch(sides, Path(home)) else 0
    except (SidesError, OSError) as error:
        _say(str(error))
        return 1
    return 0


def _stored(sides: Sides, home: Path) -> str:
    """Have the store be as the side needs it that is started; returns what was done.

    Raises:
        SidesError: It cannot be; that side must not be started on it.
    """
    try:
        state = sides.read()
    except SidesError as error:  # it could not be mended either: what runs goes on, as it is
        return f"{error}; the store stays as it is"
    if sides.linked() != state.current:
        return f"{state.current} is not what is started; the store stays as it is"
    return look_after(home, state)


def _given_up() -> bool:
    """Whether the service manager starts the hub no more: that has said that it cannot be run."""
    try:
        done = subprocess.run(  # noqa: S603 - words of this file
            _FAILED, check=False, capture_output=True, timeout=_ANSWER_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _sound(sides: Sides, state: State) -> State:
    """Return the record for a side that can be started, where the present one cannot."""
    wrong = f"{sides.place(state.current)} cannot be started"
    _say(wrong)
    if state.phase is Phase.TRIAL:
        return returned(state, wrong)
    for side in (state.former, PACKAGE):
        if side and side != state.current and sides.sound(side):
            return State(
                current=side,
                versions=state.versions,
                trial=state.trial,
                returned=state.returned,
                why=wrong,
                barred=state.barred,
            )
    return state


def _told(state: State) -> str:
    version = state.version(state.current) or state.current
    match state.phase:
        case Phase.TRIAL:
            return f"{version} is on trial, start {state.starts}"
        case _ if state.why:
            return f"{version} runs again: {state.why}"
        case _:
            return f"{version} runs"


def _say(text: str) -> None:
    print(f"hems software: {text}", file=sys.stderr)  # noqa: T201 - the journal is all there is


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
