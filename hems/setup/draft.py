"""The section of a device that is to be added: from what was found, told and given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from der.addresses import ModbusAddress
from der.discovery.sunspec import Probe
from der.discovery.sunspec import ask as who
from der.drivers.mapped.files import names
from der.model import DeviceKind
from der.registry import DRIVERS, Driver
from der.sentence import say
from hems.settings.device_table import id_of, table_of
from hems.settings.devices_file import Value
from hems.setup.device_map import told_of
from hems.setup.kept_scan import Row

_HAVE_HOSTS: Final = frozenset({Driver.SUNSPEC, Driver.MODBUS, Driver.P1})

Ask = Callable[[Mapping[str, Value]], Mapping[str, Value]]
"""Asks a person for what a section lacks, and returns it with the answers."""


class NotAddedError(Exception):
    """The device does not join; `str()` says why."""


class LackingError(NotAddedError):
    """Something about it must be said first.

    Args:
        name: What the device is called.
        key: What is missing.
        known: What it may be; empty for anything.
    """

    def __init__(self, name: str, key: str, known: tuple[str, ...] = ()) -> None:
        super().__init__(say("{name}: its {key} is not known.", name=name, key=key))
        self.key = key
        self.known = known


@dataclass(frozen=True, slots=True)
class Wanted:
    """A device that somebody wants to add.

    Attributes:
        name: What its owner calls it; its id is made of it.
        given: Keys of its section that were given.
        row: The result of a scan that it is; None for none.
    """

    name: str
    given: Mapping[str, Value] = field(default_factory=dict)
    row: Row | None = None


def _nothing_asked(table: Mapping[str, Value]) -> Mapping[str, Value]:
    return table


async def drafted(wanted: Wanted, ask: Ask = _nothing_asked) -> dict[str, Value]:
    """Return a device's section: what the scan told, what was given, what it tells, answers.

    Raises:
        NotAddedError: It cannot be added so.
    """
    table = {} if wanted.row is None else _found(wanted.row, wanted.given)
    table |= wanted.given
    for key, value in {**await _told(table), **told_of(table)}.items():
        table.setdefault(key, value)
    device_id = str(table.pop("id", id_of(wanted.name)))
    if not device_id:
        raise NotAddedError(
            say("{name} has no letter for an id; give it another name.", name=repr(wanted.name))
        )
    whole = dict(ask({"id": device_id, "name": wanted.name, **table}))
    _check(wanted.name, whole)
    return whole


def _found(row: Row, given: Mapping[str, Value]) -> dict[str, Value]:
    if row.configured:
        raise NotAddedError(
            say("Result {number} is {device} already.", number=row.number, device=row.configured)
        )
    if not row.driver and "driver" not in given:
        raise NotAddedError(
            say(
                "Result {number} cannot be added as it is: {note}",
                number=row.number,
                note=row.note,
            )
        )
    table: dict[str, Value] = dict(row.keys)
    if not row.driver:
        table.pop("unit", None)  # which one was not found: its description says it
    return table


def _check(name: str, whole: Mapping[str, Value]) -> None:
    """Say what is missing, and what may be given."""
    for key, known in (("kind", [*DeviceKind]), ("driver", [*DRIVERS]), ("map", names())):
        if key not in whole and (key != "map" or whole.get("driver") == Driver.MODBUS):
            raise LackingError(name, key, tuple(str(each) for each in known))
    if "host" not in whole and whole["driver"] in _HAVE_HOSTS:
        # The configuration's default is this machine: nothing that a person means here.
        raise LackingError(name, "host")


async def _told(table: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return what a SunSpec device at a given place tells of itself: its kind and its range."""
    host, port, unit = table.get("host"), table.get("port", 502), table.get("unit", 1)
    if table.get("driver") != Driver.SUNSPEC or "transport" in table or "min" in table:
        return {}
    if not (isinstance(host, str) and isinstance(port, int) and isinstance(unit, int)):
        return {}
    at = ModbusAddress(host, port, unit)
    found = await who(at.host, at.port, Probe(2.0, 2.0, (at.unit,)))
    told = dict(table_of(found[0])) if found else {}
    kind = table.get("kind", told.get("kind"))
    if told.get("kind") != kind:
        return {"port": port}  # a hybrid inverter that is told to be its PV part: another range
    return {"port": port, **told}
