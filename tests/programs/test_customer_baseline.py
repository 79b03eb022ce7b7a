"""The customer baseline: comparable days, over holidays of events and changes of the clock."""

from datetime import datetime
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from programs.customer_baseline import (
    HIGH_4_OF_5,
    MEAN_OF_10,
    QUARTER_S,
    TEN_OF_10,
    Baseline,
    Method,
    Powers,
    baseline,
    comparable,
    constant,
    quarters,
)
from tests.examples import examples

BERLIN = ZoneInfo("Europe/Berlin")
DAY = 86_400.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def test_quarters_are_those_that_a_time_touches() -> None:
    assert quarters(900.0, 1800.0) == [(900, 900.0)]
    assert quarters(1000.0, 2000.0) == [(900, 800.0), (1800, 200.0)]
    assert quarters(1000.0, 1000.0) == []


@given(st.floats(0, 1e6), st.floats(0.001, 1e5))
def test_quarters_add_up_to_the_whole(start: float, length_s: float) -> None:
    found = quarters(start, start + length_s)
    assert sum(s for _, s in found) == pytest.approx(length_s, abs=1e-6)
    assert all(q % QUARTER_S == 0 and 0 < s <= QUARTER_S for q, s in found)


def test_working_days_are_compared_with_working_days() -> None:
    monday = at("2026-11-23T18:00")
    days = comparable(monday, 900.0, BERLIN, [])
    assert days[:2] == [at("2026-11-20T18:00"), at("2026-11-19T18:00")]
    assert all(datetime.fromtimestamp(d, BERLIN).weekday() < 5 for d in days)
    saturday = at("2026-11-21T18:00")
    assert comparable(saturday, 900.0, BERLIN, [])[0] == at("2026-11-15T18:00")


def test_a_day_with_another_event_does_not_count() -> None:
    monday = at("2026-11-23T18:00")
    busy = [(at("2026-11-20T07:00"), at("2026-11-20T07:30"))]
    assert comparable(monday, 900.0, BERLIN, busy)[0] == at("2026-11-19T18:00")


def test_a_time_that_reaches_into_the_event_itself_does_not_count() -> None:
    thursday = at("2026-11-19T12:00")
    days = comparable(thursday, 2 * DAY, BERLIN, [])
    assert days[0] == at("2026-11-17T12:00")
    assert all(day + 2 * DAY <= thursday for day in days)


def test_a_night_whose_morning_had_an_event_does_not_count() -> None:
    night = at("2026-11-26T23:00")  # a Thursday
    busy = [(at("2026-11-25T01:00"), at("2026-11-25T02:00"))]
    days = comparable(night, 3 * 3600.0, BERLIN, busy)
    assert days[:2] == [at("2026-11-23T23:00"), at("2026-11-20T23:00")]


def test_the_time_on_the_wall_counts_where_the_clock_was_changed() -> None:
    after = at("2026-10-26T18:00")  # the night before, the clock was set back
    before = comparable(after, 900.0, BERLIN, [])[0]
    assert before == at("2026-10-23T18:00")
    assert after - before == 3 * DAY + 3600.0
    powers = {round(before - d * DAY): 100.0 * (d + 1) for d in (0, 1, 2)}
    found = baseline(
        after, after + 900.0, [before - d * DAY for d in (0, 1, 2)], powers, MEAN_OF_10
    )
    assert found is not None
    assert found.mean_w(after, after + 900.0) == pytest.approx(200.0)


def test_too_few_days_tell_nothing() -> None:
    start = at("2026-11-23T18:00")
    days = [start - DAY * d for d in range(1, MEAN_OF_10.least)]
    powers = {round(d): 1.0 for d in days}
    assert baseline(start, start + 900, days, powers, MEAN_OF_10) is None
    assert baseline(start, start + 900, [], {}, MEAN_OF_10) is None


def test_a_day_that_was_hardly_metered_does_not_count() -> None:
    start = at("2026-11-23T18:00")
    days = [start - DAY * d for d in range(1, 5)]
    powers = {round(d) + q: 1000.0 for d in days for q in range(0, 3600, 900)}
    del powers[round(days[0]) + 900], powers[round(days[0]) + 1800]
    found = baseline(start, start + 3600, days, powers, MEAN_OF_10)
    assert found is not None
    assert found.words == "the mean of the same time on 3 comparable days"


def test_what_is_unknown_in_part_has_no_mean() -> None:
    assert Baseline({900: 100.0}, "").mean_w(900.0, 2000.0) is None
    assert constant(1000.0, 2000.0, 250.0, "").mean_w(1000.0, 2000.0) == 250.0


# The method of markets, against one that is worked out the long way.

START = at("2026-11-18T12:00")  # a Wednesday
EVENT = [round(START) + n * QUARTER_S for n in range(3)]
BEFORE = [round(START) - 3 * 3600 + n * QUARTER_S for n in range(8)]
SAME = [START - DAY * n for n in range(1, 9)]
POWER = st.integers(-3_000, 9_000).map(float)
USUAL = st.fixed_dictionaries({"before": POWER, "event": st.tuples(POWER, POWER, POWER)})


def past(days: list[dict[str, tuple[float, ...]]], today_w: float) -> dict[int, float]:
    """Return the powers of some days, the latest first, and of today until the event."""
    powers = dict.fromkeys(BEFORE, today_w)
    for number, day in enumerate(days, 1):
        by_s = round(number * DAY)
        powers |= {start - by_s: day["before"] for start in BEFORE}  # type: ignore[misc]
        powers |= {s - by_s: w for s, w in zip(EVENT, day["event"], strict=True)}
    return powers


def oracle(
    days: list[dict[str, tuple[float, ...]]], today_w: float, method: Method
) -> list[float] | None:
    """Try every choice of days; the one with the highest use in the event counts."""
    choices = list(combinations(days[: method.days], method.highest or 1))
    if not choices:
        return None
    best = max(choices, key=lambda found: sum(sum(day["event"]) for day in found))
    usual_w = sum(day["before"] for day in best) / len(best)  # type: ignore[misc]
    means = [sum(day["event"][n] for day in best) / len(best) for n in range(3)]
    return [mean + today_w - usual_w for mean in means]


@pytest.mark.requirement("BUC-6")
@given(days=st.lists(USUAL, max_size=8), today_w=POWER, highest=st.integers(1, 5))
@settings(max_examples=examples(200), deadline=None)
def test_it_is_the_highest_days_moved_by_the_same_day(
    days: list[dict[str, tuple[float, ...]]], today_w: float, highest: int
) -> None:
    method = Method(5, highest, highest, True, HIGH_4_OF_5.words)
    sums = [sum(day["event"]) for day in days]
    assume(len(set(sums)) == len(sums))  # of two days alike either may be taken
    found = baseline(START, START + 2700.0, SAME, past(days, today_w), method)
    expected = oracle(days, today_w, method)
    assert (found is None) is (expected is None)
    if found is not None and expected is not None:
        assert [found.powers[start] for start in EVENT] == pytest.approx(expected, abs=1e-6)


def flat(*powers_w: float) -> list[dict[str, tuple[float, ...]]]:
    return [{"before": w, "event": (w, w, w)} for w in powers_w]  # type: ignore[dict-item]


@pytest.mark.requirement("BUC-6")
def test_the_method_of_markets_by_hand() -> None:
    days = flat(1_000, 2_000, 3_000, 4_000, 500, 9_000)  # the sixth is too long ago
    powers = past(days, 3_500)

    def found(method: Method, known: Powers) -> Baseline:
        made = baseline(START, START + 2700.0, SAME, known, method)
        assert made is not None
        return made

    adjusted = found(HIGH_4_OF_5, powers)
    assert set(adjusted.powers.values()) == {3_500.0}
    assert adjusted.words == "the highest four of the last five like days, adjusted by the same day"
    bounded = Method(5, 4, 4, True, HIGH_4_OF_5.words, most_adjusted=0.2)
    assert set(found(bounded, powers).powers.values()) == {3_000.0}
    unknown = {start: w for start, w in powers.items() if start != BEFORE[0]}
    plain = found(HIGH_4_OF_5, unknown)
    assert set(plain.powers.values()) == {2_500.0}
    assert "not adjusted" in plain.words
    assert baseline(START, START + 2700.0, SAME, powers, TEN_OF_10) is None  # too few days


@pytest.mark.requirement("BUC-6")
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_the_evening_of_a_day_on_which_the_clock_changes_is_compared_with_evenings(
    day: str,
) -> None:
    """Of 23 or 25 hours: counted from midnight, six in the evening would be five, or seven."""
    start = at(f"{day}T18:00")
    evenings = comparable(start, 900.0, BERLIN, [])
    hours = {datetime.fromtimestamp(each, BERLIN).hour for each in evenings}
    assert hours == {18}
    powers: dict[int, float] = {}
    for each in (start, *evenings):  # 6 kW from six to seven, 1 kW before and after
        for number in range(-24, 12):
            dear = 0 <= number < 4
            powers[round(each) + number * QUARTER_S] = 6_000.0 if dear else 1_000.0
    found = baseline(start, start + 3600.0, evenings, powers, HIGH_4_OF_5)
    assert found is not None
    assert found.mean_w(start, start + 3600.0) == pytest.approx(6_000.0)
