"""How forecasts are judged, and when another is leaned on."""

import math
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.cem.forecast.past import Floats, Past, Quantiles
from hems.cem.forecast.score import (
    LAST_WEEK,
    OWN,
    YESTERDAY,
    Issue,
    Score,
    anybodys,
    lean,
    losses,
)
from hems.cem.slots import Slots

HOUR_S = 3600.0
DAY_S = 86400.0
NOW = 20_000 * DAY_S
NAN = math.nan
SHARES = (0.1, 0.5, 0.9)


def issue(start: float, own: Floats, **others: Floats) -> Issue:
    named = {name.replace("_", " "): values for name, values in others.items()}
    given_ = Quantiles(SHARES, np.vstack([own - 10.0, own, own + 10.0]))
    return Issue(Slots(start, HOUR_S, len(own)), given_, {OWN: own, **named})


def slow_pinball(seen: Floats, given_: Quantiles) -> float:
    """Add up what each quantile loses at each hour."""
    total, count = 0.0, 0
    for share, row in zip(given_.shares, given_.values, strict=True):
        for came, said in zip(seen, row, strict=True):
            if not math.isnan(came):
                total += share * (came - said) if came >= said else (1.0 - share) * (said - came)
                count += 1
    return total / count


@given(
    st.lists(st.tuples(st.floats(-500, 500), st.floats(0, 500)), min_size=2, max_size=24),
    st.sets(st.integers(0, 23), max_size=4),
)
def test_losses_are_those_added_up_hour_by_hour(
    drawn: list[tuple[float, float]], gaps: set[int]
) -> None:
    own, seen = (np.array(row) for row in zip(*drawn, strict=True))
    seen[[gap for gap in gaps if gap < len(seen)]] = NAN
    one = issue(NOW, own)
    found = losses(one, seen)
    known = [i for i in range(len(seen)) if not math.isnan(seen[i])]
    if len(known) < len(seen) / 2:
        assert found is None
        return
    assert found is not None
    assert found.given_w == pytest.approx(sum(abs(seen[i] - own[i]) for i in known) / len(known))
    assert found.pinball_w == pytest.approx(slow_pinball(seen, one.given))


def test_all_are_judged_by_the_hours_that_each_knew() -> None:
    own, seen = np.full(4, 100.0), np.array([100.0, 200.0, 100.0, 100.0])
    yesterday = np.array([100.0, NAN, 130.0, 100.0])
    found = losses(issue(NOW, own, yesterday=yesterday, last_week=np.full(4, NAN)), seen)
    assert found is not None
    assert found.given_w == 0.0
    assert found.others_w == {OWN: 0.0, YESTERDAY: 10.0}


class Week:
    """Hour after hour of forecasts, each judged when its day is over."""

    def __init__(self) -> None:
        self.score = Score()
        self.seen: list[float] = []

    def live(self, hours: int, came_w: float, own_w: float, yesterday_w: float) -> None:
        for _ in range(hours):
            now = NOW + len(self.seen) * HOUR_S
            self.score.judge(np.array(self.seen), Slots(NOW, HOUR_S, len(self.seen)))
            one = issue(
                now, np.full(24, own_w), yesterday=np.full(24, yesterday_w), last_week=np.zeros(24)
            )
            self.score.issue(one)
            self.seen.append(came_w)


@pytest.mark.requirement("ROLE-CEM")
def test_a_week_of_errors_stands_beside_yesterdays() -> None:
    week = Week()
    assert week.score.errors_w() is None
    assert week.score.pinball_w() is None
    week.live(24, 100.0, 80.0, 130.0)
    assert week.score.errors_w() is None
    week.live(24, 100.0, 80.0, 130.0)
    assert week.score.errors_w() == (20.0, 30.0)
    assert week.score.pinball_w() == pytest.approx((0.1 * 30 + 0.5 * 20 + 0.9 * 10) / 3)


@pytest.mark.requirement("ROLE-CEM")
def test_it_leans_on_what_was_clearly_better_and_comes_back() -> None:
    week = Week()
    week.live(48, 100.0, 60.0, 110.0)
    assert week.score.leaning()[1] == 0.0  # too little has been judged
    week.live(60, 100.0, 60.0, 110.0)
    name, share = week.score.leaning()
    assert name == YESTERDAY
    assert share == pytest.approx(1.0 / (1.0 + 0.25**2))
    week.live(8 * 24, 100.0, 95.0, 140.0)
    assert week.score.leaning()[1] == 0.0


def test_what_waits_and_what_was_judged_stay_bounded() -> None:
    week = Week()
    week.live(20 * 24, 100.0, 60.0, 110.0)
    assert len(week.score._waiting) <= 25
    assert len(week.score._judged) <= 7 * 24
    for _ in range(50):
        week.score.issue(issue(NOW + 20 * DAY_S, np.zeros(96), yesterday=np.zeros(96)))
    assert len(week.score._waiting) <= 26


@pytest.mark.requirement("TIME-STAMP")
def test_what_was_forecast_by_a_clock_since_set_back_judges_nobody() -> None:
    week = Week()
    week.live(60, 100.0, 80.0, 130.0)
    week.score.issue(issue(NOW + 400 * DAY_S, np.zeros(24)))
    seen = np.array(week.seen[:50])
    week.score.judge(seen, Slots(NOW, HOUR_S, 50))
    assert all(one.slots.start <= NOW + 51 * HOUR_S for one in week.score._waiting)
    assert all(one.until <= NOW + 50 * HOUR_S for one in week.score._judged)


@pytest.mark.parametrize(("ratio", "share"), [(2.0, 0.0), (1.0, 0.0), (0.95, 0.0), (0.0, 1.0)])
def test_nothing_leans_on_what_is_no_better(ratio: float, share: float) -> None:
    assert lean(ratio) == share


@given(st.floats(0.0, 2.0), st.floats(0.0, 2.0))
def test_the_better_another_is_the_more_it_is_leaned_on(one: float, other: float) -> None:
    better, worse = sorted((one, other))
    assert 0.0 <= lean(worse) <= lean(better) <= 1.0


def test_what_anybody_could_say() -> None:
    hours = np.arange(8 * 24.0)
    slots = Slots(NOW - 8 * DAY_S, HOUR_S, len(hours))
    past = Past(slots, ZoneInfo("UTC"), hours, hours)
    found = anybodys(hours, past, Slots(NOW, HOUR_S, 48))
    assert found[YESTERDAY].tolist() == list(hours[-24:]) * 2
    assert found[LAST_WEEK].tolist() == list(hours[24:72])
    short = anybodys(
        hours[-12:],
        Past(Slots(NOW - 0.5 * DAY_S, HOUR_S, 12), past.zone, hours[-12:], hours[-12:]),
        Slots(NOW, HOUR_S, 24),
    )
    assert np.isnan(short[YESTERDAY]).sum() == 12
    assert np.isnan(short[LAST_WEEK]).all()
