"""The event rules once more, slow and obvious: walk through time second by second.

It shares no code with `hems.sep2.events` but the records.
"""

from collections.abc import Sequence

from hems.sep2.events import DISABLED, Default, Held, ModeValue, Status


def first_and_last(held: Held) -> tuple[int, int]:
    """Return the first second an event runs and the first at which it does not, were it alone."""
    event, drawn = held.event, held.draw
    seconds = [
        t
        for t in range(event.start + drawn.start_s, event.start + drawn.start_s + 40)
        if t < event.start + drawn.start_s + event.duration_s + drawn.duration_s
    ]
    if event.status in {Status.CANCELLED, Status.SUPERSEDED, Status.COMPLETED}:
        seconds = [t for t in seconds if t < event.status_time]
    if event.status is Status.CANCELLED_RANDOMIZED:
        if event.start + drawn.start_s >= event.status_time:
            seconds = []
        seconds = [t for t in seconds if t < event.status_time + drawn.cancel_s]
    return (seconds[0], seconds[-1] + 1) if seconds else (0, 0)


def stronger(a: Held, b: Held) -> bool:
    """Whether `a` beats `b`."""
    if a.event.program.primacy != b.event.program.primacy:
        return a.event.program.primacy < b.event.program.primacy
    if a.event.creation_time != b.event.creation_time:
        return a.event.creation_time > b.event.creation_time
    return a.event.mrid > b.event.mrid


def walk(
    events: Sequence[Held], defaults: Sequence[Default], begin: int, end: int
) -> list[dict[str, tuple[str, ModeValue]]]:
    """Return for each second of [begin, end) who asks what: mode -> (mRID, value)."""
    spans = {h.event.mrid: first_and_last(h) for h in events}
    modes = {m for h in events for m in h.event.modes} | {m for d in defaults for m in d.modes}
    lost: set[tuple[str, str]] = set()
    seconds = []
    for t in range(begin, end):
        asked: dict[str, tuple[str, ModeValue]] = {}
        for mode in modes:
            running = [
                h
                for h in events
                if mode in h.event.modes
                and (h.modes is None or mode in h.modes)
                and (h.event.mandatory or not h.opted_out)
                and spans[h.event.mrid][0] <= t < spans[h.event.mrid][1]
                and (h.event.mrid, mode) not in lost
            ]
            winner = None
            for held in running:
                if winner is None or stronger(held, winner):
                    winner = held
            for held in running:
                if held is not winner:
                    lost.add((held.event.mrid, mode))
            if winner is not None:
                asked[mode] = (winner.event.mrid, winner.event.modes[mode])
            else:
                setters = [d for d in defaults if mode in d.modes]
                if setters:
                    least = min(d.program.primacy for d in setters)
                    best = max(
                        (d for d in setters if d.program.primacy == least), key=lambda d: d.mrid
                    )
                    asked[mode] = (best.mrid, best.modes[mode])
        seconds.append({m: v for m, v in asked.items() if v[1] != DISABLED})
    return seconds
