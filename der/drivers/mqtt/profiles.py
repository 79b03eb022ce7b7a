"""Which profile a configured device has."""

from collections.abc import Callable, Mapping
from typing import Final

from der.addresses import MqttAddress
from der.drivers.mqtt.profile import Profile
from der.drivers.mqtt.shelly1 import Shelly1Meter, Shelly1Plug
from der.drivers.mqtt.shelly2 import Shelly2Meter, Shelly2Plug
from der.drivers.mqtt.tasmota import TasmotaMeter, TasmotaPlug
from der.drivers.mqtt.zigbee import ZigbeeMeter, ZigbeePlug, ZigbeeThermostat
from der.errors import PermanentError
from der.model import DeviceKind, DeviceSpec

_LONGEST_TOPIC: Final = 200
_METERS: Final = frozenset({DeviceKind.METER, DeviceKind.SUBMETER})

_SWITCHES: Final[Mapping[str, Callable[[str], Profile]]] = {
    "tasmota": TasmotaPlug,
    "shelly-gen1": Shelly1Plug,
    "shelly": Shelly2Plug,
    "zigbee2mqtt": ZigbeePlug,
}
_METERING: Final[Mapping[str, Callable[[str], Profile]]] = {
    "tasmota": TasmotaMeter,
    "shelly-gen1": Shelly1Meter,
    "shelly": Shelly2Meter,
    "zigbee2mqtt": ZigbeeMeter,
}
NAMES: Final = tuple(_SWITCHES)
"""The profiles there are; "shelly" is the second generation and all after it."""


def profile_of(spec: DeviceSpec, address: MqttAddress) -> Profile:
    """Return the profile of a device.

    Raises:
        PermanentError: An unknown profile, a topic that cannot be, or a thermostat that nobody
            has given bounds of comfort.
    """
    name, topic = address.profile, address.topic
    if name not in _SWITCHES:
        known = ", ".join(NAMES)
        raise PermanentError(f"{spec.id}: unknown MQTT profile {name!r} (known: {known})")
    if (
        not topic
        or len(topic) > _LONGEST_TOPIC
        or topic.startswith("$")
        or set(topic) & set("+#\0")
    ):
        raise PermanentError(f"{spec.id}: {topic[:40]!r} cannot be a device's part of a topic")
    if spec.kind in _METERS:
        return _METERING[name](topic)
    if spec.kind is not DeviceKind.THERMOSTAT or name != "zigbee2mqtt":
        return _SWITCHES[name](topic)
    if spec.comfort is None:
        raise PermanentError(
            f"{spec.id}: a thermostat is set back to its bounds of comfort, and has none"
        )
    return ZigbeeThermostat(topic, spec.comfort, sleeps=spec.sleep is not None)
