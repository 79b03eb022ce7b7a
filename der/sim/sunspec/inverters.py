"""The modern PV and battery inverter: SunSpec models 701 to 715.

On the wire SunSpec's signs hold: production and discharge positive. Inside, consumption is.
"""

import math
from collections.abc import Callable, Mapping

from der.sim.journal import Journal
from der.sim.physics.house import Flow, Snapshot
from der.sim.sunspec import ac_controls
from der.sim.sunspec.der_points import (
    RATING_SCALES,
    SERVICE,
    SUPPLY_SCALES,
    extras,
    measured,
    ratings,
)
from der.sim.sunspec.grid_support import Grid, GridSupport, Ratings
from der.sim.sunspec.parts import Part, Settings, Timed, obey, shown
from der.sim.sunspec.registers import Key, Value
from der.sim.sunspec.unit import common, in_words, scales

RUNNING, THROTTLED, SLEEPING, OFF = 3, 4, 1, 0
"""States of model 701's InvSt."""

MAX_W_MODE, FIXED_W_MODE, SUPPORT_MODES = 1 << 0, 1 << 1, 0b110_0011_1100
"""Bits of model 702's CtrlModes."""

BASIC = (1, 701, 702, 703, 704)
FULL = (1, 701, 702, 703, 704, 705, 706, 707, 708, 709, 710, 711, 712, 714, 715)


class Inverter:
    """What both inverters share: measurement, permission to run, functions and grid support.

    Attributes:
        phases: 1 or 3, as it is connected.

    Args:
        device: Its name, for the journal.
        part: What of the home it is.
        controls: The active-power functions of model 704.
        support: What it does for the grid; None for an inverter with models 701 to 704 only.
        snapshot: The home.
        journal: Where accepted writes are noted.
        clock: Monotonic s.
    """

    def __init__(  # noqa: PLR0917 - what an inverter is made of
        self,
        device: str,
        part: Callable[[Snapshot], Flow],
        controls: tuple[Part, ...],
        support: GridSupport | None,
        snapshot: Callable[[], Snapshot],
        journal: Journal,
        clock: Callable[[], float],
    ) -> None:
        self.device = device
        self.support = support
        self.phases = 1
        self._part = part
        self._snapshot = snapshot
        self._journal = journal
        self._clock = clock
        self._service = Settings(703, SERVICE, {"ES": (0, 1)})
        extra = () if support is None else (Settings(715, {"OpCtl": 1.0}, {"OpCtl": (0, 3)}),)
        self._parts: tuple[Part, ...] = (self._service, *controls, *extra)
        if support is not None:
            self._parts += support.parts

    @property
    def models(self) -> tuple[int, ...]:
        """Its SunSpec models."""
        return BASIC if self.support is None else FULL

    @property
    def scales(self) -> dict[Key, int]:
        """Scale factors of its models."""
        found = {
            **scales(701, SUPPLY_SCALES),
            **scales(702, RATING_SCALES),
            **scales(703, {"V_SF": -1, "Hz_SF": -2}),
            **scales(704, ac_controls.CONTROL_SCALES),
        }
        if self.support is not None:
            found |= self.support.scales
            for trip in (707, 708):
                found |= scales(trip, {"V_SF": -1, "Tms_SF": -2})
            for trip in (709, 710):
                found |= scales(trip, {"Hz_SF": -2, "Tms_SF": -2})
            found |= scales(714, {"DCA_SF": -2, "DCV_SF": -1, "DCW_SF": 0, "DCWH_SF": 0})
        return found

    @property
    def counts(self) -> dict[Key, int]:
        """How often groups repeat in its models."""
        if self.support is None:
            return {}
        trips = {(trip, group): 1 for trip in (707, 708, 709, 710) for group in ("Crv", "Pt")}
        return {**self.support.counts, **trips, (714, "Prt"): 1}

    @property
    def permitted(self) -> bool:
        """Whether it may be connected to the grid."""
        return self._service.values["ES"] == 1

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
        if self.support is not None:
            self.support.reset()

    def reactive_var(self) -> float:
        """Return the reactive power that it moves now, absorbing positive, var."""
        if self.support is None or not self.permitted:
            return 0.0
        self._tick()
        return 0.0 - self.support.reactive_var(self._grid())

    def _tick(self) -> None:
        now = self._clock()
        for part in self._parts:
            part.tick(now)

    def _grid(self) -> Grid:
        home = self._snapshot()
        return Grid(-self._part(home).power_w, home.voltage_v, home.frequency_hz)

    def _supported_w(self) -> float:
        """Return the greatest output that the grid support allows, W."""
        return math.inf if self.support is None else self.support.limit_w(self._grid())

    def _shown(self, state: int, max_w: float) -> dict[Key, Value]:
        home, now = self._snapshot(), self._clock()
        flow = self._part(home)
        points: dict[Key, Value] = {
            **measured(
                flow,
                home,
                state=state if self.permitted else OFF,
                on=self.permitted,
                phases=self.phases,
            ),
            **ratings(Ratings(max_w, max_w, 0) if self.support is None else self.support.ratings),
            **shown(self._parts, now),
        }
        if self.support is not None:
            points |= extras(flow, now)
        return points


class PvInverter(Inverter):
    """The PV inverter; WMaxLimPct limits it to a share of its rating."""

    def __init__(
        self,
        max_w: float,
        snapshot: Callable[[], Snapshot],
        journal: Journal,
        clock: Callable[[], float],
        support: GridSupport | None = None,
    ) -> None:
        self._limit = ac_controls.limit()
        controls = (Timed(704, self._limit),)
        super().__init__("pv", lambda home: home.pv, controls, support, snapshot, journal, clock)
        self._max_w = max_w

    def limit_w(self) -> float:
        """Return the greatest output allowed now, W."""
        self._tick()
        if not self.permitted:
            return 0.0
        share = self._limit.values["WMaxLimPct"] / 100 if self._limit.enabled else math.inf
        return min(self._max_w * share, self._supported_w())

    def values(self) -> dict[Key, Value]:
        """Return its points."""
        home = self._snapshot()
        produced_w, offered_w = -home.pv.power_w, home.pv_offered_w
        throttled = produced_w < offered_w
        state = THROTTLED if throttled else RUNNING if produced_w > 0 else SLEEPING
        modes = MAX_W_MODE | (0 if self.support is None else SUPPORT_MODES)
        return {
            **common("PV inverter", "SIM-PV-1"),
            **self._shown(state, self._max_w),
            (701, "ThrotPct"): 100 * (1 - produced_w / offered_w) if offered_w > 0 else 0.0,
            (701, "ThrotSrc"): int(throttled),
            (702, "CtrlModes"): modes,
        }


class BatteryInverter(Inverter):
    """The battery inverter; WSet moves it, without a set-point it stands by."""

    def __init__(  # noqa: PLR0917 - what a battery is made of
        self,
        max_w: float,
        capacity_wh: float,
        snapshot: Callable[[], Snapshot],
        journal: Journal,
        clock: Callable[[], float],
        support: GridSupport | None = None,
    ) -> None:
        self._set = ac_controls.set_point(max_w, max_w)
        controls = (Timed(704, self._set),)
        super().__init__(
            "battery", lambda home: home.battery, controls, support, snapshot, journal, clock
        )
        self._max_w = max_w
        self._capacity_wh = capacity_wh

    @property
    def models(self) -> tuple[int, ...]:
        """Its SunSpec models."""
        return tuple(sorted((*super().models, 713)))

    @property
    def scales(self) -> dict[Key, int]:
        """Scale factors of its models."""
        return {**super().scales, **scales(713, {"WH_SF": 0, "Pct_SF": -2})}

    def target_w(self) -> float:
        """Return the power asked for now, charging positive, W."""
        self._tick()
        if not (self.permitted and self._set.enabled):
            return 0.0
        values = self._set.values
        percent = values["WSetMod"] == ac_controls.PERCENT
        produced_w = values["WSetPct"] / 100 * self._max_w if percent else values["WSet"]
        return -min(produced_w, self._supported_w())

    def values(self) -> dict[Key, Value]:
        """Return its points."""
        home = self._snapshot()
        state = RUNNING if home.battery.power_w else SLEEPING
        modes = FIXED_W_MODE | (0 if self.support is None else SUPPORT_MODES)
        return {
            **common("Battery inverter", "SIM-BAT-1"),
            **self._shown(state, self._max_w),
            (702, "WChaRteMaxRtg"): self._max_w,
            (702, "WDisChaRteMaxRtg"): self._max_w,
            (702, "WChaRteMax"): self._max_w,
            (702, "WDisChaRteMax"): self._max_w,
            (702, "CtrlModes"): modes,
            (713, "WHRtg"): self._capacity_wh,
            (713, "WHAvail"): home.soc * self._capacity_wh,
            (713, "SoC"): home.soc * 100,
            (713, "SoH"): 100.0,
            (713, "Sta"): 0,
        }
