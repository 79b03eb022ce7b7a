"""Energy by windows: against a sum over seconds, over gaps, clocks and restarts."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der.model import DeviceState, Quality, Reading
from hems.image import Image
from hems.market.counter import Counter, window
from hems.market.energies import Amount, Energies, PeakTarget
from hems.store.store import open_store
from programs.registry import Policies
from tests.examples import examples
from tests.hems.cem.plant import METER

UTC_ZONE, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
T0 = 1_800_000_000.0
"""A quarter past an hour."""


def image(at: float, net_w: float | None, registers: tuple[float, float] | None = None) -> Image:
    taken, given_wh = (None, None) if registers is None else registers
    reading = Reading(at, net_w or 0.0, energy_import_wh=taken, energy_export_wh=given_wh)
    quality = Quality.LOST if net_w is None else Quality.GOOD
    return Image(at, int(at), {"meter": DeviceState(METER, reading, quality)})


@pytest.mark.requirement("BUC-11", "BUC-1")
@given(
    powers=st.lists(st.floats(-9_000, 9_000), min_size=30, max_size=30), first=st.integers(0, 29)
)
@settings(max_examples=examples(100), deadline=None)
def test_a_whole_quarter_hour_is_the_sum_of_its_parts(powers: list[float], first: int) -> None:
    """A reading each 30 s, the first so many seconds into the window, holds until the next."""
    counter = Counter.of(T0 - 1, 900, UTC_ZONE).after(image(T0 - 1, 5_000.0), 900, UTC_ZONE, 0)
    for n, net_w in enumerate(powers):
        counter = counter.after(image(T0 + first + 30 * n, net_w), 900, UTC_ZONE, 0)
    seconds = [5_000.0] * first + [w for w in powers[:-1] for _ in range(30)]
    assert counter.starts_at == T0
    assert counter.import_wh == pytest.approx(sum(max(w, 0.0) for w in seconds) / 3600)
    assert counter.export_wh == pytest.approx(sum(max(-w, 0.0) for w in seconds) / 3600)


@pytest.mark.requirement("BUC-11")
def test_a_gap_is_filled_from_registers_else_by_what_is_assumed() -> None:
    start = Counter.of(T0, 900, UTC_ZONE)
    known = start.after(image(T0, 1_000.0, (500.0, 20.0)), 900, UTC_ZONE, 4_000)
    filled = known.after(image(T0 + 300, 1_000.0, (650.0, 30.0)), 900, UTC_ZONE, 4_000)
    assert (filled.import_wh, filled.export_wh) == (150.0, 10.0)
    exchanged = known.after(image(T0 + 300, 1_000.0, (5.0, 0.0)), 900, UTC_ZONE, 3_600)
    assert exchanged.import_wh == 300.0  # another meter: its totals say nothing
    lost = known.after(image(T0 + 1, None), 900, UTC_ZONE, 3_600)
    back = lost.after(image(T0 + 61, 0.0), 900, UTC_ZONE, 3_600)
    assert back.import_wh == pytest.approx(1_000 / 3600 + 60)
    late = Counter.of(T0 + 450, 900, UTC_ZONE).after(image(T0 + 450, 0.0), 900, UTC_ZONE, 2_000)
    assert late.import_wh == 250.0  # a hub that starts late reckons with what was allowed


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize(
    ("day", "hours"), [("2027-03-28", 23), ("2027-10-31", 25), ("2027-07-01", 24)]
)
def test_a_day_is_as_long_as_the_clock_on_the_wall_makes_it(day: str, hours: int) -> None:
    noon = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=BERLIN).timestamp()
    start, end = window(noon, 86_400, BERLIN)
    assert (end - start) / 3600 == hours
    assert datetime.fromtimestamp(start, BERLIN).hour == 0
    quarter, _ = window(noon + 100, 900, ZoneInfo("Asia/Kathmandu"))
    assert datetime.fromtimestamp(quarter, UTC).minute % 15 == 0


@dataclass
class Hands:
    """A clock set by hand."""

    at: float = T0
    utc_s: float = 0.0

    def now(self) -> float:
        return self.at + self.utc_s

    def monotonic(self) -> float:
        return self.at


@pytest.mark.requirement("BUC-1", "BUC-11")
async def test_counts_and_target_reach_the_policies_and_outlive_a_restart(tmp_path: Path) -> None:
    clock, alarms = Hands(), list[str | None]()
    store = await open_store(tmp_path / "hems.db", clock)

    def made() -> Energies:
        return Energies(
            [Amount(900, import_wh=1_000, export_wh=500), Amount(86_400, import_wh=20_000)],
            PeakTarget(3_000, holds_highest=True),
            zone=UTC_ZONE,
            clock=clock,
            kept=store.settings,
            month=lambda: (4_000.0, 86_400.0),
            alarm=alarms.append,
        )

    first = made()
    await first.load()
    for second in range(301):
        clock.at = T0 + second
        first.take_image(image(clock.at, 6_000.0))
    policies = first.applied(Policies())
    assert policies.peak_shaving.own_limit_w == 4_000  # charged already: holding less earns nothing
    own = policies.peak_shaving.own_window
    assert own is not None
    assert own.limit_wh == 1_000
    assert own.used_wh == pytest.approx(500)
    quarter, day = policies.envelope.import_energy
    assert quarter.limit_wh == 1_000
    assert quarter.used_wh == pytest.approx(500)
    assert quarter.left_w(clock.at) == pytest.approx(500 * 3600 / 600)
    assert day.used_wh > 500  # what nobody saw of the day before the start is reckoned as allowed
    assert [s.programme for s in first.standings] == ["peak-shaving", "envelope", "envelope"]

    task_saved = first._save
    await task_saved()
    clock.at += 100
    second_run = made()
    await second_run.load()
    second_run.take_image(image(clock.at, 0.0))
    again = second_run.applied(Policies()).peak_shaving.own_window
    assert again is not None
    assert again.used_wh == pytest.approx(500 + 100 * 2_000 / 3600)  # the strictest amount's pace
    assert alarms == [None]
    await store.close()


@pytest.mark.requirement("BUC-1")
@pytest.mark.parametrize(
    ("target", "highest_w", "month_s", "now_w"),
    [
        (PeakTarget(), 5_000, 1e6, None),
        (PeakTarget(3_000), 5_000, 1e6, 3_000),
        (PeakTarget(3_000, holds_highest=True), 2_000, 0, 3_000),
        (PeakTarget(3_000, holds_highest=True), 5_000, 0, 5_000),
        (PeakTarget(None, holds_highest=True), 5_000, 3_600, None),
        (PeakTarget(None, holds_highest=True), 5_000, 90_000, 5_000),
        (PeakTarget(None, holds_highest=True), 0, 90_000, None),
    ],
)
def test_the_peak_target(
    target: PeakTarget, highest_w: float, month_s: float, now_w: float | None
) -> None:
    assert target.now_w(highest_w, month_s) == now_w
