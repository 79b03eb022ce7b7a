"""zigbee2mqtt: plugs, meters and radiator thermostats, each one JSON object on its own topic.

`zigbee2mqtt/<name>` tells the state, `/set` sets, `/get` asks; energies come in kWh. A plug's
`on_time` only ever switches off, so that nothing in the device ends what the hub switches off.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from der.drivers.mqtt import payload as read
from der.drivers.mqtt.payload import Field, Object
from der.drivers.mqtt.points import Facts, Message, Point, Settings, with_sum
from der.drivers.mqtt.profile import ReadOnly, Switched
from der.model import Comfort, Expiry, Safeguard
from der.sentence import say

BASE: Final = "zigbee2mqtt"
_KWH: Final = 1000.0
_PER_CENT: Final = 0.01
_NEAR_C: Final = 0.5
"""Thermostats keep to a grid of their own; this near, a temperature is the one that was set."""
_ELECTRIC: Final = (
    Field(("power",), Point.POWER),
    Field(("voltage",), Point.VOLTAGE),
    Field(("ac_frequency",), Point.FREQUENCY),
    Field(("energy",), Point.IMPORT, _KWH),
    Field(("produced_energy",), Point.EXPORT, _KWH),
)
_PHASES: Final = (
    Field(("power_phase_b",), Point.POWER_B),
    Field(("power_phase_c",), Point.POWER_C),
    Field(("voltage_phase_b",), Point.VOLTAGE_B),
    Field(("voltage_phase_c",), Point.VOLTAGE_C),
)
_TARGETS: Final = ("occupied_heating_setpoint", "current_heating_setpoint")
_COOLING: Final = ("occupied_cooling_setpoint", *_TARGETS)


@dataclass(frozen=True, slots=True)
class _Topics:
    """What all devices behind the bridge have in common.

    Attributes:
        topic: The device's friendly name.
    """

    topic: str

    @property
    def values(self) -> str:
        """The device's state."""
        return f"{BASE}/{self.topic}"

    @property
    def topics(self) -> Collection[str]:
        """State, availability, and whether the bridge itself is there."""
        return (self.values, f"{self.values}/availability", f"{BASE}/bridge/state")

    def restart(self) -> Sequence[Message]:
        """Return nothing: there is no such command."""
        return ()

    def told(self, topic: str, payload: bytes) -> Facts | Object:
        """Return whether it is there, or its state."""
        if topic == self.values:
            return read.json_object(payload)
        if payload[:1] == b"{":  # until version 1.28 and still by choice it is the bare word
            words = read.word(read.json_object(payload), ("state",)).encode()
        else:
            words = payload
        return Facts(online=read.switch_text(words, "online", "offline"))

    @property
    def answers(self) -> bool:
        """Return that it does not: the bridge tells the state, asked or not."""
        return False

    def set(self, values: Mapping[str, object]) -> Message:
        """Return what sets some of its values."""
        return Message(f"{self.values}/set", json.dumps(values))

    def get(self, *names: str) -> Message:
        """Return what asks the device for values."""
        return Message(f"{self.values}/get", json.dumps(dict.fromkeys(names, "")))


@dataclass(frozen=True, slots=True)
class ZigbeePlug(_Topics, Switched):
    """A metering plug."""

    @property
    def safeguard(self) -> Safeguard:
        """None in the device."""
        return Safeguard(
            Expiry.GUARD,
            say("the hub's guard closes the switch again"),
            say(
                "with hub, guard or bridge gone the plug stays off until somebody presses its "
                "button:"
                " Zigbee's timed commands only switch off"
            ),
        )

    def facts(self, topic: str, payload: bytes) -> Facts:
        """Return what a message tells."""
        told = self.told(topic, payload)
        if isinstance(told, Facts):
            return told
        measured, faults = read.collect(told, _ELECTRIC)
        state = told.get("state")
        on = True if state == "ON" else False if state == "OFF" else None
        if state is not None and on is None:
            faults["state"] = f"state: {str(state)[:20]!r} is neither 'ON' nor 'OFF'"
        return Facts(measured, faults, Settings(on=on))

    def ask(self) -> Sequence[Message]:
        """Ask for power and switch."""
        return (self.get("state", "power"),)

    def restrict(self, own: Settings, lapse_s: float | None) -> Sequence[Message]:
        """Open the switch, without an end."""
        del own, lapse_s
        return (self.set({"state": "OFF"}),)

    def release(self, own: Settings) -> Sequence[Message]:
        """Put the switch where its owner had it."""
        return (self.set({"state": "OFF" if own.on is False else "ON"}),)


@dataclass(frozen=True, slots=True)
class ZigbeeMeter(_Topics, ReadOnly):
    """A meter of one phase or three; of three, `power` is the first's."""

    @property
    def safeguard(self) -> Safeguard:
        """Nothing to end."""
        return Safeguard()

    def facts(self, topic: str, payload: bytes) -> Facts:
        """Return what a message tells."""
        told = self.told(topic, payload)
        if isinstance(told, Facts):
            return told
        measured, faults = read.collect(told, (*_ELECTRIC, *_PHASES))
        if Point.POWER_B in measured or Point.POWER_C in measured:
            for whole, first in ((Point.POWER, Point.POWER_A), (Point.VOLTAGE, Point.VOLTAGE_A)):
                if whole in measured:
                    measured[first] = measured.pop(whole)
        return Facts(with_sum(measured), faults)

    def ask(self) -> Sequence[Message]:
        """Ask for the power."""
        return (self.get("power"),)


@dataclass(frozen=True, slots=True)
class ZigbeeThermostat(_Topics):
    """A thermostat: restricted, it is set back to the edge of what the home calls comfort.

    Attributes:
        comfort: The room's bounds; the set-back is the lower one, or for cooling the upper.
        sleeps: Whether it must not be asked, to spare its battery.
    """

    comfort: Comfort
    sleeps: bool = False

    @property
    def set_back_c(self) -> float:
        """The temperature that it is set back to."""
        return self.comfort.high_c if self.comfort.cools else self.comfort.low_c

    @property
    def safeguard(self) -> Safeguard:
        """None in the device."""
        edge = "warmer" if self.comfort.cools else "colder"
        return Safeguard(
            Expiry.GUARD,
            say(
                "the room keeps to {celsius:g} degC, never {edge}; the hub's guard gives the"
                " owner's temperature back",
                celsius=self.set_back_c,
                edge=edge,
            ),
            say(
                "with hub, guard or bridge gone the room stays set back until somebody turns the"
                " thermostat: it has no timer of ours"
            ),
        )

    def facts(self, topic: str, payload: bytes) -> Facts:
        """Return what a message tells; a demand is worked out where it is not told."""
        told = self.told(topic, payload)
        if isinstance(told, Facts):
            return told
        measured, faults = read.collect(
            told,
            (
                Field(("local_temperature",), Point.TEMPERATURE),
                Field(("pi_heating_demand",), Point.DEMAND, _PER_CENT),
            ),
        )
        target_c = target_name = None
        for name in self._targets:
            if told.get(name) is None:
                continue
            try:
                target_c, target_name = read.number(told[name], Point.TEMPERATURE), name
                break
            except read.PayloadError as error:
                faults[name] = f"{name}: {error}"
        state = read.word(told, ("running_state",))
        if Point.DEMAND not in measured and state:
            measured[Point.DEMAND] = float(state in {"heat", "cool"})
        if Point.DEMAND not in measured and Point.TEMPERATURE in measured and target_c is not None:
            calls_c = measured[Point.TEMPERATURE] - target_c
            measured[Point.DEMAND] = float((calls_c if self.comfort.cools else -calls_c) > 0)
        mode = read.word(told, ("system_mode",)) or None
        settings = Settings(target_c=target_c, mode=mode, target_name=target_name)
        return Facts(measured, faults, settings)

    def ask(self) -> Sequence[Message]:
        """Ask for temperature and setting, unless that would cost its battery."""
        return () if self.sleeps else (self.get("local_temperature", self._targets[0]),)

    def restrict(self, own: Settings, lapse_s: float | None) -> Sequence[Message]:
        """Set it back, unless its owner has it so, or beyond, or off already."""
        del lapse_s
        if own.mode == "off" or (own.target_c is not None and self._beyond(own.target_c)):
            return ()
        manual = None if own.mode is None else "cool" if self.comfort.cools else "heat"
        return self._settings(replace(own, target_c=self.set_back_c, mode=manual))

    def release(self, own: Settings) -> Sequence[Message]:
        """Give it its owner's temperature and mode back."""
        return self._settings(own)

    def restricted(self, settings: Settings) -> bool:
        """Return whether it is set back, or off."""
        if settings.mode == "off":
            return True
        return settings.target_c is not None and self._beyond(settings.target_c)

    def released(self, settings: Settings, own: Settings) -> bool:
        """Return whether it is set as its owner had it."""
        if own.target_c is None or settings.target_c is None:
            return own.target_c is None
        near = abs(settings.target_c - own.target_c) <= _NEAR_C
        return near and own.mode in {None, settings.mode}

    @property
    def _targets(self) -> tuple[str, ...]:
        return _COOLING if self.comfort.cools else _TARGETS

    def _beyond(self, target_c: float) -> bool:
        if self.comfort.cools:
            return target_c >= self.set_back_c - _NEAR_C
        return target_c <= self.set_back_c + _NEAR_C

    def _settings(self, settings: Settings) -> Sequence[Message]:
        values: dict[str, object] = {}
        if settings.mode is not None:
            values["system_mode"] = settings.mode
        if settings.target_c is not None:
            values[settings.target_name or self._targets[0]] = settings.target_c
        return (self.set(values),) if values else ()
