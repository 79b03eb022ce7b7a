"""Active power of an old-style battery: model 124's limits of charging and discharging.

The model has no set-point. It bounds charging (InWRte) and discharging (OutWRte), and a rate below
zero asks for at least so much the other way. With one the other's opposite the battery is left no
choice, which is how it is told a power. Rates are percentages of WChaMax, charging positive for
InWRte; when InOutWRte_RvrtTms has run out, the battery drops both limits.
"""

from typing import Final

from der.drivers.sunspec.active import seconds
from der.drivers.sunspec.block import Block, Located
from der.drivers.sunspec.map import SunSpecMap, want
from der.drivers.sunspec.writer import PointWriter, Rounding, steps
from der.errors import PermanentError
from der.model import Setpoint

_BOTH: Final = 0b11  # StorCtl_Mod: both limits count
_NEITHER: Final = 0
_TIME: Final = "InOutWRte_RvrtTms"
_NAMES: Final = ("StorCtl_Mod", "InWRte", "OutWRte", "InOutWRte_WinTms", _TIME, "WChaMax")


class StorageRate:
    """Model 124 of one battery."""

    model = 124

    def __init__(self, device: SunSpecMap, at: Located) -> None:
        self._writer = PointWriter(device, at)
        self.wanted = want(at, _NAMES)

    def limit_w(self, present: Block) -> float | None:
        """Return the power that both limits pin the battery to, W, charging positive."""
        charge, discharge = present.number("InWRte"), present.number("OutWRte")
        most_w = present.number("WChaMax")
        if present.number("StorCtl_Mod") != _BOTH or charge is None or most_w is None:
            return None
        return charge / 100.0 * most_w if discharge == -charge else None

    def problem(self, present: Block) -> str:
        """Return why it cannot be written."""
        if not present.number("WChaMax"):
            return "the battery has no model 124 point WChaMax to count percentages of"
        for name in ("StorCtl_Mod", "InWRte", "OutWRte"):
            if not present.has(name) or present.exponent(name) is None:
                return f"the battery has no model 124 point {name}"
        return ""

    def timed(self, present: Block) -> bool:
        """Whether its reversion timer is implemented."""
        return present.has(_TIME)

    def second_value(self, present: Block) -> bool:
        """Never: the model has no such points."""
        del present
        return False

    async def write(self, setpoint: Setpoint, present: Block) -> None:
        """Pin the battery to a power, rounded to less of it."""
        if problem := self.problem(present):
            raise PermanentError(f"{self._writer.device}: {problem}")
        most_w = present.number("WChaMax") or 0.0
        exponent = self._writer.exponent("InWRte", present)
        share = max(-100.0, min(100.0, 100.0 * setpoint.power_w / most_w))
        rate = steps(share, exponent, Rounding.TO_ZERO)  # less power is the safe direction
        lapse = seconds(setpoint.lapse_s, self._writer.at.model.points[_TIME])
        # Rates and time share a frame; the mode, which puts them in force, lies apart and follows.
        values = {_TIME: lapse, "InWRte": rate, "OutWRte": -rate, "StorCtl_Mod": _BOTH}
        await self._writer.write(values, present)
        await self._writer.verify_timed(values, _TIME, present)

    async def release(self) -> None:
        """Let no limit count."""
        off = {"StorCtl_Mod": _NEITHER}
        await self._writer.write(off, await self._writer.read(off))
        await self._writer.verify(off)
