"""The figures by which an island begins, lives and ends, each with its default and its reason."""

from dataclasses import dataclass
from enum import StrEnum


class Permit(StrEnum):
    """What the utility has agreed to (IEEE 1547-2018, 8.2)."""

    NONE = "none"
    """No island: without its grid the home is dark."""
    OUTAGE = "outage"
    """An island while the grid is out."""
    SCHEDULED = "scheduled"
    """Also one that is planned, by the owner or at the utility's request to disconnect."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits and times; voltages as shares of the nominal, frequencies in Hz, times in s.

    Attributes:
        nominal_v: Phase to neutral.
        nominal_hz: Of the grid.
        low_v: Below it the grid counts as abnormal (IEEE 1547-2018, table 11: 0.88).
        high_v: Above it likewise (1.10).
        dead_v: Below it there is no grid.
        low_hz: Below it the grid counts as abnormal.
        high_hz: Above it likewise.
        rocof: Hz a second beyond which it does; seen once a second, it is a coarse help only.
        detect_s: For how long it must be abnormal.
        dead_s: For how long there must be none.
        back_low_v: From which voltage on the grid is good again (IEEE 1547-2018, table 4).
        back_high_v: Up to which.
        back_low_hz: From which frequency on.
        back_high_hz: Up to which.
        delay_s: For how long it must have been good before the home goes back to it.
        sync_hz: Difference of frequency below which the tie is asked to close.
        sync_v: Difference of voltage.
        sync_deg: Difference of phase.
        open_s: After which a tie that has not opened is complained of.
        soften_s: How long a planned separation waits for the tie's power to fall.
        soft_w: What may flow when the tie opens as planned.
        calm_s: For how long no more may have flowed: loads that were told to stop stop one by one.
        prepare_s: How long loads have to confirm that they are off before the inverter forms.
        form_s: How long it has to form.
        settle_s: For how long its voltage must stand.
        sync_s: How long coming into step may take before it is tried anew.
        rest_s: Pause after an attempt that failed; it doubles with each, up to `longest_rest_s`.
        longest_rest_s: The longest pause.
        start_soc: Charge that a black start needs.
        dawn_soc: Charge with which one is dared once the sun shines.
        dawn_w: Sun that is expected then.
        ramp_s: For how long import is held back after the home was connected again.
        ramp_slope: By how much it may rise in each of these seconds, W.
    """

    nominal_v: float = 230.0
    nominal_hz: float = 50.0
    low_v: float = 0.88
    high_v: float = 1.10
    dead_v: float = 0.5
    low_hz: float = 48.8
    high_hz: float = 51.2
    rocof: float = 3.0
    detect_s: float = 2.0
    dead_s: float = 0.9
    back_low_v: float = 0.917
    back_high_v: float = 1.05
    back_low_hz: float = 49.5
    back_high_hz: float = 50.1
    delay_s: float = 300.0
    sync_hz: float = 0.1
    sync_v: float = 0.05
    sync_deg: float = 10.0
    open_s: float = 10.0
    soften_s: float = 30.0
    soft_w: float = 150.0
    calm_s: float = 3.0
    prepare_s: float = 15.0
    form_s: float = 20.0
    settle_s: float = 1.5
    sync_s: float = 300.0
    rest_s: float = 10.0
    longest_rest_s: float = 300.0
    start_soc: float = 0.1
    dawn_soc: float = 0.03
    dawn_w: float = 300.0
    ramp_s: float = 120.0
    ramp_slope: float = 50.0
