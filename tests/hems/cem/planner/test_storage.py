"""What stored energy is worth: against linear programmes and whole trees, and by its shape."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.cem.forecast.past import Paths
from hems.cem.planner.problem import Battery, Limits, Prices
from hems.cem.planner.worth.bands import Bands, bands
from hems.cem.planner.worth.induction import slopes
from hems.cem.planner.worth.manner import manner, manners
from hems.cem.planner.worth.storage import pooled, stored_value
from hems.cem.slots import Slots
from tests.examples import examples

FREE = math.inf
BATTERY = Battery("battery", 3000.0, 1000.0, 9000.0, 4000.0, 3000.0, 0.95, 0.9, 0.02)


@dataclass(frozen=True, slots=True)
class Case:
    """A home for some hours, its course certain."""

    buy: tuple[float, ...]
    sell: tuple[float, ...]
    net_w: tuple[float, ...]
    battery: Battery = BATTERY
    import_w: float = FREE
    export_w: float = FREE

    @property
    def slots(self) -> Slots:
        return Slots(0.0, 3600.0, len(self.buy))

    @property
    def bands(self) -> Bands:
        count = len(self.buy)
        limits = Limits((self.import_w,) * count, (self.export_w,) * count)
        return bands(Prices(self.buy, self.sell), limits, 1.0, curtailable=True)

    @property
    def paths(self) -> Paths:
        net = np.array([self.net_w])
        return Paths(np.ones(1), np.maximum(net, 0.0), np.minimum(net, 0.0))


def followed(case: Case, end_per_kwh: float, levels: int = 161) -> float:
    """Return what a course costs whose every slot is as the manner says, less what is left."""
    value = stored_value(
        case.slots, case.battery, case.bands, case.paths, end_per_kwh=end_per_kwh, levels=levels
    )
    total, energy = 0.0, case.battery.energy_wh
    for slot, way in enumerate(manners(value, case.net_w)):
        grid = case.net_w[slot] + way.power_w
        total += grid / 1000.0 * (case.buy[slot] if grid > 0.0 else case.sell[slot])
        total += max(0.0, -way.power_w) / 1000.0 * case.battery.wear_per_kwh
        energy = way.energy_wh
    return total - (energy - case.battery.least_wh) / 1000.0 * end_per_kwh


def least(case: Case, end_per_kwh: float) -> float:
    """Return the same of the best course, by linear programme."""
    battery, model = case.battery, highspy.Highs()  # type: ignore[no-untyped-call]
    model.setOptionValue("output_flag", False)
    held = battery.energy_wh / 1000.0
    cost = 0.0
    for buy, sell, net_w in zip(case.buy, case.sell, case.net_w, strict=True):
        charge = model.addVariable(lb=0.0, ub=battery.charge_w / 1000.0)
        discharge = model.addVariable(lb=0.0, ub=battery.discharge_w / 1000.0)
        bought = model.addVariable(lb=0.0, ub=case.import_w / 1000.0)
        sold = model.addVariable(lb=0.0, ub=case.export_w / 1000.0)
        lost = model.addVariable(lb=0.0, ub=max(0.0, -net_w) / 1000.0)
        model.addConstr(bought - sold - lost == net_w / 1000.0 + charge - discharge)
        after = model.addVariable(lb=battery.least_wh / 1000.0, ub=battery.most_wh / 1000.0)
        model.addConstr(
            after
            == held
            + battery.charge_efficiency * charge
            - (1.0 / battery.discharge_efficiency) * discharge
        )
        held = after
        cost = cost + buy * bought - sell * sold + battery.wear_per_kwh * discharge
    model.minimize(cost - end_per_kwh * held)  # type: ignore[arg-type]
    assert model.getModelStatus() == highspy.HighsModelStatus.kOptimal
    left = battery.least_wh / 1000.0 * end_per_kwh
    return float(model.getInfo().objective_function_value) + left


PRICE = st.floats(0.0, 0.6).map(lambda p: round(p, 3))
NET = st.floats(-6000.0, 6000.0).map(lambda w: round(w, 0))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 8))
    buy = tuple(draw(PRICE) for _ in range(count))
    sell = tuple(round(p * draw(st.floats(0.0, 1.0)), 3) for p in buy)
    net_w = tuple(draw(NET) for _ in range(count))
    battery = replace(
        BATTERY,
        energy_wh=draw(st.floats(1000.0, 9000.0)),
        wear_per_kwh=draw(st.sampled_from([0.0, 0.05])),
        charge_efficiency=draw(st.sampled_from([0.9, 1.0])),
    )
    return Case(buy, sell, net_w, battery)


@pytest.mark.requirement("ROLE-CEM")
@settings(max_examples=examples(60), deadline=None)
@given(cases(), st.floats(0.0, 0.3))
def test_where_all_is_certain_it_is_as_good_as_the_linear_programme(
    case: Case, end_per_kwh: float
) -> None:
    ours, best = followed(case, end_per_kwh), least(case, end_per_kwh)
    step_kwh = 8.0 / 160
    assert best - 1e-6 <= ours <= best + step_kwh * (max(case.buy) - min(case.sell) + 0.3)


@settings(max_examples=30, deadline=None)
@given(cases(), st.floats(6000.0, 9000.0), st.floats(2000.0, 6000.0))
def test_it_keeps_to_the_connections_limits(case: Case, import_w: float, export_w: float) -> None:
    case = replace(case, import_w=import_w, export_w=export_w)
    ours, best = followed(case, 0.1), least(case, 0.1)
    # What is beyond the export limit is held back, and neither paid nor charged for.
    sold_too_much = sum(
        max(0.0, -net - export_w) / 1000.0 * sell
        for net, sell in zip(case.net_w, case.sell, strict=True)
    )
    assert ours <= best + 8.0 / 160 * (max(case.buy) + 0.4)
    assert ours >= best - sold_too_much - 1e-6
    value = stored_value(case.slots, case.battery, case.bands, case.paths)
    for way, net in zip(manners(value, case.net_w), case.net_w, strict=True):
        assert net + way.power_w <= import_w + 1e-6
        assert net + way.power_w >= min(-export_w, net) - 1e-6


def ways(draw: st.DrawFn, count: int, rows: int) -> Paths:
    """Return paths with turns: any."""
    sizes = st.floats(0.05, 1.0)
    turns = np.array(
        [[[draw(sizes) for _ in range(rows)] for _ in range(rows)] for _ in range(count - 1)]
    ).reshape(count - 1, rows, rows)
    turns /= turns.sum(axis=2, keepdims=True)
    net = np.array([[draw(NET) for _ in range(count)] for _ in range(rows)])
    net[:, 0] = net[0, 0]
    weights = np.array([draw(sizes) for _ in range(rows)])
    return Paths(weights / weights.sum(), np.maximum(net, 0.0), np.minimum(net, 0.0), turns)


@st.composite
def uncertain(draw: st.DrawFn) -> tuple[Case, Paths]:
    case = draw(cases())
    return case, ways(draw, len(case.buy), draw(st.integers(1, 3)))


@settings(max_examples=examples(60), deadline=None)
@given(uncertain(), st.integers(2, 40))
def test_a_kwh_is_never_worth_less_than_nothing_and_the_more_there_is_the_less(
    drawn: tuple[Case, Paths], levels: int
) -> None:
    case, paths = drawn
    value = stored_value(case.slots, case.battery, case.bands, paths, levels=levels)
    worth = -np.diff(value.after, axis=1)
    assert (worth >= -1e-9).all()
    assert (np.diff(worth, axis=1) <= 1e-9).all()


@settings(max_examples=examples(60), deadline=None)
@given(uncertain(), st.floats(0.0, 12000.0), NET)
def test_energy_is_conserved_and_bounds_are_kept(
    drawn: tuple[Case, Paths], energy_wh: float, net_w: float
) -> None:
    case, paths = drawn
    battery = case.battery
    value = stored_value(case.slots, battery, case.bands, paths)
    for slot in range(case.slots.count):
        way = manner(value, slot, energy_wh, net_w)
        assert -battery.discharge_w - 1e-6 <= way.power_w <= battery.charge_w + 1e-6
        assert battery.least_wh - 1e-6 <= way.energy_wh <= battery.most_wh + 1e-6
        start = min(max(energy_wh, battery.least_wh), battery.most_wh)
        stored = way.power_w * battery.charge_efficiency
        given_up = way.power_w / battery.discharge_efficiency
        assert way.energy_wh - start == pytest.approx(
            stored if way.power_w > 0.0 else given_up, abs=1e-6
        )
        assert way.buy_to_wh <= way.store_to_wh + 1e-6
        assert way.give_to_wh <= way.sell_to_wh + 1e-6
        assert way.buy_to_wh <= way.give_to_wh + 1e-6


@dataclass(frozen=True, slots=True)
class Tree:
    """All that may come, gone through by trying every charge there is."""

    case: Case
    paths: Paths
    step_wh: float
    _known: dict[tuple[int, int, int], float] = field(default_factory=dict)

    def least(self, slot: int, row: int, level: int) -> float:
        """Return the least expected cost from a slot's start on."""
        place = slot, row, level
        if place not in self._known:  # many ways lead to it; what comes after is the same
            self._known[place] = self._tried(*place)
        return self._known[place]

    def _tried(self, slot: int, row: int, level: int) -> float:
        battery, case = self.case.battery, self.case
        if slot == len(case.buy):
            return 0.0
        net = float(self.paths.load_w[row, slot] + self.paths.sun_w[row, slot])
        costs = []
        for end in range(round((battery.most_wh - battery.least_wh) / self.step_wh) + 1):
            change = (end - level) * self.step_wh
            power = max(change, 0.0) / battery.charge_efficiency
            power += min(change, 0.0) * battery.discharge_efficiency
            if -battery.discharge_w <= power <= battery.charge_w:
                grid = net + power
                price = case.buy[slot] if grid > 0.0 else case.sell[slot]
                costs.append(grid / 1000.0 * price + self.later(slot, row, end))
        return min(costs)

    def later(self, slot: int, row: int, level: int) -> float:
        """Return the same from a slot's end on, not knowing how it goes on."""
        if slot + 1 == len(self.case.buy):
            return 0.0
        assert self.paths.turns is not None
        shares = enumerate(self.paths.turns[slot][row])
        return float(sum(share * self.least(slot + 1, other, level) for other, share in shares))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(PRICE, st.integers(-4, 4), st.integers(-4, 4), st.floats(0.0, 1.0)),
        min_size=2,
        max_size=3,
    )
)
def test_what_it_expects_is_what_looking_through_the_whole_tree_finds(
    rows: Sequence[tuple[float, int, int, float]],
) -> None:
    """Loads and charges are whole kWh and nothing is lost, so that both may try the same."""
    battery = Battery("b", 1000.0, 0.0, 4000.0, 3000.0, 3000.0, 1.0, 1.0)
    buy = tuple(row[0] for row in rows)
    case = Case(buy, (0.0,) * len(buy), (), battery)
    net = np.array([[1000.0 * row[1] for row in rows], [1000.0 * row[2] for row in rows]])
    net[1, 0] = net[0, 0]
    turns = np.array([[[row[3], 1 - row[3]], [0.3, 0.7]] for row in rows[:-1]])
    turns[0, 1] = turns[0, 0]
    paths = Paths(turns[0, 0].copy(), np.maximum(net, 0.0), np.minimum(net, 0.0), turns)
    value = stored_value(
        Slots(0.0, 3600.0, len(buy)), battery, case.bands, paths, end_per_kwh=0.0, levels=5
    )
    tree = Tree(case, paths, 1000.0)
    for level in range(5):
        assert value.after[0, level] == pytest.approx(tree.later(0, 0, level), abs=1e-9)


@given(st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=3), st.floats(0.0, 0.2))
def test_energy_is_never_wanted_at_a_price_at_which_it_is_given_away(
    prices: list[float], wear: float
) -> None:
    per_wh = np.sort(np.array(prices)) / 1000.0
    taken, given_away = np.split(slopes(replace(BATTERY, wear_per_kwh=wear), per_wh, 1), 2)
    assert (given_away <= taken).all()
    assert (np.diff(taken) >= 0.0).all()
    assert (np.diff(given_away) >= 0.0).all()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-0.3, 0.5).map(lambda p: round(p, 2)), st.floats(0.0, 4000.0)),
        min_size=2,
        max_size=4,
    )
)
def test_negative_prices_are_used_as_well_as_losses_allow(
    rows: Sequence[tuple[float, float]],
) -> None:
    battery = Battery("b", 2000.0, 0.0, 4000.0, 4000.0, 4000.0, 0.9, 0.9)
    buy = tuple(row[0] for row in rows)
    case = Case(buy, tuple(min(p, 0.0) for p in buy), tuple(row[1] for row in rows), battery)
    net = np.array([case.net_w])
    paths = Paths(np.ones(1), net, 0.0 * net, np.ones((len(buy) - 1, 1, 1)))
    best = Tree(case, paths, 125.0).least(0, 0, 16)
    lost = (1.0 / 0.9 - 0.9) * 4.0 * max(0.0, -min(buy)) * (len(buy) - 1)
    assert followed(case, 0.0) <= best + lost + 0.125 * (max(buy) - min(buy)) + 1e-6


def test_a_committed_energy_is_kept_and_got_ready() -> None:
    battery = replace(
        BATTERY, wear_per_kwh=0.0, committed_wh=(0.0, 0.0, 0.0, 5000.0, 5000.0, 0.0, 0.0)
    )
    case = Case((0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5), (0.0,) * 7, (2000.0,) * 7, battery)
    value = stored_value(case.slots, battery, case.bands, case.paths, end_per_kwh=0.0)
    levels = [way.energy_wh for way in manners(value, case.net_w)]
    assert min(levels[3:5]) >= 6000.0 - 1.0
    assert levels[-1] < 6000.0
    without = stored_value(
        case.slots, replace(battery, committed_wh=()), case.bands, case.paths, end_per_kwh=0.0
    )
    assert max(way.energy_wh for way in manners(without, case.net_w)) <= 3000.0


def test_a_peak_that_is_charged_is_shaved() -> None:
    net = (1000.0, 1000.0, 5000.0, 5000.0, 1000.0)
    prices = Prices((0.3,) * 5, (0.0,) * 5, peak_per_kw=10.0, peak_so_far_w=3000.0)
    free = Limits((FREE,) * 5, (FREE,) * 5)
    case = Case(prices.import_per_kwh, prices.export_per_kwh, net)

    def highest(peak_per_kw: float) -> float:
        staircase = bands(replace(prices, peak_per_kw=peak_per_kw), free, 1.0, curtailable=True)
        value = stored_value(case.slots, BATTERY, staircase, case.paths, end_per_kwh=0.0)
        behaviour = manners(value, net)
        return max(w + way.power_w for w, way in zip(net, behaviour, strict=True))

    assert highest(10.0) <= 3000.0 + 1.0
    assert highest(0.0) > 4000.0


def test_several_batteries_are_one() -> None:
    small = replace(
        BATTERY, id="small", energy_wh=500.0, least_wh=1000.0, most_wh=3000.0, wear_per_kwh=0.0
    )
    both = pooled([BATTERY, small])
    assert (both.least_wh, both.most_wh, both.charge_w) == (2000.0, 12000.0, 8000.0)
    assert both.energy_wh == 4000.0  # what is missing in one is not taken from the other
    assert both.wear_per_kwh == pytest.approx(0.02 * 0.8)
    assert pooled([BATTERY]) is BATTERY
    with pytest.raises(ValueError, match="no battery"):
        pooled([])


@pytest.mark.parametrize(
    ("battery", "count", "message"),
    [
        (replace(BATTERY, most_wh=1000.0), 2, "no room"),
        (BATTERY, 3, "3 slots, but paths of 2 and 2 prices"),
    ],
)
def test_what_does_not_fit_together_is_named(battery: Battery, count: int, message: str) -> None:
    case = Case((0.2, 0.3), (0.0, 0.0), (100.0, 200.0))
    with pytest.raises(ValueError, match=message):
        stored_value(Slots(0.0, 3600.0, count), battery, case.bands, case.paths)


def test_worth_is_what_a_kwh_will_replace_less_what_is_lost_and_worn() -> None:
    case = Case((0.2, 0.5), (0.0, 0.0), (0.0, 1800.0))
    value = stored_value(case.slots, case.battery, case.bands, case.paths, end_per_kwh=0.0)
    worth = [value.worth_per_kwh(0, float(energy)) for energy in value.levels_wh]
    # 1.8 kWh out of the battery are 2 kWh stored: five of twenty steps of 400 Wh.
    assert worth[:5] == pytest.approx([(0.5 - 0.02) * 0.9] * 5)
    assert worth[5:] == pytest.approx([0.0] * 16)


def test_what_is_left_at_the_end_is_worth_what_it_replaces_or_sells_for() -> None:
    for buy, sell, worth in (
        ((0.3, 0.2), (0.0, 0.0), (0.2 - 0.02) * 0.9),
        ((0.3, 0.3), (0.4, 0.2), (0.3 - 0.02) * 0.9),
        ((0.3, 0.01), (0.0, 0.0), 0.0),
        ((0.5, 0.1), (0.4, 0.0), (0.2 - 0.02) * 0.9),
    ):
        case = Case(buy, sell, (500.0, 500.0))
        value = stored_value(case.slots, case.battery, case.bands, case.paths)
        assert value.worth_per_kwh(1, 5000.0) == pytest.approx(worth)


def test_what_is_expected_later_is_the_mean_over_where_the_home_will_be_then() -> None:
    """Now on the first path for sure, an hour on surely on the second, where energy is needed."""
    load = np.array([[0.0, 0.0, 0.0], [0.0, 3000.0, 3000.0]])
    turns = np.array([[[0.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])
    paths = Paths(np.array([1.0, 0.0]), load, 0.0 * load, turns)
    case = Case((0.3, 0.3, 0.5), (0.0,) * 3, (0.0, 3000.0, 3000.0))
    value = stored_value(case.slots, case.battery, case.bands, paths, end_per_kwh=0.0)
    assert value.worth_per_kwh(1, 2000.0) == pytest.approx((0.5 - 0.02) * 0.9)
