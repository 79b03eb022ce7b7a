"""A page for each described Modbus device that comes with the product, from its description.

`python -m tests.papers.map_pages` (`make pages`) writes `docs/devices/`, one page each, and the
table of all devices, `docs/devices/index.md`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from der.drivers.mapped import files, schema
from der.drivers.mapped.points import Table
from der.drivers.mapped.steps import Quantity, When
from der.model import Control, DeviceKind
from der.registry import CONTROLS, DRIVERS, Driver
from tests.traceability import ROOT

FOLDER: Final = ROOT / "docs" / "devices"
MAPS: Final = ROOT / "der" / "drivers" / "mapped" / "maps"
_INDEX: Final = """\
# Each device

Written by `make pages` from the drivers that there are; do not edit. How a device is found, tested
and kept: [Devices](../devices.md).

## By what it is

| what it is | `kind` | what a set-point means to it | drivers |
|---|---|---|---|
"""
_PAGES: Final[Mapping[Driver, str]] = {
    Driver.SUNSPEC: "sunspec.md",
    Driver.MODBUS: "../modbus-maps.md",
    Driver.OCPP16: "ocpp.md",
    Driver.OCPP201: "ocpp.md",
    Driver.MQTT: "mqtt.md",
    Driver.P1: "p1.md",
    Driver.FEED: "feed.md",
}
_KINDS: Final[Mapping[DeviceKind, str]] = {
    DeviceKind.METER: "the meter at the connection point; a home has one",
    DeviceKind.SUBMETER: "a meter behind it",
    DeviceKind.PV: "an inverter of the sun",
    DeviceKind.BATTERY: "a battery with its inverter",
    DeviceKind.EVSE: "a charger of cars",
    DeviceKind.HEAT_PUMP: "a heat pump",
    DeviceKind.WATER_HEATER: "a water heater",
    DeviceKind.THERMOSTAT: "heating or cooling of a room behind a thermostat",
    DeviceKind.PLUG: "any appliance behind a switched socket",
    DeviceKind.TIE: "the switch between home and street",
}
_MEANS: Final[Mapping[Control, str]] = {
    Control.NONE: "it takes none",
    Control.TARGET: "it runs at that power",
    Control.CEILING: "it takes at most that, or stops",
    Control.FLOOR: "it gives at most that",
    Control.SWITCH: "it may run, or not",
}
_RANGES: Final[Mapping[DeviceKind, str]] = {
    DeviceKind.PV: " --min=-8kW",
    DeviceKind.BATTERY: " --min=-5kW --max 5kW",
    DeviceKind.EVSE: " --max 11kW --phases 3 \\\n"
    '    --set "least_on=4140 W" --set "fallback=4140 W"',
    DeviceKind.HEAT_PUMP: " --max 2kW",
    DeviceKind.WATER_HEATER: " --max 2kW",
    DeviceKind.THERMOSTAT: " --max 800W --comfort 18..23",
    DeviceKind.PLUG: " --max 2kW",
}
_QUANTITIES: Final[Mapping[Quantity, str]] = {
    Quantity.POWER: "the set-point",
    Quantity.CURRENT: "the set-point as a current on each phase",
    Quantity.REVERT: "what it reverts to",
    Quantity.LAPSE: "the seconds until it lapses",
    Quantity.FALLBACK: "the charger's fallback as a current on each phase",
    Quantity.RATING: "its rating",
    Quantity.FREQUENCY: "the frequency to form",
    Quantity.VOLTAGE: "the voltage to form",
}
_WHEN: Final[Mapping[When, str]] = {
    When.ALWAYS: "",
    When.POSITIVE: "taking",
    When.NEGATIVE: "giving",
    When.ZERO: "standing still",
    When.NOT_POSITIVE: "giving or standing still",
    When.NOT_NEGATIVE: "taking or standing still",
    When.ALLOWED: "it may run",
    When.FORBIDDEN: "it may not run",
    When.RUNNING: "it may run",
    When.STOPPED: "it may not run",
}
_LISTS: Final[Mapping[str, str]] = {
    "prepare": "Before the first set-point of a connection",
    "set": "A set-point",
    "safe": "Given back to its own control (also by the guard)",
    "connect": "Taken into operation",
    "disconnect": "Taken out of operation",
    "reset": "Started anew",
    "form": "Told to form the home's voltage",
    "follow": "Told to follow a voltage that is there",
}
_ENDS: Final[Mapping[str, str]] = {
    "reversion": "A timer in the device drops the set-point.",
    "auto-off": "The relay's own timer lets the load run again.",
    "watchdog": "A watchdog in the device acts when nobody asks it any more.",
    "guard": "Nothing in the device ends a set-point. The guard, a process that outlives the hub, "
    "writes the safe value.",
    "holds": "It takes no set-points, and stays as it stands.",
}


def render(name: str) -> str:
    """Return the page of a description."""
    text = (MAPS / f"{name}.toml").read_text(encoding="utf-8")
    part = schema.FilePart.model_validate(tomllib.loads(text))
    lines = [f"# {part.title}", "", f"Written by `make pages` from the description `{name}`.", ""]
    first, *rest = comments(text)
    lines += [first, "", "| | |", "|---|---|"]
    lines += [f"| {key} | {_cell(value)} |" for key, value in _head(part)]
    lines += ["", "## Connect", "", "```", _command(name, part), "```", ""]
    lines += ["or in the configuration:", "", "```toml", _section(name, part), "```"]
    lines += ["", "## What the hub reads", "", "| reading | made of |", "|---|---|"]
    lines += [f"| `{key}` | {_cell(value)} |" for key, value in _readings(part)]
    lines += ["", "## What the hub writes", "", *_writes(part)]
    lines += ["", "## When the hub falls silent", "", *_silence(part)]
    if rest:
        lines += ["", "## Worth knowing", "", *(f"- {each}" for each in rest)]
    lines += ["", "## Registers", "", "| point | where | type | scale |", "|---|---|---|---|"]
    for point, each in part.points.items():
        kind = each.type or "bit"
        scale = "" if each.scale == 1.0 else f"{each.scale:g}"
        lines.append(f"| `{point}` | {_where(part, point)} | {kind} | {scale} |")
    return "\n".join(lines) + "\n"


def comments(text: str) -> list[str]:
    """Return the comments of a description that stand on lines of their own, each as one text.

    All but the first say which key they stand before, for they are about that one.
    """
    found: list[str] = []
    open_words: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("#"):
            open_words.append(bare.removeprefix("#").strip())
        elif open_words:
            key = re.match(r"([a-z_]+) =", bare) or re.search(r'point = "([a-z_]+)"', bare)
            about = f"`{key[1]}`: " if key is not None and found else ""
            found.append(about + " ".join(open_words))
            open_words = []
    return found


def _head(part: schema.FilePart) -> Iterator[tuple[str, str]]:
    yield "maker, model", f"{part.manufacturer} {part.model}".strip()
    yield "kinds", ", ".join(f"`{kind}`" for kind in part.kinds)
    yield "facts from", part.source
    if part.firmware:
        yield "firmware", part.firmware
    yield "port, unit", f"{part.bus.port}, {part.bus.unit}, as the maker chose them"


def _command(name: str, part: schema.FilePart) -> str:
    kind = part.kinds[0]
    at = f"--host 192.168.1.40 --port {part.bus.port} --unit {part.bus.unit}"
    return (
        f'hems device add "{_called(kind)}" --kind {kind} --driver modbus --map {name} \\\n'
        f"    {at}{_RANGES.get(kind, '')}"
    )


def _section(name: str, part: schema.FilePart) -> str:
    kind = part.kinds[0]
    lines = ["[[device]]", f'id = "{kind}"', f'kind = "{kind}"', f'name = "{_called(kind)}"']
    lines += ['driver = "modbus"', f'map = "{name}"', 'host = "192.168.1.40"']
    lines += [f"port = {part.bus.port}", f"unit = {part.bus.unit}"]
    if kind in {DeviceKind.PV, DeviceKind.BATTERY}:
        lines.append('min = "-5 kW"')
    if CONTROLS[kind] not in {Control.NONE, Control.FLOOR}:
        lines.append('max = "11 kW"' if kind is DeviceKind.EVSE else 'max = "2 kW"')
    if kind is DeviceKind.EVSE:
        lines += ["phases = 3", 'least_on = "4140 W"', 'fallback = "4140 W"']
    return "\n".join(lines)


def _called(kind: DeviceKind) -> str:
    names = {DeviceKind.EVSE: "Charger", DeviceKind.PV: "Sun", DeviceKind.TIE: "Tie switch"}
    return names.get(kind, kind.replace("_", " ").capitalize())


def _readings(part: schema.FilePart) -> Iterator[tuple[str, str]]:
    for key in type(part.read).model_fields:
        value = getattr(part.read, key)
        if key in part.read.model_fields_set:
            yield key, _made_of(part, value)


def _made_of(part: schema.FilePart, value: object) -> str:
    """Return what a reading is made of, with the registers of each point that it names."""
    match value:
        case str():
            name = value.lstrip("-!")
            said = f"`{value}` ({_where(part, name)})" if name in part.points else f"`{value}`"
            return f"not {said.replace('!', '')}" if value.startswith("!") else said
        case schema.AssumedPart():
            when = "" if value.when is None else f" while {_made_of(part, value.when)}"
            return f"not measured: all that it is rated for{when}"
        case schema.ConditionPart():
            among = f" is {_numbers(value.among)}" if value.among else ""
            above = "" if value.above is None else f" above {value.above:g}"
            below = "" if value.below is None else f" below {value.below:g}"
            return f"{_made_of(part, value.point)}{among}{above}{below}"
        case schema.StatePart():
            states = ", ".join(f"{code} {state}" for code, state in value.states.items())
            return f"{_made_of(part, value.point)}: {states}"
        case schema.AlarmPart():
            return f"{value.alarm} when {_made_of(part, value.when)}"
        case schema.LimitPart():
            return _limit(part, value)
        case schema.PhasePart():
            told = (each for each in (value.power_w, value.voltage_v) if each is not None)
            return " and ".join(_made_of(part, each) for each in told)
        case tuple():
            return "; ".join(_made_of(part, each) for each in value)
    raise TypeError(f"{value!r} is nothing that a reading is made of")


def _limit(part: schema.FilePart, limit: schema.LimitPart) -> str:
    what = f"{limit.value:g}" if limit.point is None else _made_of(part, limit.point)
    unit = "" if str(limit.unit) == "W" else f" {limit.unit} on each phase"
    of = "" if limit.of is None else f" of `{limit.of}`"
    factor = "" if limit.factor == 1.0 else f" times {limit.factor:g}"
    conditions = limit.when if isinstance(limit.when, tuple) else (limit.when,)
    when = " and ".join(_made_of(part, each) for each in conditions)
    return f"{what}{factor}{unit}{of}" + (f" when {when}" if when else "")


def _writes(part: schema.FilePart) -> Iterator[str]:
    if part.control is None:
        yield "Nothing: it is read only."
        return
    for rule in part.control.require:
        yield f"Must be so before anything is written: {rule.why}"
        yield ""
    for key, title in _LISTS.items():
        steps: Sequence[schema.StepPart] = getattr(part.control, key)
        if steps:
            yield f"**{title}:**"
            yield ""
            yield from (f"{number}. {_step(part, each)}" for number, each in enumerate(steps, 1))
            yield ""


def _step(part: schema.FilePart, step: schema.StepPart) -> str:
    value = f"{step.value:g}" if isinstance(step.value, int | float) else _QUANTITIES[step.value]
    factor = "" if step.factor == 1.0 else f", times {step.factor:g}"
    per = "" if step.per is None else f", as a share of `{step.per}`"
    when = f", if {_WHEN[step.when]}" if _WHEN[step.when] else ""
    rare = ", only if it holds something else" if step.only_changes else ""
    blind = "" if step.verify else ", not read back"
    return f"`{step.point}` ({_where(part, step.point)}): {value}{factor}{per}{when}{rare}{blind}"


def _silence(part: schema.FilePart) -> Iterator[str]:
    if part.control is None:
        yield "Nothing is left behind: it is only read."
        return
    expiry = part.control.expiry
    after = f" It does so after {expiry.timeout_s:g} s." if expiry.timeout_s else ""
    yield f"{_ENDS[expiry.kind]}{after} Then: {expiry.safe}."
    if expiry.risk:
        yield ""
        yield f"What may still go wrong: {expiry.risk}."


def _where(part: schema.FilePart, point: str) -> str:
    found = part.points[point]
    table = "register" if found.table is Table.HOLDING else f"{found.table} register"
    if found.table.of_bits:
        table = "coil" if found.table is Table.COIL else "discrete input"
    bits = "" if found.bits is None else f", bit {found.bits[0]}"
    return f"{table} {found.address}{bits}"


def _numbers(values: Sequence[float]) -> str:
    return " or ".join(f"{value:g}" for value in values)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def index() -> str:
    """Return the page with the table of all devices."""
    lines = [_INDEX.rstrip("\n")]
    for kind in DeviceKind:
        drivers = [driver for driver, row in DRIVERS.items() if kind in row.kinds]
        links = ", ".join(f"[`{driver}`]({_PAGES[driver]})" for driver in drivers)
        lines.append(f"| {_KINDS[kind]} | `{kind}` | {_MEANS[CONTROLS[kind]]} | {links} |")
    lines += ["", "## Modbus devices that come with the product", ""]
    lines += ["| device | kinds | description |", "|---|---|---|"]
    for each in files.bundled():
        kinds = ", ".join(f"`{kind}`" for kind in sorted(each.kinds))
        lines.append(f"| [{each.title}]({each.name}.md) | {kinds} | `{each.name}` |")
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Return what is written, by file."""
    own = {FOLDER / f"{name}.md": render(name) for name in files.names()}
    return {FOLDER / "index.md": index(), **own}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, page in pages().items():
        path.write_text(page, encoding="utf-8")
