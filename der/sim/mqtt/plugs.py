"""Simulated plugs on MQTT: Tasmota, Shelly of the second generation, zigbee2mqtt."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from der.sim.mqtt.node import Out, Relay, View

_VOLTAGE_V: Final = 230.0


@dataclass(slots=True)
class TasmotaPlug:
    """A plug with Tasmota's firmware: telemetry, commands, and a queue of commands with delays.

    Attributes:
        name: In the simulated home.
        topic: Its `Topic`.
        relay: Its switch and load.
        period_s: Its `TelePeriod`.
    """

    name: str
    topic: str
    relay: Relay
    period_s: float = 1.0
    _queue: list[str] = field(default_factory=list)
    _resumes_at: float = 0.0

    @property
    def will(self) -> Out:
        """Its last will."""
        return Out(f"tele/{self.topic}/LWT", "Offline", retain=True)

    @property
    def listens(self) -> Sequence[str]:
        """All commands."""
        return (f"cmnd/{self.topic}/+",)

    def hello(self, view: View) -> Sequence[Out]:
        """Say that it is there, and its state."""
        lwt = Out(f"tele/{self.topic}/LWT", "Online", retain=True)
        return (lwt, self._state(view), self._power())

    def report(self, view: View) -> Sequence[Out]:
        """Report state and sensors."""
        body = {"Time": _time(view), **self._sensors(view)}
        return (self._state(view), Out(f"tele/{self.topic}/SENSOR", json.dumps(body)))

    def told(self, topic: str, payload: str, view: View) -> Sequence[Out]:
        """Carry out a command."""
        if view.refuses:
            return (self._result({"Command": "Error"}),)
        return self._command(topic.rsplit("/", 1)[-1], payload, view)

    def pass_time(self, view: View) -> Sequence[Out]:
        """Go on with the queue."""
        out: list[Out] = []
        while self._queue and self.relay.clock() >= self._resumes_at:
            name, _, value = self._queue.pop(0).strip().partition(" ")
            out += self._command(name, value, view)
        return out

    def restart(self) -> None:
        """Forget the queue; the switch stays, as `PowerOnState` 3 has it."""
        self._queue.clear()

    def _command(self, name: str, value: str, view: View) -> Sequence[Out]:
        match name.lower():
            case "power" | "power1":
                if value.upper() in {"ON", "1", "OFF", "0"}:
                    self.relay.set(value.upper() in {"ON", "1"})
                word = "ON" if self.relay.on else "OFF"
                return (self._result({"POWER": word}), self._power())
            case "backlog":
                self._queue = [*self._queue, *value.split(";")] if value else []
                self._resumes_at = self._resumes_at if value and len(self._queue) > 1 else 0.0
                return ()
            case "delay":
                self._resumes_at = self.relay.clock() + int(value) / 10
                return ()
            case "status" if value == "10":
                body = {"StatusSNS": {"Time": _time(view), **self._sensors(view)}}
                return (Out(f"stat/{self.topic}/STATUS10", json.dumps(body)),)
            case "restart":
                self.restart()
                return (self._result({"Restart": "Restarting"}),)
            case _:
                return (self._result({"Command": "Unknown"}),)

    def _sensors(self, view: View) -> dict[str, object]:
        self.relay.meter()
        return {
            "ENERGY": {
                "Total": round(self.relay.energy_wh / 1000, 3),
                "Power": round(self.relay.power_w * view.scale),
                "Voltage": round(_VOLTAGE_V),
            }
        }

    def _state(self, view: View) -> Out:
        body = {"Time": _time(view), "POWER": "ON" if self.relay.on else "OFF"}
        return Out(f"tele/{self.topic}/STATE", json.dumps(body))

    def _power(self) -> Out:
        return Out(f"stat/{self.topic}/POWER", "ON" if self.relay.on else "OFF")

    def _result(self, body: dict[str, str]) -> Out:
        return Out(f"stat/{self.topic}/RESULT", json.dumps(body))


@dataclass(slots=True)
class ShellyPlug:
    """A Shelly plug of the second generation: JSON-RPC, notifications, a timer that flips back.

    Attributes:
        name: In the simulated home.
        topic: Its MQTT prefix.
        relay: Its switch and load.
        period_s: How often it tells its state.
    """

    name: str
    topic: str
    relay: Relay
    period_s: float = 1.0

    @property
    def will(self) -> Out:
        """Its last will."""
        return Out(f"{self.topic}/online", "false", retain=True)

    @property
    def listens(self) -> Sequence[str]:
        """Calls."""
        return (f"{self.topic}/rpc",)

    def hello(self, view: View) -> Sequence[Out]:
        """Say that it is there, and its state."""
        return (Out(f"{self.topic}/online", "true", retain=True), self._notify(view))

    def report(self, view: View) -> Sequence[Out]:
        """Tell the switch's state."""
        return (Out(f"{self.topic}/status/switch:0", json.dumps(self._switch(view))),)

    def told(self, topic: str, payload: str, view: View) -> Sequence[Out]:
        """Answer a call."""
        del topic
        try:
            call = json.loads(payload)
            number, source, method = call["id"], str(call["src"]), str(call["method"])
        except (ValueError, KeyError, TypeError):
            return ()
        reply: dict[str, object] = {"id": number, "src": self.topic, "dst": source}
        extra: tuple[Out, ...] = ()
        if view.refuses:
            reply["error"] = {"code": -103, "message": "Internal error"}
        elif method == "Switch.Set":
            reply["result"] = {"was_on": self.relay.on}
            params = call["params"]
            self.relay.set(bool(params["on"]), params.get("toggle_after"))
            extra = (self._notify(view),)
        elif method == "Shelly.GetStatus":
            reply["result"] = {"switch:0": self._switch(view)}
        else:
            reply["error"] = {"code": 404, "message": f"No handler for {method}"}
        return (Out(f"{source}/rpc", json.dumps(reply)), *extra)

    def pass_time(self, view: View) -> Sequence[Out]:
        """Flip back when the time is over."""
        return (self._notify(view),) if self.relay.flipped() else ()

    def restart(self) -> None:
        """Lose the timer; the switch is as before."""
        self.relay.flips_at = None

    def _switch(self, view: View) -> dict[str, object]:
        self.relay.meter()
        return {
            "id": 0,
            "output": self.relay.on,
            "apower": round(self.relay.power_w * view.scale, 1),
            "voltage": _VOLTAGE_V,
            "freq": 50.0,
            "aenergy": {"total": round(self.relay.energy_wh, 3), "minute_ts": int(view.now)},
        }

    def _notify(self, view: View) -> Out:
        params = {"ts": view.now, "switch:0": self._switch(view)}
        body = {"src": self.topic, "method": "NotifyStatus", "params": params}
        return Out(f"{self.topic}/events/rpc", json.dumps(body))


@dataclass(slots=True)
class ZigbeePlug:
    """A metering plug behind zigbee2mqtt: no timer that would close it again.

    Attributes:
        name: In the simulated home.
        topic: Its friendly name.
        relay: Its switch and load.
        period_s: How often it reports.
    """

    name: str
    topic: str
    relay: Relay
    period_s: float = 1.0

    @property
    def will(self) -> Out:
        """What the bridge says once the device no longer answers."""
        return Out(f"zigbee2mqtt/{self.topic}/availability", '{"state":"offline"}', retain=True)

    @property
    def listens(self) -> Sequence[str]:
        """What sets it and asks it."""
        return (f"zigbee2mqtt/{self.topic}/set", f"zigbee2mqtt/{self.topic}/get")

    def hello(self, view: View) -> Sequence[Out]:
        """Say that it is there, and its state."""
        here = Out(f"zigbee2mqtt/{self.topic}/availability", '{"state":"online"}', retain=True)
        return (here, *self.report(view))

    def report(self, view: View) -> Sequence[Out]:
        """Tell its state."""
        self.relay.meter()
        body = {
            "state": "ON" if self.relay.on else "OFF",
            "power": round(self.relay.power_w * view.scale),
            "voltage": round(_VOLTAGE_V),
            "energy": round(self.relay.energy_wh / 1000, 2),
            "last_seen": _time(view),
            "linkquality": 120,
        }
        return (Out(f"zigbee2mqtt/{self.topic}", json.dumps(body)),)

    def told(self, topic: str, payload: str, view: View) -> Sequence[Out]:
        """Set the switch, or answer."""
        if view.refuses:
            return ()  # the bridge writes a line into its own log
        if topic.endswith("/set"):
            try:
                state = json.loads(payload).get("state")
            except (ValueError, AttributeError):
                return ()
            if state in {"ON", "OFF"}:
                self.relay.set(state == "ON")
        return self.report(view)

    def pass_time(self, view: View) -> Sequence[Out]:
        """Nothing is ever due."""
        del view
        return ()

    def restart(self) -> None:
        """Keep the switch as it was."""


def _time(view: View) -> str:
    return datetime.fromtimestamp(view.now, UTC).strftime("%Y-%m-%dT%H:%M:%S")
