"""The running hub and its own software: a trial is judged, and a good moment for one is chosen.

Only where the service says where the sides are (`HEMS_SOFTWARE`). Between trials it costs one look
at a file's time a minute.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Final

from der.sentence import Verbatim, say
from hems.commands.reign import ended
from hems.commands.updates import Updates
from hems.security_event import EventKind, Note, SecurityEvent
from hems.software.moment import unhurried
from hems.software.proof import GIVE_UP_S, Course, Seen, looked, proved
from hems.software.sides import RECORD, UPDATES, VERDICT, Sides, SidesError, put, taken
from hems.software.switch import ASKED, Phase, State, Verdict
from hems.succession import Succession
from hems.surface import Snapshot

ROOT: Final = "HEMS_SOFTWARE"
"""Variable of the environment: the folder of the sides."""
BEFORE: Final = "before.json"
LOOK_EVERY_S: Final = 60.0
TRIAL_EVERY_S: Final = 5.0
QUIET_S: Final = 1800.0
"""No event begins for so long after a switch."""
_TOLD_FOR_S: Final = 7 * 86_400.0

_log = logging.getLogger(__name__)


@asynccontextmanager
async def updating(
    updates: Updates, succession: Succession, stop: Callable[[], None], note: Note
) -> AsyncIterator[None]:
    """Have the hub's software looked after meanwhile, where it is in sides.

    Args:
        updates: What the owner decides of it.
        succession: The present home.
        stop: Has the hub end in order; the service starts it anew.
        note: Told what bears on security.
    """
    await updates.load()
    if updates.sides is None:
        yield
        return
    watch = _Watch(updates.sides, updates, succession, stop, note)
    task = asyncio.create_task(watch.run(), name="software")
    try:
        yield
    finally:
        await ended(task)
        watch.leave()
        await updates.close()


def seen(snapshot: Snapshot) -> Seen:
    """Return how a home stands."""
    return Seen(
        frozenset(each.id for each in snapshot.devices if each.quality in {"good", "asleep"}),
        frozenset(each.name for each in snapshot.utilities if each.state == "connected"),
    )


def quiet(snapshot: Snapshot, now: float) -> bool:
    """Whether the hub may be started anew: no event runs, and none begins soon.

    Args:
        snapshot: How the home stands.
        now: UTC epoch seconds.
    """
    return not any(
        each.state == "running" or (each.state == "coming" and each.starts_at < now + QUIET_S)
        for each in snapshot.events
    )


class _Watch:
    def __init__(
        self,
        sides: Sides,
        updates: Updates,
        succession: Succession,
        stop: Callable[[], None],
        note: Note,
    ) -> None:
        self._sides = sides
        self._updates = updates
        self._home = updates.home
        self._succession = succession
        self._stop = stop
        self._note = note
        self._changed = -1.0
        self._runs = ""
        self._returned: str | None = None
        self._noted: Mapping[str, object] = {}

    async def run(self) -> None:
        """Look after it, until cancelled."""
        state = self._read()
        self._runs = state.current
        unhurried(self._home)  # what was in a hurry has had its start
        await self._tell(state)
        # On a disk on which starts cannot be counted it is the former one that runs.
        if state.phase is Phase.TRIAL and self._sides.linked() == state.current:
            await self._try(state)
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self._say()  # another home may have followed
            if self._again() and self._begin(self._read()):
                return
            self._updates.look()

    def leave(self) -> None:
        """Note how the home stood, where somebody ends the hub as soon as a version is armed."""
        state = self._read()
        if state.phase is Phase.ARMED and self._noted.get("trial") != state.trial + 1:
            self._note_before(state, self._succession.home.front.snapshot())

    def _read(self) -> State:
        try:
            return self._sides.read()
        except SidesError as error:
            _log.warning("%s", error)
            return State()

    async def _tell(self, state: State) -> None:
        """Say that a version has given way, for a week, but to who wanted that."""
        if state.phase is not Phase.SETTLED or state.why in {"", ASKED}:
            return
        text = say(
            "A new version of the hub's software was taken back, and {version} runs again: {why}.",
            version=Verbatim(state.version(state.current)),
            why=state.why,  # known again by its words (`standing.CLAUSES`)
        )
        if await self._updates.returned(state.returned):
            self._note(SecurityEvent(EventKind.CONFIG_CHANGED, text, "software"))
        self._returned = text
        self._say()

    def _say(self) -> None:
        if self._returned is None:
            return
        if time.time() - self._written() >= _TOLD_FOR_S:
            self._returned = None
        self._succession.home.alarms.lasting("software returned", self._returned)

    def _written(self) -> float:
        try:
            return (self._sides.root / RECORD).stat().st_mtime
        except OSError:
            return -1.0

    def _again(self) -> bool:
        """Whether the record has changed, or asks for a moment that has not come yet."""
        written = self._written()
        changed, self._changed = written != self._changed, written
        return changed

    def _begin(self, state: State) -> bool:
        """End the hub where a new version waits, or the former one is wanted, and it suits."""
        armed = state.phase is Phase.ARMED
        if not armed and state.current == self._runs:
            return False
        snapshot = self._succession.home.front.snapshot()
        self._note_before(state, snapshot)
        if (armed and not self._updates.is_moment(state)) or not quiet(snapshot, snapshot.at):
            self._changed = -1.0
            return False
        _log.info("the hub is started anew, with another version")
        self._stop()
        return True

    def _note_before(self, state: State, snapshot: Snapshot) -> None:
        """Note how the home stands with the version that runs before a trial."""
        now = {name: sorted(found) for name, found in asdict(seen(snapshot)).items()}
        noted = {"trial": state.trial + 1, **now}
        if noted != self._noted:
            self._put(BEFORE, noted)
            self._noted = noted

    async def _try(self, state: State) -> None:
        """Judge the version that runs."""
        course = Course(self._before(state.trial), time.monotonic())
        self._updates.until = time.time() + GIVE_UP_S
        while (good := proved(course, time.monotonic())) is None:
            await asyncio.sleep(TRIAL_EVERY_S)
            if self._again() and self._read().phase is not Phase.TRIAL:
                self._changed = -1.0  # somebody has it gone back
                return
            snapshot = self._succession.home.front.snapshot()
            course = looked(course, seen(snapshot), snapshot.seq, time.monotonic())
        self._put(VERDICT, asdict(Verdict(state.trial, good=good, why="; ".join(course.missing))))
        version = state.version(state.current)
        if good:
            text = say("The hub's software {version} has proved itself.", version=Verbatim(version))
            self._note(SecurityEvent(EventKind.CONFIG_CHANGED, text, "software"))
        else:
            _log.warning("%s did not prove itself: %s", version, "; ".join(course.missing))

    def _before(self, trial: int) -> Seen:
        """Return how the home stood with the former version; nothing where nobody has noted it."""
        try:
            raw = json.loads(taken(self._home, BEFORE) or b"{}")
            found = Seen(frozenset(raw["devices"]), frozenset(raw["utilities"]))
        except (ValueError, TypeError, KeyError):
            return Seen()
        return found if raw.get("trial") == trial else Seen()  # of a trial long ago

    def _put(self, name: str, content: object) -> None:
        folder = self._home / UPDATES
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            put(folder / name, content, mode=0o600)
        except (OSError, SidesError) as error:
            _log.error("%s", error)
