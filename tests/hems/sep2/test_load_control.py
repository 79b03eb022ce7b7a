"""Load control in full: overrides, what was applied, and the responses that tell of both."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from hems.sep2 import resources as res
from hems.sep2.book.answers import Applied, resource_of
from hems.sep2.book.book import Book, BookSettings
from hems.sep2.book.overrides import Override
from hems.sep2.errors import BindingError, UnknownEventError
from hems.sep2.rules.events import Interval, Program
from hems.sep2.rules.lifecycle import Phase, Profile
from hems.sep2.xml import serialize
from tests.hems.sep2.controls_made import control
from tests.hems.sep2.kinds_made import load_control
from tests.hems.sep2.schema import Edition, validator

P1 = Program("A1", "Peak", 1)
LFDI = "0" * 39 + "1"
SHED = "TargetReduction.W"

pytestmark = pytest.mark.requirement("PRO-2030.5")


def make_book(profile: Profile | None = None) -> Book:
    settings = BookSettings("utility", LFDI, profile or Profile())
    return Book(settings, random.Random(1))  # noqa: S311 - draws, not secrets


def take(book: Book, now: float, *events: res.EndDeviceControl) -> None:
    book.update(P1, events, now, kind=res.EndDeviceControl, complete=True)
    book.advance(now, None)


def posted(book: Book) -> list[res.DrResponse]:
    """Return the responses that came due since the last look, as they are posted."""
    _, rows = book.unsaved()
    book.saved()
    responses = [resource_of(row) for row in rows]
    return [r for r in responses if isinstance(r, res.DrResponse)]


def codes(book: Book) -> list[tuple[int | None, int | None]]:
    """Return what came due since the last look: code and override duration."""
    return [(r.status, r.override_duration) for r in posted(book)]


def in_force(book: Book, now: float) -> bool:
    return any(now in hold.interval for hold in book.advance(now, None).get(SHED, ()))


@pytest.mark.parametrize("mandatory", [False, True])
def test_an_override_lasts_as_long_as_was_granted_and_is_told_at_the_end(mandatory: bool) -> None:
    book = make_book()
    take(book, 110, load_control("E1", 100, 1000, override_s=300, mandatory=mandatory))
    book.choose("E1", 200, opted_out=True)
    assert not in_force(book, 200)
    assert book.next_edge(200) == 500
    assert not in_force(book, 499)
    assert in_force(book, 500)
    assert book.entries["E1"].event.mandatory is mandatory, "it binds again"
    with pytest.raises(BindingError, match="300 s only"):
        book.choose("E1", 600, opted_out=True)
    book.advance(1100, None)
    assert codes(book) == [(1, None), (2, None), (8, 300)]


def test_an_override_may_be_ended_early_and_taken_up_again() -> None:
    book = make_book()
    take(book, 110, load_control("E1", 100, 1000, override_s=300))
    book.choose("E1", 200, opted_out=True)
    book.choose("E1", 250, opted_out=False)
    assert in_force(book, 250)
    book.choose("E1", 400, opted_out=True)
    assert not in_force(book, 649)
    assert in_force(book, 650)
    book.advance(1100, None)
    assert codes(book)[-1] == (8, 300)


def test_an_override_until_the_end_is_no_participation_if_it_never_began() -> None:
    book = make_book()
    take(book, 90, load_control("E1", 100, 60, override_s=300))
    book.choose("E1", 95, opted_out=True)
    for now in (100, 160):
        book.advance(now, None)
    assert codes(book) == [(1, None), (10, 60)]


def test_an_override_before_the_event_costs_nothing() -> None:
    book = make_book()
    take(book, 10, load_control("E1", 100, 600, override_s=50))
    book.choose("E1", 20, opted_out=True)
    assert not in_force(book, 149)
    assert in_force(book, 150)


def test_a_control_edited_during_an_override_stays_overridden() -> None:
    book = make_book()
    take(book, 110, load_control("E1", 100, 1000, override_s=300, mandatory=True))
    book.choose("E1", 200, opted_out=True)
    take(book, 210, load_control("E1", 100, 2000, override_s=300, mandatory=True))
    assert not in_force(book, 499)
    assert in_force(book, 500)


def test_without_a_grant_a_mandatory_control_is_not_left_and_a_voluntary_one_is() -> None:
    book = make_book()
    voluntary = load_control("E2", 100, 60, duty_cycle=50)
    take(book, 110, load_control("E1", 100, 60, mandatory=True), voluntary)
    with pytest.raises(BindingError, match="E1"):
        book.choose("E1", 110, opted_out=True)
    book.choose("E2", 110, opted_out=True)
    assert [(c, o) for c, o in codes(book) if c == 4] == [(4, None)]


def test_an_override_survives_a_restart() -> None:
    book = make_book()
    take(book, 110, load_control("E1", 100, 1000, override_s=300, mandatory=True))
    book.choose("E1", 200, opted_out=True)
    rows, _ = book.unsaved()
    again = make_book()
    again.recall(rows, 300)
    assert again.entries["E1"] == book.entries["E1"]
    assert not in_force(again, 499)
    assert in_force(again, 500)
    assert again.entries["E1"].event.mandatory
    again.advance(1100, None)
    assert codes(again) == [(8, 300)]


def test_a_profile_without_partial_codes_hears_of_completion() -> None:
    book = make_book(Profile(codes=frozenset({1, 2, 3, 6, 7})))
    take(book, 110, load_control("E1", 100, 1000, override_s=300))
    book.choose("E1", 200, opted_out=True)
    for now in (500, 1100):
        book.advance(now, None)
    assert codes(book) == [(1, None), (2, None), (3, 300)]


@given(
    start=st.integers(0, 50),
    length=st.integers(1, 50),
    granted=st.integers(1, 60),
    presses=st.lists(st.integers(0, 120), max_size=6, unique=True),
)
def test_used_time_is_what_counting_the_seconds_gives(
    start: int, length: int, granted: int, presses: list[int]
) -> None:
    """Each press begins or ends an override; a slow count of the event's seconds is the oracle."""
    span = Interval(start, start + length)
    override, on, used = Override(), False, 0
    for now in range(start + length + 1):
        if override.ends_at(span, granted) <= now:
            override = override.ended(span, override.ends_at(span, granted))
        if on and used >= granted:
            on = False
        assert override.on is on or now == start + length
        assert override.used_s(span, now) == used
        if now in presses and used < granted:
            on = not on
            override = override.begun(now) if on else override.ended(span, now)
        used += on and now in span


APPLIED = Applied(
    reduction=1234.0,
    duty_cycle=55.4,
    cooling_offset_k=1.5,
    heating_offset_k=-2.0,
    load_offset=-10.0,
    cooling_c=25.5,
    heating_c=-1.25,
    appliance=1,
)


def test_responses_carry_what_was_really_applied() -> None:
    book = make_book()
    take(book, 110, load_control("E1", 100, 1000))
    book.set_applied("E1", APPLIED)
    book.advance(1100, None)
    first, second, last = posted(book)
    assert (first.applied_target_reduction, second.applied_target_reduction) == (None, None)
    assert last == res.DrResponse(
        created_date_time=1100,
        end_device_lfdi=LFDI,
        status=3,
        subject="E1",
        applied_target_reduction=res.AppliedTargetReduction(type=2, value=1234),
        duty_cycle=res.DutyCycle(normal_value=55),
        offset=res.Offset(
            cooling_offset=15, heating_offset=20, load_adjustment_percentage_offset=1000
        ),
        set_point=res.SetPoint(cooling_setpoint=2550, heating_setpoint=-125),
        appliance_load_reduction=res.ApplianceLoadReduction(type=1),
    )


@pytest.mark.parametrize("edition", Edition)
def test_what_is_posted_is_valid_in_both_editions(edition: Edition) -> None:
    book = make_book()
    take(book, 110, load_control("E1", 100, 1000, override_s=300))
    book.set_applied("E1", APPLIED)
    book.choose("E1", 200, opted_out=True)
    for now in (500, 1100):
        book.advance(now, None)
    for response in posted(book):
        validator(edition).assertValid(etree.fromstring(serialize(response)))


@pytest.mark.parametrize(
    ("unit", "asked", "amount", "expected"),
    [
        (1, 2, 1234.0, (2, 1234)),
        (1, 90, 90_000.0, (1, 90)),
        (0, 3, 2600.0, (0, 3)),
        (2, 500, 499.6, (2, 500)),
        (2, 500, -20.0, (2, 0)),
        (7, 3412, 1000.0, (7, 3412)),
        (2, 500, 1e9, (2, 65535)),
    ],
)
def test_a_reduction_is_told_in_the_unit_that_was_asked(
    unit: int, asked: int, amount: float, expected: tuple[int, int]
) -> None:
    book = make_book()
    target = res.TargetReduction(type=unit, value=asked)
    take(book, 110, load_control("E1", 100, 1000, target=target))
    book.set_applied("E1", Applied(reduction=amount))
    book.advance(1100, None)
    told = posted(book)[-1].applied_target_reduction
    assert told is not None
    assert (told.type, told.value) == expected


def test_what_was_applied_survives_a_restart_byte_for_byte() -> None:
    book = make_book()
    take(book, 110, load_control("E1", 100, 1000, override_s=60))
    book.set_applied("E1", APPLIED)
    book.choose("E1", 200, opted_out=True)
    rows, _ = book.unsaved()
    again = make_book()
    again.recall(rows, 300)
    bodies = []
    for each in (book, again):
        each.saved()
        each.advance(300, None)
        each.advance(1100, None)
        ((row,)) = each.unsaved()[1]
        bodies.append(serialize(resource_of(row)))
    assert bodies[0] == bodies[1]
    assert b"<overrideDuration>60</overrideDuration>" in bodies[0]


def test_what_was_applied_is_of_live_load_controls_only() -> None:
    book = make_book()
    book.update(P1, [control("E2", 100, 60)], 110, kind=res.DERControl, complete=True)
    take(book, 110, load_control("E1", 100, 60))
    take(book, 170, load_control("E1", 100, 60))
    assert book.entries["E1"].progress.phase is Phase.COMPLETED
    for mrid in ("E1", "E2", "E9"):
        with pytest.raises(UnknownEventError, match=mrid):
            book.set_applied(mrid, APPLIED)
