"""What one home could do, by what it told: as tables, and whatever it told."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.ability.rule import Amount, Rules, Why, able
from hems.headend.ability.told import FOR_ALL, NOTHING, Der, Shed, Told

pytestmark = pytest.mark.requirement("PRO-2030.5")
NOW = 1_800_000_000.0
BATTERY = Der(5000.0, 4000.0, 5000.0, 10_000.0, soc=0.5, status_at=NOW)
NEVER = (0.0, 0.0, Why.SILENT)
OLD = (0.0, 0.0, Why.OLD)


@pytest.mark.parametrize(
    ("der", "generate", "absorb"),
    [
        (None, NEVER, NEVER),
        (Der(5000.0, 4000.0, 5000.0, 10_000.0), NEVER, NEVER),
        (BATTERY, (5000, 5000, Why.RATED), (4000, 5000, Why.RATED)),
        (replace(BATTERY, soc=1.0), (5000, 10_000, Why.RATED), (0, 0, Why.RATED)),
        (replace(BATTERY, off=True), (0, 0, Why.OFF), (0, 0, Why.OFF)),
        (replace(BATTERY, status_at=NOW - 3600), (5000, 5000, Why.RATED), (4000, 5000, Why.RATED)),
        (replace(BATTERY, status_at=NOW - 3601), OLD, OLD),
        (replace(BATTERY, off=True, status_at=NOW - 3601), OLD, OLD),
        (Der(5000.0, give_w=1200.0, give_s=1800.0, said_at=NOW), (1200, 600, Why.TOLD), NEVER),
        (Der(5000.0, give_w=1200.0, said_at=NOW), (1200, 0, Why.UNTIMED), NEVER),
        (replace(BATTERY, give_w=1200.0, said_at=NOW),
         (1200, 5000, Why.TOLD), (4000, 5000, Why.RATED)),
        (replace(BATTERY, give_w=5000.0, give_s=36_000.0, said_at=NOW),
         (5000, 5000, Why.TOLD), (4000, 5000, Why.RATED)),
        (replace(BATTERY, soc=0.0, give_w=1200.0, give_s=60.0, said_at=NOW),
         (0, 0, Why.TOLD), (4000, 10_000, Why.RATED)),
        (replace(BATTERY, give_w=0.0, take_w=-1.0, said_at=NOW),
         (0, 0, Why.TOLD), (0, 0, Why.TOLD)),
        (replace(BATTERY, give_w=100.0, said_at=NOW - 9999),
         (5000, 5000, Why.RATED), (4000, 5000, Why.RATED)),
        (Der(give_w=100.0, give_s=60.0, said_at=NOW - 9999), OLD, NEVER),
    ],
)  # fmt: skip
def test_power_that_a_der_gives_and_takes(
    der: Der | None, generate: tuple[float, float, Why], absorb: tuple[float, float, Why]
) -> None:
    found = able(Told(der=der), NOW, Rules())
    assert found.generate == Amount(*generate)
    assert found.absorb == Amount(*absorb)


def shed(power_w: float | None, share: float | None = None, *, at: float = NOW) -> dict[int, Shed]:
    return {FOR_ALL: Shed(power_w, share, None, at)}


@pytest.mark.parametrize(
    ("told", "power_w", "why"),
    [
        (NOTHING, 0, Why.SILENT),
        (Told(sheds=shed(None)), 0, Why.SILENT),
        (Told(sheds=shed(700.0)), 700, Why.TOLD),
        (Told(sheds=shed(700.0, 0.9), net_w=3000.0, net_at=NOW), 700, Why.TOLD),
        (Told(sheds=shed(700.0, at=NOW - 9999)), 0, Why.OLD),
        (Told(sheds=shed(700.0, at=NOW - 9999), heard_at=NOW - 60), 700, Why.TOLD),
        (Told(sheds=shed(700.0, at=NOW - 9999), heard_at=NOW - 3601), 0, Why.OLD),
        (Told(sheds=shed(None, 0.5)), 0, Why.NO_READING),
        (Told(sheds=shed(None, 0.5), net_w=3000.0, net_at=NOW - 60), 1500, Why.TOLD),
        (Told(sheds=shed(None, 0.5), net_w=3000.0, net_at=NOW - 901), 0, Why.NO_READING),
        (Told(sheds=shed(None, 0.5), net_w=-3000.0, net_at=NOW), 0, Why.TOLD),
    ],
)
def test_load_that_can_be_shed(told: Told, power_w: float, why: Why) -> None:
    found = able(told, NOW, Rules()).shed
    assert (found.power_w, found.why) == (power_w, why)


@pytest.mark.parametrize(
    ("powers", "of_77", "of_any"),
    [
        ({FOR_ALL: 2000.0}, 2000, 2000),
        ({FOR_ALL: 2000.0, 77: 900.0}, 900, 2000),
        ({FOR_ALL: 0.0, 77: 900.0}, 900, 900),
        ({3: 2000.0, 4: 1200.0}, 1200, 2000),
        ({FOR_ALL: 0.0, 3: 2000.0}, 0, 2000),
    ],
)
def test_each_programme_sheds_what_it_was_told_for(
    powers: dict[int, float], of_77: float, of_any: float
) -> None:
    told = Told(sheds={n: Shed(power_w, None, None, NOW) for n, power_w in powers.items()})
    assert able(told, NOW, Rules(), programme=77).shed.power_w == of_77
    assert able(told, NOW, Rules()).shed.power_w == of_any


def test_what_can_be_held_is_bounded_by_energy() -> None:
    assert Amount(2000.0, 1000.0, Why.TOLD).held_w(3600) == 1000.0
    assert Amount(2000.0, 1000.0, Why.TOLD).held_w(0) == 2000.0
    assert Amount(2000.0, math.inf, Why.TOLD).held_w(86_400) == 2000.0
    untimed = Amount(2000.0, 0.0, Why.UNTIMED)
    assert (untimed.held_w(0), untimed.known(0)) == (2000.0, True)
    assert (untimed.held_w(60), untimed.known(60)) == (0.0, False)


@pytest.mark.parametrize(
    ("largest_w", "shed_w", "give_w", "take_w"),
    [(None, 700, 5000, 4000), (4500, 700, 4500, 4000), (500, 500, 500, 500), (0, 0, 0, 0)],
)
@pytest.mark.requirement("L3-POLICY")
def test_its_contract_bounds_what_it_may_be_asked_for(
    largest_w: int | None, shed_w: float, give_w: float, take_w: float
) -> None:
    told = Told(der=BATTERY, sheds=shed(700.0))
    found = able(told, NOW, Rules(), largest_w=largest_w)
    powers = [each.power_w for each in (found.shed, found.generate, found.absorb)]
    assert powers == [shed_w, give_w, take_w]


maybe = st.none() | st.floats(0, 1e6)
times = st.none() | st.floats(NOW - 9999, NOW)
ders = st.builds(
    Der,
    rated_w=maybe,
    charge_w=maybe,
    discharge_w=maybe,
    capacity_wh=maybe,
    soc=st.none() | st.floats(0, 1),
    off=st.booleans(),
    status_at=times,
    give_w=st.none() | st.floats(-1e6, 1e6),
    take_w=st.none() | st.floats(-1e6, 1e6),
    give_s=maybe,
    take_s=maybe,
    said_at=times,
)
loads = st.builds(Shed, maybe, st.none() | st.floats(0, 1), maybe, st.floats(NOW - 9999, NOW))
tellings = st.builds(
    Told,
    heard_at=times,
    net_w=st.none() | st.floats(-1e6, 1e6),
    net_at=times,
    der=st.none() | ders,
    sheds=st.dictionaries(st.integers(0, 4), loads),
)
programmes = st.none() | st.integers(0, 5)


@given(told=tellings, programme=programmes, duration_s=st.floats(0, 86_400))
def test_whatever_a_home_told_it_gives_no_more_than_it_has(
    told: Told, programme: int | None, duration_s: float
) -> None:
    found = able(told, NOW, Rules(), programme=programme)
    for amount in (found.shed, found.generate, found.absorb):
        assert 0 <= amount.held_w(duration_s) <= amount.power_w
        assert amount.power_w == 0 or amount.known(), "what nobody knows is nothing"
        assert amount.energy_wh >= 0
    der = told.der or Der()
    if der.soc is not None and der.capacity_wh is not None and der.status_at == NOW:
        room_wh = (1 - der.soc) * der.capacity_wh
        assert found.generate.energy_wh <= der.soc * der.capacity_wh
        assert found.absorb.energy_wh <= room_wh


@given(told=tellings, programme=programmes, later_s=st.floats(0, 9999))
def test_what_a_home_told_counts_for_less_the_older_it_is(
    told: Told, programme: int | None, later_s: float
) -> None:
    """Of the amounts that are known none turns up by time alone."""
    now, later = (able(told, NOW + s, Rules(), programme=programme) for s in (0.0, later_s))
    assert later.reachable <= now.reachable
    assert later.shed.known() <= now.shed.known()
    for before, after in ((now.generate, later.generate), (now.absorb, later.absorb)):
        assert after.known() <= before.known()


@given(told=tellings)
def test_no_programme_sheds_more_than_the_most_of_them(told: Told) -> None:
    most = able(told, NOW, Rules()).shed
    for programme in range(6):
        one = able(told, NOW, Rules(), programme=programme).shed
        assert one.power_w <= most.power_w
