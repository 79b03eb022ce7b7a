"""Ready by: a car that must not wait any longer charges, whatever the plan says."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from programs.economy import EconomyPolicy, Step
from programs.inputs import Inputs
from programs.proposal import Bounds, Rank
from programs.ready_by import Departure, ReadyByPolicy, latest_start, propose
from programs.registry import Policies, propose_all

pytestmark = pytest.mark.requirement("ROLE-CEM")

READY = 1_800_000_000.0
CAR = DeviceSpec("car", DeviceKind.EVSE, "Car", Control.CEILING, 0, 10_000, least_on_w=1_380)
EXACT = ReadyByPolicy(slack_share=0.0, slack_s=0.0, band_s=0.0)


def at(
    now: float,
    power_w: float = 0.0,
    *,
    connected: bool | None = True,
    wants: bool | None = True,
) -> Inputs:
    reading = Reading(now, power_w, connected=connected, wants_power=wants)
    return Inputs((), {"car": DeviceState(CAR, reading, Quality.GOOD)}, 500.0, now)


def policy(missing_wh: float, base: ReadyByPolicy = EXACT) -> ReadyByPolicy:
    return replace(base, departures=(Departure("car", READY, missing_wh),))


@pytest.mark.parametrize(
    ("missing_wh", "before_s", "charges"),
    [
        (10_000, 3_601, False),
        (10_000, 3_600, True),
        (10_000, 60, True),
        (10_000, -60, True),
        (0, 60, False),
        (-5, 60, False),
    ],
)
def test_the_last_moment(missing_wh: float, before_s: float, charges: bool) -> None:
    found = propose(at(READY - before_s), policy(missing_wh))
    assert [(p.rank, p.bounds) for p in found] == [(Rank.OWNER, Bounds(lower_w=10_000))] * charges


def test_a_slow_car_begins_earlier() -> None:
    departure = Departure("car", READY, 10_000, power_w=5_000)
    assert latest_start(departure, 10_000, EXACT) == READY - 7_200
    assert latest_start(replace(departure, power_w=50_000), 10_000, EXACT) == READY - 3_600


def test_time_is_kept_in_hand() -> None:
    departure = Departure("car", READY, 10_000)
    assert latest_start(departure, 10_000, ReadyByPolicy()) == READY - 3_600 * 1.1 - 600


@pytest.mark.parametrize(("connected", "wants"), [(False, True), (True, False)])
def test_no_car_or_a_full_one_asks_for_nothing(connected: bool, wants: bool) -> None:
    assert propose(at(READY - 60, connected=connected, wants=wants), policy(10_000)) == ()


def test_it_does_not_stop_what_it_has_begun() -> None:
    """While it charges, time in hand grows with the slack that is not used: no reason to stop."""
    base, missing_wh, now = ReadyByPolicy(), 20_000.0, READY - 8_521.0
    changes, charges = 0, False
    while now < READY:
        asked = bool(propose(at(now, 10_000 if charges else 0), policy(missing_wh, base)))
        changes += asked is not charges
        charges = asked
        missing_wh -= 10_000 * charges / 3_600
        now += 1
    assert missing_wh <= 0
    assert changes == 2, "on once, off when it has what it needs"


def test_the_plan_gives_way() -> None:
    waits = EconomyPolicy({"car": (Step(0, READY * 2, 0.0, None, "Waits"),)})
    proposals = propose_all(at(READY - 60), Policies(economy=waits, ready_by=policy(10_000)))
    assert {p.source: p.rank for p in proposals if p.target == "car"} == {
        "ready-by": Rank.OWNER,
        "economy": Rank.ECONOMY,
    }


@settings(deadline=None)
@given(
    missing_wh=st.floats(1, 60_000),
    power_w=st.floats(1_400, 10_000),
    step_s=st.sampled_from([60, 120, 300]),
)
def test_whoever_waits_for_this_rule_alone_is_ready(
    missing_wh: float, power_w: float, step_s: int
) -> None:
    """The oracle: without any plan a car that takes `power_w` is full in time, and not hasty."""
    departure, base = Departure("car", READY, missing_wh, power_w), ReadyByPolicy()
    needs_s = missing_wh / power_w * 3_600
    left_wh, now, begun = missing_wh, READY - 1.2 * needs_s - 3_600, None
    while now < READY:
        charges = begun is not None
        inputs = at(now, power_w if charges else 0.0)
        rest = replace(base, departures=(replace(departure, missing_wh=left_wh),))
        if left_wh > 0 and propose(inputs, rest):
            begun = now if begun is None else begun
            left_wh -= power_w * step_s / 3_600
        now += step_s
    assert left_wh <= 0
    assert begun is not None
    assert READY - begun <= needs_s * 1.1 + 600 + step_s
