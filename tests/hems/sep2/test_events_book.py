"""What events go through and what they owe, in the book: pure, second by second."""

import random
from collections.abc import Callable, Sequence

import pytest

from hems.sep2 import resources as res
from hems.sep2.book.book import Book, BookSettings
from hems.sep2.book.controls import Control
from hems.sep2.codec.reading import BadItem
from hems.sep2.errors import BindingError, MalformedError, UnknownEventError
from hems.sep2.noticed import Noticed, What
from hems.sep2.rules.events import Program
from hems.sep2.rules.lifecycle import BASE_CODES, Code, Edition, Profile
from hems.sep2.xml import parse
from tests.hems.sep2.controls_made import control, shed

P1 = Program("A1", "Peak", 1)
P2 = Program("A2", "Urgent", 0)
LFDI = "0" * 39 + "1"

pytestmark = pytest.mark.requirement("PRO-2030.5")


def make_book(
    profile: Profile | None = None,
    alarms: list[str] | None = None,
    noticed: list[Noticed] | None = None,
) -> Book:
    told: Callable[[str], None] = (alarms if alarms is not None else []).append
    notice: Callable[[Noticed], None] = (noticed if noticed is not None else []).append
    settings = BookSettings("utility", LFDI, profile or Profile())
    return Book(settings, random.Random(1), told, notice)  # noqa: S311 - draws, not secrets


def take(
    book: Book, now: float, controls: Sequence[Control], program: Program = P1, **more: bool
) -> None:
    kind = (
        res.EndDeviceControl
        if controls and isinstance(controls[0], res.EndDeviceControl)
        else res.DERControl
    )
    book.update(program, controls, now, kind=kind, complete=more.get("complete", True))
    book.advance(now, None)


def owed(book: Book) -> list[tuple[str, int]]:
    """Return what came due since the last look."""
    _, responses = book.unsaved()
    book.saved()
    return [(r.subject, r.status) for r in responses]


def codes(book: Book) -> list[int]:
    return [code for _, code in owed(book)]


def test_an_event_is_received_started_and_completed_once() -> None:
    book = make_book()
    for now in range(90, 170):
        take(book, now, [control("E1", 100, 60)])
    assert codes(book) == [Code.RECEIVED, Code.STARTED, Code.COMPLETED]


@pytest.mark.parametrize(
    ("required", "expected"),
    [(0, []), (1, [1]), (2, [2, 3]), (3, [1, 2, 3]), (4, [])],
)
def test_only_what_is_asked_for_is_answered(required: int, expected: list[int]) -> None:
    book = make_book()
    for now in (90, 100, 160):
        take(book, now, [control("E1", 100, 60, required=required)])
    assert codes(book) == expected


def test_an_event_without_reply_to_is_obeyed_in_silence() -> None:
    book = make_book()
    take(book, 110, [control("E1", 100, 60, reply_to=None)])
    assert codes(book) == []
    assert book.entries["E1"].progress.phase == "started"


def test_until_i_say_otherwise_is_a_duration() -> None:
    book = make_book()
    take(book, 110, [control("E1", 100, 2**32 - 1)])
    assert codes(book) == [1, 2]


@pytest.mark.parametrize(
    ("bad", "code", "words"),
    [
        (control("E1", 100, 0), Code.INVALID, "duration"),
        (control("E1", -5, 60), Code.INVALID, "start"),
        (control("E1", 100, 60, limit_w=None), Code.INVALID, "no control mode"),
        (control("E1", 100, 60, limit_w=-5.0), Code.INVALID, "negative"),
        (control("E1", 100, 60, limit_w=3e10), Code.INVALID, "opModImpLimW"),
        (control("E1", 100, 60, randomize_start=9999), Code.INVALID, "randomizeStart"),
        (control("E1", 10, 60), Code.EXPIRED, "over"),
    ],
)
def test_nonsense_is_refused_once_and_told(bad: res.DERControl, code: int, words: str) -> None:
    alarms: list[str] = []
    noticed: list[Noticed] = []
    book = make_book(alarms=alarms, noticed=noticed)
    for now in (90, 110):
        take(book, now, [bad, control("E2", 100, 60)])
    assert owed(book) == [("E1", code), ("E2", 1), ("E2", 2)]
    assert [(each.what, each.about) for each in noticed] == [(What.EVENT, "E1")]
    assert words in noticed[0].why
    assert alarms == []


def test_an_event_that_is_over_and_is_said_to_come_again_is_noticed() -> None:
    noticed: list[Noticed] = []
    book = make_book(noticed=noticed)
    take(book, 90, [control("E1", 100, 60)])
    book.advance(170, None)
    assert noticed == []
    take(book, 200, [control("E1", 300, 60)])
    assert [(each.what, each.about) for each in noticed] == [(What.REPLAY, "E1")]


def test_what_the_home_cannot_do_is_refused_whole_in_2018_and_by_mode_in_2023() -> None:
    base = res.DERControlBase(
        op_mod_imp_lim_w=res.ActivePower.of(1500), op_mod_volt_var=res.Link(href="/curve")
    )
    both = control("E1", 100, 60, base=base)
    able = frozenset({"opModImpLimW"})
    old = make_book(Profile(modes=able))
    take(old, 90, [both])
    assert codes(old) == [Code.NOT_APPLICABLE]
    new = make_book(Profile(Edition.V2023, modes=able))
    take(new, 90, [both])
    assert [(r.status, r.modes) for r in new.unsaved()[1]] == [
        (Code.RECEIVED, "opModImpLimW"),
        (Code.NOT_SUPPORTED, "opModVoltVar"),
    ]


def test_another_category_of_device_is_not_answered() -> None:
    book = make_book()
    take(book, 110, [control("E1", 100, 60, category=1 << 3)])
    assert codes(book) == []
    assert not book.entries


@pytest.mark.parametrize(("status", "expected"), [(2, [1, 2, 6]), (4, [1, 2, 7]), (5, [1, 2, 3])])
def test_the_server_ends_a_running_event(status: int, expected: list[int]) -> None:
    book = make_book()
    take(book, 110, [control("E1", 100, 60)])
    take(book, 120, [control("E1", 100, 60, status=status, status_time=120)])
    take(book, 130, [control("E1", 100, 60, status=status, status_time=120)])
    assert codes(book) == expected


def test_cancelled_before_it_began() -> None:
    book = make_book()
    take(book, 50, [control("E1", 100, 60)])
    take(book, 60, [control("E1", 100, 60, status=2, status_time=60)])
    assert codes(book) == [Code.RECEIVED, Code.CANCELLED]


def test_cancelled_before_it_was_ever_seen_is_nobodys_business() -> None:
    book = make_book()
    take(book, 120, [control("E1", 100, 60, status=2, status_time=110)])
    assert codes(book) == []


def test_cancelled_with_randomisation_ends_at_the_drawn_time() -> None:
    book = make_book()
    take(book, 140, [control("E1", 100, 600, randomize_start=30)])
    drawn = book.entries["E1"].progress.held.draw.cancel_s
    assert drawn > 0
    gone = control("E1", 100, 600, randomize_start=30, status=3, status_time=150)
    take(book, 150 + drawn - 1, [gone])
    assert codes(book) == [1, 2]
    take(book, 150 + drawn, [gone])
    assert codes(book) == [Code.CANCELLED]


def test_what_vanishes_from_a_whole_list_is_cancelled_and_only_then() -> None:
    book = make_book()
    take(book, 110, [control("E1", 100, 60)])
    take(book, 111, [], complete=False)
    assert codes(book) == [1, 2]
    take(book, 112, [])
    assert codes(book) == [Code.CANCELLED]


def test_what_vanishes_at_its_end_is_completed() -> None:
    book = make_book()
    take(book, 110, [control("E1", 100, 60)])
    take(book, 159, [])
    take(book, 160, [])
    assert codes(book) == [1, 2, 3]


def test_superseded_is_told_when_the_stronger_begins() -> None:
    book = make_book()
    weak, strong = control("E1", 100, 100), control("E2", 150, 20)
    take(book, 120, [weak])
    take(book, 130, [strong], P2)
    assert owed(book) == [("E1", 1), ("E1", 2), ("E2", 1)]
    book.advance(150, None)
    assert sorted(owed(book)) == [("E1", 7), ("E2", 2)]
    book.advance(200, None)
    assert owed(book) == [("E2", 3)]


def test_superseded_by_another_program_where_the_profile_knows_it() -> None:
    book = make_book(Profile(codes=BASE_CODES | {Code.SUPERSEDED_BY_PROGRAM}))
    take(book, 120, [control("E1", 100, 100)])
    take(book, 130, [control("E2", 130, 20)], P2)
    assert ("E1", Code.SUPERSEDED_BY_PROGRAM) in owed(book)


@pytest.mark.parametrize("vanishes", [False, True])
def test_a_superseded_event_that_was_taken_back_does_not_return(vanishes: bool) -> None:
    book = make_book()
    weak, strong = control("E1", 100, 600), control("E2", 100, 600)
    take(book, 110, [weak])
    take(book, 110, [strong], P2)
    assert book.entries["E1"].progress.phase == "superseded"
    take(book, 120, [] if vanishes else [control("E1", 100, 600, status=2, status_time=120)])
    book.choose("E2", 130, opted_out=True)
    lines = book.advance(130, None)
    assert all(130 not in hold.interval for hold in lines.get("opModImpLimW", ()))
    assert [c for e, c in owed(book) if e == "E1"] == [1, 2, 7], "it was told to be over"


def test_a_superseded_event_that_still_stands_returns() -> None:
    book = make_book()
    take(book, 110, [control("E1", 100, 600)])
    take(book, 110, [control("E2", 100, 600)], P2)
    take(book, 120, [control("E1", 100, 600)])
    book.choose("E2", 130, opted_out=True)
    (hold,) = book.advance(130, None)["opModImpLimW"]
    assert hold.held.event.mrid == "E1"
    assert 130 in hold.interval


def test_what_was_asked_for_before_a_newer_word_came_counts_less() -> None:
    book = make_book()
    since = book.mark()
    take(book, 110, [control("E1", 100, 600)], complete=False)
    assert not book.update(P1, [], 111, kind=res.DERControl, complete=True, since=since)
    book.advance(111, None)
    assert codes(book) == [1, 2]
    stale = [control("E1", 100, 600), control("E3", 100, 600)]
    since = book.mark()
    take(book, 112, [control("E1", 100, 600, status=2, status_time=112)])
    assert not book.update(P1, stale, 113, kind=res.DERControl, complete=True, since=since)
    assert set(book.entries) == {"E1"}, "a whole list that is newer counts for all of it"
    since = book.mark()
    assert book.update(P1, [], 114, kind=res.DERControl, complete=True, since=since)


def test_2023_tells_the_modes_of_one_moment_together() -> None:
    def two(
        mrid: str, start: int, duration: int, creation: int, *, imp: bool = True, exp: bool = True
    ) -> res.DERControl:
        watts = res.ActivePower.of(1000)
        base = res.DERControlBase(
            op_mod_imp_lim_w=watts if imp else None, op_mod_exp_lim_w=watts if exp else None
        )
        return control(mrid, start, duration, creation=creation, base=base)

    book = make_book(Profile(Edition.V2023))
    events = [two("E1", 100, 100, 1), two("E2", 120, 20, 2, exp=False)]
    for now in range(90, 210):
        take(book, now, events)
    told = [(r.subject, r.status, r.modes) for r in book.unsaved()[1]]
    assert told == [
        ("E1", 1, "opModExpLimW,opModImpLimW"),
        ("E2", 1, "opModImpLimW"),
        ("E1", 2, "opModExpLimW,opModImpLimW"),
        ("E1", 7, "opModImpLimW"),
        ("E2", 2, "opModImpLimW"),
        ("E2", 3, "opModImpLimW"),
        ("E1", 3, "opModExpLimW,opModImpLimW"),
    ]


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ({90: True}, [1, 4, 10]),
        ({120: True}, [1, 2, 4, 8]),
        ({120: True, 130: False}, [1, 2, 4, 5, 9]),
        ({90: True, 95: False}, [1, 4, 5, 2, 9]),
    ],
)
def test_the_owner_leaves_and_comes_back(choices: dict[int, bool], expected: list[int]) -> None:
    book = make_book()
    for now in range(89, 165):
        take(book, now, [control("E1", 100, 60)])
        if now in choices:
            book.choose("E1", now, opted_out=choices[now])
            book.advance(now, None)
    assert codes(book) == expected


def test_a_binding_event_cannot_be_left_and_an_unknown_one_not_either() -> None:
    book = make_book()
    take(book, 110, [shed("E1", 100, 60, 2000)])
    with pytest.raises(BindingError, match="E1"):
        book.choose("E1", 110, opted_out=True)
    with pytest.raises(UnknownEventError, match="E9"):
        book.choose("E9", 110, opted_out=True)


@pytest.mark.parametrize(("asked", "answers"), [(0, 0), (1, 0), (2, 1), (3, 1), (4, 0), (7, 1)])
def test_an_unreadable_event_is_answered_as_invalid_once_where_asked(
    asked: int, answers: int
) -> None:
    alarms: list[str] = []
    noticed: list[Noticed] = []
    book = make_book(alarms=alarms, noticed=noticed)
    error = MalformedError("DERControl/interval", "missing")
    item = BadItem(error, "DERControl", "E1", "/rsp", "", response_required=asked)
    for now in (90, 91):
        book.update(P1, [], now, kind=res.DERControl, complete=True, bad=[item])
    assert owed(book) == [("E1", Code.INVALID)] * answers
    assert len(alarms) == 1
    assert [(each.what, each.why) for each in noticed] == [(What.EVENT, alarms[0])]


@pytest.mark.parametrize(("category", "answers"), [("00004000", 1), ("00000010", 0)])
def test_an_unreadable_event_for_another_kind_of_device_is_not_answered(
    category: str, answers: int
) -> None:
    book = make_book()
    bad: list[BadItem] = []
    parse(
        f"""<DERControlList xmlns="urn:ieee:std:2030.5:ns" all="1" results="1">
        <DERControl replyTo="/rsp" responseRequired="03"><mRID>E1</mRID>
        <creationTime>soon</creationTime><deviceCategory>{category}</deviceCategory>
        </DERControl></DERControlList>""".encode(),
        res.DERControlList,
        on_bad=bad.append,
    )
    book.update(P1, [], 90, kind=res.DERControl, complete=True, bad=bad)
    assert owed(book) == [("E1", Code.INVALID)] * answers


def test_a_programme_that_is_assigned_no_more_loses_its_events() -> None:
    book = make_book()
    take(book, 110, [control("E1", 100, 60)])
    book.retain(frozenset(), res.DERControl, 120)
    book.advance(120, None)
    assert codes(book) == [1, 2, 6]


def test_a_changed_primacy_counts_at_once() -> None:
    book = make_book()
    take(book, 110, [control("E1", 100, 100)])
    take(book, 110, [control("E2", 100, 100)], P2)
    assert owed(book)[-1] == ("E2", 2)
    assert book.advance(111, None)["opModImpLimW"][0].held.event.mrid == "E2"
    take(book, 112, [control("E2", 100, 100)], Program("A2", "Urgent", 200))
    assert book.advance(112, None)["opModImpLimW"][0].held.event.mrid == "E1"


def test_what_ran_before_a_restart_runs_after_it() -> None:
    before = make_book()
    take(before, 110, [control("E1", 100, 60, randomize_start=5)])
    rows, responses = before.unsaved()
    assert len(responses) == 2
    after = make_book()
    after.recall(rows, 120)
    after.advance(120, None)
    assert after.entries["E1"].progress == before.entries["E1"].progress
    assert owed(after) == []
    after.advance(200, None)
    assert owed(after) == [("E1", 3)]


@pytest.mark.parametrize(("leaves", "returns", "last"), [(120, None, 8), (120, 130, 9)])
def test_what_the_owner_chose_before_a_restart_counts_after_it(
    leaves: int, returns: int | None, last: int
) -> None:
    before = make_book()
    take(before, 110, [control("E1", 100, 60)])
    before.choose("E1", leaves, opted_out=True)
    if returns is not None:
        before.choose("E1", returns, opted_out=False)
    rows, _ = before.unsaved()
    after = make_book()
    after.recall(rows, 140)
    assert after.entries == before.entries
    after.advance(160, None)
    assert owed(after) == [("E1", last)]


def test_what_was_completed_does_not_run_again_if_the_clock_is_set_back() -> None:
    book = make_book()
    other = control("E2", 100, 600, base=res.DERControlBase(op_mod_exp_lim_w=res.ActivePower.of(1)))
    for now in (110, 160):
        take(book, now, [control("E1", 100, 60), other])
    lines = book.advance(120, None)
    assert not any(120 in hold.interval for hold in lines.get("opModImpLimW", ()))
    book.advance(160, None)
    assert [code for mrid, code in owed(book) if mrid == "E1"] == [1, 2, 3]
