"""The customer baseline against one that is worked out the long way."""

from itertools import combinations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from programs.customer_baseline import HIGH_4_OF_5, TEN_OF_10, Baseline, Day, Method, baseline

EVENT, BEFORE = (4, 5, 6), (0, 1)
DAY = st.dictionaries(st.integers(0, 7), st.integers(-3_000, 9_000).map(float), max_size=8)


def flat(power_w: float) -> Day:
    return dict.fromkeys(range(8), power_w)


def oracle(past: list[Day], today: Day, method: Method) -> tuple[float, ...] | None:
    """Try every choice of days; the one with the highest use in the event counts."""
    usable = [day for day in past if set(EVENT) <= day.keys()][: method.days]
    choices = list(combinations(usable, method.highest))
    if not choices:
        return None
    best = max(choices, key=lambda days: sum(day[n] for day in days for n in EVENT))
    means = [sum(day[n] for day in best) / len(best) for n in EVENT]
    if all(n in today and all(n in day for day in best) for n in BEFORE):
        was = sum(today[n] for n in BEFORE) / len(BEFORE)
        usual = sum(sum(day[n] for n in BEFORE) / len(BEFORE) for day in best) / len(best)
        means = [w + was - usual for w in means]
    return tuple(means)


@pytest.mark.requirement("BUC-6")
@given(past=st.lists(DAY, max_size=8), today=DAY, highest=st.integers(1, 5))
@settings(max_examples=300, deadline=None)
def test_it_is_the_highest_days_moved_by_the_same_day(
    past: list[Day], today: Day, highest: int
) -> None:
    method = Method(days=5, highest=highest)
    sums = [sum(day[n] for n in EVENT) for day in past if set(EVENT) <= day.keys()]
    assume(len(set(sums)) == len(sums))  # of two days alike either may be taken
    found, expected = baseline(past, today, EVENT, BEFORE, method), oracle(past, today, method)
    assert (found is None) is (expected is None)
    if found is not None and expected is not None:
        assert found.power_w == pytest.approx(expected, abs=1e-6)


@pytest.mark.requirement("BUC-6")
def test_by_hand() -> None:
    past = [flat(w) for w in (1_000, 2_000, 3_000, 4_000, 500, 9_000)]  # the sixth is too long ago
    today = flat(3_500)
    found = baseline(past, today, EVENT, BEFORE)
    assert found == Baseline((3_500,) * 3, 1_000, 4, f"{HIGH_4_OF_5}, adjusted by the same day")
    assert found.mean_w == 3_500
    bounded = baseline(past, today, EVENT, BEFORE, Method(most_adjusted=0.2))
    assert bounded is not None
    assert bounded.power_w == (3_000,) * 3
    plain = baseline(past, {}, EVENT, BEFORE)
    assert plain is not None
    assert plain.power_w == (2_500,) * 3
    assert "not adjusted" in plain.words
    ten = Method(10, 10, words=TEN_OF_10)
    assert baseline(past, today, EVENT, BEFORE, ten) is None  # too few days
    assert baseline(past, today, (), BEFORE) is None
