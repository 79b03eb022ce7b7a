"""What of an event was owed, and counts: once, for the time in which its word held."""

import csv
import io
from dataclasses import replace

import pytest

from hems.participation.baseline import held
from hems.participation.consequence import Pay
from hems.participation.participation import Terms
from hems.programme_surface import Form
from hems.store.history import Sample
from programs.customer_baseline import HIGH_4_OF_5
from programs.performance import Performance
from programs.signal import SignalKind
from tests.hems.money.homes import image
from tests.hems.participation.play import EVENT, Play, T, signal_of

pytestmark = pytest.mark.requirement("BUC-1")

HOUR = replace(EVENT, ends_at=T + 3600.0)


async def settled(play: Play) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Return the line of the only event, and those of its quarter-hours."""
    await play.part._keeper.flush()
    text = await play.part.settlement(0.0, 1e11, "", Form.CSV)
    event, *quarters = [r for r in csv.DictReader(io.StringIO(text)) if r["row"] != "end"]
    return event, quarters


async def metered(play: Play, first: int, last: int, power_w: float) -> None:
    await play.store.history.append([Sample(T + s, "meter", power_w) for s in range(first, last)])


def test_times_in_which_an_event_held() -> None:
    assert held(0.0, 10.0, ()) == [(0.0, 10.0)]
    assert held(0.0, 10.0, [(2.0, 4.0), (9.0, 12.0)]) == [(0.0, 2.0), (4.0, 9.0)]
    assert held(0.0, 10.0, [(0.0, 10.0)]) == []


@pytest.mark.requirement("L1-OWNER")
async def test_what_was_left_is_in_no_quarter_hour(play: Play) -> None:
    """The owner leaves after twenty minutes, and draws more than ever: nobody pays, or is fined."""
    play.live(-900, -1, 4000.0)
    play.events, play.signals = [HOUR], [signal_of(HOUR)]
    play.live(0, 1199, 1000.0)
    play.events, play.signals = [replace(HOUR, opted_out=True)], []
    play.live(1200, 3600, 9000.0)
    await metered(play, -900, 0, 4000.0)
    await metered(play, 0, 1200, 1000.0)
    await metered(play, 1200, 3600, 9000.0)
    play.live(3601, 3800, 4000.0)
    event, quarters = await settled(play)
    assert event["opted_out"] == "true"
    assert float(event["delivered_kwh"]) == pytest.approx(1.0, abs=0.005)
    delivered = [float(q["delivered_kwh"]) for q in quarters]
    assert sum(delivered) == pytest.approx(1.0, abs=0.02)
    assert sum(float(q["length_s"]) for q in quarters) == pytest.approx(1200.0, abs=2.0)
    assert float(event["metered_kwh"]) == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.requirement("BUC-14")
async def test_a_home_that_stands_alone_delivers_nothing(play: Play) -> None:
    """The meter shows nothing while the tie is open: that is no answer to the event."""
    play.live(-900, -1, 4000.0)
    play.events, play.signals = [HOUR], [signal_of(HOUR)]
    play.live(0, 899, 1000.0)
    play.islanded = True
    play.live(900, 3599, 0.0)
    assert not play.part.unmet("0A")
    play.islanded = False
    play.events, play.signals = [replace(HOUR, state="completed")], []
    play.live(3600, 3602, 1000.0)
    event, _ = await settled(play)
    assert float(event["delivered_kwh"]) == pytest.approx(0.75, abs=0.005)
    assert event["note"] == "For 45 min its word did not count here."


@pytest.mark.requirement("BUC-14", "BUC-11")
async def test_a_home_that_parts_has_ceased_to_energise(play: Play) -> None:
    """Its battery then forms the island's voltage: that is not fed to the grid."""
    parts = replace(EVENT, asks=((SignalKind.DISCONNECT, 0.0),))
    play.events, play.signals = [parts], [signal_of(parts)]
    play.islanded = True
    for second in range(601):
        play.clock.at = T + second
        play.part.take_image(image(T + second, {"meter": 0.0, "battery": -2000.0}))
    assert play.part.broken is None
    assert not play.part.unmet("0A")
    await play.part._keeper.flush()
    (found,) = await play.part.records(0.0, 1e11, "")
    assert found.inside_share == 1.0
    assert found.delivered_wh is None


@pytest.mark.parametrize(
    ("kind", "counts"),
    [
        (SignalKind.LOAD_LIMIT, True),
        (SignalKind.EXPORT_LIMIT, False),
        (SignalKind.REACTIVE_POWER, False),
        (SignalKind.SLOPE, False),
    ],
)
async def test_what_asks_for_no_energy_delivers_none(
    play: Play, kind: SignalKind, counts: bool
) -> None:
    asks = replace(EVENT, asks=((kind, 100.0),))
    play.live(-900, -1, 4000.0)
    play.events, play.signals = [asks], [signal_of(asks)]
    play.live(0, 600, 1000.0)
    await metered(play, -900, 600, 1000.0)
    play.live(601, 800, 4000.0)
    event, quarters = await settled(play)
    assert bool(event["delivered_kwh"]) is counts
    assert all(bool(q["delivered_kwh"]) is counts for q in quarters)
    assert all(q["metered_kwh"] for q in quarters)


@pytest.mark.requirement("L1-OWNER")
async def test_an_event_that_asks_two_things_was_delivered_once(play: Play) -> None:
    play.terms = Terms(pay={"peak-shaving": Pay(1.0, "EUR")})
    play.anew()
    play.clock.at = T + 7200.0
    one = Performance("peak-shaving", "0A", "Peak", T, T + 3600.0, 1500.0, "W", delivered_wh=500.0)
    for kind in ("import-limit", "load-limit"):
        await play.store.performances.put(replace(one, kind=kind))
    (view,) = [v for v in await play.part.programmes() if v.id == "peak-shaving"]
    assert view.consequence[-1] == (
        "It had one event in the last 30 days and delivered 500 Wh, for 0.50 EUR."
    )


@pytest.mark.requirement("BUC-6")
async def test_each_quarter_hour_has_the_baseline_of_its_own_method(play: Play) -> None:
    """What is paid by the quarter-hour is measured by it: at noon nobody takes what 13:00 does."""
    play.terms = Terms(methods={"economic": HIGH_4_OF_5})
    play.anew()
    quarters = {0: 1000.0, 900: 3000.0}
    for day in (1, 2, 3, 4, 7, 8):
        samples = [
            Sample(T - day * 86_400.0 + s, "meter", quarters.get(s // 900 * 900, 500.0))
            for s in range(-3 * 3600, 1800, 60)
        ]
        await play.store.history.append(samples)
    today = [Sample(T + s, "meter", 500.0) for s in range(-3 * 3600, 1800, 60)]
    await play.store.history.append(today)
    play.clock.at = T + 4000.0
    found = await play.part.baseline("economic", T, T + 1800.0)
    assert found is not None
    mean_w = found.mean_w(T, T + 1800.0)
    assert mean_w == pytest.approx(2000.0)
    play.part.record(
        Performance(
            "economic", "economic-1", "the wholesale market", T, T + 1800.0, 0.0, "Wh",
            baseline_w=mean_w, baseline_by=found.words, delivered_wh=750.0,
        )
    )  # fmt: skip
    await play.part._keeper.flush()
    event, rows = await settled(play)
    assert [float(row["baseline_kwh"]) for row in rows] == pytest.approx([0.25, 0.75])
    assert [float(row["delivered_kwh"]) for row in rows] == pytest.approx([0.125, 0.625])
    assert float(event["delivered_kwh"]) == pytest.approx(0.75)


async def test_the_way_into_an_event_is_owed(play: Play) -> None:
    """It has begun, and the home does not act on it yet: these seconds are not cut off."""
    play.live(-900, -1, 4000.0)
    play.events, play.signals = [EVENT], []
    play.live(0, 4, 4000.0)
    play.signals = [signal_of(EVENT)]
    play.live(5, 600, 1000.0)
    await metered(play, 0, 5, 4000.0)
    await metered(play, 5, 600, 1000.0)
    play.live(601, 800, 4000.0)
    _, quarters = await settled(play)
    assert [float(q["length_s"]) for q in quarters] == [600.0]
