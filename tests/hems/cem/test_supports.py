"""The arbiter of support wishes: who runs what, when it is told, when it ends."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.curves import Curve, Droop, GridFunction
from hems.cem.supports import (
    Due,
    SupportMemory,
    SupportPolicy,
    choose,
    decide,
    refused_by,
    same,
    sentences,
)
from programs.proposal import Rank
from programs.support import FixedFactor, FixedVar, Place, SupportWish, What

NOW = 1_800_000_000.0
POLICY = SupportPolicy()
VOLT_VAR = Curve(GridFunction.VOLT_VAR, ((0.92, -0.44), (1.08, 0.44)))
OTHER_VOLT_VAR = Curve(GridFunction.VOLT_VAR, ((0.95, -0.44), (1.05, 0.44)))
VOLT_WATT = Curve(GridFunction.VOLT_WATT, ((1.06, 1.0), (1.1, 0.2)))
WATT_VAR = Curve(GridFunction.WATT_VAR, ((-1.0, 0.44), (0.0, 0.0)))
DROOP = Droop(GridFunction.FREQUENCY_DROOP, 0.036, 0.036, 0.05, 0.05)
FIXED = FixedVar(500.0)
FACTOR = FixedFactor(producing=0.95)
ALL: Sequence[What] = (VOLT_VAR, OTHER_VOLT_VAR, VOLT_WATT, WATT_VAR, DROOP, FIXED, FACTOR)
KEY = ("pv", Place.REACTIVE)


def wish(
    what: What,
    rank: Rank = Rank.ACCEPTED,
    *,
    starts_at: float = NOW - 10,
    expires_at: float = NOW + 600,
    source: str = "volt-var",
    steered: bool = False,
) -> SupportWish:
    return SupportWish(
        source, rank, "pv", what, starts_at, expires_at, "E1", "The utility asks", steered
    )


def after(what: What, lapse_s: float = 610.0, at: float = NOW) -> SupportMemory:
    return SupportMemory().confirmed(KEY, what, lapse_s, at)


def due(
    memory: SupportMemory,
    *wishes: SupportWish,
    now: float = NOW,
    reachable: Sequence[str] = ("pv",),
) -> tuple[Due, ...]:
    return decide(wishes, memory, reachable, now, POLICY).due


@pytest.mark.requirement("BUC-4", "BUC-12")
@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        (wish(FIXED, Rank.BINDING), wish(VOLT_VAR, Rank.ACCEPTED, starts_at=NOW - 1)),
        (wish(FIXED, starts_at=NOW - 5), wish(VOLT_VAR, starts_at=NOW - 6)),
        (wish(VOLT_VAR, starts_at=NOW - 5), wish(FACTOR, starts_at=-math.inf)),
        (wish(WATT_VAR, Rank.EMERGENCY), wish(FIXED, Rank.BINDING)),
    ],
)
def test_one_reactive_way_at_a_time(stronger: SupportWish, weaker: SupportWish) -> None:
    for order in itertools.permutations((stronger, weaker)):
        chosen, yielded = choose(order, NOW)
        assert chosen == {KEY: stronger}
        assert [(y.wish, y.to) for y in yielded] == [(weaker, stronger)]
        assert "gives way" in yielded[0].words


def test_others_run_beside_it() -> None:
    chosen, yielded = choose([wish(VOLT_VAR), wish(VOLT_WATT), wish(DROOP)], NOW)
    assert {place for _, place in chosen} == set(Place)
    assert not yielded


def oracle(wishes: Sequence[SupportWish], place: Place) -> What | None:
    """Return what a place follows, by trying each wish against all others."""
    alive = [w for w in wishes if w.place is place and w.expires_at > NOW]
    for one in alive:
        if all(
            (one.rank, -one.starts_at, one.source) <= (w.rank, -w.starts_at, w.source)
            for w in alive
        ):
            return one.what
    return None


@pytest.mark.requirement("BUC-4")
@given(
    st.lists(
        st.builds(
            wish,
            st.sampled_from(ALL),
            st.sampled_from(list(Rank)),
            starts_at=st.sampled_from([-math.inf, NOW - 2, NOW - 1]),
            expires_at=st.sampled_from([NOW, NOW + 1, math.inf]),
            source=st.text("abc", min_size=3, max_size=5),
        ),
        max_size=6,
        unique_by=lambda w: w.source,
    )
)
def test_exclusivity_as_an_oracle_has_it(wishes: list[SupportWish]) -> None:
    chosen, _ = choose(wishes, NOW)
    for place in Place:
        found = chosen.get(("pv", place))
        assert (None if found is None else found.what) == oracle(wishes, place)


@pytest.mark.requirement("BUC-4")
def test_what_is_asked_is_told_with_a_time_to_lapse() -> None:
    (order,) = due(SupportMemory(), wish(VOLT_VAR))
    assert (order.what, order.before, order.refresh) == (VOLT_VAR, None, False)
    assert order.lapse_s == 610.0
    assert due(SupportMemory(), wish(VOLT_VAR, expires_at=math.inf))[0].lapse_s == 900.0
    assert due(SupportMemory(), wish(FIXED, steered=True))[0].lapse_s == 30.0


@pytest.mark.parametrize(
    ("what", "held", "before"),
    [
        (OTHER_VOLT_VAR, VOLT_VAR, None),
        (FIXED, VOLT_VAR, VOLT_VAR),
        (VOLT_VAR, FIXED, FIXED),
        (FACTOR, FIXED, None),
        (WATT_VAR, VOLT_VAR, VOLT_VAR),
    ],
)
def test_what_stood_in_its_place_is_stopped_first(
    what: What, held: What, before: What | None
) -> None:
    (order,) = due(after(held), wish(what))
    assert (order.what, order.before) == (what, before)


@pytest.mark.parametrize(
    ("lapse_s", "later_s", "expires_s", "told"),
    [
        (900.0, 299.0, math.inf, False),
        (900.0, 301.0, math.inf, True),
        (50.0, 39.0, 40.0, False),  # it lasts longer than its event: the hub ends it
        (50.0, 20.0, 400.0, True),  # the event was made longer
        (30.0, -5.0, 400.0, True),  # confirmed in the future
    ],
)
def test_what_is_held_is_told_again_before_it_lapses(
    lapse_s: float, later_s: float, expires_s: float, told: bool
) -> None:
    asked = wish(VOLT_VAR, expires_at=NOW + expires_s)
    orders = due(after(VOLT_VAR, lapse_s), asked, now=NOW + later_s)
    assert bool(orders) is told
    assert all(order.refresh for order in orders)


def test_what_nobody_asks_any_more_is_stopped_once() -> None:
    memory = after(VOLT_VAR)
    (order,) = due(memory)
    assert (order.what, order.before) == (None, VOLT_VAR)
    assert not due(memory.confirmed(KEY, None, 0.0, NOW))
    assert not due(memory, now=NOW + 611)  # it ended by itself


def test_after_a_restart_or_a_lost_connection_it_is_told_anew() -> None:
    assert not due(after(VOLT_VAR), wish(VOLT_VAR))
    assert due(after(VOLT_VAR).doubted("pv"), wish(VOLT_VAR))
    assert not due(after(VOLT_VAR).doubted("battery"), wish(VOLT_VAR))
    assert due(SupportMemory(), wish(VOLT_VAR))
    assert due(after(VOLT_VAR).shifted(100.0), wish(VOLT_VAR), now=NOW + 100)
    assert not due(after(VOLT_VAR).shifted(-100.0), wish(VOLT_VAR), now=NOW - 100)


def test_who_cannot_be_reached_is_not_told() -> None:
    assert not due(SupportMemory(), wish(VOLT_VAR), reachable=("battery",))


@pytest.mark.parametrize(("lasting", "pauses"), [(True, [300, 600, 1200]), (False, [2, 4, 8])])
def test_a_device_that_does_not_take_it_is_asked_ever_more_seldom(
    lasting: bool, pauses: list[int]
) -> None:
    memory, now = SupportMemory(), NOW
    asked = wish(VOLT_VAR, expires_at=math.inf)
    for pause in pauses:
        assert due(memory, asked, now=now)
        memory = memory.failed(KEY, VOLT_VAR, "pv: it refuses", now, lasting=lasting, policy=POLICY)
        assert not due(memory, asked, now=now + pause - 1)
        now += pause
    assert due(
        memory, wish(FIXED, expires_at=math.inf), now=now - 1
    )  # something else is asked at once
    assert memory.confirmed(KEY, VOLT_VAR, 900.0, now).troubles == {}


@pytest.mark.parametrize(
    ("pv", "battery", "refusing"),
    [
        ("refused", "refused", {"pv", "battery"}),
        ("refused", "lost", set()),
        ("refused", "takes", set()),
        ("takes", "takes", set()),
    ],
)
def test_an_event_is_refused_once_each_device_that_it_asks_refuses(
    pv: str, battery: str, refusing: set[str]
) -> None:
    memory = SupportMemory()
    for device, does in (("pv", pv), ("battery", battery)):
        key = (device, Place.REACTIVE)
        if does != "takes":
            memory = memory.failed(
                key, VOLT_VAR, "no", NOW, lasting=does == "refused", policy=POLICY
            )
    asked = [wish(VOLT_VAR), replace(wish(VOLT_VAR), device="battery")]
    supports = decide(asked, memory, ["pv", "battery"], NOW, POLICY)
    assert refused_by(supports, "E1", Place.REACTIVE) == refusing
    assert refused_by(supports, "E2", Place.REACTIVE) == frozenset()
    assert refused_by(supports, "E1", Place.VOLT_WATT) == frozenset()


def test_a_device_that_refuses_is_not_asked_for_each_value_that_a_measurement_gives() -> None:
    memory, told = SupportMemory(), 0
    for second in range(600):
        moving = FixedVar(10.0 * second, tolerance_var=5.0)
        asked = wish(moving, expires_at=math.inf, steered=True)
        supports = decide([asked], memory, ["pv"], NOW + second, POLICY)
        memory = supports.memory
        for order in supports.due:
            told += 1
            memory = memory.failed(
                KEY, order.what, "pv: refuses", NOW + second, lasting=True, policy=POLICY
            )
    assert told == 2


@pytest.mark.parametrize(
    "what",
    [
        FixedVar(math.nan),
        FixedVar(math.inf),
        FixedFactor(producing=0.0),
        FixedFactor(charging=1.5),
        FixedFactor(producing=math.nan),
    ],
)
def test_what_is_no_number_is_not_told(what: What) -> None:
    assert not due(SupportMemory(), wish(what))


def test_small_moves_of_a_steered_value_are_let_be() -> None:
    assert same(FixedVar(500.0), FixedVar(510.0, tolerance_var=20.0))
    assert not same(FixedVar(500.0), FixedVar(530.0, tolerance_var=20.0))
    assert not same(FixedVar(500.0), FixedVar(501.0))
    assert not same(None, FixedVar(0.0))


def test_the_page_reads_what_a_device_does_and_why() -> None:
    supports = decide([wish(VOLT_VAR)], after(VOLT_VAR), ["pv"], NOW, POLICY)
    assert sentences(supports) == {
        "pv": ("Holds the voltage by reactive power (Volt-VAR): the utility asks",)
    }
