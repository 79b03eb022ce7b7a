"""What was found, and when two findings are of one device. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from der.addresses import (
    Address,
    FeedAddress,
    MappedAddress,
    ModbusAddress,
    MqttAddress,
    P1Address,
    StationAddress,
)
from der.model import DeviceKind
from der.registry import Driver


class How(StrEnum):
    """The ways of finding."""

    DNS_SD = "mDNS"
    SWEEP = "SunSpec sweep"
    CALL_IN = "OCPP call-in"
    MQTT = "MQTT"
    HELD = "held by the hub"


@dataclass(frozen=True, slots=True)
class Found:
    """A device, or something that leads to devices.

    Attributes:
        how: The ways in which it was found.
        where: Where it is, for people: an address, a topic, an identity.
        kind: What it may do, as far as that can be guessed; None where it can't.
        driver: Who can speak to it; None where nobody can, or where more must be done first.
        at: Its address for the driver; None where there is no driver.
        maker: Who made it; empty where it does not say, as are model, serial and name.
        model: What the maker calls it.
        serial: Its serial number.
        name: What it calls itself.
        min_w: Least power in W that it names as its rating, passive sign; None if it names none.
        max_w: Greatest power in W, likewise.
        note: What the owner should know or do, one sentence; empty for nothing.
        configured: Id of the device as which it is configured; empty if it is not.
    """

    how: tuple[How, ...]
    where: str
    kind: DeviceKind | None = None
    driver: Driver | None = None
    at: Address | None = None
    maker: str = ""
    model: str = ""
    serial: str = ""
    name: str = ""
    min_w: float | None = None
    max_w: float | None = None
    note: str = ""
    configured: str = ""

    @property
    def key(self) -> str:
        """By which two findings are of one place; its place in words where it has no address."""
        return f"at {self.where}" if self.at is None else key(self.at)


def key(at: Address) -> str:
    """Return a text that is equal for equal places, whatever else an address says of them."""
    if isinstance(at, MappedAddress):
        return key(at.bus)
    if isinstance(at, ModbusAddress):
        return f"modbus {at.host.lower()}:{at.port} unit {at.unit}"
    if isinstance(at, StationAddress):
        return f"ocpp {at.identity} connector {at.connector}"
    if isinstance(at, MqttAddress):
        return f"mqtt {at.topic}"
    if isinstance(at, P1Address):
        return f"p1 {at.host.lower()}:{at.port}"
    return _fed(at)


def _fed(at: FeedAddress) -> str:
    return f"feed {at.source}"


class Findings:
    """All that a scan has found, each device once.

    Args:
        configured: Ids of the configured devices by the key of their address.
    """

    def __init__(self, configured: Mapping[str, str] | None = None) -> None:
        self._configured = configured or {}
        self._found: dict[str, Found] = {}

    def add(self, found: Found) -> bool:
        """Take a finding; returns whether it is of a device that was not known yet."""
        known = False
        # What is merged has another key, or serial number, by which it may be a third's as well.
        while (place := self._same(found)) is not None:
            found = merged(self._found.pop(place), found)
            known = True
        self._found[found.key] = found
        return not known

    def all(self) -> tuple[Found, ...]:
        """Return all, in the order of their kinds and places, marked where they are configured."""
        marked = (
            replace(found, configured=self._configured.get(found.key, ""))
            for found in self._found.values()
        )
        return tuple(sorted(marked, key=_order))

    def __len__(self) -> int:
        return len(self._found)

    def _same(self, found: Found) -> str | None:
        """Return the key under which the same device is known already."""
        if found.key in self._found:
            return found.key
        if not (found.maker and found.serial):
            return None
        for place, other in self._found.items():
            same = (other.maker, other.serial) == (found.maker, found.serial)
            # Two addresses of one device that can both be driven are two devices to the home: the
            # meter and the inverter in one cabinet carry one serial number.
            if same and (other.at is None or found.at is None):
                return place
        return None


_FILLED: Final = ("kind", "maker", "model", "serial", "name", "min_w", "max_w")


def merged(one: Found, other: Found) -> Found:
    """Return what two findings say of one device; where they differ, who can be driven is right."""
    if one.at is None and other.at is not None:
        one, other = other, one
    lacking = {name: getattr(other, name) for name in _FILLED if getattr(one, name) in {None, ""}}
    how = tuple(dict.fromkeys((*one.how, *other.how)))
    # What is seen where it can be driven needs no more of the advice how to get it there.
    note = min((f.note for f in (one, other) if f.at is not None), key=len, default=one.note)
    return replace(one, how=how, note=note, **lacking)


_ORDER: Final[Mapping[DeviceKind, int]] = {kind: i for i, kind in enumerate(DeviceKind)}


def _order(found: Found) -> tuple[int, int, str]:
    kind = len(_ORDER) if found.kind is None else _ORDER[found.kind]
    return (int(found.driver is None), kind, found.where)


def collect(found: Iterable[Found], configured: Mapping[str, str] | None = None) -> Findings:
    """Return findings, each device once."""
    findings = Findings(configured)
    for each in found:
        findings.add(each)
    return findings
