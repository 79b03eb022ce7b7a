"""What happened, for tests and benchmarks: each accepted write, and the meter every 100 ms."""

import time
from collections import deque
from dataclasses import dataclass

from der.sim.physics.house import Snapshot

WRITES_KEPT = 20_000
TRACE_KEPT = 36_000
"""An hour at 10 Hz."""


@dataclass(frozen=True, slots=True)
class Write:
    """A command that a device accepted.

    Attributes:
        number: Counts all writes from 1.
        device: Which device.
        at: UTC epoch seconds.
        monotonic: The machine's monotonic clock, the same in every process.
        what: The message or points, for example "SetChargingProfile" or "704".
        values: Each value as name=value.
    """

    number: int
    device: str
    at: float
    monotonic: float
    what: str
    values: str


@dataclass(frozen=True, slots=True)
class Sample:
    """The meter at one instant.

    Attributes:
        at: UTC epoch seconds.
        meter_w: Import positive.
        meter_var: Absorption positive.
        voltage_v: In the home.
        frequency_hz: In the home; 0 while it is dark.
        soc: The battery's charge, 0 to 1.
    """

    at: float
    meter_w: float
    meter_var: float = 0.0
    voltage_v: float = 0.0
    frequency_hz: float = 0.0
    soc: float = 0.0


class Journal:
    """Keeps the last writes and samples."""

    def __init__(self) -> None:
        self._writes: deque[Write] = deque(maxlen=WRITES_KEPT)
        self._trace: deque[Sample] = deque(maxlen=TRACE_KEPT)
        self._count = 0

    def wrote(self, device: str, what: str, values: str) -> None:
        """Note an accepted write, now."""
        self._count += 1
        entry = Write(self._count, device, time.time(), time.monotonic(), what, values)
        self._writes.append(entry)

    def sampled(self, home: Snapshot) -> None:
        """Note what the meter sees, now."""
        meter = home.meter
        sample = Sample(
            time.time(),
            meter.power_w,
            meter.reactive_var,
            home.voltage_v,
            home.frequency_hz,
            home.soc,
        )
        self._trace.append(sample)

    def writes(self, after: int = 0) -> list[Write]:
        """Return the writes numbered above `after`, oldest first."""
        return [write for write in self._writes if write.number > after]

    def trace(self, since: float = 0.0) -> list[Sample]:
        """Return the samples later than `since` (epoch s), oldest first."""
        return [sample for sample in self._trace if sample.at > since]
