"""What ten devices measure, different in each second."""

import math
from collections.abc import Iterable
from typing import Final

from hems.store.history import Sample

DEVICES: Final = 10


def samples(seconds: Iterable[int]) -> list[Sample]:
    """Return the samples of these seconds, UTC epoch: one of each device at each."""
    return [
        Sample(
            float(second),
            f"device-{device}",
            1500.0 * math.sin(second / (60.0 + device)) + device,
            soc=0.5 + 0.4 * math.sin(second / 7000.0) if device == 1 else None,
            voltage_v=230.0 + math.sin(second / 10.0) if device == 0 else None,
        )
        for second in seconds
        for device in range(DEVICES)
    ]
