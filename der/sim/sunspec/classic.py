"""Old-style SunSpec inverters: models 101 or 103 (111, 113 in floats), 120 to 124, 160 and 802.

On the wire SunSpec's signs hold: production and discharge positive. Inside, consumption is.
"""

import math
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from der.sim.faults import Fault, FaultKind
from der.sim.journal import Journal
from der.sim.physics.house import Flow, Snapshot
from der.sim.sunspec import immediate_controls as controls
from der.sim.sunspec.classic_points import (
    Shape,
    battery_bank,
    clock_points,
    measured,
    nameplate,
    settings,
    strings,
)
from der.sim.sunspec.grid_support import Grid, Ratings
from der.sim.sunspec.parts import Part, Timed, obey, shown
from der.sim.sunspec.registers import Key, Value
from der.sim.sunspec.unit import common, in_words, scales

OFF, SLEEPING, RUNNING, THROTTLED = 1, 2, 4, 5
"""States of models 101 to 113."""

HOUR_S = 3600.0
OF_MAX_W, OF_MAX_VAR = 1, 2
"""Values of model 123's VArPct_Mod; the third is of what is available."""


class ClassicInverter:
    """What both old-style inverters share.

    Args:
        device: Its name, for the journal.
        shape: Phases and number format.
        part: What of the home it is.
        max_w: Rating.
        fault: For its own clock (`FaultKind.CLOCK`).
        snapshot: The home.
        journal: Where accepted writes are noted.
        clock: Monotonic s.
    """

    models: tuple[int, ...]
    counts: Mapping[Key, int] = MappingProxyType({})

    def __init__(  # noqa: PLR0917 - what an inverter is made of
        self,
        device: str,
        shape: Shape,
        part: Callable[[Snapshot], Flow],
        max_w: float,
        fault: Fault,
        snapshot: Callable[[], Snapshot],
        journal: Journal,
        clock: Callable[[], float],
    ) -> None:
        self.device = device
        self.shape = shape
        self.ratings = Ratings.of(max_w)
        self._part = part
        self._fault = fault
        self._snapshot = snapshot
        self._journal = journal
        self._clock = clock
        self._connection = controls.connection()
        self._limit = controls.limit()
        self._factor = controls.power_factor()
        self._var = controls.reactive()
        functions = (self._connection, self._limit, self._factor, self._var)
        self._parts: tuple[Part, ...] = tuple(Timed(123, function) for function in functions)

    @property
    def scales(self) -> dict[Key, int]:
        """Scale factors of its models."""
        return {**self.shape.scales, **scales(123, controls.CONTROL_SCALES)}

    @property
    def permitted(self) -> bool:
        """Whether it is to be connected to the grid."""
        return self._connection.values["Conn"] == controls.CONNECT

    def accept(self, values: Mapping[Key, float | None]) -> None:
        """Obey a write.

        Raises:
            RefusedError: A point that it does not take, or a value out of bounds.
        """
        obey(self._parts, values, self._clock())
        self._journal.wrote(self.device, "SunSpec", in_words(values.items()))

    def restart(self) -> None:
        """Forget all that it was told."""
        for part in self._parts:
            part.reset()

    def reactive_var(self) -> float:
        """Return the reactive power that it moves now, absorbing positive, var."""
        self._tick()
        grid = Grid(-self._part(self._snapshot()).power_w)
        most = self.ratings.available_var(grid.power_w)
        injected_var = self._injected_var(grid) if self.permitted else 0.0
        return 0.0 - max(-most, min(most, injected_var))

    def _injected_var(self, grid: Grid) -> float:
        if self._var.enabled:
            values, power_w = self._var.values, grid.power_w
            kind = values["VArPct_Mod"]
            if kind == OF_MAX_W:
                return self.ratings.max_w * values["VArWMaxPct"] / 100
            if kind == OF_MAX_VAR:
                return self.ratings.max_var * values["VArMaxPct"] / 100
            return self.ratings.available_var(power_w) * values["VArAvalPct"] / 100
        factor = self._factor.values["OutPFSet"]
        if self._factor.enabled and factor:
            return math.copysign(math.tan(math.acos(abs(factor))) * abs(grid.power_w), factor)
        return 0.0

    def _tick(self) -> None:
        now = self._clock()
        for part in self._parts:
            part.tick(now)

    def _limited_w(self) -> float:
        """Return the greatest output allowed now, W."""
        self._tick()
        if not self.permitted:
            return 0.0
        share = self._limit.values["WMaxLimPct"] / 100 if self._limit.enabled else math.inf
        return self.ratings.max_w * share

    def _shown(self, state: int) -> dict[Key, Value]:
        flow = self._part(self._snapshot())
        own_time = time.time() + HOUR_S * (self._fault.kind is FaultKind.CLOCK)
        return {
            **measured(self.shape, flow, self._snapshot(), state if self.permitted else OFF),
            **nameplate(self.ratings),
            **settings(self.ratings),
            **clock_points(own_time, flow, on=self.permitted),
            **shown(self._parts, self._clock()),
        }


class ClassicPv(ClassicInverter):
    """An old-style PV inverter with two strings; model 123 limits it."""

    counts: Mapping[Key, int] = MappingProxyType({(160, "module"): 2})

    def __init__(  # noqa: PLR0917 - what an inverter is made of
        self,
        shape: Shape,
        max_w: float,
        fault: Fault,
        snapshot: Callable[[], Snapshot],
        journal: Journal,
        clock: Callable[[], float],
    ) -> None:
        part: Callable[[Snapshot], Flow] = lambda home: home.pv  # noqa: E731 - typed
        super().__init__("pv", shape, part, max_w, fault, snapshot, journal, clock)
        self.models = (1, shape.model, 120, 121, 122, 123, 160)

    @property
    def scales(self) -> dict[Key, int]:
        """Scale factors of its models."""
        mppt = {"DCA_SF": -2, "DCV_SF": -1, "DCW_SF": 0, "DCWH_SF": 0}
        return {**super().scales, **scales(160, mppt)}

    def limit_w(self) -> float:
        """Return the greatest output allowed now, W."""
        return self._limited_w()

    def values(self) -> dict[Key, Value]:
        """Return its points."""
        home = self._snapshot()
        produced_w = -home.pv.power_w
        throttled = produced_w < home.pv_offered_w
        state = THROTTLED if throttled else RUNNING if produced_w > 0 else SLEEPING
        return {
            **common("Classic PV inverter", "SIM-PV-2"),
            **self._shown(state),
            **strings(home.pv),
        }


class ClassicBattery(ClassicInverter):
    """An old-style battery inverter; model 124 moves it, without that it stands by."""

    def __init__(  # noqa: PLR0917 - what a battery is made of
        self,
        shape: Shape,
        max_w: float,
        capacity_wh: float,
        fault: Fault,
        snapshot: Callable[[], Snapshot],
        journal: Journal,
        clock: Callable[[], float],
    ) -> None:
        part: Callable[[Snapshot], Flow] = lambda home: home.battery  # noqa: E731 - typed
        super().__init__("battery", shape, part, max_w, fault, snapshot, journal, clock)
        self.models = (1, shape.model, 120, 121, 122, 123, 124, 802)
        self._capacity_wh = capacity_wh
        self._storage = controls.storage()
        self._parts = (*self._parts, Timed(124, self._storage))

    @property
    def scales(self) -> dict[Key, int]:
        """Scale factors of its models."""
        bank = {
            "AHRtg_SF": 0, "WHRtg_SF": 0, "WChaDisChaMax_SF": 0, "SoC_SF": -2, "SoH_SF": -2,
            "V_SF": -1, "CellV_SF": -2, "A_SF": -1, "AMax_SF": 0, "W_SF": 0,
        }  # fmt: skip
        storage = scales(124, controls.STORAGE_SCALES)
        return {**super().scales, **storage, **scales(802, bank)}

    def target_w(self) -> float:
        """Return the power asked for now, charging positive, W."""
        most_w = self._limited_w()
        values, mode = self._storage.values, int(self._storage.values["StorCtl_Mod"])
        charge = values["InWRte"] if mode & controls.CHARGE else 100.0
        discharge = values["OutWRte"] if mode & controls.DISCHARGE else 100.0
        charged = max(-discharge, min(charge, 0.0)) / 100 * self.ratings.max_w
        return max(charged, -most_w) if self.permitted else 0.0

    def values(self) -> dict[Key, Value]:
        """Return its points."""
        home = self._snapshot()
        max_w, power_w = self.ratings.max_w, home.battery.power_w
        return {
            **common("Classic battery inverter", "SIM-BAT-2"),
            **self._shown(RUNNING if power_w else SLEEPING),
            **battery_bank(self._capacity_wh, max_w, home),
            (124, "WChaMax"): max_w,
            (124, "WChaGra"): 100,
            (124, "WDisChaGra"): 100,
            (124, "ChaState"): home.soc * 100,
            (124, "ChaSt"): 4 if power_w > 0 else 3 if power_w < 0 else 6,
        }
