"""Grid-support functions that a device runs by itself, in house words. Plain records.

Signs are passive, as everywhere in the house: absorbing reactive power is positive, and so is
consuming active power. Shares are of the device's own ratings, 1.0 being all of it; voltages are
shares of the nominal voltage.
"""

from dataclasses import dataclass
from enum import StrEnum


class GridFunction(StrEnum):
    """The functions there are (IEEE 1547-2018, clauses 5.3, 5.4 and 6.5)."""

    VOLT_VAR = "volt-var"
    VOLT_WATT = "volt-watt"
    WATT_VAR = "watt-var"
    FREQUENCY_DROOP = "frequency-droop"
    FREQUENCY_WATT = "frequency-watt"
    """Active power along a curve of the frequency, as older inverters and 2030.5 have it."""


class ShareOf(StrEnum):
    """What the shares on a curve's y axis are of."""

    MAX_W = "max-w"
    """The active power that the device is set to as its maximum (SunSpec WMax)."""
    MAX_VAR = "max-var"
    """Its maximum reactive power (VarMaxInj, VarMaxAbs)."""
    AVAILABLE_VAR = "available-var"
    """What its apparent power leaves beside the present active power."""
    MAX_VA = "max-va"


@dataclass(frozen=True, slots=True)
class GridSupport:
    """Base of what a grid-support function is set to.

    Attributes:
        function: Which function.
    """

    function: GridFunction


@dataclass(frozen=True, slots=True)
class Curve(GridSupport):
    """A piecewise linear relation.

    Attributes:
        points: (x, y) in rising order of x. x is a voltage as share of the nominal (volt-var,
            volt-watt), an active power as share of its maximum (watt-var) or a frequency in Hz
            (frequency-watt); y is a reactive power (volt-var, watt-var) or the greatest share of
            generation (volt-watt and frequency-watt; generation is positive here, the one
            exception from the passive sign, and negative only where storage is to charge).
        of: What y is a share of.
        response_s: Time in which 90 % of a change is followed; None for the device's own.
        v_ref: Reference voltage as share of the nominal (volt-var); None for 1.
        v_ref_follows_s: Time constant with which the reference follows the measured voltage;
            None where it stands still.
    """

    points: tuple[tuple[float, float], ...]
    of: ShareOf = ShareOf.MAX_W
    response_s: float | None = None
    v_ref: float | None = None
    v_ref_follows_s: float | None = None


@dataclass(frozen=True, slots=True)
class Droop(GridSupport):
    """Active power against frequency (SunSpec 711).

    Attributes:
        over_hz: Dead band above the nominal frequency, Hz.
        under_hz: Dead band below it, Hz.
        over_droop: Change of frequency, as share of the nominal, that changes the power by all of
            its maximum (0.05 is a droop of 5 %), above the dead band.
        under_droop: The same below it.
        response_s: Open-loop response time; None for the device's own.
        least_share: Least active power that the function brings the device to, as share of its
            maximum, injection positive as for volt-watt; None for the device's own.
    """

    over_hz: float
    under_hz: float
    over_droop: float
    under_droop: float
    response_s: float | None = None
    least_share: float | None = None
