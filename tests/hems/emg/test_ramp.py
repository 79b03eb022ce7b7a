"""How fast the home goes over to what is asked, instant by instant."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.emg.ramp import Ramps, ramp_w_s
from programs.signal import Signal, SignalKind

RATING_W = 10_000.0
IMPORT, EXPORT = SignalKind.IMPORT_LIMIT, SignalKind.EXPORT_LIMIT
STORAGE = SignalKind.STORAGE_POWER
T0 = 1_000.0


def signal(
    kind: SignalKind, value: float, *, ramp_s: float | None = None, event: str = "E1"
) -> Signal:
    return Signal(event, "Grid", kind, value, -math.inf, math.inf, binding=True, ramp_s=ramp_s)


class Home:
    """Ramps with their surroundings; begun with nothing asked."""

    def __init__(self, gradient: float | None = None, **present: float) -> None:
        self.ramps = Ramps(RATING_W)
        self.gradient = gradient
        self.present = {SignalKind(name.replace("_", "-")): w for name, w in present.items()}
        self.at(T0 - 1)

    def at(self, now: float, *signals: Signal) -> list[float]:
        followed = self.ramps.follow(signals, self.present, self.gradient, now)
        return [s.value for s in followed if s.in_force(now)]


@pytest.mark.parametrize(
    ("gradient", "rate"), [(None, None), (0.0, None), (1.0, 100.0), (0.5, 50.0)]
)
def test_a_gradient_is_a_share_of_the_rating(gradient: float | None, rate: float | None) -> None:
    assert ramp_w_s(gradient, RATING_W) == rate


def test_without_ramp_and_gradient_everything_holds_at_once() -> None:
    home = Home(import_limit=8_000)
    assert home.at(T0, signal(IMPORT, 1_500)) == [1_500]
    assert home.at(T0 + 1) == []


@pytest.mark.requirement("BUC-11")
def test_a_gradient_carries_a_limit_down_and_away_again() -> None:
    home = Home(gradient=1.0, import_limit=8_000)  # 100 W/s
    limit = signal(IMPORT, 1_500)
    courses = [home.at(T0 + s, limit)[0] for s in (0, 10, 60, 65, 100)]
    assert courses == [8_000, 7_000, 2_000, 1_500, 1_500]
    assert home.at(T0 + 200) == [1_500]
    assert home.at(T0 + 250) == [6_500]
    assert home.at(T0 + 301) == []


def test_a_home_under_the_limit_does_not_have_to_rise_to_it() -> None:
    home = Home(gradient=1.0, import_limit=500)
    assert home.at(T0, signal(IMPORT, 1_500)) == [1_500]


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize("ended", [False, True])
def test_a_stricter_limit_begins_where_the_home_is(ended: bool) -> None:
    home = Home(gradient=1.0, import_limit=1_500)  # 100 W/s
    loose, strict = signal(IMPORT, 9_000), signal(IMPORT, 500, event="E2")
    home.at(T0, loose)
    if ended:  # the first is still on its way out
        home.at(T0 + 10)
    courses = [home.at(T0 + 20 + s, strict)[0] for s in (0, 5, 10)]
    assert courses == [1_500, 1_000, 500]


@pytest.mark.requirement("BUC-12")
def test_a_ramp_time_is_the_events_own() -> None:
    home = Home(gradient=1.0, storage_power=0)
    charge = signal(STORAGE, 5_000, ramp_s=10.0)
    assert [home.at(T0 + s, charge)[0] for s in (0, 5, 10, 11)] == [0, 2_500, 5_000, 5_000]
    turn = signal(STORAGE, -5_000, ramp_s=20.0, event="E2")
    assert [home.at(T0 + 20 + s, turn)[0] for s in (0, 10, 20)] == [5_000, 0, -5_000]
    assert home.at(T0 + 50) == []  # its battery is the home's own again


def test_a_new_limit_goes_on_from_where_the_last_one_was() -> None:
    home = Home(gradient=1.0, export_limit=9_000)
    assert home.at(T0, signal(EXPORT, 1_000)) == [9_000]
    assert home.at(T0 + 20, signal(EXPORT, 5_000, event="E2")) == [7_000]
    assert home.at(T0 + 40, signal(EXPORT, 5_000, event="E2")) == [5_000]
    assert home.at(T0 + 41, signal(EXPORT, 6_000, event="E3")) == [5_000]
    assert home.at(T0 + 46, signal(EXPORT, 6_000, event="E3")) == [5_500]


def test_what_is_in_force_at_the_start_holds_at_once() -> None:
    ramps = Ramps(RATING_W)
    (held,) = ramps.follow([signal(IMPORT, 1_500)], {IMPORT: 8_000}, 1.0, T0)
    assert held.value == 1_500


def test_times_move_along_when_the_clock_is_set() -> None:
    home = Home(gradient=1.0, import_limit=8_000)
    home.at(T0, signal(IMPORT, 1_500))
    home.ramps.shift(3_600)
    assert home.at(T0 + 3_610, signal(IMPORT, 1_500)) == [7_000]


@given(
    st.lists(st.tuples(st.integers(1, 30), st.none() | st.integers(0, 9_000)), max_size=20),
    st.integers(0, 9_000),
)
def test_a_limit_on_its_way_never_moves_faster_than_the_gradient(
    asked: list[tuple[int, int | None]], present_w: int
) -> None:
    home, now, last = Home(gradient=1.0, import_limit=present_w), T0, None
    for seconds, limit in asked:
        for _ in range(seconds):
            now += 1
            wanted = [] if limit is None else [signal(IMPORT, limit, event=str(limit))]
            values = home.at(now, *wanted)
            assert len(values) <= 1
            if values and last is not None and limit is not None:
                assert values[0] - last <= 100.0 + 1e-6
                unfelt = values[0] >= present_w or values[0] == limit
                assert last - values[0] <= 100.0 + 1e-6 or unfelt
            last = values[0] if values else None
    if asked and (limit := asked[-1][1]) is not None:
        assert home.at(now + 200, signal(IMPORT, limit, event=str(limit))) == [limit]
