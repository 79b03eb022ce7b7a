"""The home's devices on MQTT: three plugs, a meter and a radiator thermostat, if a broker is named.

The plugs' loads are part of what the home draws, and the thermostat sets the room's temperature.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Final

from der.sim.faults import Fault
from der.sim.journal import Journal
from der.sim.mqtt.node import MqttDevice, Node, Relay
from der.sim.mqtt.others import ShellyMeter, ZigbeeThermostat
from der.sim.mqtt.plugs import ShellyPlug, TasmotaPlug, ZigbeePlug
from der.sim.physics.house import Commands, Flow, House

TOPICS: Final = {
    "tasmota_plug": "sim-plug",
    "shelly_plug": "shellyplusplugs-sim",
    "zigbee_plug": "sim-zigbee-plug",
    "shelly_meter": "shellypro3em-sim",
    "zigbee_trv": "sim-trv",
}
"""Each device's own part of its topics."""
_LOADS_W: Final = {"tasmota_plug": 800.0, "shelly_plug": 120.0, "zigbee_plug": 1500.0}


class MqttHome:
    """The devices, and what they do to the home.

    Args:
        broker: The broker as HOST:PORT; empty for no device at all.
        house: The home.
        journal: Where what they are told is noted.
        fault: Makes a device's fault.

    Attributes:
        nodes: Each device's connection, by its name.
    """

    def __init__(
        self, broker: str, house: House, journal: Journal, fault: Callable[[str], Fault]
    ) -> None:
        self._house = house
        self._relays = {name: Relay(load_w) for name, load_w in _LOADS_W.items()}
        self._trv = ZigbeeThermostat("zigbee_trv", TOPICS["zigbee_trv"], self._room_c)
        self.nodes: dict[str, Node] = {}
        if not broker:
            return
        host, _, port = broker.rpartition(":")
        for device in self._devices():
            name = device.name
            self.nodes[name] = Node(device, fault(name), host, int(port), journal)

    def courses(self) -> Sequence[Coroutine[None, None, None]]:
        """Return what keeps the devices on the broker."""
        return [node.run() for node in self.nodes.values()]

    def commands(self, others: Commands) -> Commands:
        """Return what all devices let their parts do, these among them."""
        if not self.nodes:
            return others
        plugs_w = sum(relay.power_w for relay in self._relays.values())
        return replace(others, plugs_w=plugs_w, room_target_c=self._trv.target_c)

    def _devices(self) -> Sequence[MqttDevice]:
        relays, topics = self._relays, TOPICS
        return (
            TasmotaPlug("tasmota_plug", topics["tasmota_plug"], relays["tasmota_plug"]),
            ShellyPlug("shelly_plug", topics["shelly_plug"], relays["shelly_plug"]),
            ZigbeePlug("zigbee_plug", topics["zigbee_plug"], relays["zigbee_plug"]),
            ShellyMeter("shelly_meter", topics["shelly_meter"], self._flow),
            self._trv,
        )

    def _room_c(self) -> float:
        return self._house.now.room_temp_c

    def _flow(self) -> Flow:
        return self._house.now.meter
