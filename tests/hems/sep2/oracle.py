"""The event rules once more, slow and obvious: walk through time second by second.

It shares no code with `hems.sep2` but the records. `walk` tells for each second who has which mode;
`Witness` looks on, second by second, and says which responses each event owes and when.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from hems.sep2.rules.events import DISABLED, Default, Held, ModeValue, Status

HORIZON = 70
"""No event of a test runs later than that."""


def seconds_of(held: Held) -> list[int]:
    """Return the seconds in which an event runs, were it alone."""
    event, drawn = held.event, held.draw
    start = event.start + drawn.start_s
    seconds = [
        t for t in range(start, start + HORIZON) if t < start + event.duration_s + drawn.duration_s
    ]
    if event.status in {Status.CANCELLED, Status.SUPERSEDED, Status.COMPLETED}:
        seconds = [t for t in seconds if t < event.status_time]
    if event.status is Status.CANCELLED_RANDOMIZED:
        if start >= event.status_time:
            seconds = []
        seconds = [t for t in seconds if t < event.status_time + drawn.cancel_s]
    return seconds


def end_of(held: Held) -> int:
    """Return the first second at which an event is over, were it alone."""
    seconds = seconds_of(held)
    if seconds:
        return seconds[-1] + 1
    start = held.event.start + held.draw.start_s
    if held.event.status in {Status.SCHEDULED, Status.ACTIVE}:
        return start
    return min(start, held.event.status_time)


def stronger(a: Held, b: Held) -> bool:
    """Whether `a` beats `b`."""
    if a.event.program.primacy != b.event.program.primacy:
        return a.event.program.primacy < b.event.program.primacy
    if a.event.creation_time != b.event.creation_time:
        return a.event.creation_time > b.event.creation_time
    a_replaced, b_replaced = (h.event.status is Status.SUPERSEDED for h in (a, b))
    if a_replaced != b_replaced:
        return b_replaced
    return a.event.mrid > b.event.mrid


def carried(held: Held) -> set[str]:
    """Return the modes of an event that the home carries out."""
    return {m for m in held.event.modes if held.modes is None or m in held.modes}


Holders = Sequence[Mapping[str, Held]]
"""For each second from 0 on: by mode, the event that has it."""


def holders(
    events: Sequence[Held],
    *,
    resumes: bool = False,
    lost_since: float | None = None,
    begin: int = 0,
) -> Holders:
    """Return who has which mode in each second of [begin, HORIZON)."""
    running: dict[int, list[Held]] = {t: [] for t in range(begin, HORIZON)}
    for held in events:
        seconds = seconds_of(held)
        late = lost_since is not None and seconds and seconds[0] > lost_since
        if late or (held.opted_out and not held.event.mandatory):
            continue
        for t in seconds:
            if t in running:
                running[t].append(held)
    lost: set[tuple[str, str]] = set()
    table = []
    for t in range(begin, HORIZON):
        row: dict[str, Held] = {}
        for mode in {m for h in running[t] for m in carried(h)}:
            rivals = [
                h for h in running[t] if mode in carried(h) and (h.event.mrid, mode) not in lost
            ]
            for held in rivals:
                if mode not in row or stronger(held, row[mode]):
                    row[mode] = held
            if not resumes:
                lost |= {(h.event.mrid, mode) for h in rivals if h is not row[mode]}
        table.append(row)
    return table


def asked(row: Mapping[str, Held], defaults: Sequence[Default]) -> dict[str, tuple[str, ModeValue]]:
    """Return who asks what in one second: mode -> (mRID, value)."""
    wanted: dict[str, tuple[str, ModeValue]] = {}
    for mode in {m for d in defaults for m in d.modes} - set(row):
        setters = [d for d in defaults if mode in d.modes]
        least = min(d.program.primacy for d in setters)
        best = max((d for d in setters if d.program.primacy == least), key=lambda d: d.mrid)
        wanted[mode] = (best.mrid, best.modes[mode])
    for mode, held in row.items():
        wanted[mode] = (held.event.mrid, held.event.modes[mode])
    return {m: v for m, v in wanted.items() if v[1] != DISABLED}


Told = tuple[str, int, int, frozenset[str]]
"""A response: mRID, code, since when, modes it speaks of."""


Due = tuple[int, int, set[str]]
"""Code, since when, modes."""


@dataclass
class Witness:
    """Looks on in each second and says what is owed that was not owed before.

    Attributes:
        by_mode: Whether responses tell of modes (2023) or of the event as a whole (2018).
        resumes: Whether a lost mode is taken up again (2023).
        others: Whether 14 is told where another programme's event has superseded one.
        again: Whether 15 is told.
    """

    by_mode: bool
    resumes: bool
    others: bool
    again: bool
    started: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)
    finished: set[str] = field(default_factory=set)
    told: set[tuple[str, int, frozenset[str]]] = field(default_factory=set)

    def see(
        self,
        now: int,
        events: Sequence[Held],
        table: Holders,
        rejoined: Collection[str] = (),
        lost_since: float | None = None,
    ) -> list[Told]:
        """Return what came to be owed in this second, of all events that were taken on.

        Args:
            now: The second.
            events: As they are known now; those that were refused are not among them.
            table: Their `holders`, from second 0 on.
            rejoined: Events that the owner came back to.
            lost_since: Since when the server counts as lost.
        """
        news: list[Told] = []
        for held in events:
            if held.event.mrid in self.finished:
                continue
            for code, at, modes in self._of(now, held, table, rejoined, lost_since):
                spoken = frozenset(modes) if self.by_mode else frozenset[str]()
                if self._wanted(held, code) and (held.event.mrid, code, spoken) not in self.told:
                    self.told.add((held.event.mrid, code, spoken))
                    news.append((held.event.mrid, code, at, spoken))
        return news

    def _wanted(self, held: Held, code: int) -> bool:
        required = held.event.response_required
        if code == 15 and not self.again:
            return False
        return held.event.reply_to is not None and required & 2 == 2

    def _of(
        self,
        now: int,
        held: Held,
        table: Holders,
        rejoined: Collection[str],
        lost_since: float | None,
    ) -> list[Due]:
        mrid, modes = held.event.mrid, carried(held)
        seconds, end = seconds_of(held), end_of(held)
        absent = held.opted_out and not held.event.mandatory
        if lost_since is not None and seconds and seconds[0] > lost_since:
            absent = True
        if absent:
            if now < end or mrid in self.paused:
                return []
            if not held.opted_out or held.event.mandatory:
                self.started.discard(mrid)  # it was not completed
            return self._finish(held, end, modes, rejoined)
        has = {
            mode: [s for s in seconds if s < len(table) and _is(table[s].get(mode), mrid)]
            for mode in modes
        }
        was_paused = mrid in self.paused
        if was_paused and now >= end:
            return []
        due = self._begun(mrid, now, seconds, has)
        now_has = {m for m in modes if now in has[m]}
        due += self._taken_up(now, seconds, has, now_has, was_paused=was_paused)
        on = bool(seconds) and seconds[0] <= now
        bereft = {m for m in modes if on and _bereft(now, seconds, has[m])}
        due += self._lost(held, now, has, table, whole=bereft == modes)
        if bereft == modes:
            self.paused.add(mrid)
            self.started.discard(mrid)
        elif now_has:
            self.paused.discard(mrid)
        if now >= end and bereft != modes:
            due += self._finish(held, end, modes - bereft, rejoined)
        return due

    def _begun(
        self, mrid: str, now: int, seconds: list[int], has: Mapping[str, list[int]]
    ) -> list[Due]:
        if mrid in self.started or not any(now in mine for mine in has.values()):
            return []
        self.started.add(mrid)
        at_once = {mode for mode, mine in has.items() if seconds[0] in mine}
        return [(2, seconds[0], at_once)] if at_once else []

    def _lost(
        self, held: Held, now: int, has: Mapping[str, list[int]], table: Holders, *, whole: bool
    ) -> list[Due]:
        seconds = seconds_of(held)
        cuts = {
            (m, s): self._code(held, table[s][m])
            for m in has
            for s in seconds
            if s <= now and s not in has[m] and (s == seconds[0] or s - 1 in has[m])
        }
        if not self.by_mode:
            if not cuts or not whole:
                return []
            latest = max(s for _, s in cuts)
            first = min(m for m, s in cuts if s == latest)
            return [(cuts[first, latest], latest, set(has))]
        return [
            (code, moment, {m for (m, s), c in cuts.items() if (c, s) == (code, moment)})
            for code, moment in sorted({(c, s) for (_, s), c in cuts.items()})
        ]

    def _taken_up(
        self,
        now: int,
        seconds: list[int],
        has: Mapping[str, list[int]],
        now_has: set[str],
        *,
        was_paused: bool,
    ) -> list[Due]:
        if not (self.by_mode or was_paused):
            return []
        since: dict[int, set[str]] = {}
        for mode in now_has:
            begin = now
            while begin - 1 in has[mode]:
                begin -= 1
            if begin != seconds[0]:
                since.setdefault(begin, set()).add(mode)
        return [(15, begin, modes) for begin, modes in sorted(since.items())]

    def _code(self, loser: Held, winner: Held) -> int:
        return 14 if self.others and winner.event.program.mrid != loser.event.program.mrid else 7

    def _finish(
        self, held: Held, end: int, modes: set[str], rejoined: Collection[str]
    ) -> list[Due]:
        mrid = held.event.mrid
        self.finished.add(mrid)
        if held.event.status in {Status.CANCELLED, Status.CANCELLED_RANDOMIZED}:
            return [(6, end, modes)]
        if held.event.status is Status.SUPERSEDED:
            return [(7, end, modes)]
        if mrid not in self.started:
            return [(10, end, modes)]
        if held.opted_out and not held.event.mandatory:
            return [(8, end, modes)]
        return [(9 if mrid in rejoined else 3, end, modes)]


def _is(held: Held | None, mrid: str) -> bool:
    return held is not None and held.event.mrid == mrid


def _bereft(now: int, seconds: list[int], has: list[int]) -> bool:
    """Whether a mode is taken away now, or was in an event's last second."""
    return min(now, seconds[-1]) not in has
