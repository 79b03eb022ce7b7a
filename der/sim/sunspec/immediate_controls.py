"""Models 123 and 124 as the simulated old-style devices have them: what reverts, and to what."""

from der.sim.sunspec.reversion import FunctionShape, TimedFunction

SECONDS = (0.0, 65534.0)
SWITCH = (0.0, 1.0)
CONNECT, DISCONNECT = 1.0, 0.0
CHARGE, DISCHARGE = 1, 2
"""Bits of model 124's StorCtl_Mod: which of the two limits counts."""

CONTROL_SCALES = {"WMaxLimPct_SF": -2, "OutPFSet_SF": -3, "VArPct_SF": -2}
STORAGE_SCALES = {
    "WChaMax_SF": 0, "WChaDisChaGra_SF": 0, "MinRsvPct_SF": -2, "ChaState_SF": -2,
    "InOutWRte_SF": -2,
}  # fmt: skip


def connection() -> TimedFunction:
    """Return model 123's connection; when its time has run out it connects again."""
    shape = FunctionShape(
        enable="Conn",
        reverts={"Conn": CONNECT},
        timeout="Conn_RvrtTms",
        remaining=None,
        bounds={"Conn": SWITCH, "Conn_RvrtTms": SECONDS, "Conn_WinTms": SECONDS},
        idle=CONNECT,
    )
    return TimedFunction(shape, {"Conn": CONNECT, "Conn_RvrtTms": 0.0, "Conn_WinTms": 0.0})


def limit() -> TimedFunction:
    """Return model 123's limit of active power, off."""
    shape = FunctionShape(
        enable="WMaxLim_Ena",
        reverts={"WMaxLim_Ena": 0.0},
        timeout="WMaxLimPct_RvrtTms",
        remaining=None,
        bounds={
            "WMaxLim_Ena": SWITCH,
            "WMaxLimPct": (0.0, 100.0),
            "WMaxLimPct_RvrtTms": SECONDS,
            "WMaxLimPct_WinTms": SECONDS,
            "WMaxLimPct_RmpTms": SECONDS,
        },
    )
    return TimedFunction(shape, {n: 100.0 * (n == "WMaxLimPct") for n in shape.bounds})


def power_factor() -> TimedFunction:
    """Return model 123's fixed power factor, off; positive means over-excited."""
    shape = FunctionShape(
        enable="OutPFSet_Ena",
        reverts={"OutPFSet_Ena": 0.0},
        timeout="OutPFSet_RvrtTms",
        remaining=None,
        bounds={
            "OutPFSet_Ena": SWITCH,
            "OutPFSet": (-1.0, 1.0),
            "OutPFSet_RvrtTms": SECONDS,
            "OutPFSet_WinTms": SECONDS,
            "OutPFSet_RmpTms": SECONDS,
        },
    )
    return TimedFunction(shape, {n: float(n == "OutPFSet") for n in shape.bounds})


def reactive() -> TimedFunction:
    """Return model 123's reactive power in percent, off; positive is injected."""
    share = (-100.0, 100.0)
    shape = FunctionShape(
        enable="VArPct_Ena",
        reverts={"VArPct_Ena": 0.0},
        timeout="VArPct_RvrtTms",
        remaining=None,
        bounds={
            "VArPct_Ena": SWITCH,
            "VArPct_Mod": (0.0, 3.0),
            "VArWMaxPct": share,
            "VArMaxPct": share,
            "VArAvalPct": share,
            "VArPct_RvrtTms": SECONDS,
            "VArPct_WinTms": SECONDS,
            "VArPct_RmpTms": SECONDS,
        },
    )
    return TimedFunction(shape, dict.fromkeys(shape.bounds, 0.0))


def storage() -> TimedFunction:
    """Return model 124's limits of charging and discharging, off.

    A rate below zero asks for at least so much of the other direction; where both are each
    other's opposite the device is left no choice, which is how it is told a power.
    """
    rate = (-100.0, 100.0)
    shape = FunctionShape(
        enable="StorCtl_Mod",
        reverts={"StorCtl_Mod": 0.0},
        timeout="InOutWRte_RvrtTms",
        remaining=None,
        bounds={
            "StorCtl_Mod": (0.0, 3.0),
            "InWRte": rate,
            "OutWRte": rate,
            "InOutWRte_RvrtTms": SECONDS,
            "InOutWRte_WinTms": SECONDS,
            "InOutWRte_RmpTms": SECONDS,
        },
    )
    start = dict.fromkeys(shape.bounds, 0.0) | {"InWRte": 100.0, "OutWRte": 100.0}
    return TimedFunction(shape, start)
