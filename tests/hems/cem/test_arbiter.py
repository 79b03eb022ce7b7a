"""The arbiter: rows of proposals, and what holds for all of them."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.cem.arbiter import arbitrate
from programs.proposal import HOME, Bounds, Proposal, Rank

NOW = 1_000.0
INF = math.inf

Row = tuple[Rank, float, float, float | None]


def proposal(row: Row, *, source: str = "s", expires_at: float = 2_000.0) -> Proposal:
    rank, lower_w, upper_w, preferred_w = row
    return Proposal(source, rank, HOME, Bounds(lower_w, upper_w), preferred_w, expires_at)


@pytest.mark.requirement("ROLE-CEM")
@pytest.mark.parametrize(
    ("rows", "lower_w", "upper_w", "preferred_w", "refused"),
    [
        pytest.param([], -INF, INF, None, 0, id="nobody asks"),
        pytest.param([(Rank.ACCEPTED, -INF, 1_500, None)], -INF, 1_500, None, 0, id="one limit"),
        pytest.param(
            [(Rank.ACCEPTED, -INF, 1_500, None), (Rank.BINDING, -INF, 1_000, None)],
            -INF,
            1_000,
            None,
            0,
            id="the stricter counts",
        ),
        pytest.param(
            [(Rank.BINDING, -INF, 1_000, None), (Rank.ACCEPTED, -INF, 5_000, None)],
            -INF,
            1_000,
            None,
            0,
            id="a weaker rank cannot widen",
        ),
        pytest.param(
            [(Rank.SAFETY, -9_000, 9_000, None), (Rank.ACCEPTED, 10_000, INF, None)],
            9_000,
            9_000,
            None,
            1,
            id="infeasible together: the weaker goes as far as it is let",
        ),
        pytest.param(
            [(Rank.OWNER, -INF, INF, 3_000), (Rank.ECONOMY, -INF, INF, 0)],
            -INF,
            INF,
            3_000,
            0,
            id="the stronger preference counts",
        ),
        pytest.param(
            [(Rank.ACCEPTED, -INF, 1_500, None), (Rank.OWNER, -INF, INF, 3_000)],
            -INF,
            1_500,
            1_500,
            0,
            id="a preference stays inside the bounds",
        ),
        pytest.param([(Rank.SAFETY, 5, 1, None)], -INF, INF, None, 1, id="bounds upside down"),
        pytest.param([(Rank.SAFETY, math.nan, 1, None)], -INF, INF, None, 1, id="no number"),
        pytest.param([(Rank.SAFETY, -INF, -INF, None)], -INF, INF, None, 1, id="nothing left"),
        pytest.param([(Rank.OWNER, 0, 1, INF)], -INF, INF, None, 1, id="endless preference"),
    ],
)
def test_rows(
    rows: list[Row], lower_w: float, upper_w: float, preferred_w: float | None, refused: int
) -> None:
    decision = arbitrate([proposal(row) for row in rows], NOW)
    home = decision.of(HOME)
    assert home.span.bounds == Bounds(lower_w, upper_w)
    assert home.preferred_w == preferred_w
    assert len(decision.refusals) == refused


def test_an_expired_proposal_is_void_and_said_to_be() -> None:
    old = proposal((Rank.SAFETY, -INF, 0, None), expires_at=NOW)
    decision = arbitrate([old], NOW)
    assert decision.of(HOME).span.bounds == Bounds()
    assert decision.refusals[0].why == "expired"


def test_each_edge_names_who_set_it_and_a_refusal_says_why() -> None:
    breaker = proposal((Rank.SAFETY, -9_000, 9_000, None), source="main-breaker")
    event = proposal((Rank.ACCEPTED, -INF, 1_500, None), source="peak-shaving")
    greedy = proposal((Rank.OWNER, 4_000, INF, None), source="owner")
    decision = arbitrate([greedy, event, breaker], NOW)
    span = decision.of(HOME).span
    assert span.upper_by is event
    assert decision.refusals[0].proposal is greedy
    assert decision.refusals[0].why == (
        "owner (OWNER) asks home for at least 4000 W, but peak-shaving (ACCEPTED) holds it "
        "at or below 1500 W"
    )


@pytest.mark.requirement("BUC-7")
def test_urgent_bounds_come_from_safety_and_emergency_alone() -> None:
    rows: list[Row] = [
        (Rank.SAFETY, -9_000, 9_000, None),
        (Rank.EMERGENCY, -INF, 3_000, None),
        (Rank.ACCEPTED, -INF, 1_500, None),
    ]
    home = arbitrate([proposal(row) for row in rows], NOW).of(HOME)
    assert home.urgent.bounds == Bounds(-9_000, 3_000)
    assert home.urgent.upper_by == proposal(rows[1])
    assert home.urgently.span == home.urgent


def test_firm_bounds_are_those_from_outside() -> None:
    rows: list[Row] = [(Rank.ACCEPTED, -INF, 1_500, None), (Rank.ECONOMY, -INF, 500, None)]
    home = arbitrate([proposal(row) for row in rows], NOW).of(HOME)
    assert (home.firm.bounds.upper_w, home.span.bounds.upper_w) == (1_500, 500)


edges = st.one_of(st.floats(-20_000, 20_000), st.sampled_from([-INF, INF]))


@st.composite
def proposals(draw: st.DrawFn) -> Proposal:
    lower_w, upper_w = sorted((draw(edges), draw(edges)))
    preferred_w = draw(st.none() | st.floats(-20_000, 20_000))
    return Proposal(
        draw(st.sampled_from("abc")),
        draw(st.sampled_from(Rank)),
        draw(st.sampled_from([HOME, "battery"])),
        Bounds(lower_w, upper_w),
        preferred_w,
        draw(st.sampled_from([NOW - 1, NOW + 1])),
    )


@given(st.lists(proposals(), max_size=8), st.randoms(use_true_random=False))
def test_order_does_not_matter(wishes: list[Proposal], shuffle: random.Random) -> None:
    mixed = list(wishes)
    shuffle.shuffle(mixed)
    one, other = arbitrate(wishes, NOW), arbitrate(mixed, NOW)
    for target in (HOME, "battery"):
        assert one.of(target) == other.of(target)


@pytest.mark.requirement("ROLE-CEM")
@given(st.lists(proposals(), max_size=8), proposals())
def test_a_weaker_wish_never_widens_or_beats_the_stronger(
    wishes: list[Proposal], late: Proposal
) -> None:
    stronger = [w for w in wishes if w.rank < late.rank]
    before = arbitrate(stronger, NOW).of(late.target)
    after = arbitrate([*stronger, late], NOW).of(late.target)
    assert after.span.bounds.lower_w >= before.span.bounds.lower_w
    assert after.span.bounds.upper_w <= before.span.bounds.upper_w
    assert after.span.bounds.lower_w <= after.span.bounds.upper_w
    if before.preferred_w is not None:
        assert after.preferred_by == before.preferred_by
    if after.preferred_w is not None:
        assert after.preferred_w in after.span.bounds
