"""How the hub of a scenario is configured: for what its home has, and as the script says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from der.model import DeviceKind
from der.sim.physics.car import CarRating
from hems.scenarios.script import HousePart, Script
from hems.settings.config import Config

SUB_METER: Final = "circuit_"
"""How ids of sub-meters begin; what is behind them follows."""


def hub_config(script: Script, folder: Path, utility: Mapping[str, object] | None = None) -> Config:
    """Return the configuration of the scenario's hub.

    Args:
        script: The scenario.
        folder: Where the hub's files are.
        utility: Its utility section; None where it has none.

    Raises:
        pydantic.ValidationError: What the scenario puts over it makes no sense.
    """
    over = dict(script.hub)
    devices = over.pop("device", {})
    raw: dict[str, Any] = {
        "home": {
            "name": script.title,
            "time_zone": script.time_zone,
            "phases": len(script.house.phases),
            "devices": folder / "devices.toml",
        },
        "store": {"path": folder / "hems.db"},
        "device": [
            merged(device, devices.get(device["id"], {})) for device in _devices(script.house)
        ],
    }
    if utility is not None:
        raw["utility"] = merged(dict(utility), over.pop("utility", {}))
    return Config.model_validate(merged(raw, over), context={"folder": folder})


def merged(under: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table with another one put over it; tables within are merged likewise."""
    found = dict(under)
    for key, value in over.items():
        below = found.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            found[key] = merged(dict(below), value)
        else:
            found[key] = value
    return found


def _devices(has: HousePart) -> list[dict[str, Any]]:
    """Return the tables of the devices; their addresses are never called."""
    found: list[dict[str, Any]] = []
    if has.meter:
        found.append(_on_modbus("meter", DeviceKind.METER, "Grid meter"))
    if has.pv is not None:
        found.append(_on_modbus("pv", DeviceKind.PV, "Solar", min=_watts(-has.pv.power)))
    if has.battery is not None:
        power = has.battery.power
        found.append(
            _on_modbus(
                "battery", DeviceKind.BATTERY, "Battery", min=_watts(-power), max=_watts(power)
            )
        )
    if has.car is not None:
        rated = CarRating(max_a=has.car.current, phases=has.car.phases)
        found.append(
            {
                "id": "car",
                "kind": DeviceKind.EVSE,
                "name": "Car",
                "driver": "ocpp16",
                "station": "car",
                "max": _watts(rated.max_w),
                "least_on": _watts(rated.least_w(rated.phases)),
                "phases": rated.phases,
                "essentiality": 2,
            }
        )
    if has.water_heater is not None:
        found.append(
            _relay(
                "water_heater", DeviceKind.WATER_HEATER, "Water heater", max="3 kW", essentiality=1
            )
        )
    if has.heat_pump is not None:
        found.append(
            _relay(
                "heat_pump",
                DeviceKind.HEAT_PUMP,
                "Heat pump",
                max="2 kW",
                essentiality=4,
                min_on="3 min",
                min_off="3 min",
            )
        )
    found += [
        _on_modbus(f"{SUB_METER}{behind}", DeviceKind.SUBMETER, f"Circuit of {behind}")
        for behind in has.sub_meters
    ]
    if has.tie:
        found.append(_relay("tie", DeviceKind.TIE, "Tie to the street"))
    for device in found:
        if has.phases != "A":
            device["connected_to"] = tuple(has.wiring.get(device["id"], has.phases))
    return found


def _on_modbus(name: str, kind: DeviceKind, label: str, **more: str) -> dict[str, Any]:
    return {"id": name, "kind": kind, "name": label, "driver": "sunspec", "port": 1, **more}


def _relay(name: str, kind: DeviceKind, label: str, **more: str | int) -> dict[str, Any]:
    bare = {"id": name, "kind": kind, "name": label, "driver": "modbus", "port": 1}
    return {**bare, "map": "relay-board", **more}


def _watts(power_w: float) -> str:
    return f"{power_w:g} W"
