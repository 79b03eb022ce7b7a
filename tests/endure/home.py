"""The home of the simulated week: ten devices, a plan to follow, and a utility."""

from typing import Any, Final

from hems.scenarios.script import Script, parse_script

ZONE: Final = "Europe/Berlin"
_PROGRAMS: Final = (
    {"name": "Peak Saver", "primacy": 10, "kind": "der"},
    {"name": "Feeder", "primacy": 3, "kind": "der"},
    {"name": "Grid Emergency", "primacy": 1, "kind": "drlc", "mandatory": True},
    {"name": "Energy Support", "primacy": 20, "kind": "drlc"},
    {"name": "Reserve", "primacy": 5, "kind": "drlc", "mandatory": True},
)
_HOUSE: Final[dict[str, Any]] = {
    "pv": {"peak": "6 kW", "power": "5 kW"},
    "battery": {"capacity": "10 kWh", "power": "5 kW", "charge": 0.6},
    "car": {"charge": 0.4},
    "water_heater": 49.0,
    "heat_pump": 20.8,
    "sub_meters": ["base", "ev", "water_heater", "heat_pump"],
}
_TARIFF: Final[dict[str, Any]] = {
    "currency": "EUR",
    "import": {
        "price": "0.30/kWh",
        "window": [{"price": "0.20/kWh", "begins": "22:00", "ends": "06:00"}],
    },
}


def home(starts: str, *, cycle_s: float, seed: int) -> Script:
    """Return the home as the scenarios know one.

    Args:
        starts: When it begins, by the clock on its wall, ISO 8601.
        cycle_s: Period of the control cycle, and of the physics.
        seed: Decides what chance decides.
    """
    cycle = f"{cycle_s:g} s"
    return parse_script(
        {
            "title": "A week",
            "shows": "The home lives for a week.",
            "requirements": ["BUC-1"],
            "starts": starts,
            "ends": "+1d 00:00",
            "time_zone": ZONE,
            "seed": seed,
            "step": cycle,
            "planner_every": "1 h",
            "house": _HOUSE,
            "hub": {
                "home": {"cycle": cycle},
                "tariff": _TARIFF,
                "reserve": {
                    "enabled": True,
                    "programs": ["Reserve"],
                    "products": ["spinning"],
                    "hours": ["06:00-22:00"],
                    "call": "30 min",
                    "share": 0.4,
                },
                "device": {"car": {"car": {"ready_by": "07:00", "energy": "8 kWh"}}},
            },
            "utility": {"programs": list(_PROGRAMS)},
            # Judged by `tests.endure.judge`; a scenario cannot do without a check.
            "expect": [{"check": "alarm", "contains": "-"}],
        },
        "tests/endure/home.py",
    )
