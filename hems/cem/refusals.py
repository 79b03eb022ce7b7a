"""Devices that answer but do not take what they are told: said once, and not counted on.

A limit that is met on paper by a device that refuses its set-point is not met. So such a device
counts as one that cannot be controlled, until it takes something new or some time has gone by. Till
then it is told no more than it has confirmed (`hems.cem.blind`); that it goes on taking that shows
nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from der.model import Quality
from hems.cem.orders import Order
from hems.image import Image

_TIMES: Final = 2
"""One lost answer is no refusal."""
_RETRY_S: Final = 30.0
"""After this long it is counted on again, to see whether it has come to itself."""


@dataclass(slots=True)
class _Refusal:
    why: str
    times: int = 0
    out_until: float = 0.0


class Refusals:
    """Who refuses what it is told now; times are monotonic seconds."""

    def __init__(self) -> None:
        self._by_device: dict[str, _Refusal] = {}

    @property
    def words(self) -> Mapping[str, str]:
        """Why, by device id."""
        return {device: refusal.why for device, refusal in self._by_device.items()}

    def refused(self, device: str, why: str, now: float) -> bool:
        """Note a write that failed; returns whether it failed for the same reason before."""
        known = self._by_device.setdefault(device, _Refusal(""))
        same, known.why = known.why == why, why
        known.times += 1
        if known.times >= _TIMES:
            known.out_until = now + _RETRY_S
        return same

    def taken(self, device: str) -> None:
        """Note a write of something new that was confirmed."""
        self._by_device.pop(device, None)

    def settle(self, orders: Mapping[str, Order], now: float) -> None:
        """Forget those who have what they are to have; of one not counted on no more is asked."""
        out = self._out(now)
        for device, order in orders.items():
            if not order.write and device not in out:
                self._by_device.pop(device, None)

    def _out(self, now: float) -> set[str]:
        return {d for d, refusal in self._by_device.items() if now < refusal.out_until}

    def without(self, image: Image, now: float) -> Image:
        """Return the image as it is to be decided on: nobody is counted on who refuses."""
        out = self._out(now)
        if not out:
            return image
        devices = {
            name: replace(state, quality=Quality.STALE)
            if name in out and state.quality is Quality.GOOD
            else state
            for name, state in image.devices.items()
        }
        return replace(image, devices=devices)
