"""The process image: what every device said, frozen once a cycle, and a ring of past ones.

A cycle reads devices into a new image and swaps it in with one assignment; whoever decides does
so on one image and never on half-read data.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from der.model import DeviceKind, DeviceState, Quality


@dataclass(frozen=True, slots=True)
class Image:
    """The home at one instant.

    Attributes:
        at: When it was completed, UTC epoch seconds.
        seq: Counts up by one each cycle.
        devices: By device id, in the configuration's order.
    """

    at: float
    seq: int
    devices: Mapping[str, DeviceState]

    @property
    def meter(self) -> DeviceState | None:
        """The connection point's meter; None where the home has none."""
        return next((d for d in self.devices.values() if d.spec.kind is DeviceKind.METER), None)

    @property
    def net_w(self) -> float | None:
        """Net power at the meter, import positive; None unless the meter's reading is good."""
        meter = self.meter
        if meter is None or meter.reading is None or meter.quality is not Quality.GOOD:
            return None
        return meter.reading.power_w

    @property
    def metered(self) -> tuple[float, float] | None:
        """When the meter was read, UTC epoch seconds, and the net power; None where it is not."""
        net_w, meter = self.net_w, self.meter
        if net_w is None or meter is None or meter.reading is None:
            return None
        return meter.reading.at, net_w


@dataclass(slots=True)
class ImageRing:
    """The present image and the last ones, newest last."""

    size: int = 120
    _ring: deque[Image] = field(default_factory=deque)
    _metered: deque[tuple[float, float] | None] = field(default_factory=deque)

    def swap(self, image: Image) -> None:
        """Make `image` the present one."""
        self._ring.append(image)
        self._metered.append(image.metered)
        while len(self._ring) > self.size:
            self._ring.popleft()
            self._metered.popleft()

    @property
    def present(self) -> Image | None:
        """The last complete image; None before the first cycle."""
        return self._ring[-1] if self._ring else None

    def past_net(self, since: float) -> tuple[tuple[float, float], ...]:
        """Return the meter's readings from a time on, oldest first: UTC epoch seconds, W."""
        found = dict(metered for metered in self._metered if metered and metered[0] >= since)
        return tuple(sorted(found.items()))

    @property
    def past(self) -> tuple[Image, ...]:
        """All kept images, oldest first."""
        return tuple(self._ring)
