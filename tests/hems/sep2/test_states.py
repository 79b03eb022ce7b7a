"""The states of a book's events are what they would be, were each made anew each time."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hems.sep2.book.kinds import event_of
from hems.sep2.book.memory import Entry
from hems.sep2.book.overrides import Override
from hems.sep2.book.states import EventState, States, state_of
from hems.sep2.rules.events import Held, Program
from hems.sep2.rules.lifecycle import Phase, Progress
from tests.hems.sep2.kinds_made import load_control

PROGRAM = Program("AB", "Peak Saver", 10)


def entry(mrid: str, start: int) -> Entry:
    """An event of ten minutes that its owner may override for five."""
    control = load_control(mrid, start, 600, override_s=300)
    return Entry(control, Progress(Held(event_of(control, PROGRAM, 0.0))))


def anew(book: dict[str, Entry], now: float, offset_s: float) -> list[EventState]:
    """The plain way."""
    found = (state_of(each, now, offset_s) for each in book.values())
    return sorted(found, key=lambda state: state.starts_at)


ACTS = st.one_of(
    st.tuples(st.just("new"), st.integers(0, 3), st.integers(0, 2000)),
    st.tuples(st.just("gone"), st.integers(0, 3), st.just(0)),
    st.tuples(st.just("phase"), st.integers(0, 3), st.integers(0, len(Phase) - 1)),
    st.tuples(st.just("override"), st.integers(0, 3), st.integers(0, 1)),
    st.tuples(st.just("time"), st.just(0), st.integers(0, 400)),
    st.tuples(st.just("offset"), st.just(0), st.integers(-40, 40)),
)


@given(st.lists(ACTS, max_size=40))
def test_they_are_as_if_made_anew(acts: list[tuple[str, int, int]]) -> None:
    book: dict[str, Entry] = {}
    states, now, offset_s = States(), 0.0, 0.0
    for act, which, value in acts:
        mrid = f"{which:032X}"
        known = book.get(mrid)
        if act == "new":
            book[mrid] = entry(mrid, value)
        elif act == "gone":
            book.pop(mrid, None)
        elif act == "time":
            now += value
        elif act == "offset":
            offset_s = float(value)
        elif known is not None and act == "phase":
            phase = list(Phase)[value]
            book[mrid] = replace(known, progress=replace(known.progress, phase=phase))
        elif known is not None:
            over = known.override.begun(now) if value else known.override.ended(known.span, now)
            book[mrid] = known.overridden(over)
        assert states.of(book, now, offset_s) == anew(book, now, offset_s)


def test_one_that_is_as_it_was_is_not_made_anew_and_one_that_is_overridden_runs_out() -> None:
    still, left = entry("A" * 32, 0), entry("B" * 32, 0)
    book = {"A" * 32: still, "B" * 32: left.overridden(Override(since=0.0))}
    states = States()
    first, later = states.of(book, 10.0, 0.0), states.of(book, 70.0, 0.0)
    assert later[0] is first[0]
    assert later[1].override_left_s == first[1].override_left_s - 60.0
