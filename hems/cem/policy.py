"""How the allocator behaves: margins, dead bands and times, each with its reason."""

from dataclasses import dataclass
from enum import StrEnum

from programs.proposal import Bounds


class SurplusFirst(StrEnum):
    """Who takes the sun's surplus first, as the owner chose; the other takes the rest."""

    CAR = "car"
    BATTERY = "battery"


@dataclass(frozen=True, slots=True)
class AllocatorPolicy:
    """The allocator's figures; powers in W, times in s, shares 0 to 1.

    Attributes:
        margin_w: Least distance kept to a limit, for measuring error and load between cycles.
        margin_share: The same as a share of the limit; the greater of the two counts.
        hold_s: A peak of what cannot be controlled is reckoned with for this long.
        guard_share: Share of that power's usual change from one second to the next (its 90 %
            quantile) by which the margin grows: with the peak of a minute held, one half leaves
            about one second in a thousand of white noise above the limit.
        step_w: A fall by more than this, for `settle_s`, is an appliance switched off: its peak
            is not held against batteries and running loads.
        answer_s: Time from a change in the house to a battery's answer to it: a power that rises or
            falls steadily, such as the sun at a cloud's edge, is reckoned with as it will be then;
            for chargers, as it will be after `settle_s`.
        habit_s: Steps that appliances made are remembered for this long.
        fast_reserve_w: Help of the batteries that is kept back when loads are granted power, since
            a charger follows too late to answer an appliance; more where appliances made greater
            steps lately.
        lapse_lead_s: A battery that cannot be reached is reckoned as idle this long before its
            set-point lapses.
        dead_band_w: A change of a driving set-point smaller than this is not written; below
            `margin_w`, so that ignoring it cannot break a limit.
        raise_least_w: A ceiling is raised by at least this much.
        raise_every_s: A ceiling is raised at most this often.
        headroom_w: Power that must be left over after a load has come back.
        stagger_s: Time between two loads that come back, so that they make no new peak.
        reserve_soc: Charge that discharging leaves in the battery.
        full_soc: Charge at which it takes no more.
        soc_hysteresis: An empty battery must regain this much before it discharges again.
        car_from_storage: Whether self-consumption may discharge a battery into a car.
        surplus_first: Whether the sun's surplus goes to a car that charges first, or to the
            batteries.
        solar_stop_s: A car that charges from the surplus bears a lack of it for this long.
        solar_retry_s: A car that stands still feels this seldom for sun that is held back.
        settle_s: Time that a device may take to follow its set-point.
        meter_lag_s: Time by which meter and device readings may differ.
        short_of_w: A battery this far short of its set-point after `settle_s` is taken at what
            it really does.
        retry_s: Time after which such a battery is trusted again.
        probe_w: Step by which a battery feels for the sun that an inverter holds back.
        probe_pause_s: Time to the next such step after one that found none.
        course_lead_s: Where the net power is to keep a course, a power that moves steadily is
            reckoned with as it will be then: about one cycle.
        course_patience_s: A load whose start nobody evens out waits no longer for a course than
            this after another came back.
        drive_lapse_s: Lapse of a driving set-point (battery).
        open_lapse_s: Lapse of a charger's free run, so that a dead hub leaves nobody charging at
            full power with the main breaker unguarded.
        restrict_lapse_s: Longest lapse of a restricting set-point.
        comfort_band_c: How far within its bounds, in K, a temperature must be back before limits
            of the owner's rank and weaker may take its device away again.
        frozen_move_w: A meter that stands still to the last digit while the devices together move
            by more than this is not believed.
        frozen_after_s: Time for which the meter's figure must stand still against what is seen.
        frozen_told_s: Time for which a device's own must, against what it was told.
        restrict_grace_s: Time by which a restriction outlives its cause, so that loads are given
            back by the hub one by one, not all at once by their own timers.
    """

    margin_w: float = 50.0
    margin_share: float = 0.02
    hold_s: float = 60.0
    guard_share: float = 0.5
    step_w: float = 300.0
    answer_s: float = 2.0
    habit_s: float = 1800.0
    fast_reserve_w: float = 300.0
    lapse_lead_s: float = 10.0
    dead_band_w: float = 20.0
    raise_least_w: float = 200.0
    raise_every_s: float = 5.0
    headroom_w: float = 100.0
    stagger_s: float = 15.0
    reserve_soc: float = 0.1
    full_soc: float = 0.999
    soc_hysteresis: float = 0.02
    car_from_storage: bool = False
    surplus_first: SurplusFirst = SurplusFirst.CAR
    solar_stop_s: float = 180.0
    solar_retry_s: float = 300.0
    settle_s: float = 5.0
    meter_lag_s: float = 1.5
    short_of_w: float = 300.0
    retry_s: float = 300.0
    probe_w: float = 200.0
    probe_pause_s: float = 60.0
    course_lead_s: float = 1.0
    course_patience_s: float = 300.0
    drive_lapse_s: float = 30.0
    open_lapse_s: float = 90.0
    restrict_lapse_s: float = 900.0
    comfort_band_c: float = 1.0
    frozen_move_w: float = 500.0
    frozen_after_s: float = 10.0
    frozen_told_s: float = 30.0
    restrict_grace_s: float = 10.0

    def aim(self, bounds: Bounds) -> Bounds:
        """Return what to aim at so that the bounds hold: each edge moved inwards by the margin.

        Bounds closer together than four margins keep at least half of their width.
        """
        width_w = bounds.upper_w - bounds.lower_w
        return Bounds(
            bounds.lower_w + min(self._margin(bounds.lower_w), width_w / 4),
            bounds.upper_w - min(self._margin(bounds.upper_w), width_w / 4),
        )

    def _margin(self, limit_w: float) -> float:
        if abs(limit_w) == float("inf"):
            return 0.0
        return max(self.margin_w, self.margin_share * abs(limit_w))
