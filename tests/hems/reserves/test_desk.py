"""A reserve from offer to record: partial grants, cancellation, restarts, a lost battery."""

import math
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from der.model import Quality
from hems.cem.slots import Slots
from hems.reserves.kept import NAME
from hems.reserves.terms import Hours
from programs.commitment import Product
from programs.registry import Policies
from programs.signal import Signal, SignalKind
from tests.hems.reserves.desk_rig import T0, TERMS, Rig, opened
from tests.hems.sep2.kinds_made import grant

HOUR = 3600.0
SPINNING = replace(TERMS, products=frozenset({Product.SPINNING}))

pytestmark = pytest.mark.requirement("BUC-8")


def call(rig: Rig, value: float, lasts_s: float = 600.0, baseline_w: float = 500.0) -> Signal:
    now = rig.clock.now()
    return Signal(
        "E1",
        "Reserve",
        SignalKind.SHED,
        value,
        now,
        now + lasts_s,
        binding=True,
        emergency=True,
        baseline_w=baseline_w,
    )


async def test_what_the_owner_consents_to_is_offered_once(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(5)
        (offer,) = rig.desk.view().offers
        # Half of what a full battery holds above the reserve, less what is not promised.
        assert (offer.power_w, offer.energy_wh) == (4_120.0, 4_120.0)
        assert (offer.starts_at, offer.ends_at) == pytest.approx((T0, T0 + 24 * HOUR), abs=3)
        assert offer.state == "not told yet"
        (request,) = rig.engine.owed_requests
        asked = request.resource
        assert asked.power_requested.watts == -4_120.0
        assert asked.energy_requested.watt_hours == -4_120.0
        assert asked.duration_requested == 3600
        assert asked.description == "spinning reserve"


@pytest.mark.requirement("BUC-9")
async def test_day_ahead_reserve_is_offered_the_day_before(tmp_path: Path) -> None:
    hours = (Hours(time(17), time(21)),)
    terms = replace(TERMS, hours=hours, least_price=0.05)
    async with opened(tmp_path, terms) as rig:
        await rig.pass_s(60, 30.0)
        assert rig.desk.view().offers == ()
        rig.clock.at = T0 + 6 * HOUR
        await rig.pass_s(2)
        (offer,) = rig.desk.view().offers
        assert offer.product == "day-ahead"
        assert (offer.starts_at, offer.ends_at) == (T0 + 41 * HOUR, T0 + 45 * HOUR)
        (request,) = rig.engine.owed_requests
        assert request.resource.description == "day-ahead reserve at 0.05/kWh h"


async def test_no_more_is_held_than_was_granted_and_no_more_than_was_offered(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        await rig.committed("C1", T0 + 60, HOUR, 1_500.0, 700.0)
        await rig.pass_s(1)
        (held,) = rig.desk.view().commitments
        assert (held.power_w, held.left_wh, held.state) == (1_500.0, 700.0, "to come")
        await rig.pass_s(60)
        assert rig.desk.view().commitments[0].state == "held ready"
        assert rig.held == ["C1"]
        await rig.committed("C2", T0 + 60, HOUR, 90_000.0)
        await rig.pass_s(1)
        assert max(c.power_w for c in rig.desk.view().commitments) == 4_120.0


async def test_a_grant_of_nonsense_commits_to_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        request = rig.desk.view().offers[0].id
        await rig.take(
            grant("C1", request, int(T0), 3600, watts=2_000.0),  # it may charge: nobody asked
            grant("C2", "F" * 32, int(T0), 3600, watts=-2_000.0),  # nobody offered that
            grant("C3", request, int(T0) - 90_000, 3600, watts=-2_000.0),  # no time of the offer
        )
        await rig.pass_s(1)
        assert rig.held == []


async def test_what_the_utility_takes_back_is_not_held(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        await rig.committed("C1", T0, HOUR, 1_500.0)
        await rig.pass_s(10)
        assert rig.held == ["C1"]
        await rig.take()  # it has gone from the utility's list
        await rig.pass_s(1)
        assert rig.held == []
        (record,) = rig.records
        assert (record.event, record.inside_share) == ("C1", 1.0)
        assert record.ends_at < T0 + 20


async def test_a_call_is_measured_and_recorded(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        await rig.committed("C1", T0, HOUR, 2_000.0, 1_000.0)
        rig.net_w = 3_000.0
        await rig.pass_s(5)
        rig.net_w = 500.0
        await rig.pass_s(5)
        rig.signals = [call(rig, 2_000.0)]
        told = rig.desk.told(rig.signals)
        assert told is not None
        assert told[0].kind is SignalKind.RESERVE
        await rig.pass_s(3)  # not there yet
        rig.net_w = -1_550.0
        await rig.pass_s(300)
        assert rig.desk.view().commitments[0].state == "called"
        assert rig.desk.by_slot(Slots(T0, 900.0, 8)) == {}
        rig.net_w = -1_450.0
        await rig.pass_s(100)
        rig.net_w = -1_550.0
        await rig.pass_s(197)
        rig.signals = []
        await rig.pass_s(1)
        (record,) = rig.records
        assert (record.event, record.asked, record.promised_wh) == (
            "E1",
            2_000.0,
            333.3333333333333,
        )
        assert record.delivered_wh == pytest.approx((497 * 2_050 + 100 * 1_950) / HOUR, abs=3)
        assert record.settled_s == pytest.approx(4.0, abs=1.01)
        assert record.inside_share == pytest.approx(496 / 596, abs=0.01)
        assert record.deviation == pytest.approx(20.5, abs=0.5)
        assert record.measured_share == pytest.approx(1.0, abs=0.01)
        assert record.rebound_w is None
        left_wh = rig.desk.view().commitments[0].left_wh
        assert left_wh == pytest.approx(1_000 - (record.delivered_wh or 0))
        recovery = rig.desk.applied(Policies()).reserve.recovery
        assert recovery is not None
        assert recovery.most_w == 3_000.0
        rig.net_w = 3_200.0
        await rig.pass_s(HOUR, 10.0)
        again = next(r for r in rig.records[1:] if r.event == "E1")
        assert again.rebound_w == 200.0
        held = next(r for r in rig.records if r.event == "C1")
        assert "called once" in held.note
        assert "0.337 kWh of 1 given" in held.note
        assert held.delivered_wh is None, "what the call delivered is settled on once"
        assert rig.desk.calls == frozenset(), "an hour after it all is said"
        assert rig.desk.view().calls == ()


async def test_a_restart_in_the_midst_of_a_call_goes_on_counting(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        await rig.committed("C1", T0, HOUR, 2_000.0)
        await rig.pass_s(2)
        rig.signals = [call(rig, 2_000.0, baseline_w=500.0)]
        rig.net_w = -1_600.0
        await rig.pass_s(200)
        await rig.desk.save()
        await rig.restart()
        assert rig.desk.told(rig.signals)[0].kind is SignalKind.RESERVE  # type: ignore[index]
        rig.clock.at += 30.0
        await rig.pass_s(370)
        rig.signals = []
        await rig.pass_s(1)
        (record,) = rig.records
        assert record.measured_share == pytest.approx(570 / 600, abs=0.01)
        assert record.delivered_wh == pytest.approx(570 * 2_100 / HOUR, abs=3)


async def test_a_restart_before_the_call_goes_on_holding(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        await rig.committed("C1", T0, HOUR, 2_000.0)
        await rig.pass_s(100)
        await rig.desk.save()
        await rig.restart()
        rig.desk.told([])
        assert rig.held == ["C1"]
        await rig.pass_s(HOUR, 5.0)
        (record,) = rig.records
        assert (record.event, record.inside_share) == ("C1", 1.0)
        assert record.note == "Held ready as spinning reserve, not called"


async def test_what_was_kept_and_makes_no_sense_is_said(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.store.settings.put(NAME, '{"calls": [{"event": 7}]}')
        await rig.restart()
        assert "is not known" in rig.alarms["reserve"]
        await rig.pass_s(2)
        assert len(rig.desk.view().offers) == 1


async def test_a_battery_that_is_lost_is_said_to_owner_and_utility(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        await rig.committed("C1", T0, HOUR, 2_000.0)
        await rig.pass_s(5)
        rig.quality = Quality.LOST
        await rig.pass_s(1)
        (alarm,) = rig.alarms.values()
        assert alarm == (
            "The reserve of 2 kW promised to grid from 00:00 to 01:00 lacks 2 kW: "
            "no battery can be reached"
        )
        assert not any(r.cancelled for r in rig.engine.owed_requests)
        await rig.pass_s(12)
        assert any(r.cancelled for r in rig.engine.owed_requests)
        assert rig.held == ["C1"], "until the utility has let it go"
        rig.quality = Quality.GOOD
        await rig.pass_s(2)
        assert rig.alarms == {}


@pytest.mark.requirement("BUC-9")
async def test_a_battery_that_is_away_in_the_morning_keeps_the_evening(tmp_path: Path) -> None:
    """An inverter that starts anew takes minutes; one that stays away is told in good time."""
    terms = replace(TERMS, hours=(Hours(time(17), time(21)),))
    async with opened(tmp_path, terms) as rig:
        rig.clock.at = T0 + 7 * HOUR
        await rig.pass_s(2)
        await rig.committed("C1", T0 + 41 * HOUR, HOUR, 1_500.0)
        await rig.pass_s(2)
        rig.quality = Quality.LOST
        await rig.pass_s(300, 5.0)
        assert "no battery can be reached" in rig.alarms["reserve C1"]
        assert not any(r.cancelled for r in rig.engine.requests)
        rig.quality = Quality.GOOD
        await rig.pass_s(10)
        assert rig.alarms == {}
        rig.quality = Quality.LOST
        await rig.pass_s(620, 5.0)
        assert all(r.cancelled for r in rig.engine.requests)


async def test_a_utility_that_refuses_offers_is_not_flooded(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        refused = 0
        for _ in range(600):
            await rig.pass_s(1)
            for request in rig.engine.owed_requests:
                await rig.engine.request_placed(request, None)
                refused += 1
        assert refused == 4  # at once, and after 1, 2 and 4 minutes
        assert rig.alarms["reserve"] == "grid takes no reserve that is offered"
        await rig.pass_s(500, 5.0)
        (request,) = rig.engine.owed_requests
        await rig.engine.request_placed(request, "/requests/1")
        await rig.pass_s(2)
        assert rig.alarms == {}


async def test_at_the_very_end_of_a_window_nothing_is_offered(tmp_path: Path) -> None:
    """What rounds to no energy at all would be no offer, and so be made again each second."""
    terms = replace(SPINNING, hours=(Hours(time(0), time(1)),), share=0.05)
    async with opened(tmp_path, terms) as rig:
        rig.clock.at = T0 + HOUR - 45
        await rig.pass_s(50)
        assert rig.engine.requests == ()


async def test_one_that_has_too_little_is_offered_smaller(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        await rig.committed("C1", T0, 2 * HOUR, 4_000.0, 4_000.0)
        await rig.pass_s(5)
        rig.soc = 0.3  # an emergency has taken it
        await rig.pass_s(1)
        assert "have too little charge" in next(iter(rig.alarms.values()))
        await rig.pass_s(15)
        (offer,) = rig.desk.view().offers
        assert offer.power_w == pytest.approx(0.95 * 2_000 - 150, abs=10)
        assert offer.state == "not told yet"


async def test_two_commitments_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        request = rig.desk.view().offers[0].id
        first = grant("C1", request, int(T0), 3600, watts=-2_000.0)
        later_ = grant("C2", request, int(T0) + 3600, 3600, watts=-1_000.0, creation=2)
        await rig.take(first, later_)
        await rig.pass_s(1)
        assert sorted(rig.held) == ["C1", "C2"]
        held = rig.desk.by_slot(Slots(T0, 900.0, 12))["battery"]
        # By the end of each quarter: what its time still lets through of the first, then the other.
        assert held[:5] == pytest.approx((1_644.75, 1_096.5, 548.25, 1_173.0, 879.75))
        assert held[7:] == (0.0,) * 5


async def test_the_clock_that_is_set_moves_what_is_measured(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        await rig.committed("C1", T0, 6 * HOUR, 2_000.0)
        await rig.pass_s(2)
        rig.signals = [call(rig, 2_000.0)]
        rig.net_w = -1_600.0
        await rig.pass_s(100)
        rig.clock.set_by_s = 1_000.0
        rig.signals = [
            replace(s, starts_at=s.starts_at + 1e3, ends_at=s.ends_at + 1e3) for s in rig.signals
        ]
        await rig.pass_s(500)
        rig.signals = []
        await rig.pass_s(1)
        record = next(r for r in rig.records if r.event == "E1")
        assert record.ends_at - record.starts_at == pytest.approx(600.0, abs=2)
        assert record.measured_share == pytest.approx(1.0, abs=0.01)


async def test_a_call_that_the_owner_leaves_is_owed_to_its_end(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        await rig.committed("C1", T0, HOUR, 2_000.0)
        await rig.pass_s(2)
        rig.signals = [call(rig, 2_000.0)]
        rig.net_w = -1_600.0
        await rig.pass_s(60)
        rig.signals, rig.left = [], rig.left
        rig.left.add("E1")
        await rig.pass_s(1)
        (record,) = rig.records
        assert record.opted_out
        assert record.promised_wh == pytest.approx(2_000 / 6)
        assert record.delivered_wh == pytest.approx(2_100 / 60, rel=0.05)


async def test_who_has_left_the_programme_offers_nothing_more(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        assert rig.desk.view().offers
        rig.desk.applied(Policies(left=frozenset({"reserve"})))
        await rig.pass_s(15)
        assert rig.desk.view().offers == ()


async def test_a_blind_meter_and_no_word_from_the_grid(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        rig.net_w = None
        await rig.pass_s(2)
        await rig.committed("C1", T0, HOUR, 2_000.0)
        await rig.pass_s(2)
        rig.signals = [replace(call(rig, 2_000.0), baseline_w=None)]
        await rig.pass_s(30)
        rig.signals = []
        await rig.pass_s(1)
        (record,) = rig.records
        assert record.delivered_wh is None
        assert "is not known" in record.note
        assert rig.desk.told(None) is None


async def test_a_figure_that_is_none_spoils_no_record(tmp_path: Path) -> None:
    """It would make all sums none, and what is kept unreadable after a restart."""
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        await rig.committed("C1", T0, HOUR, 2_000.0)
        await rig.pass_s(2)
        rig.signals = [call(rig, 2_000.0), replace(call(rig, math.nan), event="E2")]
        for rig.net_w in (-1_600.0, math.nan, math.inf, -1_600.0):
            await rig.pass_s(100)
        await rig.desk.save()
        await rig.restart()
        assert rig.alarms == {}
        first, second = rig.desk.view().calls
        assert first.delivered_wh == pytest.approx(200 * 2_100 / HOUR, rel=0.02)
        assert second.asked_w == 0.0


async def test_how_it_stands_in_words(tmp_path: Path) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        (standing,) = rig.desk.standings
        assert not standing.active
        assert standing.down_w == pytest.approx(4_750.0)
        assert standing.energy_wh == pytest.approx(4_750.0)
        await rig.committed("C1", T0, HOUR, 2_000.0)
        await rig.pass_s(2)
        assert rig.desk.standings[0].words == "Holds 2 kW ready"
        rig.signals = [call(rig, 1_000.0)]
        await rig.pass_s(2)
        assert rig.desk.standings[0].words == "Delivers 1 kW until the call ends"
        rig.soc = 0.1
        rig.signals = []
        await rig.pass_s(2)
        assert rig.desk.standings[0].promise.startswith("Nothing now")


@pytest.mark.requirement("BUC-14")
async def test_a_home_without_its_grid_holds_nothing_ready_and_delivers_nothing(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, SPINNING) as rig:
        await rig.pass_s(2)
        await rig.committed("C1", T0, HOUR, 2_000.0, 1_000.0)
        await rig.pass_s(10)
        rig.signals = [call(rig, 2_000.0)]
        await rig.pass_s(1)
        rig.net_w = -1_550.0
        await rig.pass_s(99)
        rig.islanded, rig.net_w = True, 0.0  # the street is dark: the meter shows nothing
        await rig.pass_s(500)
        rig.islanded, rig.signals = False, []
        await rig.pass_s(1)
        (record,) = rig.records
        assert record.delivered_wh == pytest.approx(100 * 2_050 / HOUR, abs=3)
        assert record.measured_share == pytest.approx(1 / 6, abs=0.01)
        rig.signals = []
        await rig.pass_s(HOUR, 10.0)
        held = next(r for r in rig.records if r.event == "C1")
        assert held.inside_share == pytest.approx(1 - 500 / HOUR, abs=0.02)
