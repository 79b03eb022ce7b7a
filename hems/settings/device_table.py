"""From an address or a finding to a device's section as it is written; pure."""

import re
from typing import Final

from der.addresses import (
    Address,
    MappedAddress,
    ModbusAddress,
    MqttAddress,
    P1Address,
    StationAddress,
    Transport,
)
from der.discovery.found import Found
from der.discovery.found import key as place
from der.model import DeviceKind
from hems.settings.config import Config
from hems.settings.device_section import DeviceSection, description
from hems.settings.devices_file import Value

ID_LENGTH: Final = 32
_METERS: Final = frozenset({DeviceKind.METER, DeviceKind.SUBMETER})


def keys_of(at: Address) -> dict[str, Value]:
    """Return the keys by which a section says an address."""
    if isinstance(at, MappedAddress):
        return {**keys_of(at.bus), "map": at.map}
    if isinstance(at, ModbusAddress):
        keys: dict[str, Value] = {"host": at.host, "port": at.port, "unit": at.unit}
        return keys if at.transport is Transport.TCP else {**keys, "transport": at.transport}
    if isinstance(at, StationAddress):
        return {"station": at.identity, "connector": at.connector}
    if isinstance(at, MqttAddress):
        return {"profile": at.profile, "topic": at.topic}
    if isinstance(at, P1Address):
        return {"host": at.host, "port": at.port}
    return {"source": at.source}


def table_of(found: Found) -> dict[str, Value]:
    """Return what a finding tells of a device's section: all but its id, and what is asked."""
    table: dict[str, Value] = {}
    if found.kind is not None:
        table["kind"] = str(found.kind)
    if found.driver is not None:
        table["driver"] = str(found.driver)
    if found.at is not None:
        table |= keys_of(found.at)
    if found.kind not in _METERS:
        for key, power_w in (("min", found.min_w), ("max", found.max_w)):
            if power_w:
                table[key] = watts(power_w)
    return table


def watts(power_w: float) -> str:
    """Return a power as the configuration has it, without loss."""
    return f"{power_w:.12g} W"


def id_of(name: str) -> str:
    """Return the id of a device that its owner calls by a name; may be empty or taken."""
    plain = re.sub(r"[^a-z0-9_-]+", "_", name.lower()).strip("_-")
    return re.sub(r"^[^a-z]+", "", plain)[:ID_LENGTH]


def places(config: Config) -> dict[str, str]:
    """Return the ids of the configured devices by the key of their address."""
    return {
        place(at): device.id
        for device in config.device
        if (at := description(device, 0.0).at) is not None
    }


def where(device: DeviceSection) -> str:
    """Return where a device is, for people."""
    at = description(device, 0.0).at
    if isinstance(at, MappedAddress):
        return f"{at.bus} by map {at.map}"
    if isinstance(at, StationAddress):
        return f"station {at.identity}"
    if isinstance(at, MqttAddress):
        return f"{at.profile} {at.topic}"
    if isinstance(at, P1Address):
        return f"{at.host}:{at.port}"
    return str(at) if isinstance(at, ModbusAddress) else f"fed by {device.source}"
