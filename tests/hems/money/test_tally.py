"""From images to minutes: what is not known is a gap, never zero."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from der.model import Quality, Reading
from hems.image import Image
from hems.money.flows import Flows, Registers, Waiting, flows
from hems.money.tally import LONGEST_GAP_S, Minute, Tally
from tests.examples import examples
from tests.hems.money.homes import T, image, state


def test_what_flows_in_an_image() -> None:
    found = flows(
        image(
            5.0,
            {"pv": -3000.0, "wash": 2.0},
            meter=Reading(5.0, -500.0, energy_import_wh=10.0, energy_export_wh=20.0),
            battery=Reading(5.0, 1500.0, soc=0.4),
            car=Reading(5.0, 0.0, connected=True, wants_power=None),
            tank=Reading(5.0, 1000.0),
        )
    )
    assert (found.net_w, found.sun_w, found.batteries_w) == (-500.0, -3000.0, 1500.0)
    assert found.waiting == {
        "car": Waiting(0.0, wants=True),
        "tank": Waiting(1000.0, wants=True),
        "wash": Waiting(2.0, wants=False),
    }
    assert (found.stored, found.registers) == ({"battery": 0.4}, Registers(10.0, 20.0))


@pytest.mark.parametrize(
    ("reading", "wants"),
    [
        (Reading(0.0, 0.0, connected=True, wants_power=True), True),
        (Reading(0.0, 0.0, connected=True, wants_power=False), False),
        (Reading(0.0, 0.0, connected=False), False),
        (Reading(0.0, 0.0), False),
        (Reading(0.0, 1400.0, connected=None), True),
    ],
)
def test_a_car_wants_when_it_is_there_and_not_full(reading: Reading, wants: bool) -> None:
    found = flows(image(0.0, {"meter": 0.0}, car=reading))
    assert found.waiting["car"].wants is wants


def test_a_run_that_was_asked_for_wants() -> None:
    assert flows(image(0.0, {"wash": 0.0}), {"wash"}).waiting["wash"].wants


@pytest.mark.parametrize("quality", [Quality.STALE, Quality.LOST])
def test_what_does_not_answer_is_not_known(quality: Quality) -> None:
    devices = {
        name: state(name, Reading(0.0, 100.0, soc=0.5), quality)
        for name in ("meter", "pv", "battery", "car")
    }
    found = flows(Image(0.0, 1, devices))
    assert found == Flows(0.0, None, None, None)
    assert flows(Image(0.0, 1, {"pv": state("pv", Reading(0.0, math.nan))})).sun_w is None


def fed(*seen: Flows) -> list[Minute]:
    tally = Tally()
    ended = [minute for each in seen for minute in tally.take(each)]
    assert tally.running is not None
    return [*ended, tally.running]


def test_a_minute_adds_up() -> None:
    sunny = Flows(T + 0.0, -1000.0, -4000.0, 2000.0, {"car": Waiting(600.0, wants=True)})
    cloudy = Flows(T + 30.0, 500.0, -100.0, -400.0, {"car": Waiting(0.0, wants=False)})
    (minute, _) = fed(sunny, cloudy, Flows(T + 60.0, None, None, None))
    hours = 30 / 3600
    assert minute.metered_s == minute.known_s == minute.compared_s == 60.0
    assert minute.import_wh == pytest.approx(500 * hours)
    assert minute.export_wh == pytest.approx(1000 * hours)
    assert minute.sun_wh == pytest.approx(4100 * hours)
    assert minute.self_wh == pytest.approx((3000 + 100) * hours)
    assert minute.used_wh == pytest.approx((1000 + 1000) * hours)
    assert minute.own_wh == pytest.approx((1000 + 500) * hours)
    assert minute.net_wh == pytest.approx(-500 * hours)
    assert minute.rest_wh == pytest.approx((-1000 - 2000 - 600 + 500 + 400) * hours)
    assert minute.waiting["car"].wants
    assert minute.waiting["car"].energy_wh == pytest.approx(600 * hours)


@pytest.mark.requirement("ROLE-CEM")
def test_a_gap_is_counted_and_not_made_up() -> None:
    ended = fed(
        Flows(T, 1000.0, 0.0, 0.0),
        Flows(T + 20.0, None, 0.0, 0.0),
        Flows(T + 30.0, 1000.0, None, None),
        Flows(T + 40.0, 1000.0, 0.0, 0.0),
        Flows(T + 40.0 + LONGEST_GAP_S + 1.0, 1000.0, 0.0, 0.0),
    )
    assert [m.metered_s for m in ended] == [30.0, 0.0]
    assert [m.compared_s for m in ended] == [20.0, 0.0]
    assert ended[0].import_wh == pytest.approx(1000 * 30 / 3600)


def test_registers_are_those_of_the_first_and_the_last_image() -> None:
    def counted(at: float, wh: float) -> Flows:
        return Flows(at, 0.0, 0.0, 0.0, registers=Registers(wh, 2 * wh))

    (first, second) = fed(counted(T, 1.0), counted(T + 59, 2.0), counted(T + 61, 3.0))
    assert (first.opened, first.closed) == (Registers(1.0, 2.0), Registers(2.0, 4.0))
    assert (second.opened, second.closed) == (Registers(3.0, 6.0), Registers(3.0, 6.0))


def test_the_two_halves_of_a_minute_make_it_whole() -> None:
    car = {"car": Waiting(60.0, wants=True)}
    half = fed(Flows(T, 600.0, 0.0, 0.0, car), Flows(T + 30.0, 0.0, 0.0, 0.0))
    idle = {"car": Waiting(0.0, wants=False)}
    rest = fed(Flows(T + 30.0, 600.0, 0.0, 0.0, idle), Flows(T + 60.0, 600.0, 0.0, 0.0))
    whole = half[0].joined(rest[0])
    assert whole.metered_s == 60.0
    assert whole.import_wh == pytest.approx(10.0)
    assert whole.waiting["car"].wants
    assert whole.waiting["car"].energy_wh == pytest.approx(0.5)


seen = st.lists(
    st.tuples(
        st.integers(1, 70),
        st.none() | st.floats(-9000, 9000),
        st.none() | st.floats(-9000, 0),
        st.none() | st.floats(-3000, 3000),
    ),
    min_size=2,
    max_size=12,
)


@pytest.mark.requirement("ROLE-CEM")
@settings(max_examples=examples(60), deadline=None)
@given(seen)
def test_minutes_are_what_a_second_hand_would_count(
    rows: list[tuple[int, float | None, float | None, float | None]],
) -> None:
    at, made = float(T + 17), []
    for gap, net_w, sun_w, batteries_w in rows:
        at += gap
        made.append(Flows(at, net_w, sun_w, batteries_w))
    slow: dict[int, list[float]] = {}
    for held, after in pairwise(made):
        if after.at - held.at > LONGEST_GAP_S or held.net_w is None:
            continue
        for second in range(round(held.at), round(after.at)):
            sums = slow.setdefault(second // 60 * 60, [0.0] * 4)
            sums[0] += 1.0
            sums[1] += max(0.0, held.net_w) / 3600
            sums[2] += max(0.0, -held.net_w) / 3600
            if held.batteries_w is not None and held.sun_w is not None:
                sums[3] += max(0.0, held.net_w - held.sun_w - held.batteries_w) / 3600
    ended = fed(*made)
    assert [m.at for m in ended] == sorted({m.at for m in ended})
    found = {m.at: [m.metered_s, m.import_wh, m.export_wh, m.used_wh] for m in ended if m.metered_s}
    assert found.keys() == slow.keys()
    for start, sums in slow.items():
        assert found[start] == pytest.approx(sums, abs=1e-6)
