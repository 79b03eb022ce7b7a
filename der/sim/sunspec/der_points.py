"""What a modern simulated inverter shows of itself: models 701, 702, 707 to 710, 714 and 715."""

import math

from der.sim.physics.house import Flow, Snapshot
from der.sim.physics.supply import NOMINAL_V
from der.sim.sunspec.grid_support import Ratings
from der.sim.sunspec.registers import Key, Value

SUPPLY_SCALES = {
    "W_SF": 0, "VA_SF": 0, "Var_SF": 0, "PF_SF": -3, "A_SF": -2, "V_SF": -1, "Hz_SF": -3,
    "TotWh_SF": 0, "TotVarh_SF": 0, "Tmp_SF": -1,
}  # fmt: skip
RATING_SCALES = {
    "W_SF": 0, "PF_SF": -3, "VA_SF": 0, "Var_SF": 0, "V_SF": -1, "A_SF": -2, "S_SF": 0,
}  # fmt: skip
SERVICE = {
    "ES": 1.0, "ESVHi": 110.0, "ESVLo": 88.0, "ESHzHi": 50.1, "ESHzLo": 49.5, "ESDlyTms": 0.0,
    "ESRndTms": 0.0, "ESRmpTms": 0.0, "ESDlyRemTms": 0.0,
}  # fmt: skip
"""Model 703 at the start."""

STRING_V = 380.0
"""Voltage on the direct-current side."""

_TRIPS = {707: ("V", 50.0, 2.0), 708: ("V", 120.0, 0.16), 709: ("Hz", 47.5, 0.5),
          710: ("Hz", 51.5, 0.5)}  # fmt: skip
"""Model: axis, where it trips, after how many s."""

_HEARTBEATS = 2**31


def measured(
    flow: Flow, home: Snapshot, *, state: int, on: bool, phases: int = 1
) -> dict[Key, Value]:
    """Return model 701.

    Args:
        flow: Of the inverter, consumption positive.
        home: For voltage, frequency and temperature.
        state: InvSt.
        on: Whether it is connected.
        phases: 1 or 3, which share its power.
    """
    produced_w, injected_var = -flow.power_w, -flow.reactive_var
    apparent_va = math.hypot(produced_w, injected_var)
    current_a = home.amperes(apparent_va)
    lines: dict[Key, Value] = {}
    for line in range(1, phases + 1):
        lines |= {
            (701, f"WL{line}"): produced_w / phases,
            (701, f"VAL{line}"): apparent_va / phases,
            (701, f"VarL{line}"): injected_var / phases,
            (701, f"AL{line}"): current_a / phases,
            (701, f"VL{line}"): home.voltage_v,
        }
    return {
        **lines,
        (701, "ACType"): 2 if phases > 1 else 0,
        (701, "St"): int(on),
        (701, "InvSt"): state,
        (701, "ConnSt"): int(on),
        (701, "Alrm"): 0,
        (701, "DERMode"): 1,
        (701, "W"): produced_w,
        (701, "VA"): apparent_va,
        (701, "Var"): injected_var,
        (701, "PF"): produced_w / apparent_va if apparent_va else 1.0,
        (701, "A"): current_a,
        (701, "LNV"): home.voltage_v,
        (701, "Hz"): home.frequency_hz,
        (701, "TotWhInj"): flow.export_wh,
        (701, "TotWhAbs"): flow.import_wh,
        (701, "TmpAmb"): home.outdoor_temp_c,
    }


def ratings(can: Ratings) -> dict[Key, Value]:
    """Return model 702; an inverter that moves no reactive power does not name any."""
    points: dict[Key, Value] = {
        (702, "WMaxRtg"): can.max_w,
        (702, "VAMaxRtg"): can.max_va,
        (702, "VNomRtg"): NOMINAL_V,
        (702, "WMax"): can.max_w,
        (702, "VAMax"): can.max_va,
        (702, "VNom"): NOMINAL_V,
    }
    if can.max_var:
        for name in ("VarMaxInjRtg", "VarMaxAbsRtg", "VarMaxInj", "VarMaxAbs"):
            points[702, name] = can.max_var
    return points


def extras(flow: Flow, now: float) -> dict[Key, Value]:
    """Return models 707 to 710, 714 and 715.

    Args:
        flow: Of the inverter, consumption positive.
        now: Monotonic s, for the heartbeat.
    """
    points: dict[Key, Value] = {
        (714, "PrtAlrms"): 0,
        (714, "DCW"): -flow.power_w,
        (714, "DCA"): -flow.power_w / STRING_V,
        (714, "Prt.1.PrtTyp"): 0,
        (714, "Prt.1.ID"): 1,
        (714, "Prt.1.DCW"): -flow.power_w,
        (714, "Prt.1.DCV"): STRING_V,
        (714, "Prt.1.DCA"): -flow.power_w / STRING_V,
        (714, "Prt.1.DCSta"): 1,
        (715, "LocRemCtl"): 0,
        (715, "DERHb"): int(now) % _HEARTBEATS,
    }
    for model, (axis, at, seconds) in _TRIPS.items():
        points |= {
            (model, "Ena"): 1,
            (model, "AdptCrvReq"): 0,
            (model, "AdptCrvRslt"): 1,
            (model, "Crv.1.ReadOnly"): 1,
            (model, "Crv.1.MustTrip.ActPt"): 1,
            (model, f"Crv.1.MustTrip.Pt.1.{axis}"): at,
            (model, "Crv.1.MustTrip.Pt.1.Tms"): seconds,
        }
    return points
