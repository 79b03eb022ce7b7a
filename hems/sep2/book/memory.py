"""An event as the book keeps it, and as the ledger does."""

from dataclasses import dataclass, field, replace

from hems.sep2.book.controls import Control
from hems.sep2.book.kinds import KINDS, Kind, event_of
from hems.sep2.book.ledger import EventRow
from hems.sep2.book.overrides import Override
from hems.sep2.rules.events import Draw, Event, Held, Interval, Program, effective
from hems.sep2.rules.lifecycle import Phase, Profile, Progress
from hems.sep2.xml import parse, serialize


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in the engine's memory.

    Attributes:
        control: The resource as last received.
        progress: What the home made of it.
        binding: Whether the owner may not leave it; while it is overridden, the event itself
            counts as one that may be left.
        reason: Why it or some of its modes were refused, for the owner.
        baseline_w: Net power at its start, None before.
        override: How the owner overrides it, where it grants time for that.
        applied: What was applied of it, as a DrResponse; empty while that was not said.
        acknowledged: Whether the owner has read it.
        refused: A change of it that its server made and the home refused; None if there is none.
    """

    control: Control
    progress: Progress
    binding: bool = False
    reason: str = ""
    baseline_w: float | None = None
    override: Override = field(default_factory=Override)
    applied: bytes = b""
    acknowledged: bool = False
    refused: Control | None = None

    @property
    def event(self) -> Event:
        """The event in neutral words."""
        return self.progress.held.event

    @property
    def kind(self) -> Kind:
        """What sets its kind of events apart."""
        return KINDS[self.event.kind]

    @property
    def span(self) -> Interval:
        """When it runs, were it alone."""
        return effective(self.event, self.progress.held.draw)

    def settled(self, now: float) -> bool:
        """Whether nothing that the server says of it matters any more.

        A superseded event does matter until its end: the owner may leave the one that took its
        modes, and then it must be known whether it still stands.
        """
        phase = self.progress.phase
        return phase.over and (phase is not Phase.SUPERSEDED or self.span.end <= now)

    def knows(self, control: Control) -> bool:
        """Whether this is what its server said last."""
        return control in (self.control, self.refused)

    def now_is(self, control: Control, event: Event, *, binding: bool) -> "Entry":
        """Return the entry with the event as newly received; draw and choices stay."""
        event = replace(event, mandatory=binding and not self.override.on)
        held = replace(self.progress.held, event=event)
        progress = replace(self.progress, held=held)
        return replace(self, control=control, progress=progress, binding=binding)

    def overridden(self, override: Override) -> "Entry":
        """Return the entry with the owner overriding it, or taking part again."""
        event = replace(self.event, mandatory=self.binding and not override.on)
        held = replace(self.progress.held, event=event, opted_out=override.on)
        return replace(self, override=override, progress=replace(self.progress, held=held))

    def row(self, server: str, lfdi: str) -> EventRow:
        """Return the entry as the ledger keeps it."""
        event, held = self.event, self.progress.held
        return EventRow(
            mrid=event.mrid,
            server=server,
            kind=event.kind,
            program=event.program.mrid,
            program_name=event.program.name,
            primacy=event.program.primacy,
            mandatory=self.binding,
            body=serialize(self.control),
            draw_start_s=held.draw.start_s,
            draw_duration_s=held.draw.duration_s,
            draw_cancel_s=held.draw.cancel_s,
            phase=self.progress.phase.value,
            opted_out=held.opted_out,
            baseline_w=self.baseline_w,
            lfdi=lfdi,
            rejoined=self.progress.rejoined,
            override_since=self.override.since,
            overridden_s=self.override.before_s,
            applied=self.applied,
            acknowledged=self.acknowledged,
            modes=None if held.modes is None else ",".join(sorted(held.modes)),
            reason=self.reason,
        )


def entry_of(row: EventRow, profile: Profile, now: float) -> Entry:
    """Return a kept event.

    Raises:
        MalformedError: Its body cannot be read.
        ValueError: Its phase is unknown.
        KeyError: Its kind is unknown.
    """
    kind = KINDS[row.kind]
    control = parse(row.body, kind.single)
    program = Program(row.program, row.program_name, row.primacy)
    override = Override(row.override_since, row.overridden_s)
    event = event_of(control, program, now)
    event = replace(event, mandatory=row.mandatory and not override.on)
    phase = Phase(row.phase)
    answering = kind.profile(profile)
    able = frozenset(m for m in event.modes if answering.carries_out(m))
    if row.modes is not None:
        able &= frozenset(row.modes.split(","))
    held = Held(
        event,
        Draw(row.draw_start_s, row.draw_duration_s, row.draw_cancel_s),
        opted_out=row.opted_out,
        modes=frozenset() if phase is Phase.REJECTED else able,
    )
    return Entry(
        control,
        Progress(held, phase, row.rejoined),
        binding=row.mandatory,
        reason=row.reason,
        baseline_w=row.baseline_w,
        override=override,
        applied=row.applied,
        acknowledged=row.acknowledged,
    )
