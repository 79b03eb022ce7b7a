"""Billing months by the home's clock, and the charge on their highest import; pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hems.cem.tariff import wall_clock
from hems.cem.tariff.rates import Contract

_W_PER_KW = 1000.0


def month_start(when: float, zone: ZoneInfo, billing_day: int = 1) -> float:
    """Return when the billing month that holds `when` began, UTC epoch seconds.

    Args:
        when: UTC epoch seconds.
        zone: Where the home is.
        billing_day: Day of the month on which it begins, 1 to 28.
    """
    local = datetime.fromtimestamp(when, zone)
    year, month = local.year, local.month
    if local.day < billing_day:
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return datetime(year, month, billing_day, tzinfo=zone).timestamp()


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest quarter-hour mean import of a billing month, so far.

    Attributes:
        since: When that month began, UTC epoch seconds.
        power_w: The highest mean.
    """

    since: float = 0.0
    power_w: float = 0.0

    def with_quarter(self, start: float, mean_w: float, contract: Contract) -> "Peak":
        """Return the peak after one more quarter-hour.

        Args:
            start: Of that quarter-hour, UTC epoch seconds.
            mean_w: Its mean import.
            contract: When billing months begin.
        """
        since = month_start(start, contract.zone, contract.billing_day)
        before_w = self.power_w if since == self.since else 0.0
        return Peak(since, max(before_w, mean_w))

    def charge_after(self, before: "Peak", contract: Contract) -> float:
        """Return what this peak costs beyond what the one before it had cost already."""
        known_w = before.power_w if before.since == self.since else 0.0
        return contract.peak_per_kw * (self.power_w - known_w) / _W_PER_KW


def standing(start: float, length_s: float, contract: Contract) -> float:
    """Return an interval's share of its day's standing charge; those of a day add up to it.

    Args:
        start: UTC epoch seconds; the interval lies within one local day.
        length_s: Its length.
        contract: The charge.
    """
    if contract.standing_per_day == 0.0:
        return 0.0
    day_s = wall_clock.next_day_start(start, contract.zone) - wall_clock.day_start(
        start, contract.zone
    )
    return contract.standing_per_day * length_s / day_s
