"""Once a minute one of the workers judges what all have told, and acts on it.

Whoever comes first takes the round; if it dies in it, the next minute's is another's. Facts and
signals are in the database, so nothing is lost and nothing found twice.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from hems.headend.book import Book
from hems.headend.errors import BusyError, RequestError
from hems.headend.fleet.access import Access
from hems.headend.fleet.assembly import Fleet
from hems.headend.fleet.records import Actor, Role, State
from hems.headend.monitor import signal_store
from hems.headend.monitor.answers import Answered, unwilling
from hems.headend.monitor.counting import WINDOW
from hems.headend.monitor.facts import Fact
from hems.headend.monitor.judge import Verdict, counted, follow
from hems.headend.monitor.settings import MonitorSettings
from hems.headend.monitor.signals import MEANINGS, About, Found, Rule, Severity, Signal
from hems.headend.monitor.silence import Quiet, silence, sizes_of
from hems.headend.records import Event
from hems.headend.store import Store

MONITOR: Final = Actor("monitor", Role.SYSTEM)
_DAY_S: Final = 86_400.0
_HOUR_S: Final = 3600.0
_LEARNED_S: Final = 12 * _HOUR_S
"""A home that was away for longer was not just silent for a while."""
_SLACK: Final = 1.25
_BEFORE: Final = 20
"""So many earlier events show what is usual."""
_LEVELS: Final = {
    Severity.NOTICE: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.ALARM: logging.ERROR,
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is in the database."""

    facts: Sequence[Fact]
    known: Sequence[Signal]
    silent: Mapping[str, float]
    heard: Sequence[str]
    habits: Mapping[str, float]
    answered: Mapping[str, Answered]


class Rounds:
    """Judges.

    Args:
        store: Where facts and signals are.
        book: Homes and events.
        fleet: Groups; and hubs, which may be put in quarantine.
        settings: From when on something is a signal, and what is done about it.
    """

    def __init__(self, store: Store, book: Book, fleet: Fleet, settings: MonitorSettings) -> None:
        self._store = store
        self._book = book
        self._fleet = fleet
        self._settings = settings
        self._of = settings.thresholds()
        self._over: dict[str, Answered] = {}

    async def judge(self, now: float) -> Verdict | None:
        """Judge, if no other worker has done so in this minute; returns what has changed.

        Raises:
            BusyError: The database cannot serve now.
        """
        since = await self._store.transact(lambda c: signal_store.take_round(c, now))
        if since is None:
            return None
        events, before = self._events(now)
        wanted = [e.mrid for e in (*events, *before) if e.mrid not in self._over]
        minute = int(now // 60)

        def look(connection: Connection) -> _Seen:
            return _Seen(
                signal_store.facts_since(connection, minute - WINDOW),
                signal_store.signals(connection),
                signal_store.silent_since(connection, now - self._of.silent_s),
                signal_store.heard_since(connection, now - _DAY_S),
                signal_store.habits(connection),
                signal_store.answered(connection, wanted),
            )

        seen = await self._store.inquire(look)
        self._remember(before, seen.answered)
        quiet = self._quiet(seen, now, since)
        groups_of, snapshot = self._snapshot(quiet, seen.heard)
        # The rules may look at a hundred thousand homes: beside the event loop.
        found = await asyncio.to_thread(self._find, seen, quiet, snapshot, groups_of, now)
        for event in events:
            if event.mrid in seen.answered:
                usual = [self._over[e.mrid] for e in before if e.program == event.program]
                found += unwilling(seen.answered[event.mrid], usual, self._of)
        verdict = follow(seen.known, found, now)
        returned = _returned(verdict, {home.lfdi for home in quiet})

        def keep(connection: Connection) -> None:
            signal_store.save(connection, verdict)
            signal_store.learn(connection, returned, now)
            keep_s = self._settings.days * _DAY_S
            signal_store.forget(connection, minute - WINDOW - 1, now, keep_s)

        await self._store.transact(keep)
        for signal in verdict.begun:
            _log.log(_LEVELS[signal.severity], "signal %s: %s", signal.rule, signal.text)
            await self._act(signal)
        for signal in verdict.ended:
            _log.info("signal %s is over: %s", signal.rule, signal.text)
        return verdict

    def _find(
        self,
        seen: _Seen,
        quiet: Sequence[Quiet],
        homes: Sequence[str],
        groups_of: Callable[[str], Sequence[str]],
        now: float,
    ) -> list[Found]:
        wanted = {group for home in quiet for group in home.groups}
        sizes = sizes_of(homes, groups_of, wanted)
        found = counted(seen.facts, int(now // 60), self._of)
        return [*found, *silence(quiet, sizes, now, self._of)]

    def _quiet(self, seen: _Seen, now: float, since: float) -> list[Quiet]:
        """Return the homes that are silent for longer than usual, and should not be."""
        found: list[Quiet] = []
        for lfdi, heard in seen.silent.items():
            allowed = max(self._of.silent_s, seen.habits.get(lfdi, 0.0))
            # While nobody was here to listen, nobody was silent.
            if now - max(heard, since) < allowed or not self._should_speak(lfdi):
                continue
            found.append(Quiet(lfdi, heard, self._fleet.memory.groups_of(lfdi)))
        return found

    def _should_speak(self, lfdi: str) -> bool:
        home = self._book.home(lfdi)
        return (
            home is not None
            and not home.aggregator
            and self._book.served(lfdi) is not Access.NOTHING
        )

    def _snapshot(
        self, quiet: Sequence[Quiet], heard: Sequence[str]
    ) -> tuple[Callable[[str], Sequence[str]], Sequence[str]]:
        """Return the groups of homes as they stand, and the homes that count; for a thread."""
        homes = [*dict.fromkeys((*heard, *(home.lfdi for home in quiet)))]
        if not quiet:
            return _no_groups, homes
        groups = {lfdi: self._fleet.memory.groups_of(lfdi) for lfdi in homes}
        return groups.__getitem__, homes

    def _events(self, now: float) -> tuple[list[Event], list[Event]]:
        """Return the events that homes answer now, and some earlier ones."""
        events = self._book.events
        live = [e for e in events if e.accepted_at <= now and e.latest_end > now - _HOUR_S]
        return live, [e for e in events if e.latest_end <= now - _HOUR_S][:_BEFORE]

    def _remember(self, before: Sequence[Event], answered: Mapping[str, Answered]) -> None:
        """Keep what became of events that are over: it does not change any more."""
        nobody = {e.mrid: Answered(e.mrid, 0, {}) for e in before}
        self._over = {
            mrid: self._over.get(mrid) or answered.get(mrid, none) for mrid, none in nobody.items()
        }

    async def _act(self, signal: Signal) -> None:
        """Put a hub in quarantine, where the settings say so."""
        if signal.rule not in self._settings.quarantine:
            return
        if MEANINGS[signal.rule].about is not About.HOME:
            return
        try:
            await self._fleet.hubs.move(
                signal.subject, State.QUARANTINED, MONITOR, f"signal {signal.rule}: {signal.text}"
            )
        except (RequestError, BusyError) as error:
            _log.warning("home %s stays as it is: %s", signal.subject, error)
        else:
            _log.error("home %s is in quarantine: signal %s", signal.subject, signal.rule)


def _returned(verdict: Verdict, quiet: set[str]) -> dict[str, float]:
    """Return for how long homes were silent that have come back, s; they may be so again."""
    spans = {
        signal.subject: _SLACK * 60.0 * signal.count
        for signal in verdict.ended
        if signal.rule is Rule.SILENT and signal.subject not in quiet
    }
    return {lfdi: span for lfdi, span in spans.items() if span <= _SLACK * _LEARNED_S}


def _no_groups(_lfdi: str) -> Sequence[str]:
    return ()
