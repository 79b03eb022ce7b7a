"""Shelly devices of the second and later generations: plugs, and the meters Pro 3EM and EM.

They answer JSON-RPC on `<prefix>/rpc`, tell what changes by `NotifyStatus` on
`<prefix>/events/rpc`, and, where that is switched on, whole components on `<prefix>/status/...`.
`Switch.Set` takes a time after which the switch flips back, either way.
"""

import itertools
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from der.drivers.mqtt import payload as read
from der.drivers.mqtt.payload import Field, Object, PayloadError
from der.drivers.mqtt.points import Facts, Message, Point, Settings
from der.drivers.mqtt.profile import ReadOnly, Switched
from der.model import Expiry, Safeguard
from der.sentence import say

_SWITCH: Final = (
    Field(("apower",), Point.POWER),
    Field(("voltage",), Point.VOLTAGE),
    Field(("freq",), Point.FREQUENCY),
    Field(("aenergy", "total"), Point.IMPORT),
)
_METERS: Final[Mapping[str, tuple[Field, ...]]] = {
    "em:0": (
        Field(("total_act_power",), Point.POWER),
        Field(("a_act_power",), Point.POWER_A),
        Field(("b_act_power",), Point.POWER_B),
        Field(("c_act_power",), Point.POWER_C),
        Field(("a_voltage",), Point.VOLTAGE_A),
        Field(("b_voltage",), Point.VOLTAGE_B),
        Field(("c_voltage",), Point.VOLTAGE_C),
        Field(("a_freq",), Point.FREQUENCY),
    ),
    "emdata:0": (
        Field(("total_act",), Point.IMPORT),
        Field(("total_act_ret",), Point.EXPORT),
    ),
    "em1:0": (
        Field(("act_power",), Point.POWER),
        Field(("voltage",), Point.VOLTAGE),
        Field(("freq",), Point.FREQUENCY),
    ),
    "em1data:0": (
        Field(("total_act_energy",), Point.IMPORT),
        Field(("total_act_ret_energy",), Point.EXPORT),
    ),
}
_SWITCH_ID: Final = "switch:0"
_numbers: Final = itertools.count(1)
"""Of calls. An answer names the call's: one that comes late is not taken for another's."""


@dataclass(frozen=True, slots=True)
class _Rpc:
    """What all devices of these generations have in common.

    Attributes:
        topic: The device's MQTT prefix.
    """

    topic: str

    @property
    def asker(self) -> str:
        """The name under which we ask; answers come on `<asker>/rpc`."""
        return f"hems/rpc/{self.topic}"

    @property
    def common(self) -> Collection[str]:
        """Last will, notifications, and answers to us."""
        return (f"{self.topic}/online", f"{self.topic}/events/rpc", f"{self.asker}/rpc")

    def restart(self) -> Sequence[Message]:
        """Restart it."""
        return (self.call("Shelly.Reboot"),)

    def call(self, method: str, **params: float | bool) -> Message:
        """Return a call of one of its methods."""
        number = next(_numbers)
        body: dict[str, object] = {"id": number, "src": self.asker, "method": method}
        if params:
            body["params"] = params
        return Message(f"{self.topic}/rpc", json.dumps(body), call=number)

    def told(self, topic: str, payload: bytes) -> Facts | Mapping[str, object]:
        """Return what a message tells, or the components that it tells of, by their keys."""
        if topic == f"{self.topic}/online":
            return Facts(online=read.switch_text(payload, "true", "false"))
        found = read.json_object(payload)
        if topic == f"{self.asker}/rpc":
            return _answer(found)
        if topic == f"{self.topic}/events/rpc":
            params = read.at(found, ("params",))
            if read.word(found, ("method",)) not in {"NotifyStatus", "NotifyFullStatus"}:
                return Facts()
            if not isinstance(params, dict):
                raise PayloadError("params is missing")
            return params
        return {topic.rsplit("/", 1)[-1]: found}


def _answer(found: Object) -> Facts | Mapping[str, object]:
    """Return what an answer to a call tells: the status of all components, or a refusal."""
    error = read.at(found, ("error",))
    if isinstance(error, dict):
        why = read.word(error, ("message",)) or "it names no reason"
        return Facts(refused=why, call=_number(found))
    result = read.at(found, ("result",))
    if result is not None and not isinstance(result, dict):
        raise PayloadError("result is no object")
    if not result:
        return Facts()
    if "fw_id" in result or "ver" in result:
        return Facts(
            maker="Shelly",
            model=read.word(result, ("model",)),
            firmware=read.word(result, ("ver",)),
        )
    return result


def _number(found: Object) -> int:
    number = read.at(found, ("id",))
    return number if isinstance(number, int) else 0


@dataclass(frozen=True, slots=True)
class Shelly2Plug(_Rpc, Switched):
    """A plug or relay with power measurement."""

    @property
    def values(self) -> str:
        """Where the switch tells its whole state."""
        return f"{self.topic}/status/{_SWITCH_ID}"

    @property
    def topics(self) -> Collection[str]:
        """The switch and what is common."""
        return (*self.common, self.values)

    @property
    def safeguard(self) -> Safeguard:
        """Its own timer."""
        return Safeguard(
            Expiry.AUTO_OFF,
            say("its timer closes the switch again when the time is over"),
            say(
                "a restart of the plug meanwhile loses the timer; the switch is then as its own"
                " power-on setting has it"
            ),
        )

    def facts(self, topic: str, payload: bytes) -> Facts:
        """Return what a message tells."""
        told = self.told(topic, payload)
        if isinstance(told, Facts):
            return told
        switch = told.get(_SWITCH_ID)
        if switch is None:
            return Facts()
        if not isinstance(switch, dict):
            raise PayloadError(f"{_SWITCH_ID} is no object")
        measured, faults = read.collect(switch, _SWITCH)
        output = switch.get("output")
        if output is not None and not isinstance(output, bool):
            faults["output"] = "output is neither true nor false"
            output = None
        return Facts(measured, faults, Settings(on=output), answer=topic == f"{self.asker}/rpc")

    @property
    def answers(self) -> bool:
        """Return that it does."""
        return True

    def ask(self) -> Sequence[Message]:
        """Ask for the state of everything: the answer names its components."""
        return (self.call("Shelly.GetStatus"),)

    def restrict(self, own: Settings, lapse_s: float | None) -> Sequence[Message]:
        """Open the switch, and have the device close it again if its owner had it closed."""
        if own.on is False or lapse_s is None:
            return (self.call("Switch.Set", id=0, on=False), *self.ask())
        after_s = math.ceil(lapse_s)
        return (self.call("Switch.Set", id=0, on=False, toggle_after=after_s), *self.ask())

    def release(self, own: Settings) -> Sequence[Message]:
        """Put the switch where its owner had it."""
        return (self.call("Switch.Set", id=0, on=own.on is not False), *self.ask())


@dataclass(frozen=True, slots=True)
class Shelly2Meter(_Rpc, ReadOnly):
    """The meters Pro 3EM (three phases) and EM, or Pro 3EM in its profile of single phases."""

    @property
    def values(self) -> str:
        """Where a three-phase meter tells its powers."""
        return f"{self.topic}/status/em:0"

    @property
    def topics(self) -> Collection[str]:
        """The meter's components and what is common."""
        return (*self.common, *(f"{self.topic}/status/{name}" for name in _METERS))

    @property
    def safeguard(self) -> Safeguard:
        """Nothing to end."""
        return Safeguard()

    def restart(self) -> Sequence[Message]:
        """Restart it."""
        return _Rpc.restart(self)

    def facts(self, topic: str, payload: bytes) -> Facts:
        """Return what a message tells."""
        told = self.told(topic, payload)
        if isinstance(told, Facts):
            return told
        measured: dict[Point, float] = {}
        faults: dict[str, str] = {}
        for name, fields in _METERS.items():
            component = told.get(name)
            if isinstance(component, dict):
                values, wrong = read.collect(component, fields)
                measured |= values
                faults |= wrong
            elif component is not None:
                faults[name] = f"{name} is no object"
        return Facts(measured, faults)

    def ask(self) -> Sequence[Message]:
        """Ask for the state of everything."""
        return (self.call("Shelly.GetStatus"),)
