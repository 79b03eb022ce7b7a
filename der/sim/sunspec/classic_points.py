"""What an old-style simulated inverter shows of itself: models 101 to 113, 120 to 122, 160, 802."""

import math
from dataclasses import dataclass

from der.sim.physics.house import Flow, Snapshot
from der.sim.physics.supply import NOMINAL_HZ, NOMINAL_V
from der.sim.sunspec.grid_support import Ratings
from der.sim.sunspec.registers import Key, Value
from der.sim.sunspec.unit import scales

EPOCH_2000_S = 946_684_800
"""Model 122 counts from 2000-01-01 00:00 UTC; leap seconds left out."""

STRING_V = 380.0
BANK_V = 51.2

_SUPPLY_SCALES = {
    "A_SF": -2, "V_SF": -1, "W_SF": 0, "Hz_SF": -2, "VA_SF": 0, "VAr_SF": 0, "PF_SF": -1,
    "WH_SF": 0, "DCA_SF": -2, "DCV_SF": -1, "DCW_SF": 0, "Tmp_SF": -1,
}  # fmt: skip
_NAMEPLATE_SCALES = {
    "WRtg_SF": 0, "VARtg_SF": 0, "VArRtg_SF": 0, "ARtg_SF": -1, "PFRtg_SF": -2,
}  # fmt: skip
_SETTING_SCALES = {
    "WMax_SF": 0, "VRef_SF": -1, "VRefOfs_SF": -1, "VAMax_SF": 0, "VArMax_SF": 0,
    "ECPNomHz_SF": -2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """How an inverter measures.

    Attributes:
        phases: 1 or 3.
        floats: Whether it gives floating-point numbers.
    """

    phases: int = 1
    floats: bool = False

    @property
    def model(self) -> int:
        """Its measuring model."""
        three_phases = 103 if self.phases > 1 else 101
        return three_phases + 10 if self.floats else three_phases

    @property
    def scales(self) -> dict[Key, int]:
        """Scale factors of models 101 to 122."""
        return {
            **({} if self.floats else scales(self.model, _SUPPLY_SCALES)),
            **scales(120, _NAMEPLATE_SCALES),
            **scales(121, _SETTING_SCALES),
            **scales(122, {"VArAval_SF": 0, "WAval_SF": 0}),
        }


def measured(shape: Shape, flow: Flow, home: Snapshot, state: int) -> dict[Key, Value]:
    """Return model 101, 103, 111 or 113."""
    produced_w, injected_var = -flow.power_w, -flow.reactive_var
    apparent_va = math.hypot(produced_w, injected_var)
    current_a = home.amperes(apparent_va)
    points: dict[str, Value] = {
        "A": current_a,
        "W": produced_w,
        "Hz": home.frequency_hz,
        "VA": apparent_va,
        "VAr": injected_var,
        "PF": 100 * produced_w / apparent_va if apparent_va else 100.0,
        "WH": flow.export_wh,
        "DCW": produced_w,
        "DCV": STRING_V,
        "DCA": abs(produced_w) / STRING_V,
        "TmpCab": home.outdoor_temp_c,
        "St": state,
        "Evt1": 0,
        "Evt2": 0,
    }
    for name in "ABC"[: shape.phases]:
        points[f"Aph{name}"] = current_a / shape.phases
        points[f"PhVph{name}"] = home.voltage_v
    return {(shape.model, name): value for name, value in points.items()}


def nameplate(can: Ratings) -> dict[Key, Value]:
    """Return model 120."""
    points: dict[str, Value] = {
        "DERTyp": 4,
        "WRtg": can.max_w,
        "VARtg": can.max_va,
        "ARtg": can.max_va / NOMINAL_V,
        **dict.fromkeys(("VArRtgQ1", "VArRtgQ2"), can.max_var),
        **dict.fromkeys(("VArRtgQ3", "VArRtgQ4"), -can.max_var),
        **dict.fromkeys(("PFRtgQ1", "PFRtgQ2"), 0.9),
        **dict.fromkeys(("PFRtgQ3", "PFRtgQ4"), -0.9),
    }
    return {(120, name): value for name, value in points.items()}


def settings(can: Ratings) -> dict[Key, Value]:
    """Return model 121."""
    points: dict[str, Value] = {
        "WMax": can.max_w,
        "VRef": NOMINAL_V,
        "VRefOfs": 0,
        "VAMax": can.max_va,
        **dict.fromkeys(("VArMaxQ1", "VArMaxQ2"), can.max_var),
        **dict.fromkeys(("VArMaxQ3", "VArMaxQ4"), -can.max_var),
        "ECPNomHz": NOMINAL_HZ,
    }
    return {(121, name): value for name, value in points.items()}


def clock_points(own_time: float, flow: Flow, *, on: bool) -> dict[Key, Value]:
    """Return model 122.

    Args:
        own_time: What its clock says, UTC epoch seconds.
        flow: Of the inverter.
        on: Whether it is connected.
    """
    points: dict[str, Value] = {
        "PVConn": 7 if on else 0,
        "StorConn": 0,
        "ECPConn": int(on),
        "ActWh": flow.export_wh,
        "TmSrc": "RTC",
        "Tms": int(own_time) - EPOCH_2000_S,
    }
    return {(122, name): value for name, value in points.items()}


def strings(flow: Flow) -> dict[Key, Value]:
    """Return model 160: two strings that share the power."""
    points: dict[Key, Value] = {(160, "N"): 2, (160, "Evt"): 0}
    for number in (1, 2):
        string_w = -flow.power_w / 2
        points |= {
            (160, f"module.{number}.ID"): number,
            (160, f"module.{number}.IDStr"): f"String {number}",
            (160, f"module.{number}.DCW"): string_w,
            (160, f"module.{number}.DCV"): STRING_V,
            (160, f"module.{number}.DCA"): string_w / STRING_V,
            (160, f"module.{number}.DCSt"): 4,
        }
    return points


def battery_bank(capacity_wh: float, max_w: float, home: Snapshot) -> dict[Key, Value]:
    """Return model 802; its power counts discharge positive, as the inverter's."""
    discharged_w = -home.battery.power_w
    charge_state = 3 if discharged_w > 0 else 4 if discharged_w < 0 else 6
    points: dict[str, Value] = {
        "AHRtg": capacity_wh / BANK_V,
        "WHRtg": capacity_wh,
        "WChaRteMax": max_w,
        "WDisChaRteMax": max_w,
        "SoCMax": 100.0,
        "SoCMin": 0.0,
        "SoC": 100 * home.soc,
        "SoH": 100.0,
        "ChaSt": charge_state,
        "LocRemCtl": 0,
        "AlmRst": 0,
        "Typ": 4,
        "State": 3,
        "Evt1": 0,
        "Evt2": 0,
        "EvtVnd1": 0,
        "EvtVnd2": 0,
        "V": BANK_V,
        "A": discharged_w / BANK_V,
        "W": discharged_w,
        "SetOp": 1,
        "SetInvState": 3,
    }
    return {(802, name): value for name, value in points.items()}
