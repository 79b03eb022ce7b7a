"""Simulated three-phase meter (Shelly Pro 3EM) and radiator thermostat (zigbee2mqtt) on MQTT."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from der.sim.mqtt.node import Out, View
from der.sim.physics.house import Flow

_SHARES: Final = {"a": 0.5, "b": 0.3, "c": 0.2}
_VOLTAGE_V: Final = 230.0


@dataclass(slots=True)
class ShellyMeter:
    """A Shelly Pro 3EM.

    Attributes:
        name: In the simulated home.
        topic: Its MQTT prefix.
        flow: What it measures.
        period_s: How often it tells it.
    """

    name: str
    topic: str
    flow: Callable[[], Flow]
    period_s: float = 0.5

    @property
    def will(self) -> Out:
        """Its last will."""
        return Out(f"{self.topic}/online", "false", retain=True)

    @property
    def listens(self) -> Sequence[str]:
        """Calls."""
        return (f"{self.topic}/rpc",)

    def hello(self, view: View) -> Sequence[Out]:
        """Say that it is there."""
        return (Out(f"{self.topic}/online", "true", retain=True), *self.report(view))

    def report(self, view: View) -> Sequence[Out]:
        """Tell powers and energies."""
        return [
            Out(f"{self.topic}/status/{name}", json.dumps(body))
            for name, body in self._components(view).items()
        ]

    def told(self, topic: str, payload: str, view: View) -> Sequence[Out]:
        """Answer a call."""
        del topic
        try:
            call = json.loads(payload)
            number, source = call["id"], str(call["src"])
        except (ValueError, KeyError, TypeError):
            return ()
        reply: dict[str, object] = {"id": number, "src": self.topic, "dst": source}
        if view.refuses:
            reply["error"] = {"code": -103, "message": "Internal error"}
        else:
            reply["result"] = self._components(view)
        return (Out(f"{source}/rpc", json.dumps(reply)),)

    def pass_time(self, view: View) -> Sequence[Out]:
        """Nothing is ever due."""
        del view
        return ()

    def restart(self) -> None:
        """Keep the counters."""

    def _components(self, view: View) -> dict[str, dict[str, float]]:
        flow = self.flow()
        powers = {f"{p}_act_power": flow.power_w * s * view.scale for p, s in _SHARES.items()}
        voltages = {f"{p}_voltage": _VOLTAGE_V for p in _SHARES}
        total = {"id": 0, "total_act_power": flow.power_w * view.scale}
        energies = {"id": 0, "total_act": flow.import_wh, "total_act_ret": flow.export_wh}
        return {"em:0": total | powers | voltages, "emdata:0": energies}


@dataclass(slots=True)
class ZigbeeThermostat:
    """A radiator thermostat behind zigbee2mqtt that sleeps; what it is told asleep is lost.

    Attributes:
        name: In the simulated home.
        topic: Its friendly name.
        room_c: Temperature of its room.
        period_s: How often it wakes.
        awake_s: How long it then listens.
        target_c: The temperature that it keeps to.
        mode: How it runs.
    """

    name: str
    topic: str
    room_c: Callable[[], float]
    period_s: float = 3.0
    awake_s: float = 0.5
    target_c: float = 21.0
    mode: str = "heat"
    lost: int = 0
    _awake_until: float = field(default=0.0)

    @property
    def will(self) -> Out:
        """What the bridge says once the device is long overdue."""
        return Out(f"zigbee2mqtt/{self.topic}/availability", '{"state":"offline"}', retain=True)

    @property
    def listens(self) -> Sequence[str]:
        """What sets it."""
        return (f"zigbee2mqtt/{self.topic}/set",)

    def hello(self, view: View) -> Sequence[Out]:
        """Say that it is there, as the bridge does."""
        del view
        return (Out(f"zigbee2mqtt/{self.topic}/availability", '{"state":"online"}', retain=True),)

    def report(self, view: View) -> Sequence[Out]:
        """Wake, and tell its state."""
        self._awake_until = time.monotonic() + self.awake_s
        return (self._state(view),)

    def told(self, topic: str, payload: str, view: View) -> Sequence[Out]:
        """Take a setting, if it is awake."""
        del topic
        if view.refuses or time.monotonic() >= self._awake_until:
            self.lost += 1
            return ()
        try:
            values = dict(json.loads(payload))
            self.target_c = float(values.get("occupied_heating_setpoint", self.target_c))
            self.mode = str(values.get("system_mode", self.mode))
        except (ValueError, TypeError):
            return ()
        return (self._state(view),)

    def pass_time(self, view: View) -> Sequence[Out]:
        """Nothing is ever due."""
        del view
        return ()

    def restart(self) -> None:
        """Keep the settings; it has a battery."""

    def _state(self, view: View) -> Out:
        room_c = self.room_c()
        calling = self.mode != "off" and room_c < self.target_c
        body = {
            "local_temperature": round(room_c * view.scale, 2),
            "occupied_heating_setpoint": self.target_c,
            "system_mode": self.mode,
            "running_state": "heat" if calling else "idle",
            "battery": 90,
        }
        return Out(f"zigbee2mqtt/{self.topic}", json.dumps(body))
