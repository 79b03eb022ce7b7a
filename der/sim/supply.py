"""The grid at the connection point: voltage that sags under load, frequency that wanders."""

import random
from dataclasses import dataclass

NOMINAL_V = 230.0
NOMINAL_HZ = 50.0


@dataclass(slots=True)
class Supply:
    """A single-phase 230 V, 50 Hz connection.

    Attributes:
        rng: Where chance comes from.
        impedance_ohm: Of the service line.
        wander_hz: How far the frequency strays in one step.
        voltage_v: Voltage at the home.
        frequency_hz: Grid frequency.
    """

    rng: random.Random
    impedance_ohm: float = 0.15
    wander_hz: float = 0.002
    voltage_v: float = NOMINAL_V
    frequency_hz: float = NOMINAL_HZ

    def feel(self, power_w: float) -> None:
        """Take note of the home's net power, import positive in W."""
        sag_v = power_w / NOMINAL_V * self.impedance_ohm
        self.voltage_v = NOMINAL_V - sag_v + self.rng.gauss(0.0, 0.1)
        # Pulled back to nominal like a governed grid, so that it never drifts off.
        stray_hz = (self.frequency_hz - NOMINAL_HZ) * 0.98
        self.frequency_hz = NOMINAL_HZ + stray_hz + self.rng.gauss(0.0, self.wander_hz)
