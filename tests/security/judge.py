"""Carries an attack out and judges how it ended."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

import aiohttp

from tests.security.attack import Attack, Cycle, Ground, Outcome, Where

G = TypeVar("G", bound=Ground)

CYCLE_S: Final = 1.0
LATE_S: Final = 4.0
"""A cycle that comes so much later than it should has been held up, on however busy a machine."""
_LOOK_S: Final = 0.25
_ENTRY_WITHIN_S: Final = 12.0
_ANSWER_WITHIN_S: Final = 90.0
_ALREADY_S: Final = 0.1
_WIDTH: Final = 300
_ERROR: Final = re.compile(r"^\S+ \S+ (ERROR|CRITICAL) |^Traceback |^\w+Warning: |never awaited")


@dataclass
class Pulse:
    """The control cycle, watched while an attack lasts.

    Attributes:
        seen: What was seen of it.
        lost: How often the hub did not say how it stands.
    """

    ground: Ground
    seen: list[Cycle] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    async def look(self) -> Cycle | None:
        """Look once; None where the hub does not answer."""
        try:
            async with asyncio.timeout(LATE_S):
                cycle = await self.ground.cycle()
        except (OSError, TimeoutError, AssertionError, aiohttp.ClientError) as error:
            self.lost.append(f"{type(error).__name__} {error}".strip())
            return None
        self.seen.append(cycle)
        return cycle

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_S)

    async def beats_on(self) -> None:
        """Wait for one cycle more than there was when the attack ended."""
        end = time.monotonic() + CYCLE_S + LATE_S
        first: Cycle | None = None
        while time.monotonic() < end:
            cycle = await self.look()
            first = first or cycle
            if first is not None and cycle is not None and cycle.seq > first.seq:
                return
            await asyncio.sleep(_LOOK_S / 2)

    @property
    def _pairs(self) -> list[tuple[Cycle, Cycle]]:
        """What was seen one after another in one run of the hub, where it had gone on."""
        pairs = zip(self.seen, self.seen[1:], strict=False)
        return [(a, b) for a, b in pairs if a.run == b.run and b.seq > a.seq]

    @property
    def cycles(self) -> int:
        """How many there were."""
        return sum(b.seq - a.seq for a, b in self._pairs)

    @property
    def longest_s(self) -> float:
        """The longest time that one cycle took, by the hub's own clock."""
        return max(((b.at - a.at) / (b.seq - a.seq) for a, b in self._pairs), default=0.0)

    def faults(self) -> list[str]:
        """Say what held the control cycle up."""
        if self.cycles < 1:
            return ["the control cycle stands still"]
        if self.longest_s > CYCLE_S + LATE_S:
            return [f"a control cycle took {self.longest_s:.1f} s"]
        if len(self.lost) > len(self.seen):
            return [f"the hub hardly answered any more: {self.lost[-1]}"]
        return []


@asynccontextmanager
async def watched(ground: Ground) -> AsyncIterator[Pulse]:
    """Watch the control cycle while the context lasts, and for one cycle more."""
    pulse = Pulse(ground)
    await pulse.look()
    task = asyncio.create_task(pulse.run(), name="pulse")
    try:
        yield pulse
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await pulse.beats_on()


async def judged(attack: Attack[G], ground: G) -> Outcome:
    """Carry an attack out; returns how it ended."""
    ground.mark()
    began = time.monotonic()
    faults: list[str] = []
    async with watched(ground) as pulse:
        answer = await _attempted(attack, ground, faults)
        found = await _entry(attack, ground, faults)
        await _rightly(attack, ground, faults)
    faults += pulse.faults()
    faults += unexplained(ground.logs(), attack.errors)
    return Outcome(
        attack.id,
        attack.kind,
        attack.does,
        answer[:_WIDTH],
        found[:_WIDTH],
        attack.entry.where.value if attack.entry else "",
        pulse.cycles,
        time.monotonic() - began,
        pulse.longest_s,
        tuple(faults),
    )


def unexplained(lines: Iterable[str], errors: str = "") -> list[str]:
    """Return the lines of programs' logs that say that something went wrong within.

    Args:
        lines: Of the logs.
        errors: A regular expression of those that are as they should be; "" for none.
    """
    return [
        f"a log says {line[:_WIDTH]!r}"
        for line in lines
        if _ERROR.search(line) and not (errors and re.search(errors, line))
    ]


async def _attempted(attack: Attack[G], ground: G, faults: list[str]) -> str:
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            answer = await attack.attempt(ground)
    except AssertionError as error:
        faults.append(f"it got through: {error}")
        return str(error)
    except TimeoutError:
        faults.append("the attacked side never came to an end with it")
        return "no end"
    except Exception as error:  # noqa: BLE001 # one attack that breaks must not end all others
        faults.append(f"it could not be carried out: {type(error).__name__} {error}"[:_WIDTH])
        return "not carried out"
    if not re.search(attack.defence, answer):
        faults.append(f"answered {answer[:_WIDTH]!r}, not {attack.defence!r}")
    return answer


async def _entry(attack: Attack[G], ground: G, faults: list[str]) -> str:
    if attack.entry is None:
        return f"none: {attack.silent}"
    end = time.monotonic() + _ENTRY_WITHIN_S
    while True:
        lines = await ground.lines(attack.entry.where)
        for line in lines:
            if re.search(attack.entry.says, line):
                return line
        if time.monotonic() > end or attack.entry.where is Where.RECORD:
            faults.append(f"nothing in the {attack.entry.where.value} says {attack.entry.says!r}")
            return "missing; the last lines are " + " | ".join(lines[-3:])
        await asyncio.sleep(_ALREADY_S)


async def _rightly(attack: Attack[G], ground: G, faults: list[str]) -> None:
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            answer = await attack.rightly(ground)
    except (AssertionError, TimeoutError) as error:
        faults.append(f"what is right is not served any more: {error or 'no end'}")
        return
    except Exception as error:  # noqa: BLE001 # the same
        faults.append(f"what is right could not be asked: {type(error).__name__} {error}"[:_WIDTH])
        return
    if not re.search(attack.served, answer):
        faults.append(f"what is right is answered {answer[:_WIDTH]!r}, not {attack.served!r}")
