"""The test move itself, over open handles: tells, listens, gives the device back, whatever comes.

Only `der.service` is used: it is the same for every protocol.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from der.commissioning.judge import Finding, Trouble, Verdict, judge
from der.commissioning.plan import Plan, Step, plan
from der.commissioning.shifts import Stay, decided, shifts
from der.errors import DeviceError
from der.model import Control, Reading
from der.sentence import say
from der.service import Handle

_log = logging.getLogger(__name__)

ROUNDS: Final = 3
"""A move is repeated so often at most, until enough comparisons agree."""
MOVE_S: Final = 10.0
_LOOKS: Final = 10
"""So often a step is looked at, at least."""
_SELDOM_S: Final = 1.0
_NEEDED: Final = 2
"""Settled readings of device and meter that a step needs."""
_LONGEST: Final = 3.0
"""A step waits at most so many times its length for slow ones to say something."""
_GIVE_BACK_TRIES: Final = 3

Progress = Callable[[float, str], None]
"""Told how far it is, 0 to 1, and what is being done; must not block."""


def _quiet(_share: float, _words: str) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class _Move:
    """A test move under way.

    Attributes:
        device: Open for reading and writing.
        meter: Open for reading; None where the home has none.
        now: UTC epoch seconds, of the same clock as the readings.
        stays: What was done so far.
        trouble: What ended it early; None if nothing did.
    """

    device: Handle
    meter: Handle | None
    now: Callable[[], float]
    stays: list[Stay] = field(default_factory=list)
    trouble: Finding | None = None

    async def hold(self, step: Step) -> None:
        """Tell the device a step and listen."""
        try:
            await self.device.write(step.setpoint)
        except DeviceError as error:
            name = self.device.spec.name
            text = say(
                "{name} was told to {told}, and refused: {error}",
                name=name,
                told=step.words,
                error=error,
            )
            self.trouble = Finding(Trouble.REFUSED, text)
            return
        begun = self.now()
        stay = Stay(step, begun, begun)
        every_s = min(step.hold_s / _LOOKS, _SELDOM_S)
        loop = asyncio.get_running_loop()
        start = loop.time()
        while True:
            await asyncio.sleep(every_s)
            device, meter = await asyncio.gather(_read(self.device), _read(self.meter))
            stay = replace(
                stay, ended=self.now(), device=stay.device + device, meter=stay.meter + meter
            )
            held_s = loop.time() - start
            if held_s >= _LONGEST * step.hold_s:
                break
            if held_s >= step.hold_s and self._heard(stay):
                break
        self.stays.append(stay)

    def _heard(self, stay: Stay) -> bool:
        both = (stay.device, stay.meter) if self.meter is not None else (stay.device,)
        return all(len(stay.settled(readings)) >= _NEEDED for readings in both)

    async def give_back(self) -> str | None:
        """Give the device back, even if that is cancelled; returns why it could not be."""
        task = asyncio.create_task(_give_back(self.device))
        cancelled = False
        while not task.done():
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError
        return task.result()


async def run(
    device: Handle,
    meter: Handle | None,
    now: Callable[[], float],
    progress: Progress = _quiet,
    *,
    move_s: float = MOVE_S,
    rounds: int = ROUNDS,
) -> Verdict:
    """Move a device a little, and say what that proves. Ends with the device given back.

    Args:
        device: Open for reading and writing; nobody else may control it meanwhile.
        meter: The meter at the connection point; None where the home has none.
        now: UTC epoch seconds, of the same clock as the readings'.
        progress: See `Progress`.
        move_s: How long each step lasts at least.
        rounds: How often the move is made at most.
    """
    spec = device.spec
    try:
        first = await device.read()
    except DeviceError as error:
        return Verdict(
            (
                Finding(
                    Trouble.UNREADABLE,
                    say("{name} cannot be read: {error}", name=spec.name, error=error),
                ),
            )
        )
    planned = plan(spec, first, move_s)
    if not planned.steps:
        return judge(spec, planned, (), metered=meter is not None)
    move = _Move(device, meter, now)
    given_back: str | None = None
    try:
        await _make(move, planned, progress, rounds)
    finally:
        if spec.control is not Control.NONE:
            given_back = await move.give_back()
    verdict = judge(spec, planned, move.stays, metered=meter is not None)
    if move.trouble is not None:
        verdict = replace(verdict, findings=(move.trouble,), moved=False)
    if given_back is not None:
        finding = Finding(Trouble.NOT_GIVEN_BACK, given_back)
        verdict = replace(verdict, findings=(*verdict.findings, finding))
    progress(1.0, "given back")
    return verdict


async def _make(move: _Move, planned: Plan, progress: Progress, rounds: int) -> None:
    times = rounds if planned.moves else 1
    total = times * len(planned.steps)
    for turn in range(times):
        for index, step in enumerate(planned.steps):
            progress((turn * len(planned.steps) + index) / total, step.words)
            await move.hold(step)
            if move.trouble is not None:
                return
        if move.meter is None or decided(shifts(move.stays), move.stays):
            return


async def _read(handle: Handle | None) -> tuple[Reading, ...]:
    """Read once; nothing if that fails, which the judgement counts as silence."""
    if handle is None:
        return ()
    try:
        return (await handle.read(),)
    except DeviceError as error:
        _log.debug("%s", error)
        return ()


async def _give_back(device: Handle) -> str | None:
    why = ""
    for _ in range(_GIVE_BACK_TRIES):
        try:
            await device.write(None)
        except DeviceError as error:
            why = str(error)
        else:
            return None
    text = say(
        "{name} was not given back to its own control ({why}); its set-point lapses",
        name=device.spec.name,
        why=why,
    )
    _log.warning("%s", text)
    return f"{text}."
