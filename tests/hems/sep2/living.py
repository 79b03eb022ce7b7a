"""A listener that knows what a home was told, and a home's life beside it and the oracle's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from hems.sep2.rules.dialect import Dialect
from hems.sep2.rules.events import Default, Event, Held, Schedule, Status
from tests.hems.sep2.oracle import Told, Witness, asked, end_of, holders
from tests.hems.sep2.stories import LENGTH, MODES, OTHERS, Story, Wish

ABLE = frozenset(MODES)


class Lived(Protocol):
    """A home that lives through a story.

    Attributes:
        owed: All that it came to owe, in order.
        tells_since: Whether that says since when; else it is of the second in which it is told.
    """

    owed: list[Told]
    tells_since: bool

    @property
    def held(self) -> Mapping[str, Held]:
        """All events that were heard of and not ignored, refused ones too."""
        ...

    def hear(self, events: Sequence[Event], now: int) -> None:
        """Take in the complete lists of all programmes."""
        ...

    def wish(self, wish: Wish, now: int) -> None:
        """Let the owner choose, as far as there is a choice."""
        ...

    def look(self, now: int, defaults: Sequence[Default], lost_since: float | None) -> Schedule:
        """Follow all events to a second; returns what is in force."""
        ...


@dataclass
class Listener:
    """The oracle's own notion of what a home knows and has answered on receipt."""

    edition: int
    able: frozenset[str]
    known: dict[str, Held] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    left_alone: set[str] = field(default_factory=set)
    answered: set[tuple[str, int, frozenset[str]]] = field(default_factory=set)
    news: list[Told] = field(default_factory=list)

    def hear(self, listed: Sequence[Event], home: Lived, now: int, over: set[str]) -> None:
        for event in listed:
            if event.mrid in self.refused or event.mrid in over:
                continue
            if event.mrid in self.known:
                self._again(event, now)
            else:
                self._first(event, home, now)
        missing = set(self.known) - {e.mrid for e in listed} - over
        for mrid in missing:
            held = self.known[mrid]
            if end_of(held) <= now + 2:
                continue  # it was about to end anyway
            gone = replace(held.event, status=Status.CANCELLED, status_time=now)
            self.known[mrid] = replace(held, event=gone)

    def _first(self, event: Event, home: Lived, now: int) -> None:
        if event.device_category == OTHERS:
            return
        heard = home.held.get(event.mrid)
        if heard is None:  # over and taken back: ignored; drawn anew at each hearing
            assert event.status not in {Status.SCHEDULED, Status.ACTIVE}
            return
        held = Held(event, heard.draw)
        wanted = set(event.modes)
        if any(isinstance(v, float) and v < 0 for v in event.modes.values()):
            self._refuse(event, 253, wanted, now)
        elif end_of(held) <= now:
            self._refuse(event, 254, wanted, now)
        elif not wanted & self.able or (self.edition == 2018 and wanted - self.able):
            self._refuse(event, 252 if self.edition == 2018 else 251, wanted, now)
        else:
            self.known[event.mrid] = replace(held, modes=frozenset(wanted & self.able))
            self._answer(event, 1, wanted & self.able, now)
            if wanted - self.able:
                self._answer(event, 251, wanted - self.able, now)

    def _refuse(self, event: Event, code: int, modes: set[str], now: int) -> None:
        self.refused.add(event.mrid)
        self._answer(event, code, modes, now)

    def _again(self, event: Event, now: int) -> None:
        held = self.known[event.mrid]
        before = held.event
        if before == event:
            return
        taken_back = event.status in {
            Status.CANCELLED,
            Status.CANCELLED_RANDOMIZED,
            Status.SUPERSEDED,
        }
        stays = replace(before, status=event.status, status_time=event.status_time)
        if taken_back:
            self.known[event.mrid] = replace(held, event=stays)
            return
        wanted = set(event.modes)
        same = event.modes == before.modes
        unable = set() if same else wanted - self.able
        if any(isinstance(v, float) and v < 0 for v in event.modes.values()):
            self.known[event.mrid] = replace(held, event=stays)
            self._answer(stays, 253, wanted, now)
        elif unable and (self.edition == 2018 or not wanted & self.able):
            self.known[event.mrid] = replace(held, event=stays)
            self._answer(stays, 252 if self.edition == 2018 else 251, unable, now)
        else:
            modes = held.modes if same else frozenset(wanted & self.able)
            self.known[event.mrid] = replace(held, event=event, modes=modes)
            if unable:
                self._answer(event, 251, unable, now)

    def choose(self, mrid: str, now: int, *, opted_out: bool, rejoined: set[str]) -> None:
        held = self.known.get(mrid)
        if held is None or held.event.mandatory or held.opted_out == opted_out:
            return
        self.known[mrid] = replace(held, opted_out=opted_out)
        if not opted_out:
            rejoined.add(mrid)
        self._answer(held.event, 4 if opted_out else 5, set(held.modes or ()), now)

    def _answer(self, event: Event, code: int, modes: set[str], now: int) -> None:
        bits = {1: 1, 4: 6, 5: 6}.get(code, 2)
        spoken = frozenset(modes) if self.edition == 2023 else frozenset[str]()
        key = (event.mrid, code, spoken)
        asked_for = event.reply_to is not None and event.response_required & bits
        if asked_for and key not in self.answered:
            self.answered.add(key)
            self.news.append((event.mrid, code, now, spoken))


def live(story: Story, dialect: Dialect, home: Lived) -> list[int]:
    """Let a home live through a story beside the oracle; returns the codes told."""
    profile = dialect.profile(ABLE)
    edition = int(profile.edition)
    listener = Listener(edition, ABLE)
    new = edition == 2023
    witness = Witness(by_mode=new, resumes=new, others=14 in profile.codes, again=new)
    rejoined: set[str] = set()
    codes = []
    for now in range(LENGTH):
        before = len(home.owed)
        if now in story.polls:
            over = witness.finished | {
                m for m in witness.paused if end_of(listener.known[m]) <= now
            }
            home.hear(story.lists(now), now)
            listener.hear(story.lists(now), home, now, over)
        for wish in story.wishes:
            if wish.at == now:
                home.wish(wish, now)
                if wish.mrid not in witness.finished | witness.paused:
                    listener.choose(wish.mrid, now, opted_out=wish.opted_out, rejoined=rejoined)
        lost_since = story.lost_since(now)
        schedule = home.look(now, story.defaults, lost_since)
        kept = list(listener.known.values())
        table = holders(kept, resumes=new, lost_since=lost_since)
        in_force = {m: (a.event, a.value) for m, a in schedule.active.items()}
        assert in_force == asked(table[now], story.defaults), now
        expected = listener.news + witness.see(now, kept, table, rejoined, lost_since)
        listener.news = []
        if not home.tells_since:
            expected = [(mrid, code, now, modes) for mrid, code, _, modes in expected]
        assert sorted(home.owed[before:], key=_order) == sorted(expected, key=_order), now
        codes += [code for _, code, _, _ in expected]
    return codes


def _order(told: Told) -> tuple[str, int, int, list[str]]:
    """Return what answers of one second are sorted by; sets have another order in each run."""
    mrid, code, at, modes = told
    return mrid, code, at, sorted(modes)
