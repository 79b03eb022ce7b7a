"""What the twins would have cost, against a slow and obvious simulator."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.money.flows import Registers
from hems.money.settle import LONGEST_S, Plant, settle
from hems.money.tally import Drawn, Minute, Tag
from hems.money.twins import Cell, State, even_out
from hems.money.wanting import Load, Wish, at_once, wishes
from hems.store.accounts import AccountRow
from tests.examples import examples
from tests.hems.money.homes import BERLIN, CAR, CELL, CONTRACT, PLANT, T, minute

WASHER = Load(2000.0, shaped=True)


def spoken(pattern: str, wh: str = "", device: str = "x") -> list[Minute]:
    """Return minutes: "w" wants, "." does not, "?" cannot be told apart; `wh` by digit."""
    return [
        replace(
            minute(i, 0.0),
            waiting={}
            if sign == "?"
            else {device: Drawn(float(wh[i]) if wh else 0.0, wants=sign == "w")},
        )
        for i, sign in enumerate(pattern)
    ]


@pytest.mark.parametrize(
    ("pattern", "load", "cut", "found"),
    [
        ("....", CAR, None, []),
        (".ww.", CAR, None, [(1, 2, False)]),
        (".ww", CAR, None, [(1, 2, True)]),
        ("w.w.", CAR, None, [(0, 0, False), (2, 2, False)]),
        ("w??w.", CAR, None, [(0, 3, False)]),
        ("w??", CAR, None, [(0, 0, True)]),
        ("wwww.", CAR, 2, [(0, 1, False), (2, 3, False)]),
        ("w..w" + "." * 20, WASHER, None, [(0, 3, True)]),
        ("w..w" + "." * 21, WASHER, None, [(0, 3, False)]),
    ],
)
def test_wishes(
    pattern: str, load: Load, cut: int | None, found: list[tuple[int, int, bool]]
) -> None:
    when = None if cut is None else T + 60.0 * cut
    assert list(wishes(spoken(pattern), "x", load, when)) == [Wish(*each) for each in found]


def test_a_car_that_waited_would_have_charged_at_once() -> None:
    minutes = spoken("wwwwww", "001190")
    moved = at_once(minutes, "x", Load(300.0), [Wish(0, 5, open=False)])
    assert list(moved.values()) == [5.0, 5.0, 1.0, 0.0, 0.0, 0.0]


def test_what_does_not_fit_at_full_power_stays_where_it_was() -> None:
    moved = at_once(spoken("ww", "99"), "x", Load(300.0), [Wish(0, 1, open=False)])
    assert list(moved.values()) == [5.0, 13.0]


def test_an_appliance_begins_at_once_and_keeps_its_shape() -> None:
    minutes = spoken("wwwwwwww", "00092091")
    moved = at_once(minutes, "x", WASHER, [Wish(0, 7, open=True)])
    assert list(moved.values()) == [9.0, 2.0, 0.0, 9.0, 1.0, 0.0, 0.0, 0.0]


@settings(max_examples=examples(200))
@given(
    energies=st.lists(st.floats(0, 500), min_size=1, max_size=30),
    load=st.builds(Load, st.floats(1, 22_000), st.booleans()),
)
def test_moving_keeps_the_energy(energies: list[float], load: Load) -> None:
    minutes = [
        replace(minute(i, 0.0), waiting={"x": Drawn(wh, wants=True)})
        for i, wh in enumerate(energies)
    ]
    moved = at_once(minutes, "x", load, [Wish(0, len(energies) - 1, open=False)])
    assert sum(moved.values()) == pytest.approx(sum(energies))
    assert min(moved.values()) >= 0.0


@pytest.mark.requirement("ROLE-CEM")
@settings(max_examples=examples(200))
@given(
    share=st.floats(0, 1),
    residual_w=st.floats(-20_000, 20_000),
    span_s=st.floats(0.1, 3600),
)
def test_a_greedy_battery_conserves_energy_and_keeps_its_bounds(
    share: float, residual_w: float, span_s: float
) -> None:
    stored_wh = share * CELL.capacity_wh
    power_w, after_wh = even_out(CELL, stored_wh, residual_w, span_s)
    hours = span_s / 3600
    gained = max(0.0, power_w) * CELL.charge_efficiency * hours
    spent = max(0.0, -power_w) / CELL.discharge_efficiency * hours
    assert after_wh - stored_wh == pytest.approx(gained - spent, abs=1e-6)
    assert min(stored_wh, CELL.least_wh) - 1e-6 <= after_wh <= CELL.capacity_wh + 1e-6
    assert -CELL.discharge_w <= power_w <= CELL.charge_w
    assert power_w * residual_w <= 0.0, "it never works against the meter"
    assert abs(power_w) <= abs(residual_w) + 1e-9, "it never turns the meter round"


def test_a_greedy_battery_ends_full_and_ends_at_its_reserve() -> None:
    power_w, after_wh = even_out(CELL, CELL.capacity_wh - 90.0, -3000.0, 3600.0)
    assert [power_w, after_wh] == pytest.approx([100.0, CELL.capacity_wh])
    power_w, after_wh = even_out(CELL, CELL.least_wh + 100.0, 3000.0, 3600.0)
    assert [power_w, after_wh] == pytest.approx([-80.0, CELL.least_wh])
    assert even_out(CELL, 500.0, 3000.0, 60.0) == (0.0, 500.0), "what is below stays below"


def table() -> st.SearchStrategy[list[Minute]]:
    """Minutes of some hours: sun, loads, a battery that does anything, a car that waits."""
    row = st.tuples(
        st.floats(-6000, 6000),
        st.floats(-4000, 3000),
        st.floats(0, 6000) | st.just(0.0),
        st.booleans(),
        st.sampled_from([0.0, 30.0, 60.0, 60.0, 60.0]),
        st.sampled_from([Tag(0.30, 0.08), Tag(-0.05, -0.02), Tag(0.50, 0.0)]),
    )

    def made(rows: list[tuple[float, float, float, bool, float, Tag]]) -> list[Minute]:
        return [
            minute(i, rest, battery_w=batt, car_w=car, wants=wants, seconds=seconds, tag=tag)
            for i, (rest, batt, car, wants, seconds, tag) in enumerate(rows)
        ]

    return st.lists(row, min_size=1, max_size=50).map(made)


def slow_bills(minutes: Sequence[Minute], stored_wh: float) -> tuple[float, float, float]:
    """Return what the house, no control and greedy control cost for energy, step by small step."""
    car_wh = [0.0] * len(minutes)
    at = 0
    while at < len(minutes):
        if not minutes[at].waiting["car"].wants:
            car_wh[at] = minutes[at].waiting["car"].energy_wh
            at += 1
            continue
        end = at
        while end < len(minutes) and minutes[end].waiting["car"].wants:
            end += 1
        needs = sum(m.waiting["car"].energy_wh for m in minutes[at:end])
        for i in range(at, end):
            for _ in range(round(minutes[i].compared_s)):
                drop = min(needs, CAR.power_w / 3600)
                car_wh[i] += drop
                needs -= drop
        car_wh[end - 1] += needs
        at = end
    house = idle = greedy = 0.0
    for m, car in zip(minutes, car_wh, strict=True):
        net = m.rest_wh + car
        shown = 0.0
        steps = round(m.compared_s)
        for _ in range(steps):
            if net < 0:
                take = min(-net / steps, CELL.charge_w / 3600, (CELL.capacity_wh - stored_wh) / 0.9)
                stored_wh += take * 0.9
            else:
                take = -min(net / steps, CELL.discharge_w / 3600, (stored_wh - 1000.0) * 0.8)
                stored_wh += take / 0.8
            shown += net / steps + take
        house += price(m.net_wh, m.tag)
        idle += price(net, m.tag)
        greedy += price(shown, m.tag)
    return house, idle, greedy


def price(net_wh: float, tag: Tag) -> float:
    return net_wh / 1000 * (tag.import_per_kwh if net_wh > 0 else tag.export_per_kwh)


def bill(rows: Sequence[AccountRow]) -> float:
    return sum(row.cost - row.revenue + row.charges for row in rows)


@pytest.mark.requirement("ROLE-CEM")
@settings(max_examples=examples(80), deadline=None)
@given(minutes=table(), stored_wh=st.floats(1000, 10_000))
def test_the_twins_cost_what_a_slow_simulator_says(minutes: list[Minute], stored_wh: float) -> None:
    rows = settle(minutes, State(stored_wh={"battery": stored_wh}), PLANT, CONTRACT).rows
    house, idle, greedy = slow_bills(minutes, stored_wh)
    assert bill(rows) == pytest.approx(house, abs=1e-6)
    assert sum(row.cost_no_control or 0.0 for row in rows) == pytest.approx(idle, abs=1e-6)
    assert sum(row.cost_greedy or 0.0 for row in rows) == pytest.approx(greedy, abs=1e-6)
    assert sum(row.import_wh - row.export_wh for row in rows) == pytest.approx(
        sum(m.net_wh for m in minutes), abs=1e-6
    )


@settings(max_examples=examples(80), deadline=None)
@given(minutes=table(), pieces=st.sets(st.integers(1, 49), max_size=5))
def test_settling_now_and_then_comes_to_the_same(minutes: list[Minute], pieces: set[int]) -> None:
    contract = replace(CONTRACT, peak_per_kw=5.0, standing_per_day=0.4)
    begun = State(stored_wh={"battery": 5000.0})
    at_once_ = {row.start: row for row in settle(minutes, begun, PLANT, contract).rows}
    state, rows = begun, dict[int, AccountRow]()
    for end in [*sorted(p for p in pieces if p < len(minutes)), len(minutes)]:
        found = settle([m for m in minutes[:end] if m.at >= state.at], state, PLANT, contract)
        rows |= {row.start: row for row in found.rows}
        state = found.state
    assert rows.keys() == at_once_.keys()
    for start, row in rows.items():
        other = at_once_[start]
        assert row.charges == pytest.approx(other.charges)
        assert row.cost_no_control == pytest.approx(other.cost_no_control)
        assert row.cost_greedy == pytest.approx(other.cost_greedy)


def test_a_battery_and_a_car_that_were_moved_to_the_sun_save() -> None:
    night = [minute(i, 500.0, wants=True) for i in range(60)]
    noon = [minute(60 + i, -7000.0, car_w=6000.0) for i in range(60)]
    found = settle([*night, *noon], State(stored_wh={"battery": 1000.0}), PLANT, CONTRACT)
    assert bill(found.rows) == pytest.approx(0.15 - 0.08)
    no_control = sum(row.cost_no_control or 0.0 for row in found.rows)
    assert no_control == pytest.approx(6.5 * 0.30 - 7 * 0.08)
    greedy = sum(row.cost_greedy or 0.0 for row in found.rows)
    assert greedy == pytest.approx(6.5 * 0.30 - 4 * 0.08)


def test_minutes_stay_until_the_car_has_left() -> None:
    plugged = [minute(i, 500.0, wants=i >= 20) for i in range(100)]
    found = settle(plugged, State(), PLANT, CONTRACT)
    assert found.state.at == T + 900, "the quarter-hour in which it was plugged in"
    left = [*plugged, *(minute(i, 500.0) for i in range(100, 106))]
    assert settle(left[:-1], State(), PLANT, CONTRACT).state.at == T + 900
    assert settle(left, State(), PLANT, CONTRACT).state.at == T + 7 * 900


def test_a_car_that_never_leaves_is_settled_in_the_end() -> None:
    count = LONGEST_S // 60 + 120
    minutes = [minute(i, 0.0, car_w=600.0) for i in range(0, count, 15)]
    found = settle(minutes, State(), PLANT, CONTRACT)
    assert found.state.at == (minutes[-1].at // 900) * 900 - LONGEST_S
    drawn = sum(m.waiting["car"].energy_wh for m in minutes)
    assert sum(row.cost_no_control or 0.0 for row in found.rows) == pytest.approx(drawn * 0.30e-3)


def test_without_a_known_battery_nothing_is_said_of_greedy_control() -> None:
    (row,) = settle([minute(0, 500.0)], State(), PLANT, CONTRACT).rows
    assert row.cost_greedy is None
    assert row.cost_no_control == pytest.approx(row.cost)
    (row,) = settle([minute(0, 500.0)], State(), Plant(), CONTRACT).rows
    assert row.cost_greedy == pytest.approx(row.cost), "where there is none it is the same house"


def test_what_was_not_compared_saves_nothing() -> None:
    blind = replace(minute(0, 500.0), compared_s=0.0, net_wh=0.0, rest_wh=0.0, waiting={})
    (row,) = settle([blind], State(stored_wh={"battery": 5000.0}), PLANT, CONTRACT).rows
    assert (row.cost_no_control, row.cost_greedy) == (None, None)


def counted(index: int, opened: float, closed: float, seconds: float = 60.0) -> Minute:
    return replace(
        minute(index, 600.0, seconds=seconds),
        opened=Registers(opened, 0.0),
        closed=Registers(closed, 5.0 if index == 14 else 0.0),
    )


@pytest.mark.requirement("ROLE-CEM")
def test_what_is_missing_within_a_quarter_hour_comes_from_the_registers() -> None:
    ends = [counted(0, 1000.0, 1010.0), counted(14, 1190.0, 1200.0)]
    (row,) = settle(ends, State(), Plant(), CONTRACT).rows
    assert (row.registers, row.measured) == (True, 1.0)
    assert [row.import_wh, row.export_wh] == pytest.approx([200.0, 5.0])
    assert row.cost == pytest.approx(0.2 * 0.30)
    assert row.revenue == pytest.approx(0.005 * 0.08)


@pytest.mark.parametrize(
    "minutes",
    [
        [counted(0, 1000.0, 1010.0), counted(13, 1190.0, 1200.0)],
        [counted(0, 1000.0, 1010.0, seconds=20.0), counted(14, 1190.0, 1200.0)],
        [counted(0, 9000.0, 9010.0), counted(14, 1190.0, 1200.0)],
        [counted(0, 1000.0, 1010.0), counted(14, 5e6, 5e6)],
        [minute(0, 600.0), counted(14, 1190.0, 1200.0)],
    ],
    ids=["not to the end", "not from the start", "another meter", "a jump", "no registers"],
)
def test_registers_that_do_not_span_it_say_nothing(minutes: list[Minute]) -> None:
    (row,) = settle(minutes, State(), Plant(), CONTRACT).rows
    assert not row.registers
    assert row.measured == pytest.approx(sum(m.metered_s for m in minutes) / 900)
    assert row.import_wh == pytest.approx(sum(m.import_wh for m in minutes))


def test_a_metered_quarter_hour_is_not_overruled_by_a_coarse_register() -> None:
    whole = [minute(i, 600.0) for i in range(15)]
    whole[0] = replace(whole[0], opened=Registers(0.0, 0.0))
    whole[-1] = replace(whole[-1], closed=Registers(0.0, 0.0))
    (row,) = settle(whole, State(), Plant(), CONTRACT).rows
    assert not row.registers
    assert row.import_wh == pytest.approx(150.0)


def test_carbon_is_that_of_the_energy_taken_or_unknown() -> None:
    known = [minute(0, 600.0, tag=Tag(0.3, 0.1, 0.4)), minute(1, -600.0, tag=Tag(0.3, 0.1, 0.2))]
    (row,) = settle(known, State(), Plant(), CONTRACT).rows
    assert row.carbon_kg == pytest.approx(0.01 * 0.4)
    (row,) = settle([*known, minute(2, 600.0)], State(), Plant(), CONTRACT).rows
    assert row.carbon_kg is None


@pytest.mark.requirement("BUC-1")
def test_a_peak_shaved_saves_its_charge() -> None:
    contract = replace(CONTRACT, peak_per_kw=10.0)
    plant = Plant({"battery": Cell(10_000.0, 0.0, 3000.0, 4000.0)}, {}, 1)
    shaved = [minute(i, 4000.0, battery_w=-3000.0) for i in range(15)]
    found = settle(shaved, State(stored_wh={"battery": 0.0}), plant, contract)
    (row,) = found.rows
    assert row.charges == pytest.approx(10.0)
    assert row.cost_no_control == pytest.approx(40.0 + 1.0 * 0.30)
    assert row.cost_greedy == pytest.approx(40.0 + 1.0 * 0.30)
    assert found.peak.power_w == pytest.approx(1000.0)


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize(("day", "quarters"), [((2026, 3, 29), 92), ((2026, 10, 25), 100)])
def test_a_long_or_short_day_costs_its_standing_charge_once(
    day: tuple[int, int, int], quarters: int
) -> None:
    contract = replace(CONTRACT, standing_per_day=0.5)
    first = round(datetime(*day, tzinfo=BERLIN).timestamp())
    minutes = [replace(minute(0, 60.0), at=first + 60 * i) for i in range(0, quarters * 15, 5)]
    found = settle(minutes, State(), Plant(), contract)
    assert len(found.rows) == quarters
    assert sum(row.charges for row in found.rows) == pytest.approx(0.5)
