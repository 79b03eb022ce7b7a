"""The event book: all events of one server in memory, and what changed since it was last kept.

No I/O and no clock of its own: the engine gives it resources and the server's time, and takes away
rows for the ledger. So each of its steps can be tested by itself.
"""

import logging
import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hems.sep2 import resources as res
from hems.sep2.book import choices, intake
from hems.sep2.book.answers import Answerer, Applied
from hems.sep2.book.controls import Control, cancelled, curve_modes
from hems.sep2.book.curves import named
from hems.sep2.book.kinds import KINDS, event_of, kind_of
from hems.sep2.book.ledger import EventRow, ResponseRow
from hems.sep2.book.memory import Entry, entry_of
from hems.sep2.book.overrides import told
from hems.sep2.book.prices import Prices
from hems.sep2.book.receipts import KEEP_S, Place, Receipts
from hems.sep2.book.requests import REQUEST, Requests
from hems.sep2.book.standing import DEFAULT, STANDING, Standing
from hems.sep2.codec.reading import BadItem
from hems.sep2.errors import MalformedError, UnknownEventError
from hems.sep2.noticed import Notice, Noticed, What, unnoticed
from hems.sep2.rules.curve import Curve
from hems.sep2.rules.events import (
    Default,
    Event,
    Held,
    Hold,
    Program,
    Status,
    by_event,
    reaching,
    timelines,
)
from hems.sep2.rules.lifecycle import Owed, Phase, Profile, Step, advance
from hems.sep2.rules.successive import Edges

_log = logging.getLogger(__name__)

_END_SLACK_S = 2.0
"""A server drops an event at its end by its own clock, which ours follows to about a second."""


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
        inherits: Whether events that were kept before there were several devices are its own.
    """

    server: str
    lfdi: str
    profile: Profile = field(default_factory=Profile)
    binding: Callable[[Event], bool] = _as_flagged
    inherits: bool = True


class Book:
    """All events of one server.

    Attributes:
        entries: The events by mRID.
        requests: The flow reservations that the home asked for.
        prices: The tariffs that apply.

    Args:
        settings: See `BookSettings`.
        rng: Source of the random draws.
        alarm: Told in one sentence what somebody should know.
        notice: Told of events that are refused, or said anew after their end.
    """

    def __init__(
        self,
        settings: BookSettings,
        rng: random.Random,
        alarm: Callable[[str], None] = _log.warning,
        notice: Notice = unnoticed,
    ) -> None:
        self.settings = settings
        self.entries: dict[str, Entry] = {}
        self._rng = rng
        self._alarm = alarm
        self._notice = notice
        self._rows: dict[str, EventRow] = {}
        self._responses: dict[tuple[str, int, str], ResponseRow] = {}
        self._told: dict[tuple[str, int, str], float] = {}
        self._receipts = Receipts()
        self._answerer = Answerer(settings.server, settings.lfdi)
        self.requests = Requests(settings.server, settings.lfdi, self._keep_row)
        self.prices = Prices()
        self._standing = Standing(settings.server, settings.lfdi, self._keep_row, alarm)
        self._profiles = {name: kind.profile(settings.profile) for name, kind in KINDS.items()}

    @property
    def defaults(self) -> Sequence[Default]:
        """The default controls of all programmes."""
        return self._standing.defaults

    @property
    def curves(self) -> Mapping[str, Curve | str]:
        """The curves by href; in place of one that cannot be used, why."""
        return self._standing.curves

    def unsaved(self) -> tuple[Sequence[EventRow], Sequence[ResponseRow]]:
        """Return what the ledger does not have yet."""
        return list(self._rows.values()), list(self._responses.values())

    def saved(self) -> None:
        """Note that the ledger has all that `unsaved` returned."""
        self._rows.clear()
        self._responses.clear()

    def mark(self) -> int:
        """Return a mark of now: what is taken in later is newer than an answer asked for now."""
        return self._receipts.mark()

    def recall(self, rows: Iterable[EventRow], now: float) -> None:
        """Take up what the ledger kept; what cannot be read is told and left out."""
        # What stands first, because events name curves; what nobody claimed before what is ours.
        for row in sorted(rows, key=lambda r: (r.kind not in STANDING, r.lfdi)):
            try:
                if row.kind in STANDING:
                    self._standing.recall(row, now)
                elif row.kind == REQUEST:
                    self.requests.recall(row)
                else:
                    self.entries[row.mrid] = entry_of(row, self.settings.profile, now)
                    # What was refused before counts as news until its server had the time to
                    # list it again; forgotten at once, it would be taken in as new.
                    self._receipts.event(row.mrid, now)
            except (MalformedError, ValueError, KeyError) as error:
                self._alarm(f"event {row.mrid} in the ledger cannot be used: {error}")
            else:
                self._rows.pop(row.mrid, None)  # what was drawn and chosen before counts
                if not row.lfdi:
                    self._keep_row(replace(row, lfdi=self.settings.lfdi))

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
        place = (kind_of(kind).name, program.mrid)
        if self._receipts.list_newer(place, since):
            return False
        self._receipts.begin()
        new = any(control.mrid.upper() not in self.entries for control in controls)
        edges = Edges(entry.event for entry in self.entries.values() if new)
        current = [self._take_in(control, program, now, since, edges) for control in controls]
        said = frozenset(self._refuse(item, now) for item in bad)
        for message in sorted(said - self._receipts.said(place)):
            self._alarm(message)
            self._notice(Noticed(What.EVENT, message))
        self._rename(program, place[0])
        if complete:
            seen = {c.mrid.upper() for c in controls} | {b.mrid for b in bad if b.mrid}
            self._receipts.whole(place, seen, said)
            current.append(self._drop(now, lambda e: _of(e, place) and e.mrid not in seen, since))
        return all(current)

    def _take_in(
        self, control: Control, program: Program, now: float, since: int | None, edges: Edges
    ) -> bool:
        """Take a control in; False if it is older than what is known of its event."""
        event = event_of(control, program, now)
        event = replace(event, mandatory=self.settings.binding(event))
        known = self.entries.get(event.mrid)
        newer = self._receipts.event_newer(event.mrid, since)
        if known is not None and not known.knows(control) and newer:
            return False
        self._receipts.event(event.mrid, now)
        profile = self._profiles[event.kind]
        if known is None:
            others = [self.entries[mrid].progress.held for mrid in edges.meeting(event)]
            change = intake.first(
                control, event, profile, self.curves, self._rng, others=others, now=now
            )
        elif not _of(known.event, (event.kind, program.mrid)):
            return True  # the mRID of another one's event, which stands
        elif known.settled(now) or known.knows(control):
            if _comes(control) and control.interval != known.control.interval:
                why = f"{event.mrid} of {program.name or program.mrid}"
                self._notice(Noticed(What.REPLAY, why, about=event.mrid))
            return True
        else:
            change = intake.again(known, control, event, profile, self.curves, now=now)
        if change is not None:
            self._change(change, now)
            edges.add(change.entry.event)
            reason = change.entry.reason
            if reason and (known is None or known.reason != reason):
                why = f"{event.mrid} of {program.name or program.mrid}: {reason}"
                _log.warning("event %s", why)
                self._notice(Noticed(What.EVENT, why, about=event.mrid))
        return True

    def _refuse(self, item: BadItem, now: float) -> str:
        """Answer a control that cannot be read, as far as it tells how; returns what to say."""
        if item.mrid is None:
            return f"an event without a legible mRID cannot be read: {item.error}"
        if item.mrid in self.entries:
            return f"event {item.mrid} cannot be read any more, and stays as it was: {item.error}"
        if item.kind in KINDS:
            self._owe(*intake.illegible(item, self._profiles[item.kind], now), now)
        return f"event {item.mrid} cannot be read: {item.error}"

    def _owe(self, event: Event, owed: Iterable[Owed], now: float) -> None:
        entry = self.entries.get(event.mrid)
        for each in owed:
            key = (event.mrid, int(each.code), ",".join(sorted(each.modes)))
            if key not in self._told:
                self._told[key] = now
                detail = b"" if entry is None else self._detail(entry, now)
                self._responses[key] = self._answerer.row(event, each, now, detail)

    def _detail(self, entry: Entry, now: float) -> bytes:
        overridden_s = entry.override.used_s(entry.span, now)
        return self._answerer.detail(entry.control, entry.applied, overridden_s)

    def _keep(self, entry: Entry) -> None:
        self.entries[entry.event.mrid] = entry
        self._keep_row(entry.row(self.settings.server, self.settings.lfdi))

    def _keep_row(self, row: EventRow) -> None:
        self._rows[row.mrid] = row

    def _rename(self, program: Program, kind: str) -> None:
        for entry in list(self.entries.values()):
            event = entry.event
            if _of(event, (kind, program.mrid)) and event.program != program:
                event = replace(event, program=program)
                self._keep(entry.now_is(entry.control, event, binding=entry.binding))

    def _drop(self, now: float, chosen: Callable[[Event], bool], since: int | None = None) -> bool:
        """Treat events that vanished as cancelled, unless they were about to end anyway.

        Returns:
            False if some of them were heard of after the mark `since`; these stay.
        """
        current = True
        for entry in list(self.entries.values()):
            if entry.settled(now) or not chosen(entry.event):
                continue
            if self._receipts.event_newer(entry.event.mrid, since):
                current = False
            elif entry.span.end > now + _END_SLACK_S:
                control = cancelled(entry.control, now)
                event = event_of(control, entry.event.program, now)
                self._keep(entry.now_is(control, event, binding=entry.binding))
        return current

    def set_default(
        self, program: Program, control: res.DefaultDERControl | None, since: int | None = None
    ) -> bool:
        """Take in a programme's default control; see `Engine.set_default`."""
        place = (DEFAULT, program.mrid)
        if self._receipts.list_newer(place, since):
            return False
        self._receipts.begin()
        self._receipts.whole(place)
        self._standing.set_default(program, control)
        return True

    def set_curves(
        self, program: Program, curves: Sequence[res.DERCurve], now: float, *, complete: bool
    ) -> None:
        """Take in curves; see `Engine.set_curves`."""
        self._standing.set_curves(program, curves, now, complete=complete)

    def retain(self, programs: frozenset[str], kind: type[Control], now: float) -> None:
        """Forget programmes that are assigned no more; `programs` holds the mRIDs that are."""
        name = kind_of(kind).name
        self._drop(now, lambda e: e.kind == name and e.program.mrid not in programs)
        places = list(self._receipts.lists_of(name))
        if kind is res.DERControl:
            self._standing.drop(programs)
            places += self._receipts.lists_of(DEFAULT)
        for place in places:
            if place[1] not in programs:
                self._receipts.drop(place)

    def choose(self, mrid: str, now: float, *, opted_out: bool) -> None:
        """Note that the owner leaves an event or takes part again.

        Raises:
            UnknownEventError: No such event, or it is over.
            BindingError: Its programme does not allow leaving it, or the time granted for an
                override is used up.
        """
        entry = self._live(mrid)
        profile = self._profiles[entry.event.kind]
        self._change(choices.choose(entry, profile, now, opted_out=opted_out), now)

    def acknowledge(self, mrid: str, now: float) -> None:
        """Note that the owner has read a message.

        Raises:
            UnknownEventError: No such message.
        """
        entry = self._known(mrid)
        profile = self._profiles[entry.event.kind]
        self._change(choices.acknowledge(entry, profile, now), now)

    def _change(self, change: choices.Change, now: float) -> None:
        self._keep(change.entry)
        self._owe(change.entry.event, change.owed, now)

    def carry_out(self, profile: Profile) -> None:
        """Go by what the home can do from now on; events that were refused stay so."""
        self.settings = replace(self.settings, profile=profile)
        self._profiles = {name: kind.profile(profile) for name, kind in KINDS.items()}

    def concede(self, mrid: str, now: float, give_up: Callable[..., Step], reason: str) -> None:
        """Give modes of an event up.

        Args:
            mrid: The event's.
            now: Server's clock.
            give_up: What it loses: `hems.sep2.rules.changes.concede`, of progress, profile and now.
            reason: Why, in words; empty where the words that were stand.

        Raises:
            UnknownEventError: No such event.
        """
        entry = self._known(mrid)
        profile = self._profiles[entry.event.kind]
        step = give_up(entry.progress, profile=profile, now=now)
        if step.progress != entry.progress:
            entry = replace(entry, progress=step.progress, reason=reason or entry.reason)
            self._change(choices.Change(entry, step.owed), now)

    def missing_curves(
        self, controls: Iterable[Control | res.DefaultDERControl], now: float
    ) -> frozenset[str]:
        """Return the hrefs of curves that are needed and not known; see `Engine.missing_curves`."""
        settled = {mrid for mrid, entry in self.entries.items() if entry.settled(now)}
        asked = [curve_modes(c) for c in controls if c.mrid.upper() not in settled]
        able = self.settings.profile.carries_out
        hrefs = {h for modes in asked for mode, h in named(modes).items() if able(mode)}
        return frozenset(hrefs - self.curves.keys())

    def set_baseline(self, mrid: str, power_w: float) -> None:
        """Keep the net power (W) at an event's start.

        Raises:
            UnknownEventError: No such event.
        """
        self._keep(replace(self._known(mrid), baseline_w=power_w))

    def set_applied(self, mrid: str, what: Applied) -> None:
        """Keep what the home applied of a load control.

        Raises:
            UnknownEventError: No such load control, or it is over.
        """
        entry = self._live(mrid)
        if not isinstance(entry.control, res.EndDeviceControl):
            raise UnknownEventError(f"event {mrid}: not a load control")
        applied = self._answerer.applied(entry.control, what)
        if applied != entry.applied:
            self._keep(replace(entry, applied=applied))

    def _known(self, mrid: str) -> Entry:
        entry = self.entries.get(mrid)
        if entry is None:
            raise UnknownEventError(f"event {mrid}: not known")
        return entry

    def _live(self, mrid: str) -> Entry:
        entry = self._known(mrid)
        if entry.progress.phase.over:
            raise UnknownEventError(f"event {mrid}: over")
        return entry

    def advance(self, now: float, lost_since: float | None) -> dict[str, tuple[Hold, ...]]:
        """Bring all events to `now`; returns the timeline of each mode."""
        for entry in list(self.entries.values()):
            again = choices.override_over(entry, now)
            if again is not entry:
                self._keep(again)
        resumes = self.settings.profile.resumes
        lines = timelines(self._relevant(now), lost_since, resumes=resumes)
        held = by_event(lines)
        for entry in list(self.entries.values()):
            profile = self._profiles[entry.event.kind]
            step = advance(entry.progress, held.get(entry.event.mrid, {}), profile, now)
            if step.progress != entry.progress:
                self._keep(replace(entry, progress=step.progress))
            used_s = entry.override.used_s(entry.span, now)
            self._owe(entry.event, told(step.owed, used_s, profile), now)
        self._forget(now)
        return lines

    def next_edge(self, now: float) -> float:
        """Return when the next live event begins or ends by itself; infinite if none does."""
        edges = [
            at
            for entry in self.entries.values()
            if not entry.progress.phase.over
            for at in (
                entry.span.start,
                entry.span.end,
                choices.override_ends(entry),
            )
        ]
        return min((at for at in edges if at > now), default=math.inf)

    def _relevant(self, now: float) -> list[Held]:
        """Return what counts: live events, and past ones that may have taken modes from them.

        What was told to be completed does not run again where the clock is set back.
        """
        taken = [
            e
            for e in self.entries.values()
            if e.progress.phase is not Phase.REJECTED
            and not (e.progress.phase is Phase.COMPLETED and e.span.end > now)
        ]
        live = [e.progress.held for e in taken if not e.settled(now)]
        return reaching(live, (e.progress.held for e in taken if e.settled(now)))

    def _forget(self, now: float) -> None:
        """Let go of what is over and no longer listed; the ledger has it for longer."""
        listed, before = self._receipts.named(), now - KEEP_S
        gone = [
            mrid
            for mrid, entry in self.entries.items()
            if entry.progress.phase.over
            and mrid not in listed
            and min(entry.span.end, self._refused_until(entry)) < before
        ]
        for mrid in gone:
            del self.entries[mrid]
        kept = self.entries.keys() | listed
        self._receipts.forget(kept, now)
        self._told = {k: at for k, at in self._told.items() if k[0] in kept or at >= before}
        if gone:
            self.prices.forget(self.entries)
        self.requests.forget(now)
        live = [e for e in self.entries.values() if not e.settled(now)]
        self._standing.forget({h for e in live for h in named(e.event.modes).values()}, now)

    def _refused_until(self, entry: Entry) -> float:
        """Return until when a refused event counts as news: what it says of its end does not."""
        refused = entry.progress.phase is Phase.REJECTED
        return self._receipts.heard_at(entry.event.mrid) if refused else math.inf


def _comes(control: Control) -> bool:
    """Return whether its server says that an event is coming, or running."""
    return control.event_status.current_status in {Status.SCHEDULED, Status.ACTIVE}


def _of(event: Event, place: Place) -> bool:
    return (event.kind, event.program.mrid) == place
