"""An event as the home may see it."""

from collections.abc import Mapping
from dataclasses import dataclass

from hems.sep2.book.controls import Control
from hems.sep2.book.kinds import override_s
from hems.sep2.book.memory import Entry
from hems.sep2.rules.events import Event
from hems.sep2.rules.lifecycle import Phase


@dataclass(frozen=True, slots=True)
class EventState:
    """An event as shown to the owner; times are UTC epoch seconds of the home's clock.

    Attributes:
        event: In neutral words; times in it are the server's.
        phase: How far it has come.
        starts_at: When it begins, its random shift included.
        ends_at: When it ends, were it alone.
        opted_out: Whether the owner left it, or overrides it.
        reason: Why it or some of its modes were refused; empty if nothing is.
        baseline_w: Net power at its start; None before.
        control: As the server sent it; None where that does not matter.
        acknowledged: Whether the owner has read it, which is a message.
        overridden_until: When the owner's override ends by itself; infinite without one.
        override_left_s: How much longer the owner may override it; 0 where that is not granted.
    """

    event: Event
    phase: Phase
    starts_at: float
    ends_at: float
    opted_out: bool
    reason: str
    baseline_w: float | None
    control: Control | None = None
    acknowledged: bool = False
    overridden_until: float = float("inf")
    override_left_s: float = 0.0


def state_of(entry: Entry, now: float, offset_s: float) -> EventState:
    """Return an event's state.

    Args:
        entry: As the book keeps it.
        now: Server's clock.
        offset_s: The server's time less the home's.
    """
    span, progress, granted_s = entry.span, entry.progress, override_s(entry.control)
    return EventState(
        event=entry.event,
        phase=progress.phase,
        starts_at=span.start - offset_s,
        ends_at=span.end - offset_s,
        opted_out=progress.held.opted_out,
        reason=entry.reason,
        baseline_w=entry.baseline_w,
        control=entry.control,
        acknowledged=entry.acknowledged,
        overridden_until=entry.override.ends_at(span, granted_s) - offset_s,
        override_left_s=max(0.0, granted_s - entry.override.used_s(span, now)),
    )


class States:
    """The states of all events of a book, each made anew only where it may have changed.

    They are asked for several times in each control cycle, while prices alone leave some hundred
    events in the book, nearly all of which are as they were.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[Entry, EventState]] = {}
        self._offset_s = 0.0

    def of(self, entries: Mapping[str, Entry], now: float, offset_s: float) -> list[EventState]:
        """Return the states by start; of those that start together, as the book has them.

        Args:
            entries: All events of the book, by mRID.
            now: Server's clock.
            offset_s: The server's time less the home's.
        """
        before = self._known if offset_s == self._offset_s else {}
        self._offset_s, self._known = offset_s, {}
        found: list[EventState] = []
        for mrid, entry in entries.items():
            known = before.get(mrid)
            # What is left of an override runs out by time alone; all else changes with the entry.
            if known is None or known[0] is not entry or entry.override.on:
                known = entry, state_of(entry, now, offset_s)
            self._known[mrid] = known
            found.append(known[1])
        return sorted(found, key=lambda state: state.starts_at)
