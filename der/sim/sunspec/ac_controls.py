"""The functions of model 704 that the simulated inverters have: shapes and how they start."""

from der.sim.sunspec.reversion import FunctionShape, TimedFunction

LONGEST_REVERSION_S = 2.0**31
SWITCH = (0.0, 1.0)
CONTROL_SCALES = {
    "PF_SF": -3, "WMaxLimPct_SF": -2, "WSet_SF": 0, "WSetPct_SF": -2, "VarSet_SF": 0,
    "VarSetPct_SF": -2,
}  # fmt: skip

LIMIT = FunctionShape(
    enable="WMaxLimPctEna",
    reverts={"WMaxLimPctEna": "WMaxLimPctEnaRvrt", "WMaxLimPct": "WMaxLimPctRvrt"},
    timeout="WMaxLimPctRvrtTms",
    remaining="WMaxLimPctRvrtRem",
    bounds={
        "WMaxLimPctEna": SWITCH,
        "WMaxLimPct": (0, 100),
        "WMaxLimPctRvrt": (0, 100),
        "WMaxLimPctEnaRvrt": SWITCH,
        "WMaxLimPctRvrtTms": (0, LONGEST_REVERSION_S),
    },
)

PERCENT, WATTS = 0, 1
"""Values of model 704's WSetMod."""

OF_MAX_W, OF_MAX_VAR, OF_AVAILABLE, OF_MAX_VA, VARS = 0, 1, 2, 3, 4
"""Values of model 704's VarSetMod; all but the last are those of a curve's DeptRef too."""

UNDER_EXCITED = 1
"""Value of a power factor's Ext: reactive power is absorbed."""


def limit() -> TimedFunction:
    """Return the limit of active power, off."""
    values = {
        "WMaxLimPctEna": 0.0,
        "WMaxLimPct": 100.0,
        "WMaxLimPctRvrt": 100.0,
        "WMaxLimPctEnaRvrt": 0.0,
        "WMaxLimPctRvrtTms": 0.0,
    }
    return TimedFunction(LIMIT, values)


def set_point(charge_w: float, discharge_w: float) -> TimedFunction:
    """Return the active power set-point of a battery inverter, off.

    Args:
        charge_w: Greatest charging power, positive.
        discharge_w: Greatest discharging power, positive.
    """
    charge_pct = -100 * charge_w / discharge_w
    shape = FunctionShape(
        enable="WSetEna",
        reverts={"WSetEna": "WSetEnaRvrt", "WSet": "WSetRvrt", "WSetPct": "WSetPctRvrt"},
        timeout="WSetRvrtTms",
        remaining="WSetRvrtRem",
        bounds={
            "WSetEna": SWITCH,
            "WSetMod": (PERCENT, WATTS),
            "WSet": (-charge_w, discharge_w),
            "WSetRvrt": (-charge_w, discharge_w),
            "WSetPct": (charge_pct, 100),
            "WSetPctRvrt": (charge_pct, 100),
            "WSetEnaRvrt": SWITCH,
            "WSetRvrtTms": (0, LONGEST_REVERSION_S),
        },
    )
    return TimedFunction(shape, {name: float(name == "WSetMod") for name in shape.bounds})


def reactive(max_var: float) -> TimedFunction:
    """Return the reactive power set-point, off.

    Args:
        max_var: Greatest reactive power either way.
    """
    shape = FunctionShape(
        enable="VarSetEna",
        reverts={
            "VarSetEna": "VarSetEnaRvrt",
            "VarSet": "VarSetRvrt",
            "VarSetPct": "VarSetPctRvrt",
        },
        timeout="VarSetRvrtTms",
        remaining="VarSetRvrtRem",
        bounds={
            "VarSetEna": SWITCH,
            "VarSetMod": (OF_MAX_W, VARS),
            "VarSetPri": (0, 2),
            "VarSet": (-max_var, max_var),
            "VarSetRvrt": (-max_var, max_var),
            "VarSetPct": (-100, 100),
            "VarSetPctRvrt": (-100, 100),
            "VarSetEnaRvrt": SWITCH,
            "VarSetRvrtTms": (0, LONGEST_REVERSION_S),
        },
    )
    return TimedFunction(shape, {n: VARS if n == "VarSetMod" else 0.0 for n in shape.bounds})


def power_factor(name: str) -> TimedFunction:
    """Return a fixed power factor, off.

    Args:
        name: "PFWInj" while power is injected, "PFWAbs" while it is absorbed.
    """
    shape = FunctionShape(
        enable=f"{name}Ena",
        reverts={
            f"{name}Ena": f"{name}EnaRvrt",
            f"{name}.PF": f"{name}Rvrt.PF",
            f"{name}.Ext": f"{name}Rvrt.Ext",
        },
        timeout=f"{name}RvrtTms",
        remaining=f"{name}RvrtRem",
        bounds={
            f"{name}Ena": SWITCH,
            f"{name}EnaRvrt": SWITCH,
            f"{name}RvrtTms": (0, LONGEST_REVERSION_S),
            f"{name}.PF": (0.5, 1.0),
            f"{name}.Ext": SWITCH,
            f"{name}Rvrt.PF": (0.5, 1.0),
            f"{name}Rvrt.Ext": SWITCH,
        },
    )
    return TimedFunction(shape, {n: float(n.endswith(".PF")) for n in shape.bounds})
