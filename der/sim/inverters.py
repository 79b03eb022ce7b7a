"""The PV and the battery inverter: SunSpec models 1, 701 to 704, and 713 for the battery.

On the wire SunSpec's signs hold: production and discharge positive. Inside, consumption is.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from der.sim.errors import ExceptionCode, RefusedError
from der.sim.house import Flow, Snapshot
from der.sim.journal import Journal
from der.sim.registers import Key, Value
from der.sim.reversion import FunctionShape, TimedFunction
from der.sim.sunspec_unit import common, in_words, scales

LONGEST_REVERSION_S = 2.0**31
SUPPLY_SCALES = {
    "W_SF": 0, "VA_SF": 0, "Var_SF": 0, "PF_SF": -3, "A_SF": -2, "V_SF": -1, "Hz_SF": -3,
    "TotWh_SF": 0, "TotVarh_SF": 0, "Tmp_SF": -1,
}  # fmt: skip
RATING_SCALES = {
    "W_SF": 0, "PF_SF": -3, "VA_SF": 0, "Var_SF": 0, "V_SF": -1, "A_SF": -2, "S_SF": 0,
}  # fmt: skip
CONTROL_SCALES = {
    "PF_SF": -3, "WMaxLimPct_SF": -2, "WSet_SF": 0, "WSetPct_SF": -2, "VarSet_SF": 0,
    "VarSetPct_SF": -2,
}  # fmt: skip

RUNNING, THROTTLED, SLEEPING, OFF = 3, 4, 1, 0
"""States of model 701's InvSt."""

MAX_W_MODE, FIXED_W_MODE = 1 << 0, 1 << 1
"""Bits of model 702's CtrlModes."""

LIMIT = FunctionShape(
    enable="WMaxLimPctEna",
    reverts={"WMaxLimPctEna": "WMaxLimPctEnaRvrt", "WMaxLimPct": "WMaxLimPctRvrt"},
    timeout="WMaxLimPctRvrtTms",
    remaining="WMaxLimPctRvrtRem",
    bounds={
        "WMaxLimPctEna": (0, 1),
        "WMaxLimPct": (0, 100),
        "WMaxLimPctRvrt": (0, 100),
        "WMaxLimPctEnaRvrt": (0, 1),
        "WMaxLimPctRvrtTms": (0, LONGEST_REVERSION_S),
    },
)

PERCENT, WATTS = 0, 1
"""Values of model 704's WSetMod."""


def set_point(charge_w: float, discharge_w: float) -> FunctionShape:
    """Return the active power set-point function of a battery inverter.

    Args:
        charge_w: Greatest charging power, positive.
        discharge_w: Greatest discharging power, positive.
    """
    charge_pct = -100 * charge_w / discharge_w
    return FunctionShape(
        enable="WSetEna",
        reverts={"WSetEna": "WSetEnaRvrt", "WSet": "WSetRvrt", "WSetPct": "WSetPctRvrt"},
        timeout="WSetRvrtTms",
        remaining="WSetRvrtRem",
        bounds={
            "WSetEna": (0, 1),
            "WSetMod": (PERCENT, WATTS),
            "WSet": (-charge_w, discharge_w),
            "WSetRvrt": (-charge_w, discharge_w),
            "WSetPct": (charge_pct, 100),
            "WSetPctRvrt": (charge_pct, 100),
            "WSetEnaRvrt": (0, 1),
            "WSetRvrtTms": (0, LONGEST_REVERSION_S),
        },
    )


@dataclass(slots=True)
class EnterService:
    """Model 703's permission to run.

    Attributes:
        enabled: Whether the inverter may connect to the grid.
    """

    enabled: bool = True

    def points(self) -> dict[Key, Value]:
        """Return the points of model 703."""
        return {
            (703, "ES"): int(self.enabled),
            (703, "ESVHi"): 110.0,
            (703, "ESVLo"): 88.0,
            (703, "ESHzHi"): 50.1,
            (703, "ESHzLo"): 49.5,
            (703, "ESDlyTms"): 0,
            (703, "ESRndTms"): 0,
            (703, "ESRmpTms"): 0,
            (703, "ESDlyRemTms"): 0,
        }


class Inverter:
    """What both inverters share: measurement, permission to run and one timed function."""

    models: tuple[int, ...] = (1, 701, 702, 703, 704)

    def __init__(
        self,
        device: str,
        function: TimedFunction,
        snapshot: Callable[[], Snapshot],
        journal: Journal,
        clock: Callable[[], float],
    ) -> None:
        self.device = device
        self.function = function
        self.service = EnterService()
        self._snapshot = snapshot
        self._journal = journal
        self._clock = clock

    @property
    def scales(self) -> dict[Key, int]:
        """Scale factors of models 701 to 704."""
        return {
            **scales(701, SUPPLY_SCALES),
            **scales(702, RATING_SCALES),
            **scales(703, {"V_SF": -1, "Hz_SF": -2}),
            **scales(704, CONTROL_SCALES),
        }

    def accept(self, values: Mapping[Key, float | None]) -> None:
        """Obey a write to model 703's ES or to the timed function.

        Raises:
            RefusedError: Another point, or a value out of bounds.
        """
        timed = {name: value for (model, name), value in values.items() if model == 704}  # noqa: PLR2004
        enter = {key: value for key, value in values.items() if key[0] != 704}  # noqa: PLR2004
        self.function.check(timed)
        for (model, name), value in enter.items():
            if (model, name) != (703, "ES"):
                raise RefusedError(
                    ExceptionCode.ILLEGAL_ADDRESS, f"{model} {name} is not supported"
                )
            if value not in {0, 1}:
                raise RefusedError(ExceptionCode.ILLEGAL_VALUE, f"703 ES {value}")
        if timed:
            self.function.write(timed, self._clock())
        if enter:
            self.service.enabled = enter[703, "ES"] == 1
        self._journal.wrote(self.device, "SunSpec", in_words(values.items()))

    def _control_points(self) -> dict[Key, Value]:
        now = self._clock()
        self.function.tick(now)
        return {(704, name): value for name, value in self.function.points(now).items()}

    def _measured(self, flow: Flow, state: int) -> dict[Key, Value]:
        home = self._snapshot()
        produced_w = -flow.power_w
        current_a = abs(produced_w) / home.voltage_v
        return {
            (701, "ACType"): 0,
            (701, "St"): int(self.service.enabled),
            (701, "InvSt"): state if self.service.enabled else OFF,
            (701, "ConnSt"): int(self.service.enabled),
            (701, "Alrm"): 0,
            (701, "DERMode"): 1,
            (701, "W"): produced_w,
            (701, "VA"): abs(produced_w),
            (701, "Var"): 0,
            (701, "PF"): 1.0,
            (701, "A"): current_a,
            (701, "LNV"): home.voltage_v,
            (701, "Hz"): home.frequency_hz,
            (701, "TotWhInj"): flow.export_wh,
            (701, "TotWhAbs"): flow.import_wh,
            (701, "WL1"): produced_w,
            (701, "VAL1"): abs(produced_w),
            (701, "AL1"): current_a,
            (701, "VL1"): home.voltage_v,
            (701, "TmpAmb"): home.outdoor_temp_c,
        }


class PvInverter(Inverter):
    """The PV inverter; WMaxLimPct limits it to a share of its rating."""

    def __init__(
        self,
        max_w: float,
        snapshot: Callable[[], Snapshot],
        journal: Journal,
        clock: Callable[[], float],
    ) -> None:
        values = {
            "WMaxLimPctEna": 0.0,
            "WMaxLimPct": 100.0,
            "WMaxLimPctRvrt": 100.0,
            "WMaxLimPctEnaRvrt": 0.0,
            "WMaxLimPctRvrtTms": 0.0,
        }
        super().__init__("pv", TimedFunction(LIMIT, values), snapshot, journal, clock)
        self._max_w = max_w

    def limit_w(self) -> float:
        """Return the greatest output allowed now, W."""
        self.function.tick(self._clock())
        if not self.service.enabled:
            return 0.0
        if not self.function.enabled:
            return math.inf
        return self._max_w * self.function.values["WMaxLimPct"] / 100

    def values(self) -> dict[Key, Value]:
        """Return its points."""
        home = self._snapshot()
        produced_w = -home.pv.power_w
        throttled = produced_w < home.pv_offered_w
        state = THROTTLED if throttled else RUNNING if produced_w > 0 else SLEEPING
        offered_w = home.pv_offered_w
        share = 100 * (1 - produced_w / offered_w) if offered_w > 0 else 0.0
        return {
            **common("PV inverter", "SIM-PV-1"),
            **self._measured(home.pv, state),
            (701, "ThrotPct"): share,
            (701, "ThrotSrc"): int(throttled),
            (702, "WMaxRtg"): self._max_w,
            (702, "VAMaxRtg"): self._max_w,
            (702, "VNomRtg"): 230.0,
            (702, "CtrlModes"): MAX_W_MODE,
            (702, "WMax"): self._max_w,
            (702, "VAMax"): self._max_w,
            (702, "VNom"): 230.0,
            **self.service.points(),
            **self._control_points(),
        }


class BatteryInverter(Inverter):
    """The battery inverter; WSet moves it, without a set-point it stands by."""

    models = (*Inverter.models, 713)

    def __init__(
        self,
        max_w: float,
        capacity_wh: float,
        snapshot: Callable[[], Snapshot],
        journal: Journal,
        clock: Callable[[], float],
    ) -> None:
        values = {
            "WSetEna": 0.0,
            "WSetMod": float(WATTS),
            "WSet": 0.0,
            "WSetRvrt": 0.0,
            "WSetPct": 0.0,
            "WSetPctRvrt": 0.0,
            "WSetEnaRvrt": 0.0,
            "WSetRvrtTms": 0.0,
        }
        function = TimedFunction(set_point(max_w, max_w), values)
        super().__init__("battery", function, snapshot, journal, clock)
        self._max_w = max_w
        self._capacity_wh = capacity_wh

    @property
    def scales(self) -> dict[Key, int]:
        """Scale factors of models 701 to 704 and 713."""
        return {**super().scales, **scales(713, {"WH_SF": 0, "Pct_SF": -2})}

    def target_w(self) -> float:
        """Return the power asked for now, charging positive, W."""
        self.function.tick(self._clock())
        if not (self.service.enabled and self.function.enabled):
            return 0.0
        values = self.function.values
        if values["WSetMod"] == PERCENT:
            return -values["WSetPct"] / 100 * self._max_w
        return -values["WSet"]

    def values(self) -> dict[Key, Value]:
        """Return its points."""
        home = self._snapshot()
        state = RUNNING if home.battery.power_w else SLEEPING
        return {
            **common("Battery inverter", "SIM-BAT-1"),
            **self._measured(home.battery, state),
            (702, "WMaxRtg"): self._max_w,
            (702, "VAMaxRtg"): self._max_w,
            (702, "WChaRteMaxRtg"): self._max_w,
            (702, "WDisChaRteMaxRtg"): self._max_w,
            (702, "VNomRtg"): 230.0,
            (702, "CtrlModes"): FIXED_W_MODE,
            (702, "WMax"): self._max_w,
            (702, "VAMax"): self._max_w,
            (702, "WChaRteMax"): self._max_w,
            (702, "WDisChaRteMax"): self._max_w,
            (702, "VNom"): 230.0,
            **self.service.points(),
            **self._control_points(),
            (713, "WHRtg"): self._capacity_wh,
            (713, "WHAvail"): home.soc * self._capacity_wh,
            (713, "SoC"): home.soc * 100,
            (713, "SoH"): 100.0,
            (713, "Sta"): 0,
        }
