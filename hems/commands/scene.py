"""What the stage plays: options of the simulated house, and the hub's configuration for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from certs.identity import make_pin
from certs.pki import Pki

PIN_DIGITS: Final = 11111
"""First five digits of the demo home's registration PIN."""


MANIFEST: Final = "hems.manifest"
PROVIDERS: Final = "providers.pem"
REVOKED: Final = "providers-crls.pem"
AGENT: Final = (
    "[agent]",
    f'manifest = "{MANIFEST}"',
    f'roots = "{PROVIDERS}"',
    f'crls = "{REVOKED}"',
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is played.

    Attributes:
        page_port: Port of the page; another free one is taken if it is in use. 0: any.
        speed: How much faster the house lives than the wall clock.
        seed: Of the house's kettles and clouds.
        time_zone: The home's, by its IANA name; empty for UTC.
        battery: What the battery does when nobody asks anything (`HomeSection.battery`).
        house: More arguments for the simulated house.
        headend: More lines for the head-end's settings.
        est: More lines for its EST server's.
        hub: More arguments for the hub.
        utility: More lines for the hub's [utility] section.
        edition: Edition and profile of 2030.5 spoken ("csip-aus", "2018", "2023").
        discover: Find the utility by DNS-SD and not by a configured URL.
        extra_meters: Sub-meters beside the six devices of the home.
        economy: More lines for the hub's configuration before its devices: a tariff, say.
        tables: More lines behind single devices, by id: what is wanted of them.
        agent: Whether the hub has a software agent.
        required: Whether the hub takes part in no programme without that agent's good word.
    """

    page_port: int = 8080
    speed: float = 1.0
    seed: int = 1
    time_zone: str = ""
    battery: str = "self-consumption"
    house: Sequence[str] = ()
    headend: Sequence[str] = ()
    est: Sequence[str] = ()
    hub: Sequence[str] = ()
    utility: Sequence[str] = ()
    edition: str = "csip-aus"
    discover: bool = False
    extra_meters: int = 0
    economy: Sequence[str] = ()
    tables: Mapping[str, Sequence[str]] = field(default_factory=dict)
    agent: bool = False
    required: bool = True


def hub_config(
    scene: Scene,
    *,
    pki: Pki,
    ports: Mapping[str, int],
    ocpp_port: int,
    dcap: str,
    page_port: int,
) -> str:
    """Return the hub's configuration for the simulated house, as TOML."""
    identity, trust = pki.identity("hub"), pki.trust
    url = [] if scene.discover else [f"url = {quoted(dcap)}"]
    submeters = [
        _device(name, "submeter", f"Circuit {index}", "sunspec", port)
        for index, (name, port) in enumerate(
            ((n, p) for n, p in ports.items() if n.startswith("sub_meter")), start=1
        )
    ]
    parts = [
        "[home]",
        'name = "Demo home"',
        f"battery = {quoted(scene.battery)}",
        *([f"time_zone = {quoted(scene.time_zone)}"] if scene.time_zone else []),
        "[web]",
        f"port = {page_port}",
        *((*AGENT, f"required = {str(scene.required).lower()}") if scene.agent else ()),
        "[ocpp]",
        f"port = {ocpp_port}",
        "[utility]",
        *url,
        f"certificate = {quoted(identity.certificate)}",
        f"key = {quoted(identity.key)}",
        f"trust = {quoted(trust.roots)}",
        f"crls = {quoted(trust.crls)}",
        f"pin = {quoted(make_pin(PIN_DIGITS))}",
        'mirror_interval = "10 s"',
        f"edition = {quoted(scene.edition)}",
        *scene.utility,
        "[[utility.program]]",
        'name = "Peak Saver"',
        "binding = false",
        *scene.economy,
        _device("meter", "meter", "Grid meter", "sunspec", ports["meter"]),
        *scene.tables.get("meter", ()),
        _device("pv", "pv", "Solar", "sunspec", ports["pv"], min="-4 kW"),
        *scene.tables.get("pv", ()),
        _battery(ports),
        *scene.tables.get("battery", ()),
        _device(
            "ev",
            "evse",
            "Car",
            "ocpp16",
            None,
            max="7.4 kW",
            least_on="1380 W",
            fallback="1380 W",
            station="ev",
            essentiality=2,
        ),
        *scene.tables.get("ev", ()),
        _device(
            "water_heater",
            "water_heater",
            "Water heater",
            "modbus",
            ports["water_heater"],
            map="relay-board",
            max="3 kW",
            essentiality=1,
        ),
        *scene.tables.get("water_heater", ()),
        _device(
            "heat_pump",
            "heat_pump",
            "Heat pump",
            "modbus",
            ports["heat_pump"],
            map="relay-board",
            max="2 kW",
            essentiality=4,
            min_on="3 min",
            min_off="3 min",
        ),
        *scene.tables.get("heat_pump", ()),
        *submeters,
    ]
    return "\n".join(parts) + "\n"


def _battery(ports: Mapping[str, int]) -> str:
    """Return the battery, and the tie where the house has one, whose inverter then forms."""
    power = {"min": "-5 kW", "max": "5 kW"}
    if "former" not in ports:
        return _device("battery", "battery", "Battery", "sunspec", ports["battery"], **power)
    forming = _device(
        "battery",
        "battery",
        "Battery",
        "modbus",
        ports["former"],
        map="grid-forming-inverter",
        **power,
    )
    tie = _device("tie", "tie", "Grid switch", "modbus", ports["tie"], map="tie-switch")
    return f"{tie}\n{forming}"


def _device(
    name: str, kind: str, label: str, driver: str, port: int | None, **more: str | int
) -> str:
    fields = {"id": name, "kind": kind, "name": label, "driver": driver, **more}
    lines = [f"{key} = {quoted(value)}" for key, value in fields.items()]
    if port is not None:
        lines.append(f"port = {port}")
    return "\n".join(["[[device]]", *lines])


def quoted(value: str | int | Path) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, int):
        return str(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
