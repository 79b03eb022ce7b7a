"""Shelly devices of the first generation: plugs and the three-phase meter 3EM.

Topics `shellies/<id>/...`; each value is a topic of its own, as plain text. Energies come in
watt-minutes from a relay and in Wh from a meter.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from der.drivers.mqtt import payload as read
from der.drivers.mqtt.payload import PayloadError
from der.drivers.mqtt.points import (
    PHASE_EXPORTS,
    PHASE_IMPORTS,
    PHASE_POWERS,
    PHASE_VOLTAGES,
    Facts,
    Message,
    Point,
    Settings,
)
from der.drivers.mqtt.profile import ReadOnly, Switched
from der.model import Expiry, Safeguard
from der.sentence import say

_WATT_MINUTES: Final = 1 / 60


@dataclass(frozen=True, slots=True)
class _Topics:
    """What all devices of the generation have in common.

    Attributes:
        topic: The device's id, as in `shellies/<id>/...`.
    """

    topic: str

    @property
    def base(self) -> str:
        """The device's own topic."""
        return f"shellies/{self.topic}"

    @property
    def common(self) -> Collection[str]:
        """Last will and self-description."""
        return (f"{self.base}/online", f"{self.base}/announce")

    def ask(self) -> Sequence[Message]:
        """Have it tell all its values."""
        return (Message(f"{self.base}/command", "update"),)

    def restart(self) -> Sequence[Message]:
        """Return nothing: there is no such command."""
        return ()

    def told(self, topic: str, payload: bytes) -> Facts | None:
        """Return what one of the common topics tells; None for another topic."""
        if topic == f"{self.base}/online":
            return Facts(online=read.switch_text(payload, "true", "false"))
        if topic == f"{self.base}/announce":
            found = read.json_object(payload)
            return Facts(
                maker="Shelly",
                model=read.word(found, ("model",)),
                firmware=read.word(found, ("fw_ver",)),
            )
        return None


@dataclass(frozen=True, slots=True)
class Shelly1Plug(_Topics, Switched):
    """A plug or relay with power measurement."""

    @property
    def values(self) -> str:
        """Where the power comes."""
        return f"{self.base}/relay/0/power"

    @property
    def topics(self) -> Collection[str]:
        """Relay, power, energy and what is common."""
        relay = f"{self.base}/relay/0"
        return (*self.common, relay, self.values, f"{relay}/energy", f"{self.base}/voltage")

    @property
    def safeguard(self) -> Safeguard:
        """None in the device: over MQTT its relay takes a word and no time."""
        return Safeguard(
            Expiry.GUARD,
            say("the hub's guard closes the switch again"),
            say(
                "with hub, guard or broker gone the plug stays off until somebody presses its "
                "button:"
                " its MQTT command takes no time"
            ),
        )

    def facts(self, topic: str, payload: bytes) -> Facts:
        """Return what a message tells."""
        told = self.told(topic, payload)
        if told is not None:
            return told
        if topic == self.values:
            return Facts({Point.POWER: read.number_text(payload, Point.POWER)})
        if topic.endswith("/energy"):
            energy_wh = read.number_text(payload, Point.IMPORT, _WATT_MINUTES)
            return Facts({Point.IMPORT: energy_wh})
        if topic.endswith("/voltage"):
            return Facts({Point.VOLTAGE: read.number_text(payload, Point.VOLTAGE)})
        if read.text(payload) == "overpower":
            return Facts(settings=Settings(on=False), refused="it switched off for overpower")
        return Facts(settings=Settings(on=read.switch_text(payload, "on", "off")))

    @property
    def answers(self) -> bool:
        """Return that it does not: it tells the relay's state, asked or not."""
        return False

    def restrict(self, own: Settings, lapse_s: float | None) -> Sequence[Message]:
        """Open the switch, without an end."""
        del own, lapse_s
        return (self._command(on=False),)

    def release(self, own: Settings) -> Sequence[Message]:
        """Put the switch where its owner had it."""
        return (self._command(on=own.on is not False),)

    def _command(self, *, on: bool) -> Message:
        return Message(f"{self.base}/relay/0/command", "on" if on else "off")


_EMETER: Final[Mapping[str, tuple[Point, Point, Point]]] = {
    "power": PHASE_POWERS,
    "voltage": PHASE_VOLTAGES,
    "total": PHASE_IMPORTS,
    "total_returned": PHASE_EXPORTS,
}


@dataclass(frozen=True, slots=True)
class Shelly1Meter(_Topics, ReadOnly):
    """The three-phase meter 3EM."""

    @property
    def values(self) -> str:
        """Where the first phase's power comes."""
        return f"{self.base}/emeter/0/power"

    @property
    def topics(self) -> Collection[str]:
        """Each value of each phase, and what is common."""
        return (
            *self.common,
            *(f"{self.base}/emeter/{i}/{name}" for i in range(3) for name in _EMETER),
        )

    @property
    def safeguard(self) -> Safeguard:
        """Nothing to end."""
        return Safeguard()

    def facts(self, topic: str, payload: bytes) -> Facts:
        """Return what a message tells."""
        told = self.told(topic, payload)
        if told is not None:
            return told
        *_, phase, name = topic.split("/")
        if name not in _EMETER or phase not in {"0", "1", "2"}:
            raise PayloadError("is a topic of no known meaning")
        point = _EMETER[name][int(phase)]
        return Facts({point: read.number_text(payload, point)})
