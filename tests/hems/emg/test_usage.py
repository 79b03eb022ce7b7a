"""The utility's own metering in house words: units, directions, phases, tiers, and what is none."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.drivers.feed import Feed
from der.model import PhaseReading
from hems.clock import SystemClock
from hems.emg.metering import Metering
from hems.emg.usage import reading
from hems.sep2.enddevice.usage import Metered, UsagePoint, UsageSeries

pytestmark = pytest.mark.requirement("ROLE-SMG")

OWN = "AB" * 20
NOW = 10_000.0
W, WH, VAR, V, HZ = 38, 72, 63, 29, 33
FORWARD, REVERSE = 1, 19
SUMMATION, DELTA, MOMENT = 9, 4, 12


def series(
    uom: int,
    value: float,
    direction: int | None = FORWARD,
    *,
    phase: int | None = None,
    accumulation: int = MOMENT,
    start: int | None = 9_990,
    **more: int,
) -> UsageSeries:
    latest = Metered(Decimal(str(value)), start, **more)
    return UsageSeries(
        f"{uom}", uom, 1, direction, phase, accumulation=accumulation, latest=[latest]
    )


def point(*found: UsageSeries, roles: int = 0b10, **changes: object) -> UsagePoint:
    made = UsagePoint("A1", "Meter", roles, 0, on=True, lfdi="", series=found)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_all_that_a_meter_tells_is_one_reading() -> None:
    got = reading(
        [
            point(
                series(W, 700),
                series(VAR, 50, REVERSE),
                series(V, 231.5, None),
                series(HZ, 49.98, None),
                series(WH, 5_000_000, accumulation=SUMMATION, start=9_000),
                series(WH, 1_000_000, REVERSE, accumulation=SUMMATION),
                series(W, 900, phase=128),
                series(W, 200, REVERSE, phase=64),
                series(V, 230.5, None, phase=65),
                series(W, 0, phase=32),
            )
        ],
        {OWN},
        0.0,
        NOW,
    )
    assert got is not None
    assert (got.at, got.power_w, got.reactive_var) == (9_990, 700, -50)
    assert (got.voltage_v, got.frequency_hz) == (231.5, 49.98)
    assert (got.energy_import_wh, got.energy_export_wh) == (5_000_000, 1_000_000)
    assert got.taken == {"energy_import_wh": 9_000}
    assert got.phases == (PhaseReading(900), PhaseReading(-200, 230.5), PhaseReading(0))


@pytest.mark.parametrize(
    ("found", "power_w"),
    [
        ([series(W, 700)], 700),
        ([series(W, -700)], -700),
        ([series(W, 700, REVERSE)], -700),
        ([series(W, 0), series(W, 700, REVERSE)], -700),
        ([series(W, 500, start=9_000), series(W, 700, REVERSE)], -700),
        ([series(W, 700, None)], 700),
        ([series(W, 700, 0, phase=224)], 700),
        ([series(WH, 250, accumulation=DELTA, start=9_000, duration_s=900)], 1000),
        (
            [
                series(WH, 100, accumulation=DELTA, start=9_000, duration_s=900),
                series(WH, 350, REVERSE, accumulation=DELTA, start=9_000, duration_s=900),
            ],
            -1000,
        ),
    ],
)
def test_power_by_direction(found: list[UsageSeries], power_w: float) -> None:
    got = reading([point(*found)], {OWN}, 0.0, NOW)
    assert got is not None
    assert got.power_w == power_w


GOOD = series(W, 700)


@pytest.mark.parametrize(
    "shown",
    [
        [],
        [point()],
        [point(series(V, 230, None))],
        [point(series(W, 700, phase=128))],
        [point(replace(GOOD, commodity=7))],
        [point(replace(GOOD, qualifier=8))],
        [point(replace(GOOD, accumulation=SUMMATION))],
        [point(series(W, 700, quality=1 << 4))],
        [point(series(W, 700, quality=1 << 6))],
        [point(series(W, 700, start=None))],
        [point(series(WH, 250, accumulation=DELTA))],
        [point(GOOD, on=False)],
        [point(GOOD, service=1)],
        [point(GOOD, roles=0b11, lfdi=OWN.lower())],
        [point(GOOD, roles=0b11)],
        [point(GOOD, roles=1 << 3)],
        [point(GOOD, roles=1 << 6)],
    ],
)
def test_what_is_no_reading_of_the_connection_point(shown: list[UsagePoint]) -> None:
    assert reading(shown, {OWN}, 0.0, NOW) is None


def test_another_device_s_mirror_and_the_premises_come_first() -> None:
    other = point(series(W, 1), roles=0b01, lfdi="CD" * 20)
    premises = point(series(W, 2), roles=0b10)
    own = point(series(W, 3), roles=0b11, lfdi=OWN)
    got = [reading(shown, {OWN}, 0.0, NOW) for shown in ([other, own], [own, other, premises])]
    assert [r.power_w for r in got if r] == [1, 2]


def test_registers_of_several_tariffs_are_summed_unless_their_sum_is_told() -> None:
    tiers = [Metered(Decimal(value), 9_990, tier=tier) for tier, value in ((1, 100), (2, 23))]
    register = replace(series(WH, 0, accumulation=SUMMATION), latest=tiers)
    whole = replace(register, latest=[*tiers, Metered(Decimal(124), 9_990)])
    for each, energy_wh in ((register, 123), (whole, 124)):
        got = reading([point(GOOD, each)], {OWN}, 0.0, NOW)
        assert got is not None
        assert got.energy_import_wh == energy_wh


@given(st.floats(-50_000, 50_000), st.integers(0, 20_000), st.integers(0, 900))
def test_a_reading_is_dated_by_the_home_s_clock_and_never_ahead(
    offset_s: float, start: int, duration_s: int
) -> None:
    shown = [point(series(W, 700, start=start, duration_s=duration_s))]
    got = reading(shown, {OWN}, offset_s, NOW)
    assert got is not None
    assert got.at == min(NOW, start + duration_s - offset_s)


def test_no_power_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    feed = Feed()
    metering = Metering("grid", feed, {OWN}, SystemClock(), lambda: 0.0)
    for shown in ([], [], [point(GOOD)], [], []):
        metering.take(shown)
    assert len(caplog.messages) == 2
    assert caplog.messages[0].startswith("grid: shows no usage point")
    newest = feed.newest("grid")
    assert newest is not None
    assert newest.power_w == 700
