"""Samples in, equal steps out: against a plain recount, and in good time for a day."""

import asyncio
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.clock import SystemClock
from hems.sep2.book.ledger import EventRow
from hems.store.history import MAX_POINTS, DeviceSeries, Sample
from hems.store.store import Store, open_store

pytestmark = pytest.mark.requirement("BUC-13")

T0 = 1_800_000_000 - 1_800_000_000 % 3600
"""A whole hour."""
BLOCK0 = T0 - T0 % (3 * 3600)


async def test_means_and_last_charge_of_each_minute(store: Store) -> None:
    batch = [Sample(T0 + s, "battery", float(s), soc=s / 200) for s in range(120)]
    await store.history.append([*batch[:50], Sample(T0 + 3.25, "meter", -700.0)])
    await store.history.append(batch[50:])
    assert list(await store.history.history(T0, T0 + 180, 60)) == [
        DeviceSeries("battery", (T0, T0 + 60, T0 + 120), [29.5, 89.5, None], [0.295, 0.595, None]),
        DeviceSeries("meter", (T0, T0 + 60, T0 + 120), [-700.0, None, None], [None, None, None]),
    ]


async def test_steps_other_than_minutes_come_from_the_samples(store: Store) -> None:
    await store.history.append([Sample(T0 + s, "pv", -float(s)) for s in range(60)])
    (series,) = await store.history.history(T0 + 5, T0 + 20, 10)
    assert list(series.at) == [T0, T0 + 10]
    assert series.power_w == [-4.5, -14.5]


async def test_a_device_that_was_silent_has_gaps_and_no_zeroes(store: Store) -> None:
    await store.history.append([Sample(T0, "pv", -100.0), Sample(T0 + 3600, "pv", -50.0)])
    (series,) = await store.history.history(T0, T0 + 3660, 60)
    assert series.power_w[0] == -100.0
    assert set(series.power_w[1:-1]) == {None}
    assert series.power_w[-1] == -50.0


async def test_a_reading_that_is_no_number_costs_no_other(store: Store) -> None:
    await store.history.append(
        [
            Sample(T0, "bad", math.nan),
            Sample(T0, "worse", math.inf),
            Sample(math.nan, "lost", 1.0),
            Sample(T0, "good", 5.0, soc=math.nan),
        ]
    )
    assert list(await store.history.history(T0, T0 + 60, 60)) == [
        DeviceSeries("good", (T0,), [5.0], [None])
    ]


@pytest.mark.parametrize(
    ("start", "end", "step_s"),
    [
        (0, 60, 0),
        (0, 60, -60),
        (60, 60, 60),
        (60, 0, 60),
        (math.nan, 60, 60),
        (0, math.inf, 60),
        (0, MAX_POINTS * 60 + 1, 60),
    ],
)
async def test_a_chart_of_nonsense_is_refused(
    store: Store, start: float, end: float, step_s: int
) -> None:
    with pytest.raises(ValueError, match="intervals of"):
        await store.history.history(start, end, step_s)


@pytest.mark.parametrize("step_s", [7, 60, 300, 900, 1801])
async def test_what_is_not_kept_as_finely_is_told_as_it_is_kept(store: Store, step_s: int) -> None:
    """Four hours, of which two have quarter-hours only, and one has no samples any more."""
    await store.history.append(
        [Sample(T0 + s, "pv", -(s // 60) * 1.0) for s in range(0, 14_410, 5)]
    )
    await store.history.prune(T0 + 3 * 3600 + 30, minutes_before=T0 + 2 * 3600 + 100)
    (found,) = await store.history.history(T0, T0 + 4 * 3600, step_s)
    told = {at: w for at, w in zip(found.at, found.power_w, strict=True) if at >= T0}
    assert None not in told.values(), "coarser rows stand in for finer ones that have gone"
    for at, power_w in told.items():
        middle = (at - T0 + step_s / 2) / 60
        assert power_w == pytest.approx(-middle, abs=8.0 + step_s / 120)
    if step_s == 60:
        assert [told[T0 + m * 60] for m in (0, 119, 120, 200)] == [-7.0, -112.0, -120.0, -200.0]


async def test_what_began_before_the_first_interval_is_told_in_no_other(store: Store) -> None:
    """Only its quarter-hour is left, of which a part only is in the first interval."""
    step_s = 1801
    begun = (T0 // step_s + 1) * step_s
    assert begun % 900
    later = T0 + 2 * 86_400
    await store.history.append([Sample(t, "pv", -5.0) for t in (begun - begun % 900, later)])
    await store.history.prune(T0 + 86_400, minutes_before=T0 + 86_400)
    (found,) = await store.history.history(begun, begun + 2 * step_s, step_s)
    assert (list(found.at), found.power_w) == ([begun, begun + step_s], [None, None])


async def test_where_nothing_finer_is_left_quarter_hours_tell_all(store: Store) -> None:
    await store.history.append([Sample(T0 + 30, "pv", -5.0)])
    await store.history.prune(T0 + 86_400, minutes_before=T0 + 86_400)
    for step_s in (7, 60, 300):
        (found,) = await store.history.history(T0, T0 + 1800, step_s)
        told = {at: w for at, w in zip(found.at, found.power_w, strict=True) if at >= T0}
        assert told == {at: -5.0 if at < T0 + 900 else None for at in told}


async def test_quarter_hours_go_last(store: Store) -> None:
    await store.history.append([Sample(T0 + h * 3600, "pv", 1.0) for h in range(72)])
    end = T0 + 3 * 86_400
    await store.history.prune(end, minutes_before=end, quarters_before=BLOCK0 + 86_400)
    (found,) = await store.history.history(T0, end, 3600)
    assert found.power_w.count(None) == (BLOCK0 + 86_400 - T0) // 3600
    assert set(found.power_w[-48:]) == {1.0}


SAMPLES = st.lists(
    st.builds(
        Sample,
        at=st.integers(0, 400_000).map(lambda ms: T0 + ms / 1000),
        device=st.sampled_from(["a", "b"]),
        power_w=st.integers(-5000, 5000).map(float),
        soc=st.none(),
    ),
    unique_by=lambda sample: (sample.device, sample.at),
    max_size=60,
)


@settings(max_examples=20, deadline=None)
@given(
    SAMPLES,
    st.integers(0, 60),
    st.sampled_from([7, 30, 60, 120]),
    st.sampled_from([1, 11, 5000]),
)
async def test_both_ways_agree_with_a_plain_recount(
    tmp_path_factory: pytest.TempPathFactory,
    samples: list[Sample],
    cut: int,
    step_s: int,
    most: int,
) -> None:
    """However few rows are looked at at once."""
    store = await open_store(tmp_path_factory.mktemp("h") / "hems.db", SystemClock())
    await store.history.append(samples[:cut])
    await store.history.append(samples[cut:])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("hems.store.series._MOST_ROWS", most)
        found = await store.history.history(T0, T0 + 420, step_s)
    await store.close()
    assert {series.device for series in found} == {sample.device for sample in samples}
    for series in found:
        for begin, power_w in zip(series.at, series.power_w, strict=True):
            inside = [
                sample.power_w
                for sample in samples
                if sample.device == series.device and begin <= sample.at < begin + step_s
            ]
            expected = sum(inside) / len(inside) if inside else None
            assert power_w == (None if expected is None else pytest.approx(expected))


async def test_a_day_of_ten_devices_is_charted_by_the_minute(store: Store) -> None:
    for begin in range(0, 86_400, 3600):
        await store.history.append(
            [Sample(T0 + begin + s, f"d{d}", 1.0) for d in range(10) for s in range(0, 3600, 30)]
        )
    found = await store.history.history(T0, T0 + 86_400, 60)
    assert [len(series.at) for series in found] == [1440] * 10


async def test_the_ledger_does_not_wait_for_a_chart(store: Store) -> None:
    """Both run at once on their own connections, and each sees whole transactions."""
    row = EventRow("A", "s", "DERControl", "p", "n", 1, False, b"", 0, 0, 0, "received")
    await store.history.append([Sample(T0 + s, "pv", 1.0) for s in range(50_000)])
    chart = asyncio.create_task(store.history.history(T0, T0 + 50_000, 7))
    for _ in range(5):
        await store.ledger.save([row], [])
    await store.history.append([Sample(T0 + 60_000, "pv", 1.0)])
    (series,) = await chart
    assert series.power_w[0] == 1.0
