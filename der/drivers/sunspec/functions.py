"""Writing, adopting, reading and stopping grid-support functions: models 705, 706, 711 and 712.

A device keeps settings in numbered slots. Slot 1 is what it runs, and read-only; what is written
to another slot is copied there when the device adopts it. So a function is written in this order:
the settings into a free slot, what the device ran before into another, the reversion time with
the number of that other slot, the request to adopt, and last the enable. From the adoption on the
device goes back by itself, whatever becomes of the hub. A function that was off goes back to
settings that change nothing, as the models do not say how it would be switched off.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from der.commands import WriteFunction
from der.curves import GridFunction, GridSupport
from der.drivers.sunspec.active import seconds
from der.drivers.sunspec.block import Block
from der.drivers.sunspec.curves import DROOP_MODEL, MODELS, check, encode, neutral
from der.drivers.sunspec.map import SunSpecMap
from der.drivers.sunspec.model import repetitions
from der.drivers.sunspec.slot import Slot, SlotView
from der.drivers.sunspec.slot_reading import decode
from der.drivers.sunspec.writer import PointWriter
from der.errors import PermanentError, TransientError

ADOPTION_S: Final = 8.0
"""Longest wait for an adoption; the deadline of the call usually ends it sooner."""

POLL_S: Final = 0.1
_COMPLETED: Final = 1
_FAILED: Final = 2
_ON: Final = 1
_OFF: Final = 0

TIMER: Final = "RvrtTms"
"""Point of a function's reversion time."""


class FunctionState:
    """One model as read: which slot is which.

    Args:
        device: Id of the device, for messages.
        block: All of the model.
        function: Which function it is.
    """

    def __init__(self, device: str, block: Block, function: GridFunction) -> None:
        self.block = block
        self.function = function
        self.group = "Ctl" if block.model.id == DROOP_MODEL else "Crv"
        count = repetitions(block.model, self.group)
        self.slots = {
            number: SlotView(device, block, f"{self.group}[{number}]")
            for number in range(1, count + 1)
        }

    @property
    def request(self) -> str:
        """Point that asks for an adoption."""
        return f"Adpt{self.group}Req"

    @property
    def result(self) -> str:
        """Point that says what came of it."""
        return f"Adpt{self.group}Rslt"

    @property
    def fallback(self) -> str:
        """Point that names the slot that is adopted when the time has run out."""
        return f"Rvrt{self.group}"

    @property
    def enabled(self) -> bool:
        """Whether the function is on."""
        return self.block.number("Ena") == _ON

    @property
    def reverts(self) -> bool:
        """Whether it has a reversion timer."""
        return self.block.has(TIMER) and self.block.has(self.fallback)

    @property
    def kept(self) -> int | None:
        """Number of the slot that a running timer goes back to; None if none runs."""
        if not self.reverts or not self.enabled or not self.block.number(TIMER):
            return None
        if self.block.has("RvrtRem") and not self.block.number("RvrtRem"):
            return None
        number = int(self.block.number(self.fallback) or 0)
        return number if number in self.slots and number > 1 else None

    def before(self) -> Slot:
        """Return what the device ran before anything that is to end by itself."""
        running = self.slots[1]
        held = running.held()
        if self.kept is not None:
            held = self.slots[self.kept].held()
        elif not self.enabled:
            held = {}
        return held or neutral(self.function, running, running.held())

    def free(self) -> list[int]:
        """Return the slots that can be written, the one to go back to last.

        Raises:
            PermanentError: There is none.
        """
        found = [number for number, slot in self.slots.items() if not slot.read_only]
        if not found:
            raise self.slots[1].error(
                f"has no free slot: all {len(self.slots)} {self.group} are read-only"
            )
        return sorted(found, key=lambda number: (number == self.kept, number))


class GridFunctions:
    """The grid-support functions of one device.

    Args:
        device: Its models.
        blocks: Those of them with `TIMER`, as read once.
    """

    def __init__(self, device: SunSpecMap, blocks: Mapping[int, Block]) -> None:
        self._writers = {
            function: PointWriter(device, device.models[model])
            for function, model in MODELS.items()
            if model in device.models
        }
        self._untimed = frozenset(f for f in self._writers if not blocks[MODELS[f]].has(TIMER))

    @property
    def functions(self) -> frozenset[GridFunction]:
        """Those that the device has."""
        return frozenset(self._writers)

    @property
    def untimed(self) -> frozenset[GridFunction]:
        """Those that cannot end by themselves."""
        return self._untimed

    @property
    def risk(self) -> str:
        """Which of them cannot end by themselves; empty if all can."""
        names = ", ".join(sorted(self._untimed))
        return f"no reversion timers: {names}" if names else ""

    async def read(self, function: GridFunction) -> GridSupport:
        """Return what a function is set to, enabled or not.

        Raises:
            PermanentError: It is set to nothing, or to something that has no house word.
            TransientError: No usable answer.
        """
        state = await self._state(self._writers[function], function)
        return decode(function, state.slots[1])

    async def stop(self, function: GridFunction) -> str:
        """Switch a function off; errors as for `write`."""
        writer = self._writers[function]
        state = await self._state(writer, function)
        await writer.write({"Ena": _OFF}, state.block)
        if state.reverts and state.block.number(TIMER):
            await writer.write({TIMER: 0}, state.block)
        await writer.verify({"Ena": _OFF})
        return f"{function} is off"

    async def write(self, command: WriteFunction) -> GridSupport:
        """Set, adopt and enable a function; returns what the device then says that it runs.

        Raises:
            RejectedError: The settings make no sense.
            PermanentError: They do not fit the device, it refuses them or fails to adopt them, or
                they are to end by themselves and it has no timer for that.
            TransientError: No usable answer, or the device did not do as it confirmed.
        """
        settings, function = command.settings, command.settings.function
        writer = self._writers[function]
        check(writer.device, settings)
        state = await self._state(writer, function)
        if command.lapse_s is not None and not state.reverts:
            raise PermanentError(
                f"{writer.device}: model {writer.at.model.id} has no {TIMER}: {function} "
                f"cannot end by itself"
            )
        before = state.before()
        free = state.free()
        slot = free[0]
        asked = encode(settings, state.slots[slot], before)
        if not (state.enabled and self._runs(state, asked)):
            await self._adopt(writer, state, slot, asked, before, command.lapse_s)
        else:  # it runs so already: its time begins anew
            await self._set_time(writer, state, state.kept or free[-1], before, command.lapse_s)
        await writer.write({"Ena": _ON}, state.block)
        if command.lapse_s is not None:  # anew, so that what adopting took is not lost from it
            await writer.write({TIMER: self._lapse(writer, command.lapse_s)}, state.block)
        after = await self._state(writer, function)
        self._prove(writer, after, asked, command.lapse_s)
        return decode(function, after.slots[1])

    async def _adopt(  # noqa: PLR0917 - all that one adoption needs
        self,
        writer: PointWriter,
        state: FunctionState,
        slot: int,
        asked: Slot,
        before: Slot,
        lapse_s: float | None,
    ) -> None:
        await self._fill(writer, state, slot, asked)
        keep = state.kept or next((n for n in reversed(state.free()) if n != slot), slot)
        if keep != slot:
            await self._set_time(writer, state, keep, before, lapse_s)
        await self._request(writer, state, slot, asked)
        if keep == slot:
            # One slot for both: what was adopted is in slot 1 by now.
            await self._set_time(writer, state, keep, before, lapse_s, anew=True)

    async def _set_time(
        self,
        writer: PointWriter,
        state: FunctionState,
        keep: int,
        before: Slot,
        lapse_s: float | None,
        *,
        anew: bool = False,
    ) -> None:
        """Let the device go back to `before`, kept in a slot, after a time; None for never."""
        if not state.reverts:
            return
        if lapse_s is None:
            await writer.write({TIMER: 0}, state.block)
            return
        if anew or state.kept != keep:
            await self._fill(writer, state, keep, before)
        await writer.write({state.fallback: keep}, state.block)
        await writer.write({TIMER: self._lapse(writer, lapse_s)}, state.block)

    async def _fill(
        self, writer: PointWriter, state: FunctionState, slot: int, values: Slot
    ) -> None:
        path = state.slots[slot].path
        full = {f"{path}.{name}": value for name, value in values.items()}
        await writer.write(full, state.block)
        await writer.verify(full)

    async def _request(
        self, writer: PointWriter, state: FunctionState, slot: int, asked: Slot
    ) -> None:
        await writer.write({state.request: slot}, state.block)
        where = f"{writer.device}: model {writer.at.model.id} {state.result}"
        failures = 0
        # Not a timeout around the reads: one that is given up half-way ends the connection.
        end = time.monotonic() + ADOPTION_S
        while time.monotonic() < end:
            block = await writer.read()
            result = block.number(state.result)
            # A device may still show what came of an earlier request when it is asked first.
            failures = failures + 1 if result == _FAILED else 0
            if failures > 1:
                raise PermanentError(f"{where}: the device failed to adopt slot {slot}")
            now = FunctionState(writer.device, block, state.function)
            if result == _COMPLETED and self._runs(now, asked):
                return
            await asyncio.sleep(POLL_S)
        raise TransientError(f"{where}: slot {slot} was not adopted within {ADOPTION_S:g} s")

    def _prove(
        self, writer: PointWriter, state: FunctionState, asked: Slot, lapse_s: float | None
    ) -> None:
        """See that the device runs what was asked, for as long as was asked."""
        model = writer.at.model.id
        if not state.enabled:
            raise TransientError(f"{writer.device}: model {model} Ena did not change to 1")
        if not self._runs(state, asked):
            raise TransientError(f"{writer.device}: model {model} {state.group}[1] is not as asked")
        if lapse_s is not None and not state.block.number(TIMER):
            raise TransientError(f"{writer.device}: model {model} {TIMER} did not change")

    @staticmethod
    def _lapse(writer: PointWriter, lapse_s: float) -> int:
        return seconds(lapse_s, writer.at.model.points[TIMER])

    @staticmethod
    def _runs(state: FunctionState, asked: Slot) -> bool:
        held = state.slots[1].held()
        return all(held.get(name) == value for name, value in asked.items())

    @staticmethod
    async def _state(writer: PointWriter, function: GridFunction) -> FunctionState:
        state = FunctionState(writer.device, await writer.read(), function)
        if not state.slots:
            raise PermanentError(
                f"{writer.device}: model {writer.at.model.id} has no {state.group} at all"
            )
        return state
