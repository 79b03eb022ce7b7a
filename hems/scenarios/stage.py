"""A scenario played: the whole home, its utility and its devices, on virtual time.

Hub, store, protocol, TLS and the utility's server are what they always are. Time passes at once,
and devices stand at the other end of a call where a home has a wire.
"""

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from certs.pki import Pki, init_pki
from hems.cem.sentry import NO_SENTRY
from hems.home import Home
from hems.means import Means
from hems.planning.occasion import Pace
from hems.scenarios.desk import NearDesk
from hems.scenarios.hub_side import hub_config
from hems.scenarios.observing import Observing
from hems.scenarios.parts import Ill
from hems.scenarios.premises import Premises
from hems.scenarios.record import Band, Played
from hems.scenarios.script import (
    EventPart,
    HappensPart,
    OperatorPart,
    OwnerPart,
    Script,
    ScriptError,
)
from hems.scenarios.utility_side import UtilitySide
from hems.scenarios.virtual_time import VirtualClock, VirtualLoop, run_at_once
from hems.settings.config import Config
from hems.store.store import open_store
from hems.surface import SurfaceError

_TOLD_BEFORE_S: Final = 60.0
_SETTLE_S: Final = 5.0
"""Before this nobody dispatches anything: the hub is only just finding its utility."""
_LISTEN_S: Final = 5.0
_RESTART_S: Final = 20.0
_TMPFS: Final = Path("/dev/shm")  # noqa: S108 - a directory of one's own is made in it


def play(script: Script, seed: int | None = None) -> Played:
    """Play a scenario.

    Args:
        script: The scenario.
        seed: Decides what chance decides; None for the scenario's own.

    Raises:
        ScriptError: Something of it cannot be played; the message says what.
    """
    began = time.perf_counter()
    folder = Path(tempfile.mkdtemp(dir=_TMPFS if _TMPFS.is_dir() else None))
    try:
        stage = _Stage(script, folder, script.seed if seed is None else seed)
        played = _alone(stage)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    played.took_s = time.perf_counter() - began
    return played


def _alone(stage: "_Stage") -> Played:
    """Play it; of errors that come together the scenario's own is told, if there is one."""
    try:
        return run_at_once(stage.play())
    except ExceptionGroup as group:
        for error in _single(group):
            if isinstance(error, ScriptError):
                raise error from group
        raise


def _single(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """Yield the errors in a group, and in groups within it."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _single(error)
        else:
            yield error


@dataclass(frozen=True, slots=True)
class _Act:
    """Something to be done at a time, UTC epoch seconds."""

    at: float
    do: Callable[[], Awaitable[None]]


class _Stage:
    def __init__(self, script: Script, folder: Path, seed: int) -> None:
        self._script = script
        self._folder = folder
        self._seed = seed
        self._played = Played()
        self._home: Home | None = None
        self._utility: UtilitySide | None = None
        self._reign: asyncio.Task[None] | None = None

    async def play(self) -> Played:
        script = self._script
        loop = asyncio.get_running_loop()
        if not isinstance(loop, VirtualLoop):
            raise TypeError("a scenario is played on virtual time")
        self._clock = VirtualClock(loop, script.begin)
        self._true = VirtualClock(loop, script.begin)  # nobody sets it
        for name, text in script.files.items():
            (self._folder / name).write_text(text, encoding="utf-8")
        if script.utility is None:
            return await self._through()
        side = UtilitySide(script.utility, self._folder, _pki(), self._true)
        try:
            await side.start()
            self._utility = side
            return await self._through()
        finally:
            await side.stop()

    async def _through(self) -> Played:
        """Play it from its beginning to its end."""
        self._config = self._configured()
        self._premises = Premises(self._script, self._config, self._clock, self._seed)
        self._observing = Observing(self._played, self._premises)
        self._chance = random.Random(f"{self._seed}/draws")  # noqa: S311 - no secret
        async with self._passing():
            await self._acts()
        await self._finish()
        return self._played

    def _configured(self) -> Config:
        section = None if self._utility is None else self._utility.section()
        try:
            return hub_config(self._script, self._folder, section)
        except ValidationError as error:
            problems = error.errors(include_url=False)
            said = (
                f"hub.{'.'.join(str(part) for part in each['loc'])}: "
                + each["msg"].removeprefix("Value error, ")
                for each in problems
            )
            raise ScriptError("\n".join(said)) from error

    @asynccontextmanager
    async def _passing(self) -> AsyncIterator[None]:
        """Let the home live while the context lasts; what fails in it ends the scenario."""
        async with asyncio.TaskGroup() as tasks:
            self._start_hub(tasks)
            physics = tasks.create_task(self._physics())
            listening = tasks.create_task(self._listening())
            yield
            for task in (physics, listening):
                task.cancel()
            await self._stop_hub()

    async def _physics(self) -> None:
        step_s, due = self._script.step, self._true.monotonic() + self._script.step / 2
        while True:
            await asyncio.sleep(due - self._true.monotonic())
            self._premises.step(step_s)
            self._observing.note(self._true.now(), self._home)
            due += step_s

    async def _listening(self) -> None:
        while True:
            await asyncio.sleep(_LISTEN_S)
            if self._home is not None:
                self._observing.listen(self._true.now(), self._home)

    # The hub.

    def _start_hub(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._reign = tasks.create_task(self._live())

    async def _live(self) -> None:
        store = await open_store(self._config.store.path, self._clock)
        # The simulated devices end by themselves what they were told: nobody has to guard them.
        means = Means(self._chance, NearDesk(), _pace(self._script), NO_SENTRY)
        try:
            home = Home(self._config, self._clock, store, self._premises.registry(), means)
            self._home = home
            await home.run()
        finally:
            self._home = None
            settled = await store.performances.find(self._script.begin, self._script.end)
            self._played.records = tuple(each.record for each in settled)
            await store.close()

    async def _stop_hub(self) -> None:
        if self._home is not None:
            self._home.stop()
        if self._reign is not None:
            await self._reign
        self._reign = None

    # What happens.

    async def _acts(self) -> None:
        for act in sorted(self._planned(), key=lambda act: act.at):
            await self._until(act.at)
            await act.do()
        await self._until(self._script.end)

    async def _until(self, moment: float) -> None:
        await asyncio.sleep(max(moment - self._true.now(), 0.0))

    def _planned(self) -> list[_Act]:
        script = self._script
        acts: list[_Act] = []
        for event in script.event:
            at = script.at(event.at)
            told = at - _TOLD_BEFORE_S if event.told is None else script.at(event.told)
            told = max(told, script.begin + _SETTLE_S)
            acts.append(_Act(told, partial(self._dispatch, event, at)))
            if event.cancelled is not None:
                acts.append(_Act(script.at(event.cancelled), partial(self._cancel, event)))
        acts += [_Act(script.at(d.at), partial(self._owner, d)) for d in script.owner]
        acts += [_Act(script.at(d.at), partial(self._operator, d)) for d in script.operator]
        for turn in script.happens:
            at = script.at(turn.at)
            ends = script.end if turn.lasts is None else at + turn.lasts
            self._played.bands.append(Band(_called(turn), at, ends))
            acts.append(_Act(at, partial(self._begin, turn)))
            if turn.lasts is not None:
                acts.append(_Act(ends, partial(self._end, turn)))
        return acts

    async def _dispatch(self, event: EventPart, at: float) -> None:
        if self._utility is None:
            raise ScriptError("events need a utility")
        self._played.events[event.name] = await self._utility.dispatch(event, at)

    async def _cancel(self, event: EventPart) -> None:
        if self._utility is None:
            raise ScriptError("events need a utility")
        told = self._played.events[event.name]
        await self._utility.cancel(told.mrid, randomized=event.cancelled_at_random)
        told.cancelled_at = self._true.now()

    async def _operator(self, deed: OperatorPart) -> None:
        if self._utility is None:
            raise ScriptError("an operator needs a utility")
        await self._utility.ask(deed.method, deed.path, deed.body)

    async def _owner(self, deed: OwnerPart) -> None:
        home = self._home
        if home is None:
            raise ScriptError("the owner finds no page: the hub is not there")
        event = self._played.events[deed.event].mrid if deed.event is not None else ""
        device = deed.device or ""
        try:
            match deed.does:
                case "leave":
                    await home.front.opt_out(event)
                case "join":
                    await home.front.opt_in(event)
                case "wish":
                    until = self._clock.now() + deed.lasts
                    await home.front.wish(device, deed.power or 0.0, until)
                case "end wish":
                    await home.front.end_wish(device)
        except SurfaceError as error:
            self._played.refusals.append((self._true.now(), str(error)))

    async def _begin(self, turn: HappensPart) -> None:
        match turn.kind:
            case "off" | "silent" | "garbled" | "stuck":
                self._premises.fall_ill(turn.device or "", Ill(turn.kind))
            case "utility down":
                await self._down()
            case "hub restart":
                await self._stop_hub()
                await asyncio.sleep(_RESTART_S)
                self._start_hub(self._tasks)
            case "clock set":
                self._clock.set_by(-(turn.by or 0.0) if turn.back else turn.by or 0.0)
            case "file":
                (self._folder / (turn.name or "")).write_text(turn.text or "", encoding="utf-8")
            case _:
                self._premises.turn(turn.kind, turn.value)

    async def _end(self, turn: HappensPart) -> None:
        match turn.kind:
            case "off" | "silent" | "garbled" | "stuck":
                self._premises.fall_ill(turn.device or "", None)
            case "utility down":
                if self._utility is not None:
                    await self._utility.start()
            case _:
                self._premises.turn_back(turn.kind)

    async def _down(self) -> None:
        """Take the server off; what it was answered so far is kept first."""
        if self._utility is not None:
            await self._ask_what_came()
            await self._utility.stop()

    async def _finish(self) -> None:
        self._observing.close()
        self._played.writes = {n: part.writes for n, part in self._premises.parts.items()}
        await self._ask_what_came()

    async def _ask_what_came(self) -> None:
        """Take down what the utility has received, where it is there to be asked."""
        if self._utility is None or not self._utility.up:
            return
        for told in self._played.events.values():
            told.answers = await self._utility.answers(told.mrid)
        self._played.reported = await self._utility.reported()


def _pace(script: Script) -> Pace:
    """Return how often the home is planned: seldom, for a plan takes real time."""
    every_s = script.planner_every
    return Pace(every_s=every_s, least_s=60.0, calm_s=every_s)


def _called(turn: HappensPart) -> str:
    return " ".join(part for part in (turn.device, turn.kind) if part)


@lru_cache(maxsize=1)
def _pki() -> Pki:
    """Return certificates that all scenarios of this process share: making them takes a while."""
    folder = tempfile.TemporaryDirectory(prefix="hems-scenarios-")
    _KEPT.append(folder)
    return init_pki(Path(folder.name))


_KEPT: Final[list[tempfile.TemporaryDirectory[str]]] = []
"""Gone when the process ends."""
