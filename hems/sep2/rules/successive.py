"""Events that follow one another: randomisation opens no gap and makes no overlap between them.

Two events of one programme are successive when the one is to start at the very second the other is
to end, before randomisation. Drawn each for itself, their random parts would leave a time that
nobody controls, or have the two overlap, and then the stronger would supersede the other for good
although its server never meant them to meet. So the effective end of the earlier is the effective
start of the later (IEEE 2030.5-2018 10.2.3.3, 2023 10.2.2.3 m).

The end of the later one stays as drawn: were it moved along with its start, the random parts of a
day of five-minute events would add up to hours. A draw is never changed once made: of the two, the
one that was received last gives way.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from hems.sep2.rules.events import Draw, Event, Held, strength


def follow_on(event: Event, drawn: Draw, known: Iterable[Held]) -> Draw:
    """Fit a new event's draw to those of the events before and after it.

    Args:
        event: As received for the first time.
        drawn: What was drawn for it.
        known: The events that were received earlier; those that were refused change nothing.

    Returns:
        The draw with which it begins where its predecessor ends and ends where its successor
        begins; `drawn` itself where it has neither.
    """
    begin, end = event.start, _end(event)
    kin = sorted(
        (
            h
            for h in known
            if not h.event.status.revoked
            and (h.event.kind, h.event.program.mrid) == (event.kind, event.program.mrid)
            and any(h.sets(mode) for mode in event.modes)
        ),
        key=lambda h: strength(h.event),
        reverse=True,
    )
    before = next((h for h in kin if _end(h.event) == begin), None)
    after = next((h for h in kin if h.event.start == end), None)
    if before is not None:
        ends = before.draw.start_s + max(before.draw.duration_s, -before.event.duration_s)
        own_end = drawn.start_s + drawn.duration_s
        drawn = replace(drawn, start_s=ends, duration_s=own_end - ends)
    if after is not None:
        drawn = replace(drawn, duration_s=after.draw.start_s - drawn.start_s)
    return drawn


class Edges:
    """Which events begin or end at a second, before randomisation: of thousands, few meet one.

    Args:
        events: Those that are known.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._at: dict[int, set[str]] = {}
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        """Note an event, or what it is now."""
        for at in (event.start, _end(event)):
            self._at.setdefault(at, set()).add(event.mrid)

    def meeting(self, event: Event) -> Collection[str]:
        """Return the mRIDs of all that may follow or precede an event; more than do, at times."""
        empty: set[str] = set()
        return self._at.get(event.start, empty) | self._at.get(_end(event), empty)


def _end(event: Event) -> int:
    return event.start + event.duration_s
