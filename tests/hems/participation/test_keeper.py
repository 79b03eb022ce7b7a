"""Records of events on a real store: once over and an hour later, over restarts and full disks."""

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from der.model import Reading
from hems.participation.consent import text_version
from hems.programme_surface import Decision, Form
from hems.store.errors import StoreFullError
from hems.store.history import Sample
from programs.performance import Performance
from programs.ready_by import Departure
from programs.registry import BY_ID
from programs.signal import SignalKind
from tests.hems.money.homes import HeldClock, image, state
from tests.hems.participation.play import EVENT, LFDI, Play, T, signal_of

pytestmark = pytest.mark.requirement("BUC-1")


@dataclass
class Ahead:
    """A clock that somebody has set forward."""

    clock: HeldClock
    by_s: float

    def now(self) -> float:
        return self.clock.at + self.by_s

    def monotonic(self) -> float:
        return self.clock.at


async def kept(play: Play) -> list[Performance]:
    await play.part._keeper.flush()
    return list(await play.part.records(0.0, 1e11, ""))


def begin(play: Play) -> None:
    play.live(-120, -1, 4000.0)
    play.events, play.signals = [EVENT], [signal_of(EVENT)]


async def test_an_event_is_recorded_when_it_is_over_and_again_an_hour_later(play: Play) -> None:
    begin(play)
    play.live(0, 1, 4000.0)
    play.live(2, 599, 1400.0)
    assert await kept(play) == []
    play.events, play.signals = [replace(EVENT, state="completed")], []
    play.live(600, 602, 1400.0)
    (first,) = await kept(play)
    assert (first.programme, first.event, first.asked_by) == ("peak-shaving", "0A", "Peak Saver")
    assert (first.kind, first.lfdi) == ("import-limit", LFDI)
    assert first.settled_s == 2.0
    assert first.inside_share == 1.0
    assert first.baseline_w == 4000.0
    assert first.baseline_by == "the meter's mean of the quarter-hour before it"
    assert first.rebound_w == 0.0
    play.live(603, 600 + 3610, 4700.0, 5.0)
    (again,) = await kept(play)
    assert again == replace(first, rebound_w=700.0)
    play.live(600 + 3615, 600 + 3700, 9000.0, 5.0)
    assert await kept(play) == [again]


async def test_a_restart_costs_the_time_of_the_restart(play: Play) -> None:
    begin(play)
    play.live(0, 300, 1400.0)
    await play.part._keeper.flush()
    await play.anew().load()
    play.signals = None  # the ledger is not read yet
    play.events = []
    play.live(420, 425, 1400.0)
    play.events, play.signals = [EVENT], [signal_of(EVENT)]
    play.live(426, 599, 1400.0)
    play.events, play.signals = [], []
    play.live(600, 601, 1400.0)
    (found,) = await kept(play)
    assert found.ends_at == EVENT.ends_at
    assert found.baseline_w == 4000.0
    assert found.measured_share == pytest.approx((300 + 600 - 426) / 600, abs=0.01)


async def test_what_ended_while_the_hub_was_off_is_recorded_as_far_as_it_was_seen(
    play: Play,
) -> None:
    begin(play)
    play.live(0, 60, 1400.0)
    await play.part._keeper.flush()
    await play.anew().load()
    play.events, play.signals = [], []
    play.live(9000, 9001, 500.0)
    (found,) = await kept(play)
    assert found.ends_at == EVENT.ends_at
    assert found.measured_share == pytest.approx(0.1, abs=0.01)
    assert found.rebound_w is None


async def test_a_cancelled_event_ends_when_it_was_cancelled(play: Play) -> None:
    begin(play)
    play.live(0, 99, 1400.0)
    play.events, play.signals = [replace(EVENT, state="cancelled")], []
    play.live(100, 110, 4000.0)
    (found,) = await kept(play)
    assert found.ends_at == T + 100.0
    assert found.inside_share == 1.0


async def test_what_is_not_met_is_said_while_it_lasts(play: Play) -> None:
    begin(play)
    play.live(0, 9, 2700.0)
    assert play.part.unmet("0A") == ""
    play.live(10, 20, 2700.0)
    said = "Not met for 20 s: the home is 1.2 kW away from what is asked."
    assert play.part.unmet("0A") == said
    assert play.part.unmet("0B") == ""
    play.live(21, 22, 1400.0)
    assert play.part.unmet("0A") == ""


async def test_what_was_refused_is_not_recorded(play: Play) -> None:
    play.events = [replace(EVENT, state="rejected")]
    play.live(0, 700, 4000.0)
    assert await kept(play) == []


async def test_an_event_that_is_told_of_late_is_measured_from_then_on(play: Play) -> None:
    play.live(-120, 200, 4000.0)
    play.events, play.signals = [EVENT], [signal_of(EVENT)]
    play.live(201, 600, 1400.0)
    (found,) = await kept(play)
    assert found.measured_share == pytest.approx(400 / 600, abs=0.01)
    assert found.settled_s == 201.0


@pytest.mark.requirement("BUC-7")
async def test_a_shed_is_measured_against_the_gateway_s_baseline(play: Play) -> None:
    shed = replace(EVENT, asks=((SignalKind.SHED, 2000.0),), binding=True)
    play.live(-120, -1, 9000.0)
    play.events, play.signals = [shed], [signal_of(shed, 5000.0)]
    play.live(0, 600, 2900.0)
    (found,) = await kept(play)
    assert found.programme == "emergency"
    assert (found.baseline_w, found.baseline_by) == (5000.0, "the meter when the event began")
    assert found.promised_wh == pytest.approx(2000 / 6)
    assert found.delivered_wh == pytest.approx(2100 / 6, rel=0.01)


async def test_a_customer_baseline_takes_the_place_of_the_meter_before(play: Play) -> None:
    samples = [
        Sample(T - day * 86_400.0 + minute * 60.0, "meter", 2000.0 + 100.0 * day)
        for day in range(1, 15)
        for minute in range(-15, 25)
    ]
    await play.store.history.append(samples)
    begin(play)
    play.live(0, 600, 1400.0)
    (found,) = await kept(play)
    # Friday: the ten working days before are 1-4, 7-11 and 14 days ago.
    days = (1, 2, 3, 4, 7, 8, 9, 10, 11, 14)
    assert found.baseline_w == pytest.approx(2000.0 + 100.0 * sum(days) / 10)
    assert found.baseline_by == "the mean of the same time on 10 comparable days"


async def test_quarter_hours_follow_once_the_history_has_them(play: Play) -> None:
    begin(play)
    play.live(0, 600, 1400.0)
    seconds = range(0, 600, 5)
    await play.store.history.append([Sample(T + s, "meter", 1440.0) for s in seconds])
    await kept(play)
    play.clock.at = T + 800.0
    await play.part._keeper.flush()
    (found,) = await play.store.performances.find(0.0, 1e11)
    (quarter,) = found.intervals
    assert (quarter.start, quarter.length_s) == (T, 600.0)
    assert quarter.metered_wh == pytest.approx(240.0)
    assert quarter.baseline_wh == pytest.approx(4000.0 / 6)


async def test_the_clock_may_be_set(play: Play) -> None:
    begin(play)
    play.live(0, 299, 1400.0)

    keeper = play.part._keeper
    keeper._clock = Ahead(play.clock, 3600.0)
    keeper._steps._now = keeper._clock.now
    moved = replace(EVENT, starts_at=EVENT.starts_at + 3600, ends_at=EVENT.ends_at + 3600)
    play.events, play.signals = [moved], [signal_of(moved)]
    from_now = [T + 3600.0 + s for s in range(300, 602)]
    for at in from_now:
        play.clock.at = at - 3600.0
        keeper.take_image(image(at, {"meter": 1400.0}))
    (found,) = await kept(play)
    assert found.starts_at == T + 3600.0
    assert found.settled_s == 1.0
    assert found.measured_share > 0.99


async def test_a_full_disk_costs_nothing_but_time(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(play)
    play.live(0, 601, 1400.0)

    async def full(_record: Performance) -> None:
        raise StoreFullError("the disk is full; nothing was written")

    with monkeypatch.context() as patch:
        patch.setattr(play.store.performances, "put", full)
        await play.part._keeper.flush()
    assert play.alarms[-1] == (
        "What events delivered is not being written: the disk is full; nothing was written"
    )
    assert len(await kept(play)) == 1
    assert play.alarms[-1] is None


async def test_nothing_is_written_while_nothing_is_asked(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    put = play.store.settings.put

    async def counted(name: str, value: str) -> None:
        written.append(name)
        await put(name, value)

    monkeypatch.setattr(play.store.settings, "put", counted)
    play.live(-120, -60, 500.0)
    await play.part._keeper.flush()
    assert written == []
    begin(play)
    play.live(0, 60, 1400.0)
    await play.part._keeper.flush()
    await play.part._keeper.flush()
    assert written == ["performance"]


async def test_what_is_damaged_is_left(play: Play) -> None:
    await play.store.settings.put("performance", '[{"task": 1}]')
    await play.anew().load()
    begin(play)
    play.live(0, 601, 1400.0)
    assert len(await kept(play)) == 1


async def test_what_other_parts_made_is_kept_too(play: Play) -> None:
    made = Performance("reserve", "0B", "Grid", T, T + 60.0, 1000.0, "W", score=0.97)
    play.part.record(made)
    assert await kept(play) == [made]


async def test_a_clock_that_is_set_in_the_hour_after_it_leaves_one_record(play: Play) -> None:
    begin(play)
    play.live(0, 599, 1400.0)
    play.events, play.signals = [], []
    play.live(600, 602, 1400.0)
    assert len(await kept(play)) == 1
    keeper = play.part._keeper
    keeper._clock = Ahead(play.clock, 7.0)
    keeper._steps._now = keeper._clock.now
    for second in range(610, 600 + 3620, 5):
        play.clock.at = T + second
        keeper.take_image(image(keeper._clock.now(), {"meter": 1400.0}))
    (found,) = await kept(play)
    assert (found.starts_at, found.ends_at) == (EVENT.starts_at, EVENT.ends_at)
    assert keeper.of_event("0A") == []


@pytest.mark.requirement("BUC-5")
async def test_quarter_hours_add_up_to_what_was_delivered(play: Play) -> None:
    """The begin lies within a minute: what that minute saw before it is not of the event."""
    event = replace(EVENT, starts_at=T + 30.5, ends_at=T + 1830.5)
    play.live(-120, 30, 4000.0)
    play.events, play.signals = [event], [signal_of(event)]
    play.live(31, 1019, 1400.0)
    play.live(1380, 1830, 1400.0)
    play.live(1831, 1832, 4000.0)
    powers = {s: 1400.0 if 31 <= s <= 1830 else 4000.0 for s in range(-120, 1900)}
    await play.store.history.append(
        [Sample(T + s, "meter", w) for s, w in powers.items() if not 1020 <= s < 1380]
    )
    play.clock.at = T + 2000.0
    await kept(play)
    (found,) = await play.store.performances.find(0.0, 1e11)
    assert found.record.delivered_wh is not None
    saved = [
        (i.baseline_wh or 0.0) * (i.measured_s or 0.0) / i.length_s - (i.metered_wh or 0.0)
        for i in found.intervals
    ]
    assert [i.measured_s for i in found.intervals] != [i.length_s for i in found.intervals]
    seconds = 5  # at the ends of what was read
    assert sum(saved) == pytest.approx(found.record.delivered_wh, abs=2600.0 * seconds / 3600.0)


async def test_an_event_is_in_the_file_of_the_month_in_which_it_ends(play: Play) -> None:
    begin(play)
    play.live(0, 601, 1400.0)
    await kept(play)
    ends = EVENT.ends_at

    async def files(*bounds: float) -> list[int]:
        told = [
            await play.part.settlement(start, end, "", Form.CSV) for start, end in pairwise(bounds)
        ]
        return [text.count("event,") for text in told]

    assert await files(0.0, T + 1.0, T + 3600.0) == [0, 1]
    assert await files(0.0, ends, 1e11) == [1, 0]


@pytest.mark.requirement("BUC-8")
async def test_what_another_part_records_is_followed_and_not_recorded_twice(play: Play) -> None:
    play.recorded = frozenset({"0A"})
    begin(play)
    play.live(0, 601, 1400.0)
    assert len(play.part._keeper.of_event("0A")) == 1
    play.recorded = frozenset()  # the other's own hour after it may end first
    play.live(602, 600 + 3610, 1400.0, 5.0)
    assert await kept(play) == []


async def test_a_part_of_an_event_whose_programme_was_left_is_recorded_as_left(
    play: Play,
) -> None:
    both = replace(EVENT, asks=((SignalKind.IMPORT_LIMIT, 1500.0), (SignalKind.EXPORT_LIMIT, 0.0)))
    play.clock.at = T - 120.0
    await play.part.decide(
        "peak-shaving",
        Decision(joined=False, by="Ada", version=text_version(BY_ID["peak-shaving"])),
    )
    export = replace(signal_of(EVENT), kind=SignalKind.EXPORT_LIMIT, value=0.0)
    play.events, play.signals = [both], [export]  # as `Participation.told` has it
    play.live(0, 601, 4000.0)
    found = {each.programme: each.opted_out for each in await kept(play)}
    assert found == {"peak-shaving": True, "envelope": False}


@pytest.mark.requirement("BUC-1")
async def test_a_car_that_misses_its_time_counts_as_comfort_missed(play: Play) -> None:
    play.departures = [Departure("car", T + 300.0, 4000.0)]
    begin(play)
    play.live(0, 300, 1400.0)
    play.departures = [Departure("car", T + 86_700.0, 3000.0)]  # not done; tomorrow is next
    play.live(301, 480, 1400.0)
    play.departures = []  # it has what it needs, or left
    play.live(481, 601, 1400.0)
    (found,) = await kept(play)
    assert found.comfort_minutes == pytest.approx(3.0, abs=0.05)


async def test_a_figure_that_is_no_number_spoils_no_record(play: Play) -> None:
    task = replace(EVENT, asks=((SignalKind.REACTIVE_POWER, 500.0),))
    play.events, play.signals = [task], [signal_of(task)]
    for second in range(602):
        play.clock.at = T + second
        battery = Reading(T + second, -500.0, reactive_var=math.nan, temp_c=math.nan)
        found = image(T + second, {"meter": 900.0})
        devices = {**found.devices, "battery": state("battery", battery)}
        play.part.take_image(replace(found, devices=devices))
    (made,) = await kept(play)
    assert made.deviation is None
    assert made.comfort_minutes == 0.0
    await play.part.settlement(0.0, 1e11, "", Form.JSON_LINES)


async def test_a_limit_inside_the_home_that_is_not_kept_is_said_once(play: Play) -> None:
    limit = replace(EVENT, asks=((SignalKind.LOAD_LIMIT, 1000.0),))
    play.events, play.signals = [limit], [signal_of(limit)]
    play.live(0, 9, 1500.0)
    assert play.part.broken is None
    said: set[str | None] = set()
    for second in range(10, 30):
        play.live(second, second, 1500.0 + second)
        said.add(play.part.broken)
    assert said == {"The home cannot keep within what Peak Saver allows it"}
    play.live(30, 31, 1050.0)
    assert play.part.broken is None
    play.live(32, 50, 1500.0)
    play.events, play.signals = [], []
    play.live(51, 52, 1500.0)
    assert play.part.broken is None, "it is over"


async def test_many_events_at_a_time_look_into_the_past_once(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    history = play.store.history.history

    async def counted(start: float, end: float, step_s: int) -> object:
        asked.append(step_s)
        return await history(start, end, step_s)

    monkeypatch.setattr(play.store.history, "history", counted)
    play.events = [replace(EVENT, event=f"{number:032X}") for number in range(100)]
    play.signals = [signal_of(each) for each in play.events]
    play.live(0, 601, 1400.0)
    assert len(await kept(play)) == 100
    assert asked.count(900) < 100, "a look for each comparable day, not for each event"
