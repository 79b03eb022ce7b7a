"""What a profile is: the shape of one kind of device's topics and payloads. Pure, no I/O."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from der.drivers.mqtt.points import Facts, Message, Settings
from der.model import Safeguard


class Profile(Protocol):
    """The shape of a device's topics and payloads.

    "Restricting" is what a set-point below the device's rating asks: a switch is opened, a
    thermostat set back. "Releasing" gives the device what its owner had set.
    """

    @property
    def topics(self) -> Collection[str]:
        """All topics on which the device speaks; none has a wildcard."""
        ...

    @property
    def values(self) -> str:
        """The topic on which its power comes, for messages to people."""
        ...

    @property
    def safeguard(self) -> Safeguard:
        """What becomes of the device when the hub falls silent."""
        ...

    @property
    def answers(self) -> bool:
        """Whether it answers what it is told (`Facts.answer`); else its next state has to do."""
        ...

    def facts(self, topic: str, payload: bytes) -> Facts:
        """Return what a message tells; raises PayloadError where it tells nothing."""
        ...

    def ask(self) -> Sequence[Message]:
        """Return what makes the device tell its values now; nothing if it cannot be asked."""
        ...

    def restrict(self, own: Settings, lapse_s: float | None) -> Sequence[Message]:
        """Return what restricts the device.

        Args:
            own: What its owner has set.
            lapse_s: Time after which it goes back by itself, where it can; None for never.
        """
        ...

    def release(self, own: Settings) -> Sequence[Message]:
        """Return what gives the device back what its owner had set."""
        ...

    def restricted(self, settings: Settings) -> bool:
        """Return whether the device is set as `restrict` sets it."""
        ...

    def released(self, settings: Settings, own: Settings) -> bool:
        """Return whether the device is set as its owner had set it."""
        ...

    def restart(self) -> Sequence[Message]:
        """Return what restarts the device; nothing if it cannot be told so."""
        ...


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """What meters have instead of controls: nothing; to be inherited by their profiles."""

    @property
    def answers(self) -> bool:
        """Return that it is never told anything."""
        return False

    def restrict(self, own: Settings, lapse_s: float | None) -> Sequence[Message]:
        """Return nothing."""
        del own, lapse_s
        return ()

    def release(self, own: Settings) -> Sequence[Message]:
        """Return nothing."""
        del own
        return ()

    def restricted(self, settings: Settings) -> bool:
        """Return that it never is."""
        del settings
        return False

    def released(self, settings: Settings, own: Settings) -> bool:
        """Return that it always is."""
        del settings, own
        return True

    def restart(self) -> Sequence[Message]:
        """Return nothing."""
        return ()


@dataclass(frozen=True, slots=True)
class Switched:
    """What all switches have in common: to be inherited by their profiles."""

    def restricted(self, settings: Settings) -> bool:
        """Return whether the switch is open."""
        return settings.on is False

    def released(self, settings: Settings, own: Settings) -> bool:
        """Return whether the switch is where its owner had it."""
        return settings.on is not None and settings.on is (own.on is not False)
