"""The same stories through the event book: resources in, rows and responses out."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from hems.sep2 import resources as res
from hems.sep2.book.book import Book, BookSettings
from hems.sep2.errors import BindingError, UnknownEventError
from hems.sep2.rules.dialect import Dialect
from hems.sep2.rules.events import DISABLED, Default, Event, Held, Schedule, resolve
from hems.sep2.rules.lifecycle import Profile
from tests.hems.sep2.examples import examples
from tests.hems.sep2.living import ABLE, live
from tests.hems.sep2.oracle import Told
from tests.hems.sep2.stories import BEYOND, Story, Wish, stories

pytestmark = pytest.mark.requirement("PRO-2030.5")

_FIELDS = {
    "opModExpLimW": "op_mod_exp_lim_w",
    "opModImpLimW": "op_mod_imp_lim_w",
    "opModTargetW": "op_mod_target_w",
}


def control(event: Event) -> res.DERControl:
    """Return an event as its server would send it."""
    base: dict[str, Any] = {
        _FIELDS[mode]: res.ActivePower.of(value if isinstance(value, float) else 0.0)
        for mode, value in event.modes.items()
        if mode != BEYOND
    }
    if BEYOND in event.modes:
        base["op_mod_fixed_w"] = 1000
    disabled = frozenset(m for m, value in event.modes.items() if value == DISABLED)
    return res.DERControl(
        href=f"/derc/{event.mrid}",
        mrid=event.mrid,
        creation_time=event.creation_time,
        event_status=res.EventStatus(
            current_status=int(event.status),
            date_time=event.status_time,
            potentially_superseded=False,
        ),
        interval=res.DateTimeInterval(start=event.start, duration=event.duration_s),
        randomize_start=event.randomize_start_s,
        randomize_duration=event.randomize_duration_s,
        response_required=event.response_required,
        reply_to=event.reply_to,
        device_category=event.device_category,
        der_control_base=res.DERControlBase(disabled=disabled, **base),
    )


class BookHome:
    """A home whose memory of events is the book."""

    tells_since = False

    def __init__(self, profile: Profile, story: Story) -> None:
        self.owed: list[Told] = []
        first = [words[0].event for words in story.words.values()]
        mandatory = {e.mrid for e in first if e is not None and e.mandatory}
        self._programs = {w.event.program for ws in story.words.values() for w in ws if w.event}
        self._book = Book(
            BookSettings("utility", "0" * 40, profile, lambda e: e.mrid in mandatory),
            random.Random(story.seed),  # noqa: S311 - draws, not secrets
            lambda _message: None,
        )

    @property
    def held(self) -> Mapping[str, Held]:
        return {mrid: entry.progress.held for mrid, entry in self._book.entries.items()}

    def hear(self, events: Sequence[Event], now: int) -> None:
        for program in sorted(self._programs, key=lambda p: p.mrid):
            listed = [control(e) for e in events if e.program == program]
            self._book.update(program, listed, now, kind=res.DERControl, complete=True)

    def wish(self, wish: Wish, now: int) -> None:
        try:
            self._book.choose(wish.mrid, now, opted_out=wish.opted_out)
        except (BindingError, UnknownEventError):
            return

    def look(self, now: int, defaults: Sequence[Default], lost_since: float | None) -> Schedule:
        lines = self._book.advance(now, lost_since)
        _, responses = self._book.unsaved()
        self._book.saved()
        for row in responses:
            modes = frozenset(row.modes.split(",")) if row.modes else frozenset[str]()
            self.owed.append((row.subject, row.status, row.created, modes))
        return resolve(lines, defaults, now)


DIALECTS = [Dialect.V2018, Dialect.CSIP_AUS, Dialect.V2023]


def lived_by_the_book(dialect: Dialect, number: int) -> Counter[int]:
    seen: Counter[int] = Counter()

    @settings(
        max_examples=examples(number),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(stories)
    def lived(story: Story) -> None:
        seen.update(live(story, dialect, BookHome(dialect.profile(ABLE), story)))

    lived()
    return seen


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_book_keeps_to_the_oracle(dialect: Dialect) -> None:
    assert {1, 2, 3, 6, 7} <= set(lived_by_the_book(dialect, 100))


@pytest.mark.deep
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_book_keeps_to_the_oracle_deeply(dialect: Dialect) -> None:
    assert {1, 2, 3, 6, 7} <= set(lived_by_the_book(dialect, 2000))
