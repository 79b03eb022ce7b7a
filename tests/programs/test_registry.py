"""The registry: each row whole, the documentation's page as it says, what was left asks nothing."""

import math
from pathlib import Path

import pytest

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from programs import page
from programs.envelope import EnvelopePolicy
from programs.inputs import Inputs
from programs.peak_shaving import PeakShavingPolicy
from programs.registry import ALL, BY_ID, BY_KIND, Manner, Policies, Programme, propose_all
from programs.signal import Signal, SignalKind

DOCS = Path(page.__file__).parents[1] / "docs" / "programmes.md"
NOW = 1_000.0
METER = DeviceState(
    DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, 0.0, 0.0),
    Reading(NOW, 100.0),
    Quality.GOOD,
)


def test_the_page_of_the_documentation_is_up_to_date() -> None:
    assert DOCS.read_text(encoding="utf-8") == page.page(), (
        "run: python -m programs.page > docs/programmes.md"
    )


@pytest.mark.parametrize("programme", ALL, ids=lambda p: p.id)
def test_each_says_what_a_person_must_know(programme: Programme) -> None:
    about = programme.about
    assert about.title
    assert about.triggered_by
    assert about.asks
    assert about.ends
    assert about.leaving
    assert not about.carried_by or about.clause, "where is it defined?"
    assert not programme.kinds or about.carried_by, "what carries its signals?"
    assert all(case.startswith("BUC-") for case in about.use_cases)


def test_each_signal_belongs_to_one_programme() -> None:
    kinds = [kind for programme in ALL for kind in programme.kinds]
    assert len(kinds) == len(set(kinds))
    assert set(BY_KIND) == set(kinds)
    # A call of reserve is made of an event by the part that holds it.
    assert set(SignalKind) - set(kinds) == {SignalKind.RESERVE}
    assert set(BY_ID) == {programme.id for programme in ALL}
    assert len(BY_ID) == len(ALL)


@pytest.mark.requirement("L1-OWNER")
def test_what_was_left_asks_nothing_of_itself_but_its_events_stand() -> None:
    limit = Signal("0A", "Grid", SignalKind.IMPORT_LIMIT, 900.0, NOW - 1, NOW + 60, binding=False)
    inputs = Inputs([limit], {"meter": METER}, 100.0, NOW)
    policies = Policies(
        peak_shaving=PeakShavingPolicy(own_limit_w=500.0), envelope=EnvelopePolicy(0.0)
    )

    def asked(left: frozenset[str]) -> set[tuple[str, str, float]]:
        from_all = propose_all(
            inputs,
            Policies(peak_shaving=policies.peak_shaving, envelope=policies.envelope, left=left),
        )
        edges = {p.source: p for p in from_all if p.source in {"peak-shaving", "envelope"}}
        return {(p.source, p.cause, p.bounds.upper_w) for p in from_all if p.source in edges}

    own = ("peak-shaving", "", 500.0)
    event = ("peak-shaving", "0A", 900.0)
    envelope = ("envelope", "", math.inf)
    assert asked(frozenset()) == {own, event, envelope}
    assert asked(frozenset({"peak-shaving"})) == {event, envelope}
    assert asked(frozenset({"peak-shaving", "envelope"})) == {event}


def test_safety_is_part_of_every_home() -> None:
    assert BY_ID["main-breaker"].manner is Manner.ALWAYS
