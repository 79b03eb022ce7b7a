"""An event as the engine keeps it, and as the ledger does."""

from dataclasses import dataclass, replace

from hems.sep2 import resources as res
from hems.sep2.controls import Control, default_of, event_of
from hems.sep2.events import Default, Draw, Event, Held, Interval, Program, effective
from hems.sep2.ledger import EventRow, ResponseRow
from hems.sep2.lifecycle import Owed, Phase, Profile, Progress
from hems.sep2.xml import parse, serialize

DEFAULT_KIND = "DefaultDERControl"
DEFAULT_PHASE = "default"
WITHDRAWN_PHASE = "cancelled"


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in the engine's memory.

    Attributes:
        control: The resource as last received.
        progress: What the home made of it.
        reason: Why it or some of its modes were refused, for the owner.
        baseline_w: Net power at its start, None before.
    """

    control: Control
    progress: Progress
    reason: str = ""
    baseline_w: float | None = None

    @property
    def event(self) -> Event:
        """The event in neutral words."""
        return self.progress.held.event

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

    def now_is(self, control: Control, event: Event) -> "Entry":
        """Return the entry with the event as newly received; draw and choices stay."""
        held = replace(self.progress.held, event=event)
        return replace(self, control=control, progress=replace(self.progress, held=held))

    def row(self, server: str) -> EventRow:
        """Return the entry as the ledger keeps it."""
        event, held = self.event, self.progress.held
        return EventRow(
            mrid=event.mrid,
            server=server,
            kind=event.kind,
            program=event.program.mrid,
            program_name=event.program.name,
            primacy=event.program.primacy,
            mandatory=event.mandatory,
            body=serialize(self.control),
            draw_start_s=held.draw.start_s,
            draw_duration_s=held.draw.duration_s,
            draw_cancel_s=held.draw.cancel_s,
            phase=self.progress.phase.value,
            opted_out=held.opted_out,
            baseline_w=self.baseline_w,
        )


def entry_of(row: EventRow, profile: Profile, now: float) -> Entry:
    """Return a kept event.

    Raises:
        MalformedError: Its body cannot be read.
        ValueError: Its phase is unknown.
    """
    kinds: dict[str, type[Control]] = {
        "DERControl": res.DERControl,
        "EndDeviceControl": res.EndDeviceControl,
    }
    control = parse(row.body, kinds[row.kind])
    program = Program(row.program, row.program_name, row.primacy)
    event = replace(event_of(control, program, now), mandatory=row.mandatory)
    phase = Phase(row.phase)
    able = frozenset(m for m in event.modes if profile.carries_out(m))
    held = Held(
        event,
        Draw(row.draw_start_s, row.draw_duration_s, row.draw_cancel_s),
        opted_out=row.opted_out,
        modes=frozenset() if phase is Phase.REJECTED else able,
    )
    return Entry(control, Progress(held, phase), baseline_w=row.baseline_w)


@dataclass(frozen=True, slots=True)
class DefaultEntry:
    """A programme's default control in the engine's memory."""

    control: res.DefaultDERControl
    default: Default

    def row(self, server: str, phase: str = DEFAULT_PHASE) -> EventRow:
        """Return it as the ledger keeps it."""
        program = self.default.program
        return EventRow(
            mrid=self.default.mrid,
            server=server,
            kind=type(self.control).__name__,
            program=program.mrid,
            program_name=program.name,
            primacy=program.primacy,
            mandatory=True,
            body=serialize(self.control),
            draw_start_s=0,
            draw_duration_s=0,
            draw_cancel_s=0,
            phase=phase,
        )


def default_entry_of(row: EventRow) -> DefaultEntry:
    """Return a kept default control.

    Raises:
        MalformedError: Its body cannot be read.
    """
    control = parse(row.body, res.DefaultDERControl)
    program = Program(row.program, row.program_name, row.primacy)
    return DefaultEntry(control, default_of(control, program))


def response_row(event: Event, owed: Owed, lfdi: str, now: float) -> ResponseRow:
    """Return an owed response as the ledger keeps it; the event must have a `reply_to`."""
    return ResponseRow(
        subject=event.mrid,
        lfdi=lfdi,
        status=int(owed.code),
        modes=",".join(sorted(owed.modes)),
        created=int(now),
        reply_to=event.reply_to or "",
        kind="DrResponse" if event.kind == "EndDeviceControl" else "DERControlResponse",
    )
