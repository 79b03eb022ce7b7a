"""Points and defaults of models 705, 706, 711 and 712, as the simulated inverters have them.

The values at the start are IEEE 1547-2018's defaults for category B (tables 8, 31, 24 and clause
5.4.3), turned to a 50 Hz grid; they are switched off.
"""

import itertools

from der.sim.sunspec.slots import Slot, SlotShape

POINTS = 8
"""Most points of a curve."""

PERCENT_SF = -2
RESPONSE_SF = -1
HERTZ_SF = -3
DROOP_SF = -3


def curve(  # noqa: PLR0917 - one for each part of a model's definition
    model: int,
    axes: tuple[str, str],
    y_bounds: tuple[float, float],
    references: int,
    fields: dict[str, tuple[float, float]],
    start: dict[str, float],
    points: int = POINTS,
) -> SlotShape:
    """Return the shape of a curve's function.

    Args:
        model: SunSpec model.
        axes: Names of its x and y points.
        y_bounds: Least and greatest y, in %.
        references: Highest value of DeptRef.
        fields: Bounds of what a curve has besides.
        start: What slot 1 holds at the start.
        points: Most points of a curve.
    """
    x, y = axes
    bounds = {"ActPt": (1.0, float(points)), "DeptRef": (0.0, float(references)), **fields}
    for number in range(1, points + 1):
        bounds[f"Pt.{number}.{x}"] = (-100.0, 200.0) if x == "W" else (0.0, 200.0)
        bounds[f"Pt.{number}.{y}"] = y_bounds

    def sensible(slot: Slot) -> bool:
        found = points_of(slot, x, y)
        rising = all(a[0] <= b[0] for a, b in itertools.pairwise(found))
        return bool(found) and len(found) == slot.get("ActPt") and "DeptRef" in slot and rising

    return SlotShape(model, "Crv", bounds, sensible, start)


def points_of(slot: Slot, x: str, y: str) -> list[tuple[float, float]]:
    """Return a slot's points in %, as far as they are set."""
    found = []
    for number in range(1, int(slot.get("ActPt", 0)) + 1):
        at = slot.get(f"Pt.{number}.{x}"), slot.get(f"Pt.{number}.{y}")
        if at[0] is not None and at[1] is not None:
            found.append((at[0], at[1]))
    return found


def _start(x: str, y: str, points: list[tuple[float, float]], **fields: float) -> dict[str, float]:
    slot = {"ActPt": float(len(points)), **fields}
    for number, (at, value) in enumerate(points, 1):
        slot[f"Pt.{number}.{x}"] = at
        slot[f"Pt.{number}.{y}"] = value
    return slot


_RESPONSE = (0.0, 1000.0)
_VARS = (-100.0, 100.0)

VOLT_VAR = curve(
    705,
    ("V", "Var"),
    _VARS,
    3,
    {
        "Pri": (0.0, 2.0),
        "VRef": (95.0, 105.0),
        "VRefAutoEna": (0.0, 1.0),
        "VRefAutoTms": (0.0, 5000.0),
        "RspTms": _RESPONSE,
    },
    _start(
        "V", "Var", [(92, 44), (98, 0), (102, 0), (108, -44)],
        DeptRef=3, Pri=1, VRef=100, VRefAutoEna=0, VRefAutoTms=300, RspTms=5,
    ),
)  # fmt: skip
VOLT_WATT = curve(
    706,
    ("V", "W"),
    (0.0, 100.0),
    1,
    {"RspTms": _RESPONSE},
    _start("V", "W", [(106, 100), (110, 20)], DeptRef=0, RspTms=10),
)
WATT_VAR = curve(
    712,
    ("W", "Var"),
    _VARS,
    3,
    {"Pri": (0.0, 1.0)},
    _start("W", "Var", [(20, 0), (50, 0), (100, -44)], DeptRef=3, Pri=1),
)
DROOP = SlotShape(
    711,
    "Ctl",
    {
        "DbOf": (0.0, 10.0),
        "DbUf": (0.0, 10.0),
        "KOf": (0.01, 1.0),
        "KUf": (0.01, 1.0),
        "RspTms": _RESPONSE,
        "PMin": (-100.0, 100.0),
    },
    lambda slot: slot.keys() >= {"DbOf", "DbUf", "KOf", "KUf", "RspTms"},
    {"DbOf": 0.036, "DbUf": 0.036, "KOf": 0.05, "KUf": 0.05, "RspTms": 5, "PMin": 0},
)
SUPPORT_SCALES = {
    705: {"V_SF": PERCENT_SF, "DeptRef_SF": PERCENT_SF, "RspTms_SF": RESPONSE_SF},
    706: {"V_SF": PERCENT_SF, "DeptRef_SF": PERCENT_SF, "RspTms_SF": RESPONSE_SF},
    711: {"Db_SF": HERTZ_SF, "K_SF": DROOP_SF, "RspTms_SF": RESPONSE_SF},
    712: {"W_SF": PERCENT_SF, "DeptRef_SF": PERCENT_SF},
}
