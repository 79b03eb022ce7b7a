"""Windows of a tariff: by the clock on the wall, each time with exactly one price."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.cem.slots import Slots
from hems.cem.tariff import wall_clock
from hems.cem.tariff.schedule import (
    WEEKDAYS,
    WEEKEND,
    Schedule,
    Season,
    TariffError,
    Window,
    check,
)
from hems.cem.tariff.series import means
from tests.examples import examples

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
CHANGES = (
    datetime(2026, 3, 29, tzinfo=UTC),  # Berlin, spring
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2026, 3, 8, tzinfo=UTC),  # New York
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2026, 4, 5, tzinfo=UTC),  # Lord Howe: half an hour
    datetime(2026, 10, 4, tzinfo=UTC),
)
BERLIN = ZoneInfo("Europe/Berlin")


def at(zone: ZoneInfo, *when: int) -> float:
    return datetime(*when, tzinfo=zone).timestamp()  # type: ignore[arg-type, misc]


EVENING = Schedule(
    0.20,
    (
        Window(0.40, WEEKDAYS, 17 * 60, 20 * 60),
        Window(0.10, frozenset(range(7)), 22 * 60, 6 * 60),
        Window(0.05, WEEKEND, 12 * 60, 14 * 60, Season((5, 1), (9, 30))),
    ),
    holidays=frozenset({date(2026, 5, 1).toordinal()}),
)


@pytest.mark.requirement("BUC-1")
@pytest.mark.parametrize(
    ("when", "price"),
    [
        ((2026, 6, 3, 16, 59), 0.20),
        ((2026, 6, 3, 17, 0), 0.40),
        ((2026, 6, 3, 20, 0), 0.20),
        ((2026, 6, 3, 22, 0), 0.10),
        ((2026, 6, 4, 5, 59), 0.10),
        ((2026, 6, 4, 6, 0), 0.20),
        ((2026, 6, 6, 17, 0), 0.20),  # Saturday
        ((2026, 6, 6, 13, 0), 0.05),
        ((2026, 10, 3, 13, 0), 0.20),  # Saturday, out of season
        ((2026, 5, 1, 13, 0), 0.05),  # a Friday, and a holiday
        ((2026, 5, 1, 18, 0), 0.20),
    ],
)
def test_a_price_by_the_clock(when: tuple[int, ...], price: float) -> None:
    check(EVENING)
    assert EVENING.at(at(BERLIN, *when), BERLIN) == price


def test_a_season_over_the_new_year() -> None:
    winter = Season((10, 1), (3, 31))
    days = [date(2026, 1, 1), date(2026, 3, 31), date(2026, 4, 1), date(2026, 10, 1)]
    assert [winter.holds(day) for day in days] == [True, True, False, True]


@pytest.mark.parametrize(
    ("schedule", "reason"),
    [
        (
            Schedule(None, (Window(1.0, WEEKDAYS),)),
            "no window holds on Saturdays at 00:00 (such as in the week of 1 January)",
        ),
        (
            Schedule(None, (Window(1.0, begins=0, ends=420), Window(2.0, begins=480, ends=1440))),
            "no window holds on Mondays at 07:00",
        ),
        (
            Schedule(None, (Window(1.0, begins=60), Window(1.0, begins=0, ends=59))),
            "no window holds on Mondays at 00:59",
        ),
        (
            Schedule(0.1, (Window(1.0, begins=420, ends=600), Window(2.0, begins=540, ends=900))),
            "windows 1 and 2 both hold on Mondays at 09:00",
        ),
        (
            Schedule(0.1, (Window(1.0, WEEKEND, 1320, 360), Window(2.0, begins=359, ends=400))),
            "windows 1 and 2 both hold on Saturdays at 05:59",
        ),
        (
            Schedule(None, (Window(1.0, season=Season((4, 1), (9, 30))),)),
            "no window holds on Mondays at 00:00 (such as in the week of 1 January)",
        ),
        (
            Schedule(
                None,
                (
                    Window(1.0, season=Season((3, 1), (10, 31))),
                    Window(2.0, season=Season((10, 31), (2, 29))),
                ),
            ),
            "windows 1 and 2 both hold on Mondays at 00:00 (such as in the week of 31 October)",
        ),
    ],
)
def test_gaps_and_overlaps_are_named(schedule: Schedule, reason: str) -> None:
    with pytest.raises(TariffError) as caught:
        check(schedule)
    assert reason in str(caught.value)


def test_a_window_of_all_day_written_from_midnight_to_midnight() -> None:
    check(Schedule(None, (Window(1.0, begins=0, ends=0),)))


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("Australia/Lord_Howe", (2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", (2026, 10, 4), 23.5),
        ("Asia/Kolkata", (2026, 10, 25), 24),
    ],
)
def test_days_are_as_long_as_people_live_them(
    zone: str, day: tuple[int, ...], hours: float
) -> None:
    where = ZoneInfo(zone)
    noon = at(where, *day, 12)
    start, end = wall_clock.day_start(noon, where), wall_clock.next_day_start(noon, where)
    assert end - start == hours * 3600
    assert datetime.fromtimestamp(start, where).hour == 0


@pytest.mark.requirement("ROLE-CEM")
def test_the_hour_that_comes_twice_costs_twice_and_the_one_left_out_nothing() -> None:
    early = Schedule(0.0, (Window(1.0, begins=120, ends=180),))

    def hours_dear(day: tuple[int, int, int]) -> float:
        start = at(BERLIN, *day)
        slots = Slots(start, 900.0, 25 * 4)
        return sum(means(slots, early.edges(slots.start, slots.end, BERLIN), price)) / 4

    def price(when: float) -> float:
        return early.at(when, BERLIN)

    assert hours_dear((2026, 3, 29)) == 0.0
    assert hours_dear((2026, 6, 3)) == 1.0
    assert hours_dear((2026, 10, 25)) == 2.0


def partitions() -> st.SearchStrategy[Schedule]:
    """Schedules that cover all days: each day cut at some minutes, a price for each piece."""

    def of_cuts(cuts: list[int], kinds: bool, seasonal: bool) -> Schedule:
        ordered = sorted({0, *cuts})
        ends = [*ordered[1:], 1440]
        seasons = (Season((4, 5), (10, 24)), Season((10, 25), (4, 4))) if seasonal else (Season(),)
        days = (WEEKDAYS, WEEKEND) if kinds else (frozenset(range(7)),)
        price = iter(range(1, 10_000))
        return Schedule(
            None,
            tuple(
                Window(next(price) / 100, kind, begins, until, season)
                for season in seasons
                for kind in days
                for begins, until in zip(ordered, ends, strict=True)
            ),
        )

    return st.builds(
        of_cuts, st.lists(st.integers(1, 1439), max_size=5), st.booleans(), st.booleans()
    )


def minutes_of(start: float, count: int) -> Iterator[float]:
    return (start + 60.0 * i for i in range(count))


def walked(schedule: Schedule, when: float, zone: ZoneInfo) -> float:
    """Return the price as somebody with a wall clock and the printed table would."""
    local = datetime.fromtimestamp(when, UTC).astimezone(zone)
    spoken = local.hour * 60 + local.minute
    (price,) = [
        window.per_kwh
        for window in schedule.windows
        if local.weekday() in window.days
        and window.begins <= spoken < window.ends
        and window.season.holds(local.date())
    ]
    return price


@pytest.mark.requirement("ROLE-CEM")
@settings(max_examples=examples(60), deadline=None)
@given(
    schedule=partitions(),
    zone=st.sampled_from(ZONES),
    change=st.sampled_from(CHANGES),
    back_minutes=st.integers(0, 36 * 60),
    step_minutes=st.sampled_from([5, 15, 30, 60, 90]),
)
def test_the_price_of_a_slot_is_that_of_its_minutes(
    schedule: Schedule, zone: str, change: datetime, back_minutes: int, step_minutes: int
) -> None:
    check(schedule)
    where = ZoneInfo(zone)
    start = (change + timedelta(hours=12) - timedelta(minutes=back_minutes)).timestamp()
    slots = Slots(start, step_minutes * 60.0, 24 * 60 // step_minutes)
    fast = means(
        slots,
        schedule.edges(slots.start, slots.end, where),
        lambda when: schedule.at(when, where),
    )
    for begins, price in zip(slots, fast, strict=True):
        slow = [walked(schedule, when, where) for when in minutes_of(begins, step_minutes)]
        assert price == pytest.approx(sum(slow) / len(slow), abs=1e-12)
