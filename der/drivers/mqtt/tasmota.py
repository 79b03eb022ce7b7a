"""Tasmota: plugs with energy measurement, and readers of smart meters (SML, P1).

Topics as the firmware's default `FullTopic` has them, `%prefix%/%topic%/`. A switch that the hub
opens closes again by a command queue in the device: `Backlog` with `Delay`s, in tenths of a
second. `PulseTime` would not do: by itself it only ever opens, and the `PowerOnState` that turns
it round stays behind as a setting of the owner's device.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from der.drivers.mqtt import payload as read
from der.drivers.mqtt.payload import Field, Object, PayloadError
from der.drivers.mqtt.points import (
    PHASE_POWERS,
    PHASE_VOLTAGES,
    Facts,
    Message,
    Point,
    Settings,
    with_sum,
)
from der.drivers.mqtt.profile import ReadOnly, Switched
from der.model import Expiry, Safeguard
from der.sentence import say

_KWH: Final = 1000.0
_LONGEST_DELAY: Final = 3600
"""Of one `Delay`, in tenths of a second."""
_SHORTEST_DELAY: Final = 2
_MOST_DELAYS: Final = 28
"""The queue takes 30 commands; what goes on for longer is refreshed by the hub long before."""
_ENERGY: Final = (
    Field(("Power",), Point.POWER, needed=True),
    Field(("ReactivePower",), Point.REACTIVE),
    Field(("Voltage",), Point.VOLTAGE),
    Field(("Frequency",), Point.FREQUENCY),
    Field(("Total",), Point.IMPORT, _KWH),
    Field(("ExportActive",), Point.EXPORT, _KWH),
)
_METER_NAMES: Final[Mapping[str, tuple[Point, float]]] = {
    "power": (Point.POWER, 1.0),
    "power_curr": (Point.POWER, 1.0),
    "power_cur": (Point.POWER, 1.0),
    "power_total": (Point.POWER, 1.0),
    "curr_w": (Point.POWER, 1.0),
    "power_in": (Point.POWER, 1.0),
    "power_out": (Point.SUPPLIED, 1.0),
    "power_p1": (Point.POWER_A, 1.0),
    "power_p2": (Point.POWER_B, 1.0),
    "power_p3": (Point.POWER_C, 1.0),
    "power_l1": (Point.POWER_A, 1.0),
    "power_l2": (Point.POWER_B, 1.0),
    "power_l3": (Point.POWER_C, 1.0),
    "volt_p1": (Point.VOLTAGE_A, 1.0),
    "volt_p2": (Point.VOLTAGE_B, 1.0),
    "volt_p3": (Point.VOLTAGE_C, 1.0),
    "freq": (Point.FREQUENCY, 1.0),
    "total_in": (Point.IMPORT, _KWH),
    "e_in": (Point.IMPORT, _KWH),
    "total_out": (Point.EXPORT, _KWH),
    "e_out": (Point.EXPORT, _KWH),
}
"""Names that scripts of meter readers commonly give; letters of either case."""


@dataclass(frozen=True, slots=True)
class _Topics:
    """What all Tasmota devices have in common.

    Attributes:
        topic: The device's `Topic`.
    """

    topic: str

    @property
    def values(self) -> str:
        """The telemetry topic with the sensors."""
        return f"tele/{self.topic}/SENSOR"

    @property
    def topics(self) -> Collection[str]:
        """Telemetry, answers and last will."""
        tele, stat = f"tele/{self.topic}", f"stat/{self.topic}"
        return (
            f"{tele}/LWT",
            self.values,
            f"{tele}/STATE",
            f"{stat}/STATUS10",
            f"{stat}/STATUS2",
            f"{stat}/POWER",
            f"{stat}/POWER1",
            f"{stat}/RESULT",
        )

    def ask(self) -> Sequence[Message]:
        """Ask for the sensors."""
        return (Message(f"cmnd/{self.topic}/Status", "10"),)

    def restart(self) -> Sequence[Message]:
        """Restart it."""
        return (Message(f"cmnd/{self.topic}/Restart", "1"),)

    def told(self, topic: str, payload: bytes) -> Facts | Object:
        """Return what a message tells but for its sensors, which are returned as they are."""
        name = topic.rsplit("/", 1)[-1]
        if name == "LWT":
            return Facts(online=read.switch_text(payload, "Online", "Offline"))
        if name in {"POWER", "POWER1"}:
            return Facts(settings=Settings(on=read.switch_text(payload, "ON", "OFF")), answer=True)
        found = read.json_object(payload)
        if name == "STATUS2":
            firmware = read.word(found, ("StatusFWR", "Version"))
            return Facts(maker="Tasmota", firmware=firmware)
        if name in {"STATE", "RESULT"}:
            return Facts(settings=Settings(on=_power(found)), answer=name == "RESULT")
        sensors = read.at(found, ("StatusSNS",)) if name == "STATUS10" else found
        if not isinstance(sensors, dict):
            raise PayloadError("StatusSNS is missing")
        return sensors


@dataclass(frozen=True, slots=True)
class TasmotaPlug(_Topics, Switched):
    """A plug or relay with energy measurement."""

    @property
    def safeguard(self) -> Safeguard:
        """Its own command queue."""
        return Safeguard(
            Expiry.AUTO_OFF,
            say("its command queue closes the switch again when the time is over"),
            say(
                "a restart of the plug meanwhile empties the queue; the switch is then as the "
                "plug's"
                " PowerOnState has it"
            ),
        )

    def facts(self, topic: str, payload: bytes) -> Facts:
        """Return what a message tells."""
        told = self.told(topic, payload)
        if isinstance(told, Facts):
            return told
        energy = read.at(told, ("ENERGY",))
        if not isinstance(energy, dict):
            raise PayloadError("ENERGY is missing")
        measured, faults = read.collect(_first_of_lists(energy), _ENERGY)
        return Facts(measured, faults)

    @property
    def answers(self) -> bool:
        """Return that it does."""
        return True

    def ask(self) -> Sequence[Message]:
        """Ask for the sensors and the switch."""
        return (*_Topics.ask(self), Message(f"cmnd/{self.topic}/Power1", ""))

    def restrict(self, own: Settings, lapse_s: float | None) -> Sequence[Message]:
        """Open the switch, and have the plug close it again if its owner had it closed."""
        commands = ["Power1 OFF"]
        if own.on is not False and lapse_s is not None:
            commands += [f"Delay {tenths}" for tenths in _delays(lapse_s)]
            commands.append("Power1 ON")
        return (self._backlog(""), self._backlog("; ".join(commands)))

    def release(self, own: Settings) -> Sequence[Message]:
        """Empty the queue, and put the switch where its owner had it."""
        word = "OFF" if own.on is False else "ON"
        return (self._backlog(""), Message(f"cmnd/{self.topic}/Power1", word))

    def _backlog(self, commands: str) -> Message:
        return Message(f"cmnd/{self.topic}/Backlog", commands)


@dataclass(frozen=True, slots=True)
class TasmotaMeter(_Topics, ReadOnly):
    """A meter: a three-phase energy monitor, or a reader of a smart meter by its own script.

    The script names its values; those in `_METER_NAMES` are known, in any section.
    """

    @property
    def safeguard(self) -> Safeguard:
        """Nothing to end."""
        return Safeguard()

    def facts(self, topic: str, payload: bytes) -> Facts:
        """Return what a message tells."""
        told = self.told(topic, payload)
        if isinstance(told, Facts):
            return told
        energy = read.at(told, ("ENERGY",))
        if isinstance(energy, dict):
            measured, faults = read.collect(_phases(energy), _MONITOR)
            return _whole(measured, faults, "ENERGY.Power")
        return _read_meter(told)


_MONITOR: Final = (
    *(Field((f"Power{i}",), p) for i, p in enumerate(PHASE_POWERS)),
    *(Field((f"Voltage{i}",), p) for i, p in enumerate(PHASE_VOLTAGES)),
    *(Field(f.path, f.point, f.scale) for f in _ENERGY),
)


def _read_meter(sensors: Object) -> Facts:
    """Return what a script that reads a smart meter tells."""
    measured: dict[Point, float] = {}
    faults: dict[str, str] = {}
    for section in sensors.values():
        if not isinstance(section, dict):
            continue
        for name, value in section.items():
            known = _METER_NAMES.get(str(name).lower())
            if known is None or value is None:
                continue
            try:
                measured[known[0]] = read.number(value, *known)
            except PayloadError as error:
                faults[known[0]] = f"{str(name)[:20]}: {error}"
    return _whole(measured, faults, "a power by a known name")


def _whole(measured: dict[Point, float], faults: dict[str, str], missing: str) -> Facts:
    powered = Point.POWER in measured or all(p in measured for p in PHASE_POWERS)
    if not powered and not faults:
        faults[Point.POWER] = f"{missing} is missing"
    return Facts(with_sum(measured), faults)


def _power(found: Object) -> bool | None:
    for key in ("POWER", "POWER1"):
        word = read.word(found, (key,)).upper()
        if word in {"ON", "OFF"}:
            return word == "ON"
    return None


def _first_of_lists(energy: Object) -> Object:
    """Return an ENERGY section with the first channel's values in place of lists."""
    return {key: v[0] if isinstance(v, list) and v else v for key, v in energy.items()}


def _phases(energy: Object) -> Object:
    """Return an ENERGY section with lists of three spread: Power0, Power1, Power2."""
    spread: dict[str, object] = {}
    for key, value in energy.items():
        if isinstance(value, list):
            spread |= {f"{key}{i}": one for i, one in enumerate(value[: len(PHASE_POWERS)])}
        else:
            spread[key] = value
    return spread


def _delays(lapse_s: float) -> list[int]:
    """Return the waits, in tenths of a second, that together last for a time, at most 2.8 h."""
    left = min(math.ceil(lapse_s * 10), _MOST_DELAYS * _LONGEST_DELAY)
    waits = [_LONGEST_DELAY] * (left // _LONGEST_DELAY)
    rest = left % _LONGEST_DELAY
    return [*waits, max(rest, _SHORTEST_DELAY)] if rest else waits
