"""What others change of a live event: an edit by its server, modes taken by another server."""

from dataclasses import replace
from typing import Any

import pytest

from hems.sep2.rules.changes import amend, concede
from hems.sep2.rules.dialect import Dialect
from hems.sep2.rules.events import Draw, Event, Held, Program, Status
from hems.sep2.rules.lifecycle import Code, Edition, Phase, Profile, Progress, receive, unable
from hems.sep2.rules.lifecycle import judge as judged

pytestmark = pytest.mark.requirement("PRO-2030.5")

OLD = Profile(modes=frozenset({"opModImpLimW", "opModExpLimW"}))
NEW = replace(OLD, edition=Edition.V2023)
LIMIT = {"opModImpLimW": 1500.0}
TWO = {"opModImpLimW": 1500.0, "opModExpLimW": 0.0}


def event(**changes: Any) -> Event:
    fields: dict[str, Any] = {
        "mrid": "E1",
        "program": Program("P1", primacy=1),
        "creation_time": 1,
        "start": 100,
        "duration_s": 60,
        "modes": LIMIT,
        "response_required": 3,
        "reply_to": "/rsp",
    }
    return Event(**(fields | changes))


def begun(made: Event, profile: Profile = OLD) -> Progress:
    step = receive(made, judged(made, Draw(), profile, 90), Draw(start_s=3), profile, 90)
    return replace(step.progress, phase=Phase.STARTED)


@pytest.mark.parametrize("profile", [OLD, NEW])
def test_what_a_server_changes_is_obeyed_and_the_draw_stays(profile: Profile) -> None:
    edited = event(start=110, duration_s=30, modes=TWO)
    step, reason = amend(begun(event()), edited, profile, 105)
    held = step.progress.held
    assert (held.event, held.modes) == (edited, frozenset(TWO))
    assert held.draw == Draw(start_s=3)
    assert (step.progress.phase, reason, tuple(step.owed)) == (Phase.STARTED, "", ())


@pytest.mark.parametrize(
    ("profile", "modes", "code", "told", "stands"),
    [
        (OLD, {"opModImpLimW": -1.0}, Code.INVALID, set(), False),
        (NEW, {"opModImpLimW": -1.0}, Code.INVALID, {"opModImpLimW"}, False),
        (NEW, {}, Code.INVALID, set(), False),
        (OLD, LIMIT | {"opModFixedW": 1.0}, Code.NOT_APPLICABLE, set(), False),
        (NEW, {"opModFixedW": 1.0}, Code.NOT_SUPPORTED, {"opModFixedW"}, False),
        (NEW, TWO | {"opModFixedW": 1.0}, Code.NOT_SUPPORTED, {"opModFixedW"}, True),
    ],
)
def test_a_change_beyond_this_home_is_answered(
    profile: Profile, modes: dict[str, float], code: Code, told: set[str], stands: bool
) -> None:
    edited = event(modes=modes, start=120, program=Program("P1", primacy=7), status=Status.ACTIVE)
    step, reason = amend(begun(event(), profile), edited, profile, 105)
    assert [(o.code, o.at, set(o.modes)) for o in step.owed] == [(code, 105.0, told)]
    assert reason
    held = step.progress.held
    if stands:
        assert (held.event, held.modes) == (edited, frozenset(TWO))
    else:
        assert (held.event.modes, held.event.start) == (LIMIT, 100)
        assert held.modes == frozenset(LIMIT)
        assert held.event.program.primacy == 7
        assert held.event.status is Status.ACTIVE


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.CANCELLED_RANDOMIZED])
def test_of_what_is_taken_back_only_that_counts(status: Status) -> None:
    words = {"status": status, "status_time": 110, "reply_to": "/new", "response_required": 2}
    gone = event(modes={"opModImpLimW": -1.0}, start=0, duration_s=0, **words)
    step, reason = amend(begun(event()), gone, OLD, 111)
    assert step.progress.held.event == event(**words)
    assert (reason, tuple(step.owed)) == ("", ())


@pytest.mark.parametrize("category", [1 << 3, 1 << 15, 1 << 3 | 1 << 15])
def test_one_that_is_for_others_now_ends_without_a_word(category: int) -> None:
    step, reason = amend(begun(event()), event(device_category=category), OLD, 111.5)
    kept = step.progress.held.event
    assert (kept.status, kept.status_time, kept.reply_to) == (Status.CANCELLED, 111, None)
    assert (reason, tuple(step.owed)) == ("", ())


@pytest.mark.parametrize("category", [None, 0, 1 << 14, 1 << 14 | 1 << 3])
def test_one_that_is_for_this_home_too_stands(category: int | None) -> None:
    step, _ = amend(begun(event()), event(device_category=category), OLD, 111)
    assert step.progress.held.event.status is Status.SCHEDULED


def test_a_changed_interval_does_not_bring_back_what_was_refused() -> None:
    made = event(modes=LIMIT | {"opModFixedW": 1.0})
    progress = begun(made, NEW)
    assert progress.held.modes == frozenset(LIMIT)
    edited = replace(made, duration_s=30, modes=dict(made.modes))
    step, reason = amend(progress, edited, NEW, 105)
    assert (step.progress.held.modes, reason, tuple(step.owed)) == (frozenset(LIMIT), "", ())


@pytest.mark.parametrize(
    ("dialect", "basic", "code"),
    [
        (Dialect.V2018, False, Code.SUPERSEDED_BY_SERVER),
        (Dialect.V2023, False, Code.SUPERSEDED_BY_SERVER),
        (Dialect.CSIP_AUS, False, Code.SUPERSEDED),
        (Dialect.V2023, True, Code.SUPERSEDED),
    ],
)
def test_what_another_server_took_is_told(dialect: Dialect, basic: bool, code: Code) -> None:
    profile = dialect.profile(basic=basic)
    step = concede(begun(event(), profile), frozenset({"opModImpLimW", "x"}), profile, 120)
    told = frozenset({"opModImpLimW"}) if dialect is Dialect.V2023 else frozenset()
    assert [(o.code, o.at, o.modes) for o in step.owed] == [(code, 120, told)]
    assert step.progress.phase is Phase.SUPERSEDED
    assert not step.progress.held.sets("opModImpLimW")


@pytest.mark.parametrize("profile", [OLD, NEW])
def test_what_no_device_takes_is_told_to_be_not_applicable(profile: Profile) -> None:
    step = concede(begun(event(), profile), frozenset(LIMIT), profile, 120, refused=True)
    told = frozenset(LIMIT) if profile is NEW else frozenset()
    assert [(o.code, o.at, o.modes) for o in step.owed] == [(Code.NOT_APPLICABLE, 120, told)]
    assert step.progress.phase is Phase.REJECTED
    assert not step.progress.held.sets("opModImpLimW")


@pytest.mark.parametrize(("profile", "told"), [(OLD, []), (NEW, [{"opModExpLimW"}])])
def test_what_is_left_of_it_goes_on(profile: Profile, told: list[set[str]]) -> None:
    step = concede(begun(event(modes=TWO), profile), frozenset({"opModExpLimW"}), profile, 120)
    assert [o.modes for o in step.owed] == told
    held = step.progress.held
    assert (step.progress.phase, held.modes) == (Phase.STARTED, frozenset(LIMIT))


def test_what_it_never_had_is_not_lost() -> None:
    progress = begun(event())
    assert concede(progress, frozenset({"opModExpLimW"}), OLD, 120).progress is progress
    over = replace(progress, phase=Phase.COMPLETED)
    step = concede(over, frozenset(LIMIT), OLD, 200)
    assert (step.progress, tuple(step.owed)) == (over, ())
    refused = Progress(Held(event(), modes=frozenset()))
    assert concede(refused, frozenset(LIMIT), OLD, 120).progress is refused


def test_why_is_told_in_words() -> None:
    assert unable(frozenset({"b", "a"}), OLD) == (
        Code.NOT_APPLICABLE,
        "this home cannot carry out a, b",
    )
    assert unable(frozenset({"a"}), NEW)[0] is Code.NOT_SUPPORTED
