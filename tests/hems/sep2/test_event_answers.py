"""The life of an event as tables: what is made of it on receipt, and each answer by itself."""

from dataclasses import replace
from typing import Any

import pytest

from hems.sep2.rules.dialect import BASIC_CODES, Dialect
from hems.sep2.rules.events import DISABLED, Draw, Event, Held, Program, Schedule, Status, timelines
from hems.sep2.rules.events import in_force as held_now
from hems.sep2.rules.lifecycle import (
    BASE_CODES,
    Code,
    Edition,
    Owed,
    Phase,
    Profile,
    Progress,
    advance,
    asked_for,
    choose,
    judge,
    receive,
)

pytestmark = pytest.mark.requirement("PRO-2030.5")

OLD = Profile(modes=frozenset({"opModImpLimW", "opModExpLimW"}))
NEW = replace(OLD, edition=Edition.V2023)
LIMIT = {"opModImpLimW": 1500.0}


def event(mrid: str = "E1", **changes: Any) -> Event:
    fields: dict[str, Any] = {
        "program": Program("P1", primacy=1),
        "creation_time": 1,
        "start": 100,
        "duration_s": 60,
        "modes": LIMIT,
        "response_required": 3,
        "reply_to": "/rsp",
    }
    return Event(mrid, **(fields | changes))


def codes(owed: Any) -> list[tuple[int, float, frozenset[str]]]:
    return [(int(o.code), o.at, o.modes) for o in owed]


@pytest.mark.parametrize(
    ("changes", "now", "code", "ignored"),
    [
        ({}, 90, None, False),
        ({}, 159, None, False),
        ({}, 160, Code.EXPIRED, False),
        ({"status": Status.CANCELLED, "status_time": 80}, 90, None, True),
        ({"status": Status.SUPERSEDED, "status_time": 120}, 120, None, True),
        ({"status": Status.COMPLETED, "status_time": 120}, 120, None, True),
        ({"status": Status.CANCELLED, "status_time": 120}, 119, None, False),
        ({"status": Status.ACTIVE}, 200, Code.EXPIRED, False),
        ({"device_category": 1 << 3}, 90, None, True),
        ({"device_category": 1 << 15}, 90, None, True),
        ({"device_category": 1 << 3 | 1 << 14}, 90, None, False),
        ({"device_category": 0}, 90, None, False),
        ({"duration_s": 0}, 90, Code.INVALID, False),
        ({"duration_s": 2**32 - 1}, 90, None, False),
        ({"duration_s": 0, "device_category": 1 << 3}, 90, None, True),
        ({"modes": {"opModFixedW": 1.0}}, 90, Code.NOT_APPLICABLE, False),
    ],
)
def test_on_receipt(changes: dict[str, Any], now: float, code: Code | None, ignored: bool) -> None:
    made = event(**changes)
    verdict = judge(made, Draw(), OLD, now)
    assert (verdict.code, verdict.ignored) == (code, ignored)
    assert bool(verdict.reason) is (code is not None or ignored)
    taken = code is None and not ignored
    assert verdict.modes == (frozenset(made.modes) if taken else frozenset())
    assert verdict.refused == (frozenset() if code is None else frozenset(made.modes))


def test_the_drawn_times_count_on_receipt() -> None:
    assert judge(event(), Draw(start_s=10), OLD, 165).code is None
    assert judge(event(), Draw(duration_s=-10), OLD, 155).code is Code.EXPIRED


@pytest.mark.parametrize(
    ("profile", "expected", "phase"),
    [
        (OLD, [(252, 90, frozenset())], Phase.REJECTED),
        (
            NEW,
            [(1, 90, frozenset(LIMIT)), (251, 90, frozenset({"opModFixedW"}))],
            Phase.RECEIVED,
        ),
        (replace(NEW, by_mode=False), [(251, 90, frozenset())], Phase.REJECTED),
    ],
)
def test_in_part_beyond_this_home(profile: Profile, expected: Any, phase: Phase) -> None:
    made = event(modes=LIMIT | {"opModFixedW": 1.0})
    step = receive(made, judge(made, Draw(), profile, 90), Draw(start_s=4), profile, 90)
    assert codes(step.owed) == expected
    assert step.progress.phase is phase
    assert step.progress.held.draw == Draw(start_s=4)
    taken = frozenset(LIMIT) if phase is Phase.RECEIVED else frozenset()
    assert step.progress.held.modes == taken
    assert judge(made, Draw(), profile, 90).reason == "this home cannot carry out opModFixedW"


def test_wholly_beyond_this_home_in_2023() -> None:
    made = event(modes={"opModFixedW": 1.0})
    step = receive(made, judge(made, Draw(), NEW, 90), Draw(), NEW, 90)
    assert codes(step.owed) == [(251, 90, frozenset({"opModFixedW"}))]
    assert step.progress.phase is Phase.REJECTED


def test_what_is_ignored_owes_nothing() -> None:
    made = event(device_category=1 << 3)
    step = receive(made, judge(made, Draw(), NEW, 90), Draw(), NEW, 90)
    assert tuple(step.owed) == ()


@pytest.mark.parametrize("required", range(9))
@pytest.mark.parametrize("code", list(Code))
def test_only_what_is_asked_for_is_owed(code: Code, required: int) -> None:
    wanted = {Code.RECEIVED: 1, Code.OPT_OUT: 6, Code.OPT_IN: 6, Code.ACKNOWLEDGED: 4}.get(code, 2)
    due = [Owed(code, 5.0)]
    every = replace(OLD, codes=frozenset(Code))
    made = event(response_required=required)
    assert bool(asked_for(made, due, every)) is bool(required & wanted)
    assert asked_for(replace(made, reply_to=None), due, every) == ()
    assert asked_for(made, due, replace(OLD, codes=every.codes - {code})) == ()


def test_the_owner_chooses_once() -> None:
    progress = Progress(Held(event(response_required=7), modes=frozenset(LIMIT)))
    left = choose(progress, True, NEW, 110)
    assert codes(left.owed) == [(4, 110, frozenset(LIMIT))]
    assert (left.progress.held.opted_out, left.progress.rejoined) == (True, False)
    assert choose(left.progress, True, NEW, 111).owed == ()
    back = choose(left.progress, False, NEW, 120)
    assert codes(back.owed) == [(5, 120, frozenset(LIMIT))]
    assert (back.progress.held.opted_out, back.progress.rejoined) == (False, True)
    again = choose(back.progress, True, NEW, 130)
    assert again.progress.rejoined
    assert codes(choose(progress, True, OLD, 110).owed) == [(4, 110, frozenset())]
    every = Progress(Held(event(response_required=7)))
    assert codes(choose(every, True, NEW, 110).owed) == [(4, 110, frozenset(LIMIT))]


def followed(
    events: list[Event], times: list[float], profile: Profile, **more: Any
) -> list[tuple[int, float, frozenset[str]]]:
    """Follow the first of some events; returns all that it owed, in order."""
    progress = {e.mrid: Progress(Held(e)) for e in events}
    owed = []
    for now in times:
        lines = timelines([p.held for p in progress.values()], resumes=profile.resumes)
        for mrid, known in progress.items():
            step = advance(known, lines, profile, now)
            progress[mrid] = step.progress
            if mrid == events[0].mrid:
                owed += [o for o in codes(step.owed) if o not in owed]
    assert progress[events[0].mrid].phase is more.get("phase", Phase.COMPLETED)
    return owed


WHOLE = frozenset[str]()
IMPORT = frozenset({"opModImpLimW"})
BOTH = {"opModImpLimW": 1500.0, "opModExpLimW": 0.0}


def test_it_is_not_begun_before_its_time_nor_ended() -> None:
    assert followed([event()], [0, 99], OLD, phase=Phase.RECEIVED) == []
    assert followed([event()], [100, 159], OLD, phase=Phase.STARTED) == [(2, 100, WHOLE)]
    assert followed([event()], [130, 160], OLD) == [(2, 100, WHOLE), (3, 160, WHOLE)]
    assert followed([event()], [99, 170], OLD) == [(10, 160, WHOLE)]


def test_a_clock_that_goes_back_doubles_no_answer() -> None:
    assert followed([event()], [100, 90, 99, 100, 159, 160, 150, 160], OLD) == [
        (2, 100, WHOLE),
        (3, 160, WHOLE),
    ]


def test_by_mode_the_modes_of_one_moment_go_together() -> None:
    made = event(modes=BOTH)
    assert followed([made], [100, 160], NEW) == [
        (2, 100, frozenset(BOTH)),
        (3, 160, frozenset(BOTH)),
    ]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (OLD, [(2, 100, WHOLE), (3, 160, WHOLE)]),
        (
            replace(NEW, codes=frozenset(Code)),
            [
                (2, 100, frozenset(BOTH)),
                (7, 120, IMPORT),
                (15, 130, IMPORT),
                (3, 160, frozenset(BOTH)),
            ],
        ),
    ],
)
def test_one_mode_is_lost_for_a_while(profile: Profile, expected: Any) -> None:
    strong = event("S", creation_time=2, start=120, duration_s=10)
    times: list[float] = [100, 120, 125, 130, 160]
    assert followed([event(modes=BOTH), strong], times, profile) == expected


def test_all_is_lost_and_taken_up_again_as_a_whole() -> None:
    profile = replace(NEW, codes=frozenset(Code), by_mode=False)
    strong = event("S", creation_time=2, start=120, duration_s=10)
    assert followed([event(), strong], [100, 120, 130, 160], profile) == [
        (2, 100, WHOLE),
        (7, 120, WHOLE),
        (15, 130, WHOLE),
        (3, 160, WHOLE),
    ]
    for late in (160, 170):
        missed = followed([event(), strong], [100, 120, late], profile, phase=Phase.SUPERSEDED)
        assert missed == [(2, 100, WHOLE), (7, 120, WHOLE)]


def test_a_part_that_is_taken_up_again_is_not_told_of_the_whole() -> None:
    profile = replace(NEW, codes=frozenset(Code), by_mode=False)
    strong = event("S", creation_time=2, start=120, duration_s=10)
    assert followed([event(modes=BOTH), strong], [100, 120, 130, 160], profile) == [
        (2, 100, WHOLE),
        (3, 160, WHOLE),
    ]


def test_an_event_is_known_by_its_mrid_however_it_is_held() -> None:
    ours, theirs = (Held(event(f"E{number}")) for number in (1, 1))
    step = advance(Progress(ours), timelines([theirs]), OLD, 100)
    assert codes(step.owed) == [(2, 100, WHOLE)]


def test_what_begins_lost_is_resumed_and_not_started() -> None:
    profile = replace(NEW, codes=frozenset(Code))
    strong = event("S", creation_time=2, start=90, duration_s=20)
    assert followed([event(), strong], [90, 100, 110, 160], profile) == [
        (7, 100, IMPORT),
        (15, 110, IMPORT),
        (3, 160, IMPORT),
    ]


@pytest.mark.parametrize(
    ("dialect", "code"), [(Dialect.V2018, 14), (Dialect.CSIP, 7), (Dialect.CSIP_AUS, 7)]
)
def test_by_whose_event_it_is_superseded(dialect: Dialect, code: int) -> None:
    strong = event("S", program=Program("P2", primacy=0), start=120, duration_s=10)
    told = followed([event(), strong], [100, 120], dialect.profile(), phase=Phase.SUPERSEDED)
    assert told == [(2, 100, WHOLE), (code, 120, WHOLE)]
    own = Program(f"P{len('1')}", primacy=1)  # the same, read another time
    same = event("S", creation_time=2, start=120, program=own)
    told = followed([event(), same], [100, 120], dialect.profile(), phase=Phase.SUPERSEDED)
    assert told[-1] == (7, 120, WHOLE)


def test_of_two_that_took_its_modes_the_last_is_told() -> None:
    other = event("S", program=Program("P2", primacy=0), start=120, duration_s=10)
    own = event("T", creation_time=2, start=140, modes={"opModExpLimW": 1.0})
    profile = Dialect.V2018.profile()
    made = event(modes=BOTH)
    told = followed([made, other, own], [100, 120, 140], profile, phase=Phase.SUPERSEDED)
    assert told == [(2, 100, WHOLE), (7, 140, WHOLE)]


@pytest.mark.parametrize(
    ("status", "code", "phase"),
    [
        (Status.CANCELLED, 6, Phase.CANCELLED),
        (Status.CANCELLED_RANDOMIZED, 6, Phase.CANCELLED),
        (Status.SUPERSEDED, 7, Phase.SUPERSEDED),
        (Status.COMPLETED, 3, Phase.COMPLETED),
    ],
)
def test_the_server_ends_it(status: Status, code: int, phase: Phase) -> None:
    made = event(status=status, status_time=130)
    told = followed([made], [110, 130], OLD, phase=phase)
    assert told == [(2, 100, WHOLE), (code, 130, WHOLE)]


@pytest.mark.parametrize(
    ("held", "code"),
    [
        (Held(event()), Code.NO_PARTICIPATION),
        (Held(event(), opted_out=True), Code.PARTLY_OPT_OUT),
        (Held(event(mandatory=True), opted_out=True), Code.NO_PARTICIPATION),
        (Held(event(status=Status.CANCELLED, status_time=160)), Code.CANCELLED),
    ],
)
def test_what_may_no_longer_run_is_not_completed(held: Held, code: Code) -> None:
    begun = Progress(held, Phase.STARTED)
    assert codes(advance(begun, {}, NEW, 130).owed) == []
    for late in (160, 161.5):
        assert codes(advance(begun, {}, NEW, late).owed) == [(code, 160, frozenset(LIMIT))]


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.CANCELLED, Phase.REJECTED])
@pytest.mark.parametrize("now", [90, 130, 160, 200])
def test_what_is_over_says_no_more(phase: Phase, now: float) -> None:
    over = Progress(Held(event()), phase)
    step = advance(over, timelines([over.held]), OLD, now)
    assert (step.progress, tuple(step.owed)) == (over, ())


def test_phases_that_time_alone_does_not_leave() -> None:
    assert {p for p in Phase if not p.over} == {Phase.RECEIVED, Phase.STARTED}


def test_a_disabled_mode_is_answered_like_any_other() -> None:
    assert followed([event(modes={"opModImpLimW": DISABLED})], [100, 160], OLD) == [
        (2, 100, WHOLE),
        (3, 160, WHOLE),
    ]


def test_what_is_in_force_tells_of_its_event() -> None:
    made = event(ramp_s=2.5, mandatory=True)
    schedule: Schedule = held_now([Held(made, Draw(start_s=5))], [], 120)
    (active,) = schedule.active.values()
    assert (active.mode, active.value, active.event) == ("opModImpLimW", 1500.0, "E1")
    assert (active.program, active.start, active.end) == (made.program, 105, 165)
    assert (active.mandatory, active.default, active.ramp_s) == (True, False, 2.5)
    assert (schedule.at, schedule.next_change) == (120, 165)


DIALECTS = {
    Dialect.V2018: (Edition.V2018, "-S1", None, False, {13, 14, 252}, {15, 251}),
    Dialect.CSIP: (Edition.V2018, "-S1", None, False, {252}, {13, 14, 15, 251}),
    Dialect.CSIP_AUS: (Edition.V2018, "+S1", None, True, {252}, {13, 14, 15, 251}),
    Dialect.V2023: (Edition.V2023, "-S2", "2.2", False, {13, 14, 15, 251, 252}, set[int]()),
}


@pytest.mark.parametrize("dialect", list(Dialect))
def test_a_dialect_is_one_row(dialect: Dialect) -> None:
    edition, level, schema_ver, keeps, has, lacks = DIALECTS[dialect]
    profile = dialect.profile(frozenset({"opModImpLimW"}), device_category=5)
    assert (dialect.edition, dialect.level, dialect.schema_ver) == (edition, level, schema_ver)
    assert (profile.edition, profile.keeps_schedule) == (edition, keeps)
    assert profile.resumes is (edition is Edition.V2023)
    assert (profile.modes, profile.device_category) == (frozenset({"opModImpLimW"}), 5)
    assert set(range(1, 13)) | {253, 254} | has <= profile.codes
    assert not lacks & profile.codes
    assert dialect.profile().device_category == 1 << 14
    assert dialect.profile(basic=True).codes == BASIC_CODES == {1, 2, 3, 6, 7}


def test_a_profile_of_no_dialect() -> None:
    profile = Profile()
    assert (profile.edition, profile.codes) == (Edition.V2018, BASE_CODES)
    assert set(BASE_CODES) == set(range(1, 13)) | {251, 252, 253, 254}
    assert profile.carries_out("anything")
    assert not replace(profile, modes=frozenset()).carries_out("anything")
    assert (profile.answers_by_mode, profile.resumes, profile.keeps_schedule) == (False,) * 3
    assert replace(profile, by_mode=True).answers_by_mode
    assert profile.longest_s == 2**32
