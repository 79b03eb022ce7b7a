"""Which grid event is in force: the event rules of IEEE 2030.5 (10.2.3), without any I/O.

An event holds a control mode from its effective start until its effective end, unless a stronger
event that sets the same mode takes it away. Supersession goes per mode. What becomes of a mode
that was lost, once the stronger event is over, is a matter of the edition:

- 2018: lost is lost. The server itself marks an event as superseded (status 4) when another takes
  its place, the client then ends it and answers 7, and no code tells of taking it up again; what
  follows the stronger event is the default control. SunSpec's and EPRI's clients do the same.
- 2023: it is taken up again for what is left of its time. A server leaves an overlapped event
  active (status 4 is not used any more), and there is a response for it: 15, resumed.

An event that the owner left supersedes nothing, so leaving a voluntary event cannot undo a binding
one. All this is judged on what is known now: when the server takes the stronger event back as of a
time before it began, the weaker one was never superseded.

All times are seconds of the server's clock (`TimeType`), which orders events; durations in s.
"""

import bisect
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, TypeAlias

from hems.sep2.rules.curve import Curve

ModeValue: TypeAlias = float | str | tuple[float, ...]
"""A number in base units (W, var, VA, V, percent; 1 or 0 for a switch), the href of a DERCurve,
or the members of a small structure in the schema's order."""

DISABLED: Final[ModeValue] = ()
"""A mode that takes its place among events, yet asks for nothing while it holds (2023)."""


class Status(IntEnum):
    """EventStatus.currentStatus."""

    SCHEDULED = 0
    ACTIVE = 1
    CANCELLED = 2
    CANCELLED_RANDOMIZED = 3
    SUPERSEDED = 4
    """2018 servers only."""
    COMPLETED = 5
    """2023 servers only."""

    @property
    def revoked(self) -> bool:
        """Whether the server took the event back."""
        return self in {Status.CANCELLED, Status.CANCELLED_RANDOMIZED, Status.SUPERSEDED}


@dataclass(frozen=True, slots=True)
class Program:
    """A DERProgram or DemandResponseProgram, as far as its events need it.

    Attributes:
        mrid: Its mRID.
        name: Its description, for the owner.
        primacy: 0 is the strongest, 255 the weakest.
    """

    mrid: str
    name: str = ""
    primacy: int = 255


@dataclass(frozen=True, slots=True)
class Event:
    """A DERControl or EndDeviceControl in neutral words.

    Attributes:
        mrid: Its mRID, 32 upper-case hex digits.
        program: Who asks.
        creation_time: When the server made it.
        start: Start before randomisation.
        duration_s: Duration before randomisation.
        modes: What it sets, by 2030.5 name; never changed after construction.
        kind: Name of its resource type.
        status: What the server says of it.
        status_time: Since when it says so.
        randomize_start_s: Range of the start's shift, -3600 to 3600.
        randomize_duration_s: Range of the duration's change, -3600 to 3600.
        device_category: Bits of `DeviceCategoryType` it is meant for; None for everybody.
        response_required: Bits: 0 received, 1 specific, 2 the customer's own choice.
        reply_to: Where responses go; None if nowhere.
        mandatory: Whether the owner may not leave it.
        description: The server's words for it.
        ramp_s: Time in which to go over to what it asks (rampTms); None for the default rate.
    """

    mrid: str
    program: Program
    creation_time: int
    start: int
    duration_s: int
    modes: Mapping[str, ModeValue]
    kind: str = "DERControl"
    status: Status = Status.SCHEDULED
    status_time: int = 0
    randomize_start_s: int = 0
    randomize_duration_s: int = 0
    device_category: int | None = None
    response_required: int = 0
    reply_to: str | None = None
    mandatory: bool = False
    description: str = ""
    ramp_s: float | None = None


@dataclass(frozen=True, slots=True)
class Draw:
    """The random parts of one event, drawn once and kept over restarts; in s."""

    start_s: int = 0
    duration_s: int = 0
    cancel_s: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """An event with what this home drew for it and what its owner chose.

    Attributes:
        event: The event as last received.
        draw: Its random parts.
        opted_out: Whether the owner left it; ignored while it is mandatory.
        modes: The modes that this home carries out; None for all of the event's.
    """

    event: Event
    draw: Draw = Draw()
    opted_out: bool = False
    modes: frozenset[str] | None = None

    def sets(self, mode: str) -> bool:
        """Whether the event sets this mode and the home carries it out."""
        return mode in self.event.modes and (self.modes is None or mode in self.modes)

    @property
    def takes_part(self) -> bool:
        """Whether the event counts, as far as the owner has a say."""
        return self.event.mandatory or not self.opted_out


@dataclass(frozen=True, slots=True)
class Default:
    """A DefaultDERControl: what applies to a mode while no event sets it.

    Attributes:
        mrid: Its mRID.
        program: Whose it is.
        modes: What it sets, by 2030.5 name.
        gradient: Default rate of change (setGradW), per cent of the rating a second, 0 for no
            limit; None if it does not say.
    """

    mrid: str
    program: Program
    modes: Mapping[str, ModeValue]
    gradient: float | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """Half-open time [start, end); empty where end <= start."""

    start: float
    end: float

    def __contains__(self, at: float) -> bool:
        return self.start <= at < self.end

    @property
    def empty(self) -> bool:
        """Whether it holds no instant."""
        return self.end <= self.start


@dataclass(frozen=True, slots=True)
class Hold:
    """A time for which one event has one mode.

    Attributes:
        held: The event.
        interval: When it has the mode; empty if a stronger one has it from the start.
        superseded_by: The event that took the mode away, None if the event's own end ended it.
    """

    held: Held
    interval: Interval
    superseded_by: Event | None = None


@dataclass(frozen=True, slots=True)
class Active:
    """One mode in force.

    Attributes:
        mode: Its 2030.5 name.
        value: As in `Event.modes`.
        event: mRID of the event, or of the default control.
        program: Who asks.
        start: Effective start; minus infinity for a default control.
        end: When the event gives the mode up by itself; infinite for a default control.
        mandatory: Whether the owner may not leave it; True for a default control.
        default: Whether it comes from a default control.
        baseline_w: Net power at the event's start, None where unknown; set by the engine.
        ramp_s: Time in which to go over to it; None for the default rate.
    """

    mode: str
    value: ModeValue
    event: str
    program: Program
    start: float
    end: float
    mandatory: bool
    default: bool = False
    baseline_w: float | None = None
    ramp_s: float | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is in force at one instant.

    Attributes:
        at: The instant.
        active: By mode name.
        next_change: When anything changes next by the passing of time; infinite if never.
        gradient: Default rate of change in per cent of the rating a second, 0 for no limit; None
            where no default control says.
        curves: The curves that active modes name, by href; set by the engine.
    """

    at: float
    active: Mapping[str, Active] = field(default_factory=dict)
    next_change: float = math.inf
    gradient: float | None = None
    curves: Mapping[str, Curve] = field(default_factory=dict)


def draw(event: Event, rng: random.Random) -> Draw:
    """Draw an event's random parts, each uniform in whole seconds between 0 and its range."""
    widest = max(abs(event.randomize_start_s), abs(event.randomize_duration_s))
    return Draw(
        start_s=_between_0_and(event.randomize_start_s, rng),
        duration_s=_between_0_and(event.randomize_duration_s, rng),
        cancel_s=_between_0_and(widest, rng),
    )


def _between_0_and(limit: int, rng: random.Random) -> int:
    return rng.randint(min(0, limit), max(0, limit))


def effective(event: Event, drawn: Draw) -> Interval:
    """Return when an event runs, were it alone: drawn start and duration, cut by its status.

    A cancelled event ends when the server cancelled it; cancelled with randomisation, the drawn
    time later, unless it had not begun by then. What ends before it begins is empty.
    """
    start = event.start + drawn.start_s
    end = start + max(0, event.duration_s + drawn.duration_s)
    if event.status is Status.CANCELLED_RANDOMIZED and start < event.status_time:
        end = min(end, event.status_time + drawn.cancel_s)
    elif event.status.revoked or event.status is Status.COMPLETED:
        end = min(end, event.status_time)
    return Interval(min(start, end), end)


def strength(event: Event) -> tuple[int, int, bool, str]:
    """Return a sort key, the greatest being the strongest: primacy, creationTime, mRID.

    Of two with one creationTime, the one that its server calls superseded is the older.
    """
    kept = event.status is not Status.SUPERSEDED
    return (-event.program.primacy, event.creation_time, kept, event.mrid)


def timeline(mode: str, events: Iterable[Held], *, resumes: bool = False) -> tuple[Hold, ...]:
    """Return who has a mode and when.

    Args:
        mode: Its 2030.5 name.
        events: All events that are known and were not refused.
        resumes: Whether an event takes the mode up again after a stronger one (2023).

    Returns:
        Strongest event first, the holds of one event in order of time. Holds never overlap. Of
        each event that takes part there is at least one; its first begins with the event and is
        empty where a stronger one has the mode by then, its others are not empty.
    """
    contenders = sorted(
        (h for h in events if h.takes_part and h.sets(mode)),
        key=lambda h: strength(h.event),
        reverse=True,
    )
    holds: list[Hold] = []
    taken: list[Hold] = []  # those that are not empty, in order of time
    for held in contenders:
        own = effective(held.event, held.draw)
        left = _left(held, own, _rivals(taken, own))
        if not resumes:
            del left[1:]
        holds += left
        for hold in left:
            if not hold.interval.empty:
                bisect.insort(taken, hold, key=_begin)
    return tuple(holds)


def _rivals(taken: Sequence[Hold], own: Interval) -> Sequence[Hold]:
    """Return the holds that overlap an interval, out of those in order of time; none overlap."""
    if own.empty:
        return ()
    first = bisect.bisect_right(taken, own.start, key=lambda h: h.interval.end)
    return taken[first : bisect.bisect_left(taken, own.end, lo=first, key=_begin)]


def _begin(hold: Hold) -> float:
    return hold.interval.start


def _left(held: Held, own: Interval, rivals: Sequence[Hold]) -> list[Hold]:
    """Return what of its own interval rivals leave to an event; these in order of time."""
    left: list[Hold] = []
    at = own.start
    for rival in rivals:
        begins = rival.interval.start
        if begins > at or not left:
            left.append(Hold(held, Interval(at, max(at, begins)), rival.held.event))
        at = rival.interval.end
    if at < own.end or not left:
        left.append(Hold(held, Interval(at, own.end)))
    return left


def timelines(
    events: Iterable[Held], lost_since: float | None = None, *, resumes: bool = False
) -> dict[str, tuple[Hold, ...]]:
    """Return the `timeline` of every mode that any event sets.

    Args:
        events: All events that are known and were not refused.
        lost_since: Since when the server counts as lost; events that had not begun by then do
            not begin. None while it can be reached.
        resumes: See `timeline`.
    """
    counted = [
        h for h in events if lost_since is None or effective(h.event, h.draw).start <= lost_since
    ]
    modes = {m for h in counted for m in h.event.modes if h.sets(m)}
    return {mode: timeline(mode, counted, resumes=resumes) for mode in sorted(modes)}


def by_event(lines: Mapping[str, Iterable[Hold]]) -> dict[str, dict[str, list[Hold]]]:
    """Return the holds of each event by its mRID and by mode, those of a mode in order of time."""
    found: dict[str, dict[str, list[Hold]]] = {}
    for mode, line in lines.items():
        for hold in line:
            found.setdefault(hold.held.event.mrid, {}).setdefault(mode, []).append(hold)
    return found


def reaching(live: Iterable[Held], past: Iterable[Held]) -> list[Held]:
    """Return live events, and those past ones that may have taken modes from them.

    Also those that may have taken modes from such a past one: had it lost a mode before, it could
    not have taken it from a live one. What was over before all these began bears on nothing.
    """
    kept = list(live)
    begin = min((effective(h.event, h.draw).start for h in kept), default=math.inf)
    spans = [(effective(h.event, h.draw), h) for h in past]
    for span, held in sorted(spans, key=lambda s: s[0].end, reverse=True):
        if span.end <= begin:
            break
        kept.append(held)
        begin = min(begin, span.start)
    return kept


def resolve(
    lines: Mapping[str, Sequence[Hold]], defaults: Iterable[Default], now: float
) -> Schedule:
    """Return what is in force at `now`, given the timeline of each mode.

    Returns:
        The holder of each mode; where no event sets it, the default control of the strongest
        programme that does.
    """
    active: dict[str, Active] = {}
    edges: list[float] = []
    for mode, line in lines.items():
        for hold in line:
            if hold.interval.empty:
                continue
            edges += [hold.interval.start, hold.interval.end]
            if now in hold.interval:
                active[mode] = _active(mode, hold)
    strongest = sorted(defaults, key=lambda d: (-d.program.primacy, d.mrid), reverse=True)
    for default in strongest:
        for mode, value in default.modes.items():
            if mode not in active:
                active[mode] = Active(
                    mode=mode,
                    value=value,
                    event=default.mrid,
                    program=default.program,
                    start=-math.inf,
                    end=math.inf,
                    mandatory=True,
                    default=True,
                )
    asked = {mode: a for mode, a in active.items() if a.value != DISABLED}
    gradient = next((d.gradient for d in strongest if d.gradient is not None), None)
    return Schedule(now, asked, min((e for e in edges if e > now), default=math.inf), gradient)


def in_force(
    events: Iterable[Held],
    defaults: Iterable[Default],
    now: float,
    lost_since: float | None = None,
    *,
    resumes: bool = False,
) -> Schedule:
    """Return what is in force at `now`; see `timelines` and `resolve`."""
    return resolve(timelines(events, lost_since, resumes=resumes), defaults, now)


def _active(mode: str, hold: Hold) -> Active:
    event = hold.held.event
    return Active(
        mode=mode,
        value=event.modes[mode],
        event=event.mrid,
        program=event.program,
        start=hold.interval.start,
        end=hold.interval.end,
        mandatory=event.mandatory,
        ramp_s=event.ramp_s,
    )
