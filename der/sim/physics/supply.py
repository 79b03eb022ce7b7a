"""The grid at the connection point: voltage that sags under load, frequency that wanders."""

import random
from dataclasses import dataclass

from der.sim.physics.frequency import Course

NOMINAL_V = 230.0
NOMINAL_HZ = 50.0
REACTANCE_OHM = 0.1


@dataclass(slots=True)
class Supply:
    """A single-phase 230 V, 50 Hz connection.

    Attributes:
        rng: Where chance comes from.
        impedance_ohm: Of the service line, its resistive part.
        reactance_ohm: Its inductive part: through it reactive power moves the voltage.
        wander_hz: How far the frequency strays in one step.
        feeder_v: Voltage of the street where the service line begins, which the home moves little.
        voltage_v: Voltage at the home.
        frequency_hz: Grid frequency.
        fixed_v: Holds the voltage; None lets it follow the load.
        fixed_hz: Holds the frequency; None lets it wander.
        course: Course that it follows instead; None for none.
        out: Whether the street has no voltage.
    """

    rng: random.Random
    impedance_ohm: float = 0.15
    reactance_ohm: float = REACTANCE_OHM
    wander_hz: float = 0.002
    feeder_v: float = NOMINAL_V
    voltage_v: float = NOMINAL_V
    frequency_hz: float = NOMINAL_HZ
    fixed_v: float | None = None
    fixed_hz: float | None = None
    course: Course | None = None
    out: bool = False

    def feel(self, power_w: float, reactive_var: float = 0.0) -> None:
        """Take note of the home's net power in W and var, import and absorption positive."""
        ohmic_v = power_w / NOMINAL_V * self.impedance_ohm
        sag_v = ohmic_v + reactive_var / NOMINAL_V * self.reactance_ohm
        self.voltage_v = self.feeder_v - sag_v + self.rng.gauss(0.0, 0.1)
        # Pulled back to nominal like a governed grid, so that it never drifts off.
        stray_hz = (self.frequency_hz - NOMINAL_HZ) * 0.98
        self.frequency_hz = NOMINAL_HZ + stray_hz + self.rng.gauss(0.0, self.wander_hz)
        if self.fixed_v is not None:
            self.voltage_v = self.fixed_v
        if self.course is not None:
            self.frequency_hz = self.course.hz
        if self.fixed_hz is not None:
            self.frequency_hz = self.fixed_hz

    @property
    def grid_v(self) -> float:
        """Voltage of the street, 0 while it has none."""
        return 0.0 if self.out else self.voltage_v

    @property
    def grid_hz(self) -> float:
        """Frequency of the street, 0 while it has no voltage."""
        return 0.0 if self.out else self.frequency_hz
