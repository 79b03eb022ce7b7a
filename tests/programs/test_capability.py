"""What can be promised: a table, and a battery that is really drained beside it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import Comfort, Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from programs.capability import (
    Load,
    Spare,
    Store,
    StoreFacts,
    capability,
    car_spare_s,
    heat_spare_s,
    later,
    loads,
    split,
    stores,
)

HOUR = 3600.0
HALF_FULL = Store("b", 0.0, -5_000.0, 5_000.0, 4_000.0, 5_000.0, 0.9, 0.8)


@pytest.mark.requirement("BUC-8")
@pytest.mark.parametrize(
    ("store", "for_s", "power_w"),
    [
        (HALF_FULL, HOUR, 3_200.0),  # 4 kWh inside, 80 % of it comes out
        (HALF_FULL, HOUR / 4, 5_000.0),  # its rating is less than 12.8 kW
        (HALF_FULL, 2 * HOUR, 1_600.0),
        # Charging can be left off, too: 2 kW more.
        (Store("b", 2_000.0, -5_000.0, 5_000.0, 4_000.0, 5_000.0, 0.9, 0.8), HOUR, 5_200.0),
        # One that gives 2 kW already has 1.2 kW of an hour's energy left.
        (Store("b", -2_000.0, -5_000.0, 5_000.0, 4_000.0, 5_000.0, 0.9, 0.8), HOUR, 1_200.0),
        (Store("b", -4_000.0, -5_000.0, 5_000.0, 4_000.0, 5_000.0, 0.9, 0.8), HOUR, 0.0),
        (Store("b", 0.0, -5_000.0, 5_000.0, 0.0, 5_000.0), HOUR, 0.0),
    ],
)
def test_a_battery_promises_what_it_can_keep_up(store: Store, for_s: float, power_w: float) -> None:
    found = capability([store], [], for_s, margin=0.0)
    assert found.power_w == pytest.approx(power_w)
    assert found.energy_wh == pytest.approx(power_w * for_s / HOUR)


@st.composite
def batteries(draw: st.DrawFn) -> Store:
    least, most = draw(st.floats(-6_000, 0)), draw(st.floats(0, 6_000))
    return Store(
        "b",
        draw(st.floats(least, most)),
        least,
        most,
        draw(st.floats(0, 12_000)),
        draw(st.floats(0, 12_000)),
        draw(st.floats(0.5, 1)),
        draw(st.floats(0.5, 1)),
    )


def lasts(store: Store, lower_w: float, for_s: float) -> bool:
    """Drain a battery in small steps at so much less than now; return whether it holds out."""
    power_w, inside_wh = store.power_w - lower_w, store.inside_wh
    if power_w < store.least_w - 1e-6:
        return False
    steps = 100
    for _ in range(steps):
        out_wh = power_w * for_s / steps / HOUR
        inside_wh += out_wh / store.given if out_wh < 0 else out_wh * store.taken
    return inside_wh >= -1e-6 * max(store.inside_wh, 1.0)


@pytest.mark.requirement("BUC-8")
@given(store=batteries(), for_s=st.floats(60, 4 * HOUR))
def test_what_is_promised_can_be_kept_and_hardly_more_could(store: Store, for_s: float) -> None:
    promised_w = capability([store], [], for_s).power_w
    assert lasts(store, promised_w, for_s) or promised_w == 0.0
    most_w = capability([store], [], for_s, margin=0.0).power_w
    assert lasts(store, most_w, for_s) or most_w == 0.0
    assert not lasts(store, most_w * 1.01 + 1.0, for_s)


@pytest.mark.requirement("BUC-9")
@given(
    store=batteries(),
    ahead_s=st.floats(0, 24 * HOUR),
    for_s=st.floats(60, 4 * HOUR),
    share=st.floats(0.1, 1),
)
def test_a_promise_for_later_is_kept_after_charging_in_between(
    store: Store, ahead_s: float, for_s: float, share: float
) -> None:
    promised = later([store], ahead_s, for_s, share)
    charged_wh = min(store.inside_wh + store.most_w * store.taken * ahead_s / HOUR, store.full_wh)
    then = Store("b", 0.0, store.least_w, store.most_w, charged_wh, 0.0, 1.0, store.given)
    assert lasts(then, promised.power_w, for_s)
    assert promised.energy_wh <= share * store.full_wh * store.given + 1e-6


def test_a_share_hangs_on_no_charge_of_the_moment() -> None:
    big = Store("big", 0.0, -6_000.0, 3_000.0, 100.0, 8_900.0)
    small = Store("small", 0.0, -2_000.0, 3_000.0, 3_000.0, 0.0)
    assert split([big, small], HOUR) == {"big": 0.75, "small": 0.25}
    assert split([], HOUR) == {}
    empty = Store("none", 0.0, 0.0, 0.0, 0.0, 0.0)
    assert split([empty], HOUR) == {}


def state(
    kind: DeviceKind = DeviceKind.BATTERY,
    control: Control = Control.TARGET,
    *,
    power_w: float = 0.0,
    soc: float | None = 0.6,
    quality: Quality = Quality.GOOD,
    connected: bool = True,
    comfort: Comfort | None = None,
) -> DeviceState:
    spec = DeviceSpec("d", kind, "D", control, -5_000, 5_000, comfort=comfort)
    reading = Reading(0.0, power_w, soc=soc, capacity_wh=10_000.0, connected=connected)
    return DeviceState(spec, reading, quality)


def test_only_batteries_that_can_be_reached_count() -> None:
    (found,) = stores([state()], {"d": StoreFacts(taken=0.9, given=0.8)}, 0.1)
    assert found == Store("d", 0.0, -5_000, 5_000, 5_000.0, 4_000.0, 0.9, 0.8)
    assert stores([state(quality=Quality.LOST)], {}, 0.1) == ()
    assert stores([state(quality=Quality.STALE)], {}, 0.1) == ()
    assert stores([state(connected=False)], {}, 0.1) == ()
    assert stores([state(soc=None)], {}, 0.1) == ()
    assert stores([state(soc=math.nan)], {}, 0.1) == ()
    assert stores([state(DeviceKind.EVSE, Control.CEILING)], {}, 0.1) == ()


@pytest.mark.parametrize(
    ("device", "spare", "counts"),
    [
        (state(DeviceKind.PLUG, Control.SWITCH, power_w=800.0), Spare(), 800.0),
        (state(DeviceKind.PLUG, Control.SWITCH, power_w=5.0), Spare(), 0.0),
        (state(DeviceKind.PLUG, Control.SWITCH, power_w=800.0), Spare({}, frozenset({"d"})), 0.0),
        (state(DeviceKind.EVSE, Control.CEILING, power_w=800.0), Spare({"d": 900.0}), 800.0),
        (state(DeviceKind.EVSE, Control.CEILING, power_w=800.0), Spare({"d": 100.0}), 0.0),
        # Nobody knows how long the room stays warm.
        (
            state(DeviceKind.HEAT_PUMP, Control.SWITCH, power_w=800.0, comfort=Comfort(19, 23)),
            Spare(),
            0.0,
        ),
        (
            state(DeviceKind.PLUG, Control.SWITCH, power_w=800.0, quality=Quality.STALE),
            Spare(),
            0.0,
        ),
    ],
)
def test_a_load_counts_while_it_draws_and_may_wait(
    device: DeviceState, spare: Spare, counts: float
) -> None:
    assert capability([], loads([device], spare), 600.0, margin=0.0).power_w == counts


@pytest.mark.parametrize("power_w", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_promises_nothing(power_w: float) -> None:
    assert loads([state(DeviceKind.PLUG, Control.SWITCH, power_w=power_w)], Spare()) == ()
    assert stores([state(power_w=power_w)], {}, 0.1) == ()


def test_how_long_a_load_can_wait() -> None:
    # 5 K above its bound, 230 Wh a K, 2 W a K to a cellar 30 K colder and 100 W of hot water.
    assert heat_spare_s(5.0, 230.0, 2.0, 30.0, 100.0) == pytest.approx(1150 / 160 * HOUR)
    assert heat_spare_s(-0.1, 230.0, 2.0, 30.0) == 0.0
    assert heat_spare_s(5.0, 230.0, 2.0, -30.0) == math.inf
    assert car_spare_s(7_000.0, 3_500.0, 3 * HOUR) == HOUR
    assert car_spare_s(7_000.0, 3_500.0, HOUR) == 0.0
    assert car_spare_s(7_000.0, 0.0, HOUR) == 0.0
    assert car_spare_s(0.0, 3_500.0, 60.0) == math.inf
    assert car_spare_s(7_000.0, 3_500.0, math.inf) == math.inf


def test_a_margin_is_left() -> None:
    load = Load("l", 1_000.0)
    assert capability([HALF_FULL], [load], HOUR).power_w == pytest.approx(0.95 * 4_200.0)
