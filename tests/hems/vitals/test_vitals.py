"""How the home stands, as metrics have it."""

from dataclasses import replace
from pathlib import Path

from hems.cem.arbiter import Decision, Refusal, Span, Target
from hems.surface import EventView, UtilityView
from hems.vitals import catalogue
from hems.vitals.vitals import STAGES, STATES, of_decision, of_files, of_home, of_links
from programs.proposal import Bounds, Proposal, Rank
from tests.web.script import SCRIPT_START, first_snapshot

AT = SCRIPT_START


def test_devices_and_events_are_counted_by_how_they_stand() -> None:
    home = first_snapshot()
    lost = replace(home.devices[0], quality="lost", age_s=None)
    told = of_home(replace(home, devices=(lost, *home.devices[1:]), limit_import_w=1500.0))
    assert told[catalogue.DEVICES]["lost",] == 1
    assert sum(told[catalogue.DEVICES].values()) == len(home.devices)
    assert (lost.id,) not in told[catalogue.READING_AGE]
    assert set(told[catalogue.EVENTS]) == {(stage,) for stage in STAGES}
    assert sum(told[catalogue.EVENTS].values()) == len(home.events)
    assert told[catalogue.LIMITS] == {("import",): 1.0, ("export",): 0.0}


def test_a_link_that_never_answered_has_no_age() -> None:
    links = (
        UtilityView("connected", "", "https://a.example", "AB", AT - 40.0, "a"),
        UtilityView("unreachable", "", "https://b.example", "AB", None, "b"),
    )
    told = of_links(replace(first_snapshot(), utilities=links), {"a": 0.25, "b": 0.0}, {"a": 40.0})
    assert told[catalogue.CONTACT] == {("a",): 40.0}
    assert told[catalogue.OFFSET] == {("a",): 0.25}
    assert told[catalogue.LINKS]["connected",] == told[catalogue.LINKS]["unreachable",] == 1
    assert set(told[catalogue.LINKS]) == {(state,) for state in STATES}


def test_bounds_are_counted_by_whose_word_they_are() -> None:
    by = {
        rank: Proposal("somebody", rank, "home", Bounds(0.0, 1.0), None, AT + 60.0) for rank in Rank
    }
    span = Span(Bounds(0.0, 1.0), by[Rank.SAFETY], by[Rank.BINDING])
    targets = {"home": Target(span), "car": Target(Span(upper_by=by[Rank.BINDING]))}
    told = of_decision(Decision(AT, targets, (Refusal(by[Rank.OWNER], "too much"),)))
    counts = {labels[0]: count for labels, count in told[catalogue.BOUNDS].items() if count}
    assert counts == {"safety": 1.0, "binding": 2.0}
    assert told[catalogue.GIVEN_WAY] == {(): 1.0}


def test_what_is_not_there_is_not_told(tmp_path: Path) -> None:
    store = tmp_path / "hems.db"
    assert of_files(store)[catalogue.STORE_BYTES] == {}
    store.write_bytes(b"12345")
    told = of_files(store)
    assert told[catalogue.STORE_BYTES] == {("store",): 5.0}
    assert told[catalogue.FREE_BYTES][()] > 0
    assert of_files(tmp_path / "gone" / "hems.db")[catalogue.FREE_BYTES] == {}


def test_every_event_state_of_the_page_is_one_of_the_metric() -> None:
    fields = EventView.__doc__ or ""
    assert all(f'"{stage}"' in fields for stage in STAGES)
    assert all(f'"{state}"' in (UtilityView.__doc__ or "") for state in STATES)
