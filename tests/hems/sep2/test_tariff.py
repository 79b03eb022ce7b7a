"""What energy costs when: tables of rules, and a slow obvious oracle."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hems.sep2.rules.events import Draw, Event, Held, Program, Status
from hems.sep2.rules.tariff import (
    Block,
    Component,
    Flow,
    Place,
    Price,
    Priced,
    Step,
    Tariff,
    Use,
    chosen,
    price_at,
    steps,
)
from tests.examples import examples

pytestmark = pytest.mark.requirement("PRO-2030.5")

IMPORT = Use(Flow.IMPORT)
HORIZON = 40


def _priced(
    start: int,
    duration: int,
    *blocks: tuple[float, float | None],
    component: str = "C",
    created: int = 0,
    mrid: str = "E",
    tier: int = 0,
    status: Status = Status.SCHEDULED,
    status_time: int = 0,
) -> Priced:
    event = Event(
        mrid=mrid,
        program=Program(component, primacy=1),
        creation_time=created,
        start=start,
        duration_s=duration,
        modes={f"TimeTariffInterval {component}": float(tier)},
        kind="TimeTariffInterval",
        status=status,
        status_time=status_time,
    )
    return Priced(Held(event), tuple(Block(*block) for block in blocks))


def _component(*intervals: Priced, mrid: str = "C", **more: object) -> Component:
    values: dict[str, object] = {"flows": frozenset({Flow.IMPORT})}
    return Component(mrid, "", intervals=intervals, **(values | more))  # type: ignore[arg-type]


def _tariff(*components: Component) -> Tariff:
    return Tariff("A", "", primacy=1, currency=36, components=components)


def _prices(tariff: Tariff, use: Use = IMPORT, *, resumes: bool = False) -> list[object]:
    """Return start, end and price of each step of the first 40 s."""
    return [
        (s.start, s.end, s.price and s.price.per_kwh)
        for s in steps(tariff, use, 0, HORIZON, resumes=resumes)
    ]


FLAT = _priced(0, HORIZON, (0, 0.3), mrid="E1")
PEAK = _priced(10, 5, (0, 0.9), mrid="E2", created=5, tier=3)


def test_a_flat_price() -> None:
    tariff = _tariff(_component(FLAT))
    assert price_at(tariff, IMPORT, 3) == Price(0.3, 36, 0)
    assert steps(tariff, IMPORT, 0, 10) == (Step(0, 10, Price(0.3, 36, 0)),)


def test_the_later_created_of_two_intervals_counts() -> None:
    tariff = _tariff(_component(FLAT, PEAK))
    assert price_at(tariff, IMPORT, 10) == Price(0.9, 36, 3)
    assert _prices(tariff, resumes=True) == [(0, 10, 0.3), (10, 15, 0.9), (15, 40, 0.3)]
    assert _prices(tariff) == [(0, 10, 0.3), (10, 15, 0.9), (15, 40, None)]


def test_intervals_of_one_price_are_one_step() -> None:
    tariff = _tariff(_component(_priced(0, 10, (0, 0.3)), _priced(10, 9, (0, 0.3), mrid="F")))
    assert _prices(tariff) == [(0, 19, 0.3), (19, 40, None)]


def test_a_cancelled_interval_is_left_out() -> None:
    event = replace(PEAK.held.event, status=Status.CANCELLED, status_time=2)
    assert _prices(_tariff(_component(FLAT, Priced(Held(event), PEAK.blocks)))) == [(0, 40, 0.3)]


def test_an_interval_cancelled_under_way_gives_no_price_from_then_on() -> None:
    cancelled = _priced(0, 40, (0, 0.3), status=Status.CANCELLED, status_time=12)
    assert _prices(_tariff(_component(cancelled))) == [(0, 12, 0.3), (12, 40, None)]


def test_a_drawn_start_shifts_the_price() -> None:
    shifted = Priced(replace(PEAK.held, draw=Draw(start_s=3)), PEAK.blocks)
    assert _prices(_tariff(_component(shifted))) == [(0, 13, None), (13, 18, 0.9), (18, 40, None)]


@pytest.mark.parametrize(
    "tariff",
    [
        _tariff(),
        _tariff(_component()),
        _tariff(_component(_priced(0, HORIZON))),
        _tariff(_component(_priced(0, HORIZON, (0, None)))),
        _tariff(_component(_priced(0, HORIZON, (100, 0.3)))),
        _tariff(_component(FLAT, flows=frozenset({Flow.EXPORT}))),
        _tariff(_component(FLAT, place=Place.PEV)),
        _tariff(_component(FLAT), _component(mrid="C2")),
    ],
)
def test_a_price_that_is_not_known_is_none(tariff: Tariff) -> None:
    assert price_at(tariff, IMPORT, 5) is None
    assert steps(tariff, IMPORT, 0, HORIZON) == (Step(0, HORIZON, None),)


def test_a_price_of_zero_is_a_price() -> None:
    price = price_at(_tariff(_component(_priced(0, 9, (0, 0.0)))), IMPORT, 5)
    assert price is not None
    assert price.per_kwh == 0.0


def test_what_is_fed_in_has_its_own_price() -> None:
    fed_in = _component(
        _priced(0, 9, (0, 0.05), component="C2"), mrid="C2", flows=frozenset({Flow.EXPORT})
    )
    tariff = _tariff(_component(FLAT), fed_in)
    assert price_at(tariff, IMPORT, 5) == Price(0.3, 36, 0)
    assert price_at(tariff, Use(Flow.EXPORT), 5) == Price(0.05, 36, 0)
    assert price_at(tariff, Use(Flow.EXPORT), 9) is None


def test_parts_of_a_rate_add_up() -> None:
    network = _component(_priced(0, 20, (0, 0.1), (500, 0.2), component="N"), mrid="N")
    energy = _component(_priced(0, 40, (0, 0.3), (200, 0.4), tier=1))
    price = price_at(_tariff(network, energy), Use(Flow.IMPORT, used_wh=100.0), 5)
    assert price is not None
    assert price.per_kwh == pytest.approx(0.4)
    assert price.tier == 1
    assert [after for after, _ in price.later] == [100.0, 400.0]
    assert [p for _, p in price.later] == [pytest.approx(0.5), pytest.approx(0.6)]


def test_a_component_counts_in_its_range_of_power() -> None:
    low = _component(FLAT, to_w=5000.0)
    high = _component(_priced(0, 40, (0, 0.8), component="H"), mrid="H", from_w=5000.0)
    tariff = _tariff(low, high)
    assert [
        price and price.per_kwh
        for watts in (0.0, 4999.0, 5000.0)
        for price in [price_at(tariff, Use(Flow.IMPORT, power_w=watts), 1)]
    ] == [0.3, 0.3, 0.8]


@pytest.mark.parametrize(
    ("used_wh", "per_kwh", "later"),
    [
        (0.0, 0.1, ((1000.0, 0.2), (3000.0, None), (4000.0, 0.5))),
        (999.0, 0.1, ((1.0, 0.2), (2001.0, None), (3001.0, 0.5))),
        (1000.0, 0.2, ((2000.0, None), (3000.0, 0.5))),
        (4000.0, 0.5, ()),
        (1e9, 0.5, ()),
    ],
)
def test_blocks(used_wh: float, per_kwh: float, later: object) -> None:
    blocks = ((0, 0.1), (1000.0, 0.2), (3000.0, None), (4000.0, 0.5))
    tariff = _tariff(_component(_priced(0, 9, *blocks)))
    price = price_at(tariff, Use(Flow.IMPORT, used_wh=used_wh), 5)
    assert price == Price(per_kwh, 36, 0, later)  # type: ignore[arg-type]
    assert price_at(tariff, Use(Flow.IMPORT, used_wh=3500.0), 5) is None


def test_blocks_of_a_tier_count_what_was_used_in_it() -> None:
    use = Use(Flow.IMPORT, used_wh=5000.0, used_by_tier_wh={2: 800.0})
    interval = _priced(0, 9, (0, 0.1), (1000.0, 0.2), tier=2)
    over_all = price_at(_tariff(_component(interval)), use, 5)
    in_tier = price_at(_tariff(_component(interval, by_tier=True)), use, 5)
    assert over_all == Price(0.2, 36, 2)
    assert in_tier == Price(0.1, 36, 2, ((200.0, 0.2),))


def test_the_tariff_of_the_lowest_primacy_that_is_in_effect_counts() -> None:
    contract = Tariff("A", "", primacy=1)
    local = Tariff("B", "", primacy=0, effective=100)
    newer = Tariff("0", "", primacy=1, effective=50)
    assert chosen([contract, local, newer], 10) == contract
    assert chosen([contract, local, newer], 50) == newer
    assert chosen([contract, local, newer], 100) == local
    assert chosen([], 0) is None


def test_no_time_has_no_steps() -> None:
    assert steps(_tariff(_component(FLAT)), IMPORT, 5, 5) == ()
    assert steps(_tariff(_component(FLAT)), IMPORT, 5, 4) == ()


_BLOCKS = st.lists(
    st.tuples(st.integers(0, 5), st.none() | st.integers(-3, 3)),
    max_size=3,
    unique_by=lambda block: block[0],
).map(lambda blocks: tuple(Block(float(s), p) for s, p in sorted(blocks, key=lambda b: b[0])))


@st.composite
def _components(draw: st.DrawFn, mrid: str) -> Component:
    made = []
    for number in range(draw(st.integers(0, 4))):
        status = draw(st.sampled_from([Status.SCHEDULED, Status.ACTIVE, Status.CANCELLED]))
        plain = _priced(
            draw(st.integers(0, HORIZON)),
            draw(st.integers(0, 20)),
            component=mrid,
            created=draw(st.integers(0, 2)),
            mrid=f"{mrid}{number}",
            tier=draw(st.integers(0, 3)),
            status=status,
            status_time=draw(st.integers(0, HORIZON)),
        )
        made.append(replace(plain, blocks=draw(_BLOCKS)))
    flows = draw(st.sampled_from([{Flow.IMPORT}, {Flow.EXPORT}, {Flow.IMPORT, Flow.EXPORT}]))
    return _component(
        *made,
        mrid=mrid,
        flows=frozenset(flows),
        by_tier=draw(st.booleans()),
        to_w=draw(st.sampled_from([math.inf, 100.0])),
    )


def _runs(priced: Priced, second: int) -> bool:
    event = priced.held.event
    if event.status is Status.CANCELLED and second >= event.status_time:
        return False
    return event.start <= second < event.start + event.duration_s


def _walk(component: Component, *, resumes: bool) -> list[Priced | None]:
    """Return whose price holds in each second: the later created, of equals the greater mRID."""
    lost: list[Priced] = []
    who: list[Priced | None] = []
    for second in range(2 * HORIZON):
        running = [p for p in component.intervals if _runs(p, second) and p not in lost]
        running.sort(key=lambda p: (p.held.event.creation_time, p.held.event.mrid))
        who.append(running.pop() if running else None)
        if not resumes:
            lost += running
    return who


def _cost(component: Component, priced: Priced, use: Use) -> float | None:
    tier = int(float(str(priced.held.event.modes[f"TimeTariffInterval {component.mrid}"])))
    used = use.used_by_tier_wh.get(tier, 0) if component.by_tier else use.used_wh
    cost = None
    for block in priced.blocks:
        if used >= block.start_wh:
            cost = block.per_kwh
    return cost


def _slow(components: Sequence[Component], use: Use, *, resumes: bool) -> list[float | None]:
    """Return the price in each second."""
    asked = [c for c in components if use.flow in c.flows and use.power_w < c.to_w]
    walks = [(c, _walk(c, resumes=resumes)) for c in asked]
    prices: list[float | None] = []
    for second in range(2 * HORIZON):
        parts = [None if (p := w[second]) is None else _cost(c, p, use) for c, w in walks]
        known = [part for part in parts if part is not None]
        prices.append(sum(known) if known and len(known) == len(parts) else None)
    return prices


@settings(max_examples=examples(300), deadline=None)
@given(
    first=_components("C"),
    second=_components("D"),
    use=st.builds(
        Use,
        flow=st.sampled_from(Flow),
        power_w=st.sampled_from([0.0, 200.0]),
        used_wh=st.integers(0, 6),
        used_by_tier_wh=st.dictionaries(st.integers(0, 3), st.integers(0, 6)),
    ),
    resumes=st.booleans(),
)
def test_prices_are_those_of_the_oracle(
    first: Component, second: Component, use: Use, resumes: bool
) -> None:
    tariff = _tariff(first, second)
    expected = _slow([first, second], use, resumes=resumes)
    found = steps(tariff, use, 0, len(expected), resumes=resumes)
    assert [s.start for s in found] == [0, *(s.end for s in found)][:-1]
    assert found[-1].end == len(expected)
    for before, after in pairwise(found):
        assert before.price != after.price
    for at, price in enumerate(expected):
        (step,) = (s for s in found if s.start <= at < s.end)
        assert (step.price and step.price.per_kwh) == price
        assert price_at(tariff, use, at, resumes=resumes) == step.price


@settings(max_examples=examples(100), deadline=None)
@given(first=_components("C"), second=_components("D"), used=st.integers(0, 6))
def test_what_is_said_of_further_energy_comes_true(
    first: Component, second: Component, used: int
) -> None:
    tariff = _tariff(replace(first, by_tier=False), replace(second, by_tier=False))
    for at in range(HORIZON):
        price = price_at(tariff, Use(Flow.IMPORT, used_wh=used), at)
        for after, per_kwh in price.later if price else ():
            then = price_at(tariff, Use(Flow.IMPORT, used_wh=used + after), at)
            assert (then and then.per_kwh) == per_kwh
