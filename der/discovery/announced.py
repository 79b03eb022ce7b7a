"""What a DNS-SD announcement says of a device. Pure: tables, and one function for each type."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from der.addresses import ModbusAddress, MqttAddress
from der.discovery.found import Found, How
from der.model import DeviceKind
from der.registry import Driver
from der.sentence import say


@dataclass(frozen=True, slots=True)
class Announcement:
    """An instance of a service, resolved.

    Attributes:
        type: Service type without domain ("_shelly._tcp").
        name: Instance name without type.
        host: IP address.
        port: Port of its SRV record.
        txt: Its TXT record, keys in lower case; None for a key without a value.
    """

    type: str
    name: str
    host: str
    port: int
    txt: Mapping[str, str | None]

    @property
    def where(self) -> str:
        """Address and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def text(self, *keys: str) -> str:
        """Return the value of the first of these keys that has one; empty for none."""
        return next((value for key in keys if (value := self.txt.get(key))), "")


def of(said: Announcement) -> Found | None:
    """Return what an announcement tells; None where it is of nothing that we look for."""
    reader = _READERS.get(said.type)
    return None if reader is None else reader(said)


def _modbus(said: Announcement) -> Found:
    """Modbus and SunSpec: who it is the registers tell, if it is asked."""
    unit = said.text("unit", "unitid", "id")
    number = int(unit) if unit.isascii() and unit.isdigit() and int(unit) <= _LAST_UNIT else 1
    at = ModbusAddress(said.host, said.port, number)
    return Found(
        (How.DNS_SD,),
        str(at),
        driver=Driver.SUNSPEC if said.type == "_sunspec._tcp" else None,
        at=at if said.type == "_sunspec._tcp" else None,
        maker=said.text("mn", "manufacturer", "vendor"),
        model=said.text("md", "model"),
        serial=said.text("sn", "serial", "serialnumber"),
        name=said.name,
        note="" if said.type == "_sunspec._tcp" else say("a Modbus device: it needs a map (--map)"),
    )


def _broker(said: Announcement) -> Found:
    return Found(
        (How.DNS_SD,),
        said.where,
        name=said.name,
        note=say(
            'an MQTT broker: name it in the section [mqtt] (host = "{host}", port = {port}) to '
            "find what is behind it",
            host=said.host,
            port=said.port,
        ),
    )


def _charger(said: Announcement) -> Found:
    return Found(
        (How.DNS_SD,),
        said.where,
        kind=DeviceKind.EVSE,
        maker=said.text("vendor", "manufacturer", "mn"),
        model=said.text("model", "md"),
        serial=said.text("serial", "sn"),
        name=said.name,
        note=say("a charger: have it call this hub by OCPP (its own settings), then scan again"),
    )


def _shelly(said: Announcement) -> Found | None:
    """Shelly: its name ends in its MAC address and is its MQTT topic; only later ones say `gen`."""
    name = said.name.lower()
    match = _SHELLY.fullmatch(name)
    if match is None:
        return None
    model = said.text("app") or match[1]
    second = said.type == "_shelly._tcp" or said.text("gen") not in {"", "1"}
    return Found(
        (How.DNS_SD,),
        said.where,
        kind=shelly_kind(match[1]),
        driver=Driver.MQTT,
        at=MqttAddress("shelly" if second else "shelly-gen1", said.name),
        maker="Shelly",
        model=model,
        serial=match[2].upper(),
        name=said.name,
        note=say("switch MQTT on in its own settings, with this home's broker"),
    )


def shelly_kind(model: str) -> DeviceKind:
    """Return what a Shelly may be, by the model in its name."""
    if "em" in _words(model):
        return DeviceKind.SUBMETER
    return DeviceKind.THERMOSTAT if "trv" in model else DeviceKind.PLUG


def _words(model: str) -> frozenset[str]:
    """Return a model's parts: "shellypro3em" is a "pro", a "3" and an "em"."""
    return frozenset(re.findall(r"pro|plus|plug|mini|pm|em|[0-9]+", model.removeprefix("shelly")))


def _http(said: Announcement) -> Found | None:
    """Web servers: only those whose name tells whose they are."""
    name = said.name.lower()
    if name.startswith("shelly"):
        return _shelly(said)
    for pattern, maker, kind, note in _BY_NAME:
        if pattern.match(name):
            return Found(
                (How.DNS_SD,), said.where, kind=kind, maker=maker, name=said.name, note=note
            )
    return None


def _homewizard(said: Announcement) -> Found:
    product = said.text("product_type", "product_name")
    return Found(
        (How.DNS_SD,),
        said.where,
        kind=DeviceKind.METER if "P1" in product.upper() else None,
        maker="HomeWizard",
        model=product,
        serial=said.text("serial").upper(),
        name=said.name,
        note=say(
            "speaks its maker's own protocol only; a P1 adapter with a plain TCP port can be used"
        ),
    )


_LAST_UNIT: Final = 255
_SHELLY: Final = re.compile(r"(shelly[a-z0-9_]+)-([0-9a-f]{6}|[0-9a-f]{12})")
_OVER_OCPP: Final = say("have it call this hub by OCPP (its own settings), then scan again")
_OVER_MODBUS: Final = say("switch its Modbus TCP (SunSpec) on in its own settings, then scan again")
_OVER_MQTT: Final = say("give it this home's MQTT broker in its own settings, then scan again")
_BY_NAME: Final[tuple[tuple[re.Pattern[str], str, DeviceKind | None, str], ...]] = (
    (re.compile(r"tasmota"), "Tasmota", DeviceKind.PLUG, _OVER_MQTT),
    (re.compile(r"go-?echarger"), "go-e", DeviceKind.EVSE, _OVER_OCPP),
    (re.compile(r"openevse"), "OpenEVSE", DeviceKind.EVSE, _OVER_OCPP),
    (re.compile(r"easee"), "Easee", DeviceKind.EVSE, _OVER_OCPP),
    (re.compile(r"wallbox"), "Wallbox", DeviceKind.EVSE, _OVER_OCPP),
    (re.compile(r"keba"), "KEBA", DeviceKind.EVSE, _OVER_OCPP),
    (re.compile(r"fronius"), "Fronius", DeviceKind.PV, _OVER_MODBUS),
    (re.compile(r"sma\d"), "SMA", DeviceKind.PV, _OVER_MODBUS),
    (re.compile(r"solaredge"), "SolarEdge", DeviceKind.PV, _OVER_MODBUS),
    (re.compile(r"venus|victron"), "Victron", DeviceKind.BATTERY, _OVER_MODBUS),
)
_READERS: Final[Mapping[str, Callable[[Announcement], Found | None]]] = {
    "_sunspec._tcp": _modbus,
    "_modbus._tcp": _modbus,
    "_mqtt._tcp": _broker,
    "_secure-mqtt._tcp": _broker,
    "_ocpp._tcp": _charger,
    "_openevse._tcp": _charger,
    "_shelly._tcp": _shelly,
    "_http._tcp": _http,
    "_hwenergy._tcp": _homewizard,
}

TYPES: Final = tuple(f"{name}.local." for name in _READERS)
"""The types that are browsed, with the domain of multicast DNS."""


def printable(found: Found) -> Found:
    """Return a finding whose texts are fit for a terminal: a stranger's device wrote them."""
    return replace(
        found,
        where=_printable(found.where),
        maker=_printable(found.maker),
        model=_printable(found.model),
        serial=_printable(found.serial),
        name=_printable(found.name),
        note=_printable(found.note),
    )


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:_LONGEST].strip()


_LONGEST: Final = 200
