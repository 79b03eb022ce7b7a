"""What an event goes through and which responses it owes on the way, without any I/O.

    received -> started -> completed
        |          |-----> cancelled
        |          `-----> superseded (a mode won back by the owner's opt-out leads back to started)
        |-> completed without taking part, cancelled, superseded
        `-> rejected (refused on receipt)

A response is identified by event, status and modes; whoever keeps them never owes one twice.
IEEE 2030.5-2018 answers for an event as a whole, 2023 for its modes, those of one moment together.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Final

from hems.sep2.events import (
    Draw,
    Event,
    Held,
    Hold,
    ModeValue,
    Status,
    effective,
)


class Code(IntEnum):
    """Response.status."""

    RECEIVED = 1
    STARTED = 2
    COMPLETED = 3
    OPT_OUT = 4
    OPT_IN = 5
    CANCELLED = 6
    SUPERSEDED = 7
    PARTLY_OPT_OUT = 8
    PARTLY_OPT_IN = 9
    NO_PARTICIPATION = 10
    SUPERSEDED_BY_SERVER = 13
    SUPERSEDED_BY_PROGRAM = 14
    NOT_SUPPORTED = 251
    NOT_APPLICABLE = 252
    INVALID = 253
    EXPIRED = 254


class Phase(StrEnum):
    """How far an event has come."""

    RECEIVED = "received"
    STARTED = "started"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"

    @property
    def over(self) -> bool:
        """Whether time alone leads nowhere from here."""
        return self not in {Phase.RECEIVED, Phase.STARTED}


class Edition(IntEnum):
    """The edition of IEEE 2030.5 that is spoken."""

    V2018 = 2018
    V2023 = 2023


BASE_CODES: Final = frozenset(Code) - {Code.SUPERSEDED_BY_SERVER, Code.SUPERSEDED_BY_PROGRAM}


@dataclass(frozen=True, slots=True)
class Profile:
    """What this home can do and how its utility wants to be answered.

    Attributes:
        edition: Spoken edition.
        codes: Response codes that the utility's profile allows. 13 and 14, where not allowed,
            are told as 7.
        modes: Modes that the home carries out; None for any.
        device_category: Bits of `DeviceCategoryType` that the home is.
    """

    edition: Edition = Edition.V2018
    codes: frozenset[int] = BASE_CODES
    modes: frozenset[str] | None = None
    device_category: int = 1 << 14

    def carries_out(self, mode: str) -> bool:
        """Whether the home can carry a mode out."""
        return self.modes is None or mode in self.modes


@dataclass(frozen=True, slots=True)
class Owed:
    """A response that came due.

    Attributes:
        code: What it says.
        at: When it came about, server's clock.
        modes: The modes it speaks of; empty for the whole event.
    """

    code: Code
    at: float
    modes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is made of an event on receipt.

    Attributes:
        ignored: It is not meant for this home, or over and taken back: not a word about it.
        modes: The modes the home will carry out; empty when it is refused.
        code: Why it or some modes of it are refused; None if nothing is.
        refused: The modes that are refused.
        reason: The same in words, for the owner.
    """

    modes: frozenset[str] = frozenset()
    code: Code | None = None
    refused: frozenset[str] = frozenset()
    reason: str = ""
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """An event's life so far.

    Attributes:
        held: The event, its draw and the owner's choice.
        phase: How far it has come.
        rejoined: Whether the owner came back after leaving it.
    """

    held: Held
    phase: Phase = Phase.RECEIVED
    rejoined: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What one look at an event brought."""

    progress: Progress
    owed: Sequence[Owed] = field(default_factory=tuple)


_ONE_HOUR_S: Final = 3600
_LONGEST_S: Final = 366 * 86400
_LATEST: Final = 4102444800
_ABSURD: Final = 1e9
_NEVER_NEGATIVE: Final = (
    "opModImpLimW",
    "opModExpLimW",
    "opModGenLimW",
    "opModLoadLimW",
    "opModMaxLim",
    "TargetReduction",
)


def judge(event: Event, drawn: Draw, profile: Profile, now: float) -> Verdict:
    """Decide on receipt whether the home takes an event on.

    Args:
        event: As received.
        drawn: Its random parts.
        profile: What the home can do.
        now: Server's clock.
    """
    meant_for = event.device_category
    if meant_for and not meant_for & profile.device_category:
        return Verdict(ignored=True, reason="meant for another category of device")
    nonsense = _nonsense(event)
    if nonsense:
        return Verdict(code=Code.INVALID, refused=frozenset(event.modes), reason=nonsense)
    if effective(event, drawn).end <= now:
        if event.status.revoked or event.status is Status.COMPLETED:
            return Verdict(ignored=True, reason="over before it was received")
        return Verdict(
            code=Code.EXPIRED, refused=frozenset(event.modes), reason="over before it was received"
        )
    wanted = frozenset(event.modes)
    able = frozenset(m for m in wanted if profile.carries_out(m))
    if able == wanted:
        return Verdict(modes=able)
    code = Code.NOT_APPLICABLE if profile.edition is Edition.V2018 else Code.NOT_SUPPORTED
    reason = f"this home cannot carry out {', '.join(sorted(wanted - able))}"
    if profile.edition is Edition.V2018:  # one answer for the event, which must be true of it all
        return Verdict(code=code, refused=wanted, reason=reason)
    return Verdict(modes=able, code=code, refused=wanted - able, reason=reason)


def _nonsense(event: Event) -> str:
    """Say what is wrong with an event's figures, empty if nothing."""
    if not event.modes:
        return "it sets no control mode"
    if not 0 < event.duration_s <= _LONGEST_S:
        return f"a duration of {event.duration_s} s"
    if not 0 <= event.start <= _LATEST:
        return f"a start at {event.start}"
    for name, value in (
        ("randomizeStart", event.randomize_start_s),
        ("randomizeDuration", event.randomize_duration_s),
    ):
        if abs(value) > _ONE_HOUR_S:
            return f"{name} of {value} s"
    return next((w for m, v in event.modes.items() if (w := _absurd(m, v))), "")


def _absurd(mode: str, value: ModeValue) -> str:
    numbers = value if isinstance(value, tuple) else () if isinstance(value, str) else (value,)
    for number in numbers:
        if not math.isfinite(number) or abs(number) > _ABSURD:
            return f"{mode} of {number:g}"
        if number < 0 and mode.startswith(_NEVER_NEGATIVE):
            return f"{mode} of {number:g}, which cannot be negative"
    return ""


def receive(event: Event, verdict: Verdict, drawn: Draw, profile: Profile, now: float) -> Step:
    """Take a new event in: its first phase, and the answer to its arrival."""
    progress = Progress(Held(event, drawn, modes=verdict.modes))
    if not verdict.modes:
        progress = replace(progress, phase=Phase.REJECTED)
        due = [Owed(verdict.code, now)] if verdict.code is not None else []
        if profile.edition is Edition.V2023:
            due = [replace(o, modes=verdict.refused) for o in due]
        return Step(progress, asked_for(event, due, profile))
    due = [Owed(Code.RECEIVED, now, _named(verdict.modes, profile))]
    if verdict.code is not None:
        due.append(Owed(verdict.code, now, verdict.refused))
    return Step(progress, asked_for(event, due, profile))


def choose(progress: Progress, opted_out: bool, profile: Profile, now: float) -> Step:
    """Note that the owner leaves an event or takes part again."""
    held = progress.held
    if held.opted_out == opted_out:
        return Step(progress)
    code = Code.OPT_OUT if opted_out else Code.OPT_IN
    chosen = replace(
        progress,
        held=replace(held, opted_out=opted_out),
        rejoined=progress.rejoined or not opted_out,
    )
    modes = _named(held.modes or frozenset(held.event.modes), profile)
    return Step(chosen, asked_for(held.event, [Owed(code, now, modes)], profile))


def advance(
    progress: Progress, lines: Mapping[str, Sequence[Hold]], profile: Profile, now: float
) -> Step:
    """Follow an event to `now`.

    Args:
        progress: Its life so far.
        lines: `events.timeline` of each mode that it sets.
        profile: How the utility wants to be answered.
        now: Server's clock.

    Returns:
        Its phase and all responses that its present phase owes, whether told before or not.
    """
    held = progress.held
    span = effective(held.event, held.draw)
    if progress.phase.over and (progress.phase is not Phase.SUPERSEDED or now >= span.end):
        return Step(progress)
    holds = {
        mode: hold
        for mode, line in lines.items()
        for hold in line
        if hold.held.event.mrid == held.event.mrid
    }
    if not holds:  # the owner left it: it holds nothing, until its end
        return _end(progress, span.end, frozenset(), profile) if now >= span.end else Step(progress)
    due: list[Owed] = []
    phase = progress.phase
    modes = {m for m, h in holds.items() if not h.interval.empty}
    if phase is not Phase.STARTED and any(now in holds[m].interval for m in modes):
        phase = Phase.STARTED
        due.append(Owed(Code.STARTED, span.start, _named(modes, profile)))
    lost = {m: h for m, h in holds.items() if h.superseded_by and now >= h.interval.end}
    kept = frozenset(holds) - frozenset(lost)
    if lost and (profile.edition is Edition.V2023 or not kept):
        due += _superseded(held.event, lost, profile)
    if not kept:
        return _done(progress, Phase.SUPERSEDED, due, profile)
    moved = replace(progress, phase=phase)
    if now < span.end:
        return _done(moved, phase, due, profile)
    ended = _end(moved, span.end, kept, profile)
    return Step(ended.progress, (*asked_for(held.event, due, profile), *ended.owed))


def _end(progress: Progress, at: float, modes: frozenset[str], profile: Profile) -> Step:
    """End an event at its own end, by time or because the server took it back."""
    held = progress.held
    if held.event.status.revoked:
        phase, code = Phase.CANCELLED, Code.CANCELLED
        if held.event.status is Status.SUPERSEDED:
            phase, code = Phase.SUPERSEDED, Code.SUPERSEDED
    else:
        phase, code = Phase.COMPLETED, _completion(progress)
    named = _named(modes or held.modes or frozenset(held.event.modes), profile)
    return _done(progress, phase, [Owed(code, at, named)], profile)


def _completion(progress: Progress) -> Code:
    if progress.phase is not Phase.STARTED:
        return Code.NO_PARTICIPATION
    if not progress.held.takes_part:
        return Code.PARTLY_OPT_OUT
    return Code.PARTLY_OPT_IN if progress.rejoined else Code.COMPLETED


def _superseded(event: Event, lost: Mapping[str, Hold], profile: Profile) -> list[Owed]:
    if profile.edition is Edition.V2018:
        last = max(lost.values(), key=lambda h: h.interval.end)
        return [Owed(_superseded_code(event, last, profile), last.interval.end)]
    groups: dict[tuple[Code, float], set[str]] = {}
    for mode, hold in lost.items():
        key = (_superseded_code(event, hold, profile), hold.interval.end)
        groups.setdefault(key, set()).add(mode)
    return [Owed(code, at, frozenset(modes)) for (code, at), modes in sorted(groups.items())]


def _superseded_code(event: Event, hold: Hold, profile: Profile) -> Code:
    winner = hold.superseded_by
    other = winner is not None and winner.program.mrid != event.program.mrid
    if other and Code.SUPERSEDED_BY_PROGRAM in profile.codes:
        return Code.SUPERSEDED_BY_PROGRAM
    return Code.SUPERSEDED


def _done(progress: Progress, phase: Phase, due: Sequence[Owed], profile: Profile) -> Step:
    return Step(replace(progress, phase=phase), asked_for(progress.held.event, due, profile))


def _named(modes: Iterable[str], profile: Profile) -> frozenset[str]:
    return frozenset(modes) if profile.edition is Edition.V2023 else frozenset()


_ON_RECEIPT: Final = 1
_SPECIFIC: Final = 2
_CUSTOMER: Final = 4


def asked_for(event: Event, due: Sequence[Owed], profile: Profile) -> tuple[Owed, ...]:
    """Return those responses that the event's responseRequired and the profile ask for.

    Args:
        event: What is answered, with `reply_to`; without one nothing is asked for.
        due: Responses that came due.
        profile: How the utility wants to be answered.
    """
    if event.reply_to is None:
        return ()
    asked = event.response_required
    return tuple(o for o in due if o.code in profile.codes and asked & _bits(o.code))


def _bits(code: Code) -> int:
    if code is Code.RECEIVED:
        return _ON_RECEIPT
    if code in {Code.OPT_OUT, Code.OPT_IN}:
        return _SPECIFIC | _CUSTOMER
    return _SPECIFIC
