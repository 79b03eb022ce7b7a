"""A curve that a control can name, in neutral words: numbers in base units, no resource."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Curve:
    """A piecewise linear relation between what is measured and what is done.

    Attributes:
        href: Where the server keeps it; a control names it by this.
        mode: The control mode it is for, such as "opModVoltVar".
        points: (x, y). x is in V as per cent of the reference voltage (volt-var, volt-watt), Hz
            (freq-watt), per cent of rated power (watt-var, watt-PF) or s (ride-through); y in per
            cent of what `y_ref` names, Hz or per cent of voltage (ride-through), or a power
            factor (watt-PF), positive where the DER absorbs reactive power.
        y_ref: Code of what per cents on the y axis are of (DERUnitRefType); 0 for none.
        open_loop_s: Time to reach 90 % of a new target; 0 for at once, None for the device's own.
        ramp_up: Greatest rise of the output, per cent a second; 0 for no limit, None where the
            fall's counts.
        ramp_down: Greatest fall of the output, per cent a second; 0 for no limit, None for the
            device's default gradient.
        filter_s: Time in which a low-pass filter settles to 95 % of a step; None for the device's
            own.
        v_ref: Per cent by which the voltages of a volt-var curve are multiplied; None for 100.
        v_ref_follows_s: Time constant with which the reference voltage follows the measured one;
            None where it does not.
    """

    href: str
    mode: str
    points: tuple[tuple[float, float], ...]
    y_ref: int = 0
    open_loop_s: float | None = None
    ramp_up: float | None = None
    ramp_down: float | None = None
    filter_s: float | None = None
    v_ref: float | None = None
    v_ref_follows_s: float | None = None
