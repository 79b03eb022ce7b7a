"""Reactive power of a SunSpec inverter: a fixed var or power factor, by model 704 or 123.

SunSpec counts injected reactive power positive, the house what is absorbed; so does the house's
power factor, which is positive where reactive power is absorbed (under-excited). Model 704 names
the excitation, model 123 puts it into the sign: positive for over-excited, as EEI's convention
has it for a generator. All that is written carries its reversion time.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from der.commands import HoldReactive
from der.drivers.sunspec.active import seconds
from der.drivers.sunspec.block import Block, Located
from der.drivers.sunspec.map import SunSpecMap
from der.drivers.sunspec.writer import PointWriter, Rounding, steps
from der.errors import PermanentError, RejectedError

_ON: Final = 1
_OFF: Final = 0
_UNDER_EXCITED: Final = 1
_OVER_EXCITED: Final = 0
_VARS, _OF_MAX_VAR = 4, 1  # model 704's VarSetMod
_IN_W_MAX: Final = 1  # model 123's VArPct_Mod


@dataclass(frozen=True, slots=True)
class VarRatings:
    """What percentages of reactive power are of; None where the device does not say.

    Attributes:
        max_w: Greatest active power.
        injected_var: Greatest reactive power that it injects.
        absorbed_var: Greatest reactive power that it absorbs, positive.
        rated_va: Greatest apparent power.
    """

    max_w: float | None = None
    injected_var: float | None = None
    absorbed_var: float | None = None
    rated_va: float | None = None

    def of(self, injected_var: float) -> float | None:
        """Return what 100 % is for a reactive power, by its direction."""
        return self.injected_var if injected_var >= 0 else self.absorbed_var


@dataclass(frozen=True, slots=True)
class Function:
    """One function that moves reactive power.

    Attributes:
        enable: Puts it in force.
        time: Its reversion timer.
        value: Without it the device does not have the function.
        revert: Whether something is in force after the reversion; empty where nothing can be.
    """

    enable: str
    time: str
    value: str
    revert: str = ""


Chosen = dict[Function, dict[str, int]]
"""Functions that do what is asked, with what is to be written to each besides timer and enable."""

_704: Final = (
    Function("VarSetEna", "VarSetRvrtTms", "VarSet", "VarSetEnaRvrt"),
    Function("VarSetEna", "VarSetRvrtTms", "VarSetPct", "VarSetEnaRvrt"),
    Function("PFWInjEna", "PFWInjRvrtTms", "PFWInj.PF", "PFWInjEnaRvrt"),
    Function("PFWAbsEna", "PFWAbsRvrtTms", "PFWAbs.PF", "PFWAbsEnaRvrt"),
)
_123: Final = (
    Function("VArPct_Ena", "VArPct_RvrtTms", "VArWMaxPct"),
    Function("OutPFSet_Ena", "OutPFSet_RvrtTms", "OutPFSet"),
)


class ReactivePower:
    """Fixed var and power factor of one inverter.

    Args:
        device: Its models.
        at: Model 704 or 123.
        present: That model as read once; what it implements does not change.
        ratings: What percentages are of.
    """

    def __init__(
        self, device: SunSpecMap, at: Located, present: Block, ratings: VarRatings
    ) -> None:
        self._writer = PointWriter(device, at)
        self._ratings = ratings
        self._modern = at.model.id == 704  # noqa: PLR2004 - the model's own number
        known = _704 if self._modern else _123
        self._functions = tuple(
            f
            for f in known
            if all(present.has(n) for n in (f.enable, f.value))
            and present.exponent(f.value) is not None
        )
        self._timed = all(present.has(f.time) for f in self._functions)

    @property
    def works(self) -> bool:
        """Whether the device has any such function."""
        return bool(self._functions)

    @property
    def problem(self) -> str:
        """What is missing; empty if nothing is."""
        if not self.works or self._timed:
            return ""
        return f"model {self._writer.at.model.id} holds reactive power without a reversion timer"

    async def hold(self, command: HoldReactive) -> str:
        """Hold a reactive power or a power factor.

        Raises:
            RejectedError: Not exactly one is given, or it can't be.
            PermanentError: The device lacks the function or its timer, or refuses.
            TransientError: No usable answer, or it confirmed and did not change.
        """
        device, var, factor = self._writer.device, command.reactive_var, command.power_factor
        charging = factor if command.charging_factor is None else command.charging_factor
        if (var is None) is (factor is None):
            raise RejectedError(f"{device}: hold either a reactive power or a power factor")
        if var is not None and not math.isfinite(var):
            raise RejectedError(f"{device}: a reactive power of {var:g} var can't be held")
        for each in (factor, charging):
            if each is not None and not 0.0 < abs(each) <= 1.0:  # a NaN fails this too
                raise RejectedError(f"{device}: a power factor of {each:g} can't be held")
        present = await self._writer.read()
        chosen: Chosen = {}
        if factor is not None and charging is not None:
            chosen = self._for_factor(factor, charging, present)
        if var is not None:
            chosen = self._for_var(-var, present)
        for function, values in chosen.items():
            await self._put(function, values, command.lapse_s, present)
        await self._stop(chosen, present)
        what = f"a power factor of {factor:g}" if var is None else f"{var:g} var"
        if charging != factor:
            what += f", {charging:g} while it charges,"
        return f"holds {what} for {command.lapse_s:g} s"

    async def release(self) -> str:
        """Switch all such functions off; errors as for `hold`."""
        await self._stop((), await self._writer.read())
        return "reactive power is its own again"

    async def _put(
        self, function: Function, values: Mapping[str, int], lapse_s: float, present: Block
    ) -> None:
        if not present.has(function.time):
            raise self._writer.missing(function.time)
        point = self._writer.at.model.points[function.time]
        # Nothing is left in force after the time, whatever others have set there.
        revert = {function.revert: _OFF} if function.revert and present.has(function.revert) else {}
        timed = {**revert, function.time: seconds(lapse_s, point), **values, function.enable: _ON}
        await self._writer.write(timed, present)
        await self._writer.verify_timed(timed, function.time, present)

    async def _stop(self, but: Iterable[Function], present: Block) -> None:
        keep = {function.enable for function in but}
        off = {f.enable: _OFF for f in self._functions if f.enable not in keep}
        on = {name: value for name, value in off.items() if present.number(name) == _ON}
        for name, value in on.items():
            await self._writer.write({name: value}, present)
        if on:
            await self._writer.verify(on)

    def _find(self, *values: str) -> Function | None:
        found = {function.value: function for function in self._functions}
        return next((found[value] for value in values if value in found), None)

    def _for_var(self, injected_var: float, present: Block) -> Chosen:
        """Return what is to be written; fewer var is the safe direction of rounding."""
        function = self._find("VarSet", "VarSetPct", "VArWMaxPct")
        if function is None:
            raise self._writer.missing("VarSet" if self._modern else "VArWMaxPct")
        exponent = self._writer.exponent(function.value, present)
        if function.value == "VarSet":
            var = steps(injected_var, exponent, Rounding.TO_ZERO)
            return {function: {"VarSetMod": _VARS, "VarSet": var}}
        modern = function.value == "VarSetPct"
        whole = self._ratings.of(injected_var) if modern else self._ratings.max_w
        if not whole:
            raise PermanentError(
                f"{self._writer.device}: no rating to count model {self._writer.at.model.id} "
                f"{function.value} by"
            )
        percent = max(-100.0, min(100.0, 100.0 * injected_var / whole))
        rate = steps(percent, exponent, Rounding.TO_ZERO)
        mode = {"VarSetMod": _OF_MAX_VAR} if modern else {"VArPct_Mod": _IN_W_MAX}
        return {function: {**mode, function.value: rate}}

    def _for_factor(self, factor: float, charging: float, present: Block) -> Chosen:
        """Return what is to be written; nearer to 1, which is fewer var, is the safe direction."""
        if self._modern:
            chosen: Chosen = {}
            for name, asked in (("PFWInj", factor), ("PFWAbs", charging)):
                function = self._find(f"{name}.PF")
                if function is not None:
                    excitation = _UNDER_EXCITED if asked > 0 else _OVER_EXCITED
                    held = self._magnitude(asked, function.value, present)
                    chosen[function] = {f"{name}.PF": held, f"{name}.Ext": excitation}
            if not chosen:
                raise self._writer.missing("PFWInj.PF")
            return chosen
        function = self._find("OutPFSet")
        if function is None:
            raise self._writer.missing("OutPFSet")
        if charging != factor:
            raise RejectedError(
                f"{self._writer.device}: model 123 holds one power factor, not another to charge"
            )
        held = self._magnitude(factor, function.value, present)
        return {function: {"OutPFSet": -held if factor > 0 else held}}

    def _magnitude(self, factor: float, name: str, present: Block) -> int:
        exponent = self._writer.exponent(name, present)
        return min(steps(abs(factor), exponent, Rounding.UP), steps(1.0, exponent, Rounding.DOWN))
