"""The rate of a clock that tells whole seconds, beside an oracle that knows it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.sep2.rules.drift import LEAST_PPM, MOST_PPM, Drift
from hems.sep2.rules.servertime import ServerClock

pytestmark = pytest.mark.requirement("TIME-SERVER")

LEAD_S = 1_790_000_000.25


def shown(at: float, ppm: float) -> int:
    """Return what a server shows whose clock runs ahead by so much."""
    return math.floor(LEAD_S + at * (1.0 + ppm * 1e-6))


def learned(ppm: float, ats: list[float], delay_s: float = 0.0) -> Drift:
    """Return what a home learns of a clock that it asks at some instants, in order."""
    found: Drift | None = None
    for at in ats:
        current = shown(at + delay_s / 2, ppm)
        low_s, high_s = current - (at + delay_s), current + 1 - at
        if found is None:
            found = Drift(at + delay_s, low_s, high_s)
        else:
            found = found.seen(at + delay_s, low_s, high_s)
    assert found is not None
    return found


@given(
    st.floats(-150.0, 150.0),
    st.lists(st.floats(60.0, 7_200.0), min_size=1, max_size=40),
    st.floats(0.0, 2.0),
)
def test_the_true_rate_is_never_ruled_out(ppm: float, gaps: list[float], delay_s: float) -> None:
    ats = [0.0]
    for gap in gaps:
        ats.append(ats[-1] + gap)
    found = learned(ppm, ats, delay_s)
    aside = 1e-6 * MOST_PPM + 2.0  # rounding; and an anchor that is stamped at the answer's end
    assert found.least_ppm - aside <= ppm <= found.most_ppm + aside
    assert -MOST_PPM <= found.least_ppm <= found.most_ppm <= MOST_PPM + 4 * LEAST_PPM
    assert abs(found.ppm) <= abs(ppm) + aside, "the rate nearest to none that fits"


def test_two_clocks_that_run_alike_have_no_rate() -> None:
    found = learned(0.0, [900.0 * i for i in range(97)])
    assert found.ppm == 0.0
    assert found.unsure_ppm < 25.0


def test_a_day_tells_a_rate_to_a_dozen_ppm() -> None:
    found = learned(80.0, [900.0 * i for i in range(97)])
    assert found.ppm == pytest.approx(80.0, abs=13.0)


def test_a_clock_that_was_set_begins_anew() -> None:
    found = learned(0.0, [900.0 * i for i in range(10)])
    current = shown(9_000.0, 0.0) + 3_600
    after = found.seen(9_000.0, current - 9_000.0, current + 1 - 9_000.0)
    assert (after.since, after.least_ppm, after.most_ppm) == (9_000.0, -MOST_PPM, MOST_PPM)


class Running:
    """A home's clock, which a test lets run."""

    def __init__(self) -> None:
        self.ran = 0.0
        self.set_s = 0.0
        self.known = True

    def now(self) -> float:
        return LEAD_S + self.ran + self.set_s

    def monotonic(self) -> float:
        return self.ran


def read(server: ServerClock, clock: Running, ppm: float) -> None:
    server.sync(shown(clock.ran, ppm), clock.ran, clock.ran, 4)


def test_a_server_that_falls_silent_is_taken_to_run_on_as_it_did() -> None:
    """Ten days without it at 80 ppm: 69 s away, had nobody looked at the rate."""
    clock = Running()
    server = ServerClock(clock)
    for _ in range(2 * 96):
        read(server, clock, 80.0)
        clock.ran += 900.0
    for _ in range(10 * 24):
        clock.ran += 3_600.0
        if server.stepped():
            assert server.settle() == 0.0, "the home's clock was not set"
    told = server.told
    assert told is not None
    true = LEAD_S + clock.ran * (1.0 + 80e-6)
    assert abs(server.now() - true) <= told.error_s
    assert abs(server.now() - true) < 15.0
    assert told.age_s == pytest.approx(10 * 86_400.0, abs=1_000.0)
    assert server.offset_s == pytest.approx(server.now() - clock.now(), abs=1.0)


def test_its_error_grows_while_it_is_silent() -> None:
    clock = Running()
    server = ServerClock(clock)
    assert server.told is None
    read(server, clock, 0.0)
    errors: list[float] = []
    for _ in range(5):
        clock.ran += 86_400.0
        assert server.told is not None
        errors.append(server.told.error_s)
    assert errors == sorted(set(errors))
    assert errors[0] > 1.0


@pytest.mark.parametrize("ahead_s", [0.0, 100.0])
def test_a_leap_second_is_no_step(ahead_s: float) -> None:
    """Inserted: the home's UTC repeats a second; the server's likewise, or it smears a day long."""
    clock = Running()
    clock.ran = 0.6
    server = ServerClock(clock)

    def smeared(leap_at: float) -> int:
        spread = min(max((clock.ran - leap_at + 43_200.0) / 86_400.0, 0.0), 1.0)
        return math.floor(LEAD_S + clock.ran + ahead_s - spread)

    leap_at = 86_400.0
    offsets = set()
    while clock.ran < 2 * 86_400.0:
        if clock.ran >= leap_at and not clock.set_s:
            clock.set_s = -1.0
        if server.stepped():
            server.settle()
        server.sync(smeared(leap_at), clock.ran, clock.ran, 3)
        assert abs(server.now() - smeared(leap_at) - 0.5) <= 0.5 + 1e-6
        offsets.add(round(server.offset_s))
        clock.ran += 300.0
    assert offsets <= {round(ahead_s) - 1, round(ahead_s), round(ahead_s) + 1}


def test_while_nobody_knows_the_time_it_stands_still() -> None:
    clock = Running()
    clock.known = False
    server = ServerClock(clock)
    assert server.assume(20.0)
    stood = server.now()
    assert stood == LEAD_S + 20.0
    for _ in range(60):
        clock.ran += 1.0
        if server.stepped():
            assert server.settle() == 0.0
        assert server.now() == stood
        lag_s = clock.now() + server.offset_s - stood
        assert 0.0 <= lag_s <= 11.0, "what is in force moves on with the home's own time"
    clock.known = True
    clock.set_s = 40_000.0
    assert server.stepped()
    assert server.settle() == pytest.approx(40_060.0)
    assert server.now() == pytest.approx(clock.now() + 20.0)
    assert not server.stepped()
    assert server.offset_s == 20.0


def test_a_server_that_tells_its_time_ends_the_standing_still() -> None:
    clock = Running()
    clock.known = False
    server = ServerClock(clock)
    clock.ran += 30.0
    assert server.sync(1_795_000_000, clock.ran, clock.ran, 3)
    assert server.now() == pytest.approx(1_795_000_000, abs=1.0)
    clock.ran += 5.0
    assert server.now() == pytest.approx(1_795_000_005, abs=1.0)
