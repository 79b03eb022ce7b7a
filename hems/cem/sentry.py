"""The port through which set-points are guarded that their devices cannot end by themselves."""

from typing import Final, Protocol


class Sentry(Protocol):
    """Ends set-points of devices that have no expiry of their own; calls must return at once."""

    def prepare(self) -> None:
        """Take note that a device is there that will need a guard."""
        ...

    def hold(self, device: str, lapse_s: float, *, opened: bool = False) -> None:
        """Take note, before it is written, that a device will hold a set-point.

        Args:
            device: Its id.
            lapse_s: Seconds from now after which it is given back, unless this is said again.
            opened: Whether its switch is opened with it.
        """
        ...

    def given_back(self, device: str) -> None:
        """Take note that a device has confirmed that it runs by itself again."""
        ...


class _Nobody:
    """For homes without such devices."""

    def prepare(self) -> None:
        """Do nothing."""

    def hold(self, device: str, lapse_s: float, *, opened: bool = False) -> None:
        """Do nothing."""

    def given_back(self, device: str) -> None:
        """Do nothing."""


NO_SENTRY: Final[Sentry] = _Nobody()
