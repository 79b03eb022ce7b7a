"""What the owner is told of the home's own troubles: lost devices, limits not met. Pure."""

from dataclasses import dataclass
from typing import Final

from der.model import DeviceState, Quality
from der.sentence import say
from hems.emg.words import quantity
from hems.image import Image

UNMET_W: Final = 100.0
"""A limit that is missed by less is being kept, as far as anyone can see."""
UNMET_FOR_S: Final = 5.0
"""Devices may take this long to follow; a limit missed for longer is worth a word."""
UNMET_MOVED: Final = 0.5
"""What is missing is told anew once it has moved by this share of what was told."""


@dataclass(frozen=True, slots=True)
class Watch:
    """The past, as far as it needs to be known.

    Attributes:
        unmet_since: Since when a limit has not been met, UTC epoch seconds; None while it is.
        told_w: By how much, as the owner was told last, W; None where nothing was told.
    """

    unmet_since: float | None = None
    told_w: float | None = None

    def look(self, image: Image, unmet_w: float) -> tuple["Watch", dict[str, str | None]]:
        """Return the watch after an image, and each alarm by its source, None where all is well.

        Args:
            image: What the devices said.
            unmet_w: By how much the home's limits cannot be met with what there is, W.
        """
        since = None
        if unmet_w > UNMET_W:
            since = image.at if self.unmet_since is None else min(self.unmet_since, image.at)
        alarms: dict[str, str | None] = {
            f"device {state.spec.id}": None if state.barred else _lost(state)
            for state in image.devices.values()
        }
        told_w = None
        if since is not None and image.at - since >= UNMET_FOR_S:
            told_w = self._told(unmet_w)
        alarms["limit"] = None if told_w is None else _unmet(told_w)
        return Watch(since, told_w), alarms

    def _told(self, unmet_w: float) -> float:
        """Return what is told of what is missing: loads come and go each second, the words not."""
        told_w = self.told_w
        if told_w is None or abs(unmet_w - told_w) > UNMET_MOVED * told_w:
            return unmet_w
        return told_w


def _unmet(unmet_w: float) -> str:
    return say(
        "The home is {unmet} beyond its limit, and nothing here can help more",
        unmet=quantity(unmet_w, "W"),
    )


def _lost(state: DeviceState) -> str | None:
    """Return what is wrong with a device that is lost, one sentence; None with one that is not."""
    if state.quality is not Quality.LOST:
        return None
    if state.nonsense:
        return say("{name} answers, but what it says cannot be", name=state.spec.name)
    return say("{name} does not answer", name=state.spec.name)
