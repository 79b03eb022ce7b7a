"""The event book: all events of one server in memory, and what changed since it was last kept.

No I/O and no clock of its own: the engine gives it resources and the server's time, and takes away
rows for the ledger. So each of its steps can be tested by itself.
"""

import logging
import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.codec.reading import BadItem
from hems.sep2.controls import Control, cancelled, default_of, event_of
from hems.sep2.errors import BindingError, MalformedError, UnknownEventError
from hems.sep2.events import Default, Event, Held, Hold, Program, draw, timelines
from hems.sep2.ledger import EventRow, ResponseRow
from hems.sep2.lifecycle import (
    Code,
    Owed,
    Phase,
    Profile,
    advance,
    asked_for,
    choose,
    judge,
    receive,
)
from hems.sep2.memory import (
    DEFAULT_KIND,
    DEFAULT_PHASE,
    WITHDRAWN_PHASE,
    DefaultEntry,
    Entry,
    default_entry_of,
    entry_of,
    response_row,
)

_log = logging.getLogger(__name__)

_END_SLACK_S: Final = 2.0
"""A server drops an event at its end by its own clock, which ours follows to about a second."""
_KEEP_S: Final = 86400.0


def _as_flagged(event: Event) -> bool:
    return event.mandatory


@dataclass(frozen=True, slots=True)
class BookSettings:
    """Whose events these are and how they are answered.

    Attributes:
        server: LFDI or host of the server, the ledger's key.
        lfdi: The home's own LFDI.
        profile: What the home can do and how it answers.
        binding: Tells whether the owner may not leave an event; by default what 2030.5 itself
            flags (drProgramMandatory).
    """

    server: str
    lfdi: str
    profile: Profile = field(default_factory=Profile)
    binding: Callable[[Event], bool] = _as_flagged


class Book:
    """All events of one server.

    Args:
        settings: See `BookSettings`.
        rng: Source of the random draws.
        alarm: Told in one sentence what somebody should know.
    """

    def __init__(
        self,
        settings: BookSettings,
        rng: random.Random,
        alarm: Callable[[str], None] = _log.warning,
    ) -> None:
        self.settings = settings
        self.entries: dict[str, Entry] = {}
        self._rng = rng
        self._alarm = alarm
        self._defaults: dict[str, DefaultEntry] = {}
        self._listed: dict[str, frozenset[str]] = {}
        self._told: set[tuple[str, int, str]] = set()
        self._receipts = 0
        self._heard: dict[str, int] = {}
        self._unreadable: dict[str, frozenset[str]] = {}
        self._rows: dict[str, EventRow] = {}
        self._responses: list[ResponseRow] = []

    @property
    def defaults(self) -> Sequence[Default]:
        """The default controls of all programmes."""
        return [d.default for d in self._defaults.values()]

    def unsaved(self) -> tuple[Sequence[EventRow], Sequence[ResponseRow]]:
        """Return what the ledger does not have yet."""
        return list(self._rows.values()), list(self._responses)

    def saved(self) -> None:
        """Note that the ledger has all that `unsaved` returned."""
        self._rows.clear()
        self._responses.clear()

    def mark(self) -> int:
        """Return a mark of now: what is taken in later is newer than an answer asked for now."""
        return self._receipts

    def _newer(self, key: str, since: int | None) -> bool:
        """Whether something was heard of after the mark `since`; None is now."""
        return since is not None and self._heard.get(key, 0) > since

    def recall(self, row: EventRow, now: float) -> None:
        """Take up what the ledger kept; what cannot be read is told and left out."""
        try:
            if row.kind == DEFAULT_KIND:
                if row.phase == DEFAULT_PHASE:
                    self._defaults[row.program] = default_entry_of(row)
            else:
                entry = entry_of(row, self.settings.profile, now)
                self.entries[row.mrid] = entry
                self._rows.pop(row.mrid, None)  # what was drawn and chosen before counts
        except (MalformedError, ValueError, KeyError) as error:
            self._alarm(f"event {row.mrid} in the ledger cannot be used: {error}")

    def update(
        self,
        program: Program,
        controls: Sequence[Control],
        now: float,
        *,
        kind: type[Control],
        complete: bool,
        bad: Sequence[BadItem] = (),
        since: int | None = None,
    ) -> bool:
        """Take in what a poll or a notification brought; see `Engine.update`."""
        place = f"{kind.__name__} {program.mrid}"
        if self._newer(place, since):
            return False
        self._receipts += 1
        current = [self._take_in(control, program, now, since) for control in controls]
        said = frozenset(self._refuse(item, now) for item in bad)
        for message in sorted(said - self._unreadable.get(place, frozenset())):
            self._alarm(message)
        self._rename(program, kind.__name__)
        if complete:
            self._heard[place] = self._receipts
            self._unreadable[place] = said
            seen = {c.mrid.upper() for c in controls} | {b.mrid for b in bad if b.mrid}
            self._listed[place] = frozenset(seen)
            current.append(
                self._drop(
                    now,
                    lambda e: (
                        e.kind == kind.__name__
                        and e.program.mrid == program.mrid
                        and e.mrid not in seen
                    ),
                    since,
                )
            )
        return all(current)

    def _take_in(self, control: Control, program: Program, now: float, since: int | None) -> bool:
        """Take a control in; False if it is older than what is known of its event."""
        event = event_of(control, program, now)
        event = replace(event, mandatory=self.settings.binding(event))
        known = self.entries.get(event.mrid)
        if known is not None and known.control != control and self._newer(event.mrid, since):
            return False
        self._heard[event.mrid] = self._receipts
        if known is not None:
            same = known.control == control or known.settled(now)
            if not same and known.event.program.mrid == program.mrid:
                self._keep(known.now_is(control, event))
            return True
        drawn = draw(event, self._rng)
        verdict = judge(event, drawn, self.settings.profile, now)
        if verdict.ignored:
            return True
        step = receive(event, verdict, drawn, self.settings.profile, now)
        self._keep(Entry(control, step.progress, verdict.reason))
        if verdict.reason:
            self._alarm(f"event {event.mrid} of {program.name or program.mrid}: {verdict.reason}")
        self._owe(event, step.owed, now)
        return True

    def _refuse(self, item: BadItem, now: float) -> str:
        """Answer a control that cannot be read, as far as it tells how; returns what to say."""
        if item.mrid is None:
            return f"an event without a legible mRID cannot be read: {item.error}"
        if item.mrid in self.entries:
            return f"event {item.mrid} cannot be read any more, and stays as it was: {item.error}"
        event = Event(
            item.mrid,
            Program(""),
            0,
            0,
            0,
            {},
            kind=item.kind,
            response_required=item.response_required,
            reply_to=item.reply_to,
        )
        owed = asked_for(event, [Owed(Code.INVALID, now)], self.settings.profile)
        self._owe(event, owed, now)
        return f"event {item.mrid} cannot be read: {item.error}"

    def _owe(self, event: Event, owed: Iterable[Owed], now: float) -> None:
        for each in owed:
            row = response_row(event, each, self.settings.lfdi, now)
            key = (row.subject, row.status, row.modes)
            if key not in self._told:
                self._told.add(key)
                self._responses.append(row)

    def _keep(self, entry: Entry) -> None:
        self.entries[entry.event.mrid] = entry
        self._rows[entry.event.mrid] = entry.row(self.settings.server)

    def _rename(self, program: Program, kind: str) -> None:
        for entry in list(self.entries.values()):
            event = entry.event
            if (
                event.kind == kind
                and event.program != program
                and event.program.mrid == program.mrid
            ):
                self._keep(entry.now_is(entry.control, replace(event, program=program)))

    def _drop(self, now: float, chosen: Callable[[Event], bool], since: int | None = None) -> bool:
        """Treat events that vanished as cancelled, unless they were about to end anyway.

        Returns:
            False if some of them were heard of after the mark `since`; these stay.
        """
        current = True
        for entry in list(self.entries.values()):
            if entry.settled(now) or not chosen(entry.event):
                continue
            if self._newer(entry.event.mrid, since):
                current = False
            elif entry.span.end > now + _END_SLACK_S:
                control = cancelled(entry.control, now)
                event = event_of(control, entry.event.program, now)
                event = replace(event, mandatory=entry.event.mandatory)
                self._keep(entry.now_is(control, event))
        return current

    def set_default(
        self, program: Program, control: res.DefaultDERControl | None, since: int | None = None
    ) -> bool:
        """Take in a programme's default control; see `Engine.set_default`."""
        place = f"{DEFAULT_KIND} {program.mrid}"
        if self._newer(place, since):
            return False
        self._receipts += 1
        self._heard[place] = self._receipts
        known = self._defaults.get(program.mrid)
        if control is None:
            self._withdraw(program.mrid)
        elif known is None or known.control != control or known.default.program != program:
            if known is not None and known.default.mrid != control.mrid.upper():
                self._withdraw(program.mrid)
            entry = DefaultEntry(control, default_of(control, program))
            self._defaults[program.mrid] = entry
            self._rows[entry.default.mrid] = entry.row(self.settings.server)
        return True

    def _withdraw(self, program: str) -> None:
        entry = self._defaults.pop(program, None)
        if entry is not None:
            self._rows[entry.default.mrid] = entry.row(self.settings.server, WITHDRAWN_PHASE)

    def retain(self, programs: frozenset[str], kind: type[Control], now: float) -> None:
        """Forget programmes that are assigned no more; `programs` holds the mRIDs that are."""
        self._drop(now, lambda e: e.kind == kind.__name__ and e.program.mrid not in programs)
        if kind is res.DERControl:
            for program in set(self._defaults) - programs:
                self._withdraw(program)

    def choose(self, mrid: str, now: float, *, opted_out: bool) -> None:
        """Note that the owner leaves an event or takes part again.

        Raises:
            UnknownEventError: No such event, or it is over.
            BindingError: Its programme does not allow leaving it.
        """
        entry = self.entries.get(mrid)
        if entry is None or entry.progress.phase.over:
            raise UnknownEventError(f"event {mrid}: not known, or over")
        if opted_out and entry.event.mandatory:
            raise BindingError(f"event {mrid}: its programme does not allow leaving it")
        step = choose(entry.progress, opted_out, self.settings.profile, now)
        self._keep(replace(entry, progress=step.progress))
        self._owe(entry.event, step.owed, now)

    def set_baseline(self, mrid: str, power_w: float) -> None:
        """Keep the net power (W) at an event's start.

        Raises:
            UnknownEventError: No such event.
        """
        entry = self.entries.get(mrid)
        if entry is None:
            raise UnknownEventError(f"event {mrid}: not known")
        self._keep(replace(entry, baseline_w=power_w))

    def advance(self, now: float, lost_since: float | None) -> dict[str, tuple[Hold, ...]]:
        """Bring all events to `now`; returns the timeline of each mode."""
        lines = timelines(self._relevant(now), lost_since)
        for entry in list(self.entries.values()):
            step = advance(entry.progress, lines, self.settings.profile, now)
            if step.progress != entry.progress:
                self._keep(replace(entry, progress=step.progress))
            self._owe(entry.event, step.owed, now)
        self._forget(now)
        return lines

    def next_edge(self, now: float) -> float:
        """Return when the next live event begins or ends by itself; infinite if none does."""
        spans = [e.span for e in self.entries.values() if not e.progress.phase.over]
        return min((t for s in spans for t in (s.start, s.end) if t > now), default=math.inf)

    def _relevant(self, now: float) -> list[Held]:
        """Return what counts: live events, and past ones that may have taken modes from them."""
        live = [e for e in self.entries.values() if not e.progress.phase.over]
        begin = min((e.span.start for e in live), default=math.inf)
        return [
            e.progress.held
            for e in self.entries.values()
            if e.progress.phase is not Phase.REJECTED
            and (not e.progress.phase.over or e.span.end > begin or e.span.end > now)
        ]

    def _forget(self, now: float) -> None:
        listed = frozenset[str]().union(*self._listed.values())
        gone = {
            mrid
            for mrid, entry in self.entries.items()
            if entry.progress.phase.over and entry.span.end < now - _KEEP_S and mrid not in listed
        }
        for mrid in gone:
            del self.entries[mrid]
            self._heard.pop(mrid, None)
        if gone:
            self._told = {key for key in self._told if key[0] not in gone}
