"""Runs of appliances: off until they begin, then on to their end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems.cem.arbiter import arbitrate
from programs.economy import Step
from programs.inputs import Inputs
from programs.proposal import Bounds, Proposal, Rank
from programs.runs import Run, RunsPolicy, due, planned_start, propose

pytestmark = pytest.mark.requirement("ROLE-CEM")

NOW = 1_800_000_000.0
PLUG = DeviceSpec("plug", DeviceKind.PLUG, "Dishwasher", Control.SWITCH, 0, 2_000)
HOME = Inputs((), {"plug": DeviceState(PLUG, Reading(NOW, 0), Quality.GOOD)}, None, NOW)


def test_off_until_it_begins_then_on() -> None:
    (waits,) = propose(HOME, RunsPolicy((Run("plug", None, "Starts at 13:00"),)))
    assert (waits.rank, waits.bounds) == (Rank.ECONOMY, Bounds(upper_w=0.0))
    assert waits.reason == "Starts at 13:00"
    (runs,) = propose(HOME, RunsPolicy((Run("plug", NOW + 20),)))
    assert (runs.rank, runs.bounds) == (Rank.OWNER, Bounds(lower_w=2_000))
    assert runs.expires_at == NOW + 20
    assert propose(HOME, RunsPolicy((Run("plug", NOW), Run("gone")))) == ()


def test_what_pays_does_not_break_it_off_and_a_limit_does() -> None:
    runs = propose(HOME, RunsPolicy((Run("plug", NOW + 3_600),)))
    off = Bounds(upper_w=0.0)
    pays = Proposal("economy", Rank.ECONOMY, "plug", off, None, NOW + 60)
    assert arbitrate((*runs, pays), NOW).of("plug").span.bounds.upper_w == 2_000
    event = Proposal("envelope", Rank.BINDING, "plug", off, None, NOW + 60)
    assert arbitrate((*runs, event), NOW).of("plug").span.bounds.upper_w == 0


def test_the_plan_says_when() -> None:
    steps = (Step(NOW, NOW + 900, 0.0), Step(NOW + 900, NOW + 4_500, 800.0))
    assert planned_start(steps, NOW, NOW) == NOW + 900
    assert planned_start(steps, NOW, NOW + 1_000) == NOW + 900
    assert planned_start(steps, NOW, NOW + 4_500) is None
    assert planned_start((), NOW, NOW) is None
    assert planned_start(steps, NOW + 1_000, NOW + 1_000) is None, "that is the run before"


@given(
    earliest=st.floats(0, 1e4),
    ready_by=st.floats(0, 1e4),
    length_s=st.floats(60, 5e3),
    planned_at=st.one_of(st.none(), st.floats(0, 1e4)),
    now=st.floats(0, 1e4),
)
def test_a_run_begins_when_planned_or_at_the_last_moment(
    earliest: float, ready_by: float, length_s: float, planned_at: float | None, now: float
) -> None:
    begins = due(earliest, ready_by, length_s, planned_at, now)
    if begins:
        assert now >= earliest
        assert now + length_s >= ready_by or (planned_at is not None and planned_at <= now)
    else:
        assert now < earliest or now + length_s <= ready_by + 1e-6
