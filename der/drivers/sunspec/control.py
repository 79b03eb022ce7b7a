"""The writing side of a SunSpec device: which of its models does what (the seam: `controls.py`).

Active power goes by model 704 where the device has one that works, else by 123 (PV) or 124
(batteries); the switch by 703 or 123; reactive power by 704 or 123; curves and droop by 705, 706,
711 and 712.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from der.commands import (
    Ability,
    Command,
    Connect,
    Disconnect,
    HoldReactive,
    ReadFunction,
    ReleaseReactive,
    StopFunction,
    WriteFunction,
)
from der.curves import GridFunction
from der.drivers.sunspec.active import CONTROL_POINTS, ActivePower, ScaledPower
from der.drivers.sunspec.block import Block
from der.drivers.sunspec.controls import Controls
from der.drivers.sunspec.curves import MODELS
from der.drivers.sunspec.functions import TIMER, GridFunctions
from der.drivers.sunspec.map import SunSpecMap, Wanted, want
from der.drivers.sunspec.reactive import ReactivePower, VarRatings
from der.drivers.sunspec.storage_rate import StorageRate
from der.drivers.sunspec.switch import ENTER_SERVICE, IMMEDIATE, Switch
from der.errors import PermanentError, RejectedError
from der.model import Control, DeviceSpec, Expiry, Safeguard, Setpoint
from der.sentence import say
from der.service import unsupported

_STORAGE: Final = 124
_MAX_W: Final = ((702, "WMax"), (702, "WMaxRtg"), (121, "WMax"), (120, "WRtg"))
_INJECTED: Final = (
    *((702, "VarMaxInj"), (702, "VarMaxInjRtg")),
    *((121, "VArMaxQ1"), (120, "VArRtgQ1")),
)
_ABSORBED: Final = (
    *((702, "VarMaxAbs"), (702, "VarMaxAbsRtg")),
    *((121, "VArMaxQ4"), (120, "VArRtgQ4")),
)
_APPARENT: Final = ((702, "VAMax"), (702, "VAMaxRtg"), (121, "VAMax"), (120, "VARtg"))
_REACTIVE: Final = (704, IMMEDIATE)
_CONNECTS: Final = "Conn_RvrtTms"  # model 123's timer of the switch

Blocks = Mapping[int, Block]
"""Models as read, by number."""


async def controls(spec: DeviceSpec, device: SunSpecMap) -> Controls:
    """Return the writing side of a device; reads what does not change while connected.

    Args:
        spec: What it is; its `control` says what a set-point means.
        device: Its models.

    Raises:
        TransientError: No usable answer.
    """
    if spec.control is Control.NONE:
        return SunSpecControls(spec, device, {})
    points = (
        *_MAX_W,
        *_INJECTED,
        *_ABSORBED,
        *_APPARENT,
        *((model, TIMER) for model in MODELS.values()),
    )
    whole = [want(device.models[m]) for m in (704, IMMEDIATE, _STORAGE) if m in device.models]
    blocks = await device.read([*_named(device, points), *whole], "ratings and controls")
    return SunSpecControls(spec, device, {block.model.id: block for block in blocks})


class SunSpecControls:
    """What can be written to one device; made by `controls`.

    Args:
        spec: What it is.
        device: Its models.
        blocks: Ratings and controls, as read once.
    """

    def __init__(self, spec: DeviceSpec, device: SunSpecMap, blocks: Blocks) -> None:
        self._spec = spec
        self._rating = _named(device, _MAX_W)
        self._blocks: dict[int, Block] = dict(blocks)
        self._power = _active_power(spec, device, blocks)
        self._switch: Switch | None = None
        self._reactive: ReactivePower | None = None
        self._functions: GridFunctions | None = None
        if spec.control is not Control.NONE:
            self._switch = Switch.of(device)
            self._reactive = _reactive_power(device, blocks)
            self._functions = GridFunctions(device, blocks)
        self._connects = IMMEDIATE in blocks and blocks[IMMEDIATE].has(_CONNECTS)
        self._has_service = ENTER_SERVICE in device.models

    @property
    def abilities(self) -> frozenset[Ability]:
        """What the device can be told."""
        has = {
            Ability.POWER: self._power is not None and not self._power_problem(),
            Ability.CONNECT: self._switch is not None,
            Ability.REACTIVE: self._reactive is not None,
        }
        return frozenset(ability for ability, there in has.items() if there)

    @property
    def functions(self) -> frozenset[GridFunction]:
        """Curves and droop that it has."""
        return frozenset() if self._functions is None else self._functions.functions

    @property
    def untimed(self) -> frozenset[GridFunction]:
        """Those of them that cannot end by themselves."""
        return frozenset() if self._functions is None else self._functions.untimed

    @property
    def reactive_ratings(self) -> VarRatings:
        """What it can absorb and inject, as far as it says."""
        return _ratings(self._blocks)

    @property
    def safeguard(self) -> Safeguard:
        """What the device's timers are good for, and what has none."""
        risks = [] if self._functions is None else [self._functions.risk]
        if self._switch is not None and not self._connects:
            risks.append(say("once disconnected it stays off: its switch has no timer"))
        if self._power is None:
            return Safeguard(risk=_joined(risks))
        block = self._block()
        if not self._power.timed(block):
            expiry, safe = Expiry.GUARD, say("holds its last set-point until it hears otherwise")
            risks.append(say("model {model} has no reversion timer", model=self._power.model))
        elif self._power.second_value(block):
            expiry = Expiry.REVERSION
            safe = say("runs by its own control, or at what it is to revert to")
        else:
            expiry, safe = Expiry.REVERSION, say("runs by its own control")
            risks.append(
                say(
                    "model {model} can't hold a second value for afterwards",
                    model=self._power.model,
                )
            )
        return Safeguard(expiry, safe, _joined(risks))

    @property
    def wanted(self) -> Sequence[Wanted]:
        """What each cycle shall read for the set-point."""
        if self._power is None:
            return []
        counts = isinstance(self._power, ScaledPower) and self._power.percent
        return [self._power.wanted, *(self._rating if counts else [])]

    def take(self, blocks: Blocks) -> None:
        """Learn what a cycle read."""
        if self._power is not None and self._power.model in blocks:
            self._blocks[self._power.model] = blocks[self._power.model]
        if isinstance(self._power, ScaledPower):
            self._power.max_w = _first(blocks, _MAX_W) or self._power.max_w

    def limit_w(self) -> float | None:
        """Return the set-point in force, as of the last `take`, W, passive sign."""
        return None if self._power is None else self._power.limit_w(self._block())

    def self_test(self) -> Sequence[str]:
        """Return what is wrong with the writing side; a sentence each."""
        if self._spec.control is Control.NONE:
            return ()
        if self._power is None:
            return (self._no_power(),)
        found = [self._power_problem()]
        if not self._power.timed(self._block()):
            found.append(f"model {self._power.model} has no reversion timer for the set-point")
        if self._reactive is not None:
            found.append(self._reactive.problem)
        return tuple(problem for problem in found if problem)

    async def write(self, setpoint: Setpoint | None) -> None:
        """Limit (PV) or set (battery) the active power.

        Raises:
            PermanentError: The device can't be controlled so, or refuses.
            TransientError: No usable answer, or the set-point was not taken.
        """
        if self._power is None:
            raise PermanentError(f"{self._spec.id}: {self._no_power()}")
        if setpoint is None:
            await self._power.release()
        else:
            await self._power.write(setpoint, self._block())

    async def ioctl(self, command: Command[object]) -> object:
        """Carry out a command.

        Raises:
            RejectedError: The device has no such command, or it makes no sense.
            PermanentError: It refuses.
            TransientError: No usable answer, or it was not taken.
        """
        switch, reactive, functions = self._switch, self._reactive, self._functions
        self._check_lapse(command)
        match command:
            case Connect() if switch is not None:
                return await switch.connect()
            case Disconnect() if switch is not None:
                return await switch.disconnect(command)
            case HoldReactive() if reactive is not None:
                return await reactive.hold(command)
            case ReleaseReactive() if reactive is not None:
                return await reactive.release()
            case WriteFunction() if functions and command.settings.function in self.functions:
                return await functions.write(command)
            case ReadFunction() if functions and command.function in self.functions:
                return await functions.read(command.function)
            case StopFunction() if functions and command.function in self.functions:
                return await functions.stop(command.function)
            case _:
                raise unsupported(self._spec.id, command)

    def _check_lapse(self, command: Command[object]) -> None:
        if not isinstance(command, Disconnect | WriteFunction | HoldReactive):
            return
        lapse_s = command.lapse_s
        if lapse_s is not None and not (math.isfinite(lapse_s) and lapse_s > 0):
            raise RejectedError(f"{self._spec.id}: {command} needs a lapse time above 0 s")

    def _block(self) -> Block:
        if self._power is None:
            raise PermanentError(f"{self._spec.id}: {self._no_power()}")
        return self._blocks[self._power.model]

    def _power_problem(self) -> str:
        return "" if self._power is None else self._power.problem(self._block())

    def _no_power(self) -> str:
        if self._spec.control is Control.TARGET:
            return "no SunSpec model 704 with a rating in 702, and no model 124, to control it by"
        return "no SunSpec model 704 with a rating in 702, and no model 123 with one in 121"


def _active_power(spec: DeviceSpec, device: SunSpecMap, blocks: Blocks) -> ActivePower | None:
    """Return the best way to control the active power; one that works before one that doesn't."""
    max_w = _first(blocks, _MAX_W)
    ways: list[ActivePower] = [
        ScaledPower(device, device.models[points.model], points, max_w)
        for points in CONTROL_POINTS.get(spec.control, ())
        if points.model in blocks and max_w
    ]
    if spec.control is Control.TARGET and _STORAGE in blocks:
        ways.append(StorageRate(device, device.models[_STORAGE]))
    working = (way for way in ways if not way.problem(blocks[way.model]))
    return next(working, ways[0] if ways else None)


def _reactive_power(device: SunSpecMap, blocks: Blocks) -> ReactivePower | None:
    ratings = _ratings(blocks)
    for model in _REACTIVE:
        if model in blocks:
            found = ReactivePower(device, device.models[model], blocks[model], ratings)
            if found.works:
                return found
    return None


def _ratings(blocks: Blocks) -> VarRatings:
    return VarRatings(
        _first(blocks, _MAX_W),
        _magnitude(_first(blocks, _INJECTED)),
        _magnitude(_first(blocks, _ABSORBED)),
        _first(blocks, _APPARENT),
    )


def _magnitude(rating: float | None) -> float | None:
    """Return a rating without its sign: models 120 and 121 count what is absorbed negative."""
    return None if rating is None else abs(rating)


def _named(device: SunSpecMap, points: Iterable[tuple[int, str]]) -> list[Wanted]:
    names: dict[int, list[str]] = {}
    for model, name in points:
        if model in device.models:
            names.setdefault(model, []).append(name)
    return [want(device.models[model], found) for model, found in names.items()]


def _joined(risks: Iterable[str]) -> str:
    return "; ".join(risk for risk in risks if risk)


def _first(blocks: Blocks, points: Iterable[tuple[int, str]]) -> float | None:
    values = (blocks[model].number(name) for model, name in points if model in blocks)
    return next((value for value in values if value), None)
