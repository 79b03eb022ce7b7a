"""What a network operator makes of many homes' series: who hangs where, and what the line loses."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from hems.store.visibility import Interval
from tests.hems.visibility.feeder import feeder


def _volts(rows: Sequence[Interval]) -> list[float]:
    return [row.voltage_v for row in rows if row.voltage_v is not None]


@pytest.mark.requirement("BUC-13")
@pytest.mark.requirement("PD-TOPOLOGY")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_phase_of_every_home_is_found_from_its_voltages(seed: int) -> None:
    """Changes from interval to interval go together on one phase and not across phases."""
    street = feeder(12, seed)
    street.run(hours=8)
    changes = [np.diff(_volts(house.rows)) for house in street.houses]
    length = min(len(each) for each in changes)
    alike = np.corrcoef([each[:length] for each in changes])
    for one, other in itertools.combinations(range(12), 2):
        same = street.houses[one].phase == street.houses[other].phase
        assert (alike[one, other] > 0.5) == same, (one, other, alike[one, other])


@pytest.mark.requirement("BUC-13")
@pytest.mark.requirement("PD-LOSSES")
def test_losses_of_the_line_come_out_of_registers_that_line_up() -> None:
    """The feeder's meter less all homes is what the cable lost, in each quarter-hour.

    Homes are read at moments of their own; each home's draw may change between its readings, so a
    quarter-hour is exact to a reading's time (10 s here) and the day almost to nothing.
    """
    street = feeder(9, 5)
    street.run(hours=6)
    ends = [{row.start + row.length_s: row.import_wh for row in h.rows} for h in street.houses]
    bounds = sorted(set.intersection(*(set(each) for each in ends)))
    first, last = bounds[0], bounds[-1]

    def taken_wh(since: int, until: int) -> float:
        return sum((each[until] or 0.0) - (each[since] or 0.0) for each in ends)

    def at_feeder(bound: int) -> tuple[float, float]:
        return street.at_bounds[round((bound - 1_800_000_000.0) / 300)]

    metered = at_feeder(last)[0] - at_feeder(first)[0]
    lost = at_feeder(last)[1] - at_feeder(first)[1]
    assert metered - taken_wh(first, last) == pytest.approx(lost, rel=0.02)
    for since, until in zip(bounds[::3], bounds[3::3], strict=False):
        metered = at_feeder(until)[0] - at_feeder(since)[0]
        lost = at_feeder(until)[1] - at_feeder(since)[1]
        assert metered - taken_wh(since, until) == pytest.approx(lost, abs=0.01 * metered)
