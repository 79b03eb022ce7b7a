"""Import and load limits, on the devices: a home with much to draw."""

import asyncio
import time

import pytest

from tests.conformance.home import Home, PowerSample
from tests.conformance.scenario import AUS, CSIP, scenario
from tests.conformance.steps import (
    Good,
    importing_at_most,
    kept_by_default,
    loading_at_most,
    obeyed,
    subscribed,
)
from tests.interop.grid.server import Grid
from tests.interop.grid.words import CANCELLED, SUPERSEDED

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
    pytest.mark.requirement("PRO-2030.5", "BUC-1"),
]

LIMITS = {
    "opModImpLimW": (1500.0, importing_at_most(1500.0)),
    "opModLoadLimW": (4000.0, loading_at_most(4000.0)),
}


async def drawing(home: Home) -> None:
    """Wait until car and tank draw again, after what an earlier scenario took from them."""
    await home.comes_to(lambda s: s.load_w > 4500.0, "the home draws as it likes", 90.0)


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        pytest.param(
            "opModImpLimW", False, marks=scenario("LOA-01", "CTL", "Import limit, polled", AUS)
        ),
        pytest.param(
            "opModLoadLimW",
            False,
            marks=[scenario("LOA-02", "CTL", "Load limit, polled", AUS), pytest.mark.deep],
        ),
        pytest.param(
            "opModImpLimW", True, marks=scenario("LOA-05", "CTL", "Import limit, notified", AUS)
        ),
        pytest.param(
            "opModLoadLimW",
            True,
            marks=[scenario("LOA-06", "CTL", "Load limit, notified", AUS), pytest.mark.deep],
        ),
    ],
)
async def test_an_active_limit(evening: Home, mode: str, told: bool) -> None:
    await drawing(evening)
    programme = evening.grid.add_programme(subscribable=1 if told else None)
    if told:
        await subscribed(evening, programme)
    watts, good = LIMITS[mode]
    await obeyed(evening, programme, good, {mode: watts}, told=told)


@pytest.mark.parametrize(
    ("mode", "watts", "good"),
    [
        pytest.param(
            *("opModImpLimW", 1500.0, importing_at_most(1500.0)),
            marks=scenario("LOA-03", "CTL", "Default import limit, polled", AUS),
        ),
        pytest.param(
            *("opModLoadLimW", 4000.0, loading_at_most(4000.0)),
            marks=[scenario("LOA-04", "CTL", "Default load limit, polled", AUS), pytest.mark.deep],
        ),
    ],
)
async def test_a_default_limit(evening: Home, mode: str, watts: float, good: Good) -> None:
    await drawing(evening)
    programme = evening.grid.add_programme()
    await kept_by_default(evening, programme, good, {mode: watts})


@scenario("LOA-09", "DER", "A cancelled import limit lets the devices go", AUS)
async def test_a_cancelled_import_limit(evening: Home) -> None:
    await drawing(evening)
    programme = evening.grid.add_programme()
    good = importing_at_most(1500.0)
    mrid = programme.add(0, 300, opModImpLimW=1500.0)
    await evening.comes_to(good, "limited")
    await evening.grid.answered(mrid, [1, 2])
    programme.restate(mrid, CANCELLED)
    await evening.comes_to(lambda sample: not good(sample), "free again", 60.0)
    await evening.grid.answered(mrid, [1, 2, 6])


@scenario("LOA-10", "DER", "Import limits of two programmes: the lower primacy rules", AUS)
async def test_primacy_of_import_limits(evening: Home) -> None:
    await drawing(evening)
    strong, weak = evening.grid.add_programme(1), evening.grid.add_programme(5)
    loose, tight = importing_at_most(3500.0), importing_at_most(1500.0)
    over = weak.add(0, 60, opModImpLimW=1500.0)
    await evening.comes_to(tight, "the weaker programme alone")
    ruling = strong.add(0, 8, opModImpLimW=3500.0)
    ends = time.time() + 8
    await evening.comes_to(lambda s: not tight(s) and loose(s), "the stronger programme's limit")
    await evening.holds(loose, ends - 1.0, "the stronger programme's limit")
    await evening.grid.answered(ruling, [1, 2, 3])
    assert evening.grid.codes(over)[:2] == [1, 2]


@scenario("LOA-11", "DER", "Import limits that follow one another", AUS)
@pytest.mark.deep
async def test_limits_that_follow_one_another(evening: Home) -> None:
    await drawing(evening)
    programme = evening.grid.add_programme()
    begin = time.time()
    made = [
        programme.add(5 * n, 5, opModImpLimW=watts)
        for n, watts in enumerate((3500.0, 1500.0, 2500.0))
    ]
    await evening.comes_to(importing_at_most(3500.0), "the first")
    await asyncio.sleep(max(0.0, begin + 5 - time.time()))
    await evening.comes_to(importing_at_most(1500.0), "the second", 4.0)
    await evening.holds(importing_at_most(2500.0), begin + 14, "the third")
    for mrid in made:
        await evening.grid.answered(mrid, [1, 2, 3], 15.0)


@scenario("LOA-13", "DER", "An import limit is kept while loads come and go", AUS)
@pytest.mark.deep
async def test_a_limit_is_kept_while_loads_change(evening: Home) -> None:
    await drawing(evening)
    programme = evening.grid.add_programme()
    good = importing_at_most(2500.0)
    mrid = programme.add(0, 14, opModImpLimW=2500.0)
    ends = time.time() + 14
    await evening.comes_to(good, "limited")
    try:
        for base_w in (4500.0, 1500.0):
            await evening.load(base_w=base_w)
            await evening.comes_to(good, f"limited with {base_w:g} W of other loads", 3.0)
            await evening.holds(good, time.time() + 1.0, "limited")
    finally:
        await evening.load(base_w=3000.0)
    await evening.comes_to(good, "limited", 3.0)
    assert time.time() < ends
    await evening.grid.answered(mrid, [1, 2, 3], 15.0)


@scenario("FIELD-01", "FIELD", "A second immediate control with a lower limit takes over", AUS)
async def test_a_lower_limit_over_another(evening: Home) -> None:
    await drawing(evening)
    programme = evening.grid.add_programme()
    first = programme.add(0, 60, opModImpLimW=4000.0)
    await evening.comes_to(importing_at_most(4000.0), "the first")
    await evening.grid.answered(first, [1, 2])
    second = programme.add(0, 8, created=evening.grid.now() + 1, opModImpLimW=1500.0)
    ends = time.time() + 8
    await evening.comes_to(importing_at_most(1500.0), "the second")
    await evening.holds(importing_at_most(1500.0), ends - 1.0, "the second")
    await evening.grid.answered(first, [1, 2, 7])
    await evening.grid.answered(second, [1, 2, 3])


@scenario("FIELD-02", "FIELD", "Two controls of one creationTime, the older superseded", AUS)
@pytest.mark.deep
async def test_one_creation_time(evening: Home) -> None:
    await drawing(evening)
    programme = evening.grid.add_programme()
    created = evening.grid.now()
    old = programme.add(0, 60, created=created, opModImpLimW=4000.0)
    await evening.comes_to(importing_at_most(4000.0), "the first")
    programme.restate(old, SUPERSEDED, superseded_at=created)
    new = programme.add(0, 8, created=created, opModImpLimW=1500.0)
    ends = time.time() + 8
    await evening.comes_to(importing_at_most(1500.0), "the second")
    await evening.holds(importing_at_most(1500.0), ends - 1.0, "the second")
    await evening.grid.answered(old, [1, 2, 7])
    await evening.grid.answered(new, [1, 2, 3])


SITE = 0b11
"""roleFlags of the connection point: mirror, premises' aggregation point."""


@scenario("ALL-06", "MON", "Readings: power, voltage, frequency, at the utility's post rate")
async def test_readings_are_posted(evening: Home) -> None:
    grid = evening.grid
    before = len(grid.readings())
    await grid.until(lambda: len(grid.readings()) >= before + 3, 30.0, "readings posted")
    await grid.until(
        lambda: {38, 29, 33} <= set(grid.series(SITE).values()), 30.0, "W, V and Hz of the site"
    )


@scenario("BASIC-029", "BASIC", "Readings of each DER, as a sub-meter of its own", CSIP)
async def test_readings_of_each_der(evening: Home) -> None:
    der = 0b1001001  # mirror, DER, sub-meter
    grid = evening.grid
    await grid.until(
        lambda: 38 in grid.series(der).values() and grid.readings(), 30.0, "W of a DER"
    )


def _site_powers(grid: Grid, after: float) -> list[tuple[int, float]]:
    """Return begin and mean power of the site's intervals that began after a time."""
    series = {mrid for mrid, unit in grid.series(SITE).items() if unit == 38}
    found = [
        (
            int(reading.findtext("{*}timePeriod/{*}start") or "0"),
            float(reading.findtext("{*}value") or "nan"),
        )
        for posted in grid.readings()
        if posted.findtext("{*}mRID") in series
        for reading in posted.iter("{*}Reading")
    ]
    return [each for each in found if each[0] > after]


@scenario("ALL-29", "DER", "Readings agree with what the devices truly draw")
async def test_readings_are_true(evening: Home) -> None:
    begin = time.time()
    await evening.grid.until(
        lambda: _site_powers(evening.grid, begin), 40.0, "a reading of this scenario"
    )
    start, mean_w = _site_powers(evening.grid, begin)[0]
    span = [s.meter_w for s in evening.samples if start <= s.at < start + 10]
    assert abs(mean_w - sum(span) / len(span)) < 100.0 + 0.2 * (max(span) - min(span))


@pytest.mark.parametrize(
    ("watts", "default"),
    [
        pytest.param(
            2000.0,
            False,
            marks=scenario("STO-01", "STO", "A storage target: the battery gives that much", AUS),
        ),
        pytest.param(
            -1500.0,
            True,
            marks=[
                scenario("STO-02", "STO", "A default storage target: the battery takes it", AUS),
                pytest.mark.deep,
            ],
        ),
    ],
)
async def test_a_storage_target(evening: Home, watts: float, default: bool) -> None:
    programme = evening.grid.add_programme()

    def good(sample: PowerSample) -> bool:
        return abs(sample.battery_w + watts) < 100.0

    await evening.comes_to(lambda s: not good(s), "another power before")
    if default:
        programme.fall_back(opModStorageTargetW=watts)
        await evening.comes_to(good, f"{watts:g} W of the battery")
        programme.fall_back()
    else:
        mrid = programme.add(0, 8, opModStorageTargetW=watts)
        await evening.comes_to(good, f"{watts:g} W of the battery")
        await evening.grid.answered(mrid, [1, 2, 3], 15.0)
    await evening.comes_to(lambda s: not good(s), "free again", 30.0)
