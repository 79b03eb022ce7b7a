"""`hems device add`: a device looked at, tested and kept, with no file edited by hand."""

import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from der.addresses import ModbusAddress
from der.discovery.sunspec import Probe
from der.discovery.sunspec import ask as who
from der.drivers.mapped.files import names
from der.errors import DeviceError
from der.model import Control, DeviceKind, Quality
from der.registry import CONTROLS, DRIVERS, Driver
from der.service import Mode
from hems.commands.device_ask import ask
from hems.commands.device_bench import opened
from hems.commands.device_file import checked, find, kept
from hems.commands.device_map import told_of
from hems.commands.device_move import move, say
from hems.commands.device_move import words as outcome_words
from hems.commands.device_words import words
from hems.commands.hub import Hub, HubError, UnknownToHubError, running
from hems.commands.kept_scan import ScanError, result
from hems.commands.output import fail
from hems.device_surface import MOVE_S, DeviceDetail, MoveOutcome
from hems.settings import devices_file
from hems.settings.config import Config, load
from hems.settings.device_section import DeviceSection
from hems.settings.device_table import id_of, table_of
from hems.settings.devices_file import Value
from hems.settings.toml_file import ConfigError

_TAKEN_WITHIN_S: Final = 30.0
_ANSWERS_WITHIN_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.5
_HAVE_HOSTS: Final = frozenset({Driver.SUNSPEC, Driver.MODBUS, Driver.P1})


@dataclass(frozen=True, slots=True)
class AddOptions:
    """What to add, and how.

    Attributes:
        config: The configuration file.
        name: What the owner calls it; its id is made of it.
        given: Keys of its section that were given.
        found: Number of a result of the last scan that it is; None for none.
        url: Where the running hub's page is; None for where the configuration has it.
        asks: Whether to ask for what was not given.
        tests: Whether it must do its test move.
        force: Whether it joins even if that fails.
        move_s: How long each step of the move lasts, in s.
    """

    config: Path
    name: str
    given: Mapping[str, Value] = field(default_factory=dict)
    found: int | None = None
    url: str | None = None
    asks: bool = False
    tests: bool = True
    force: bool = False
    move_s: float = MOVE_S


class NotAddedError(Exception):
    """The device does not join; `str()` says why."""


def run(options: AddOptions) -> int:
    """Add a device; returns the exit code."""
    try:
        config = load(options.config)
        with devices_file.locked(config.home.devices):
            return _add(options, config)
    except (ConfigError, DeviceError, HubError, NotAddedError, ScanError) as error:
        return fail(str(error))
    except EOFError:
        return fail("nothing was added: an answer is missing")


def _add(options: AddOptions, config: Config) -> int:
    others = kept(config)
    table = _table(options, config)
    after = checked(options.config, others, table, options.name)
    section = find(after, str(table["id"]))
    hub = running(config, options.url)
    if hub is None:
        detail, outcome = asyncio.run(_alone(after, section, options))
    else:
        devices_file.write(config.home.devices, [*others, table])
        try:
            detail, outcome = _in_hub(hub, section, options)
        except BaseException:
            devices_file.write(config.home.devices, others)
            raise
    for line in (*words(detail), *(outcome_words(section.name, outcome) if outcome else ())):
        print(line)
    failed = outcome is not None and not outcome.passed and not options.force
    if failed:
        if hub is not None:
            devices_file.write(config.home.devices, others)
        raise NotAddedError(
            f"{section.name} does not join: its test move failed (--force adds it all the same)"
        )
    told_apart = config.home.phases > 1 and outcome is not None and outcome.phases
    if outcome is not None and told_apart and "connected_to" not in table:
        table = {**table, "connected_to": [str(phase) for phase in outcome.phases]}
    devices_file.write(config.home.devices, [*others, table])
    print(f"{section.id} is added to {config.home.devices}")
    return 0


def _table(options: AddOptions, config: Config) -> dict[str, Value]:
    """Return the device's section: what the scan told, what was given, what it tells, answers."""
    table = _found(options, config)
    table |= options.given
    for key, value in {**_told(table), **told_of(table)}.items():
        table.setdefault(key, value)
    device_id = str(table.pop("id", id_of(options.name)))
    if not device_id:
        raise NotAddedError(f"{options.name!r} has no letter for an id; give one with --set id=...")
    whole: dict[str, Value] = {"id": device_id, "name": options.name, **table}
    if options.asks:
        whole = ask(whole, _typed)
    _check(options.name, whole)
    return whole


def _found(options: AddOptions, config: Config) -> dict[str, Value]:
    """Return what the result of the scan tells, if one was named."""
    table: dict[str, Value] = {}
    if options.found is not None:
        row = result(options.found, config.home.devices)
        if row.configured:
            raise NotAddedError(f"result {row.number} is {row.configured} already")
        if not row.driver and "driver" not in options.given:
            raise NotAddedError(f"result {row.number} cannot be added as it is: {row.note}")
        table |= row.keys
        if not row.driver:
            table.pop("unit", None)  # which one was not found: its description says it
    return table


def _check(name: str, whole: Mapping[str, Value]) -> None:
    """Say what is missing, and what may be given."""
    for key, known in (("kind", [*DeviceKind]), ("driver", [*DRIVERS]), ("map", names())):
        if key not in whole and (key != "map" or whole.get("driver") == Driver.MODBUS):
            raise NotAddedError(
                f"{name}: its {key} is not known; give it with --{key} ({', '.join(known)})"
            )
    if "host" not in whole and whole["driver"] in _HAVE_HOSTS:
        # The configuration's default is this machine: nothing that a person means here.
        raise NotAddedError(f"{name}: its host is not known; give it with --host")


def _told(table: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return what a SunSpec device at a given place tells of itself: its kind and its range."""
    host, port, unit = table.get("host"), table.get("port", 502), table.get("unit", 1)
    if table.get("driver") != Driver.SUNSPEC or "transport" in table or "min" in table:
        return {}
    if not (isinstance(host, str) and isinstance(port, int) and isinstance(unit, int)):
        return {}
    at = ModbusAddress(host, port, unit)
    found = asyncio.run(who(at.host, at.port, Probe(2.0, 2.0, (at.unit,))))
    told = dict(table_of(found[0])) if found else {}
    kind = table.get("kind", told.get("kind"))
    if told.get("kind") != kind:
        return {"port": port}  # a hybrid inverter that is told to be its PV part: another range
    return {"port": port, **told}


def _typed(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


async def _alone(
    config: Config, section: DeviceSection, options: AddOptions
) -> tuple[DeviceDetail, MoveOutcome | None]:
    """Open, show and test a device here, while no hub runs."""
    controlled = CONTROLS[section.kind] is not Control.NONE
    mode = Mode.READ_WRITE if controlled else Mode.READ_ONLY
    async with opened(config, section.id, mode, say) as bench:
        detail = await bench.detail()
        if not (controlled and options.tests):
            return detail, None
        return detail, await move(bench, options.move_s)


def _in_hub(
    hub: Hub, section: DeviceSection, options: AddOptions
) -> tuple[DeviceDetail, MoveOutcome | None]:
    """Wait until the running hub has taken and reached a device, and have it test it."""
    say("the running hub takes it up")
    detail = _taken(hub, section)
    if CONTROLS[section.kind] is Control.NONE or not options.tests:
        return detail, None
    say(f"the running hub moves {section.name}")
    return detail, hub.test(section.id, options.move_s)


def _taken(hub: Hub, section: DeviceSection) -> DeviceDetail:
    begun = time.monotonic()
    while True:
        waited_s = time.monotonic() - begun
        try:
            detail = hub.device(section.id)
        except UnknownToHubError as error:
            if waited_s > _TAKEN_WITHIN_S:
                raise NotAddedError(_why_not_taken(hub)) from error
        else:
            if detail.quality in {Quality.GOOD, Quality.ASLEEP} and detail.address:
                return detail
            if waited_s > _ANSWERS_WITHIN_S:
                why = detail.error or "it gives no reading"
                raise NotAddedError(f"{section.name} does not join: {why}")
        time.sleep(_LOOK_EVERY_S)


def _why_not_taken(hub: Hub) -> str:
    said = next((alarm for alarm in hub.alarms() if "change of devices" in alarm), None)
    return said or f"the hub at {hub.url} does not take it; is it run with this configuration?"
