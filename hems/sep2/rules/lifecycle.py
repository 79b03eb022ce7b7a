"""What an event goes through and which responses it owes on the way, without any I/O.

    received -> started -> completed
        |          |-----> cancelled
        |          `-----> superseded (a mode taken up again leads back to started)
        |-> completed without taking part, cancelled, superseded
        `-> rejected (refused on receipt)

A response is identified by event, status and modes; whoever keeps them never owes one twice.
IEEE 2030.5-2018 answers for an event as a whole, 2023 for its modes, those of one moment together.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Final

from hems.sep2.rules.events import (
    Draw,
    Event,
    Held,
    Hold,
    ModeValue,
    Status,
    effective,
)
from hems.sep2.rules.sanity import nonsense


class Code(IntEnum):
    """Response.status: IEEE 2030.5-2018 table 27, 2023 table 31."""

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
    ACKNOWLEDGED = 11
    """By the owner, who read a message."""
    NOT_DISPLAYABLE = 12
    SUPERSEDED_BY_SERVER = 13
    SUPERSEDED_BY_PROGRAM = 14
    RESUMED = 15
    """2023 only."""
    NOT_SUPPORTED = 251
    """2023 only."""
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


BASE_CODES: Final = frozenset(Code) - {
    Code.SUPERSEDED_BY_SERVER,
    Code.SUPERSEDED_BY_PROGRAM,
    Code.RESUMED,
}


def _within(_mode: str, _value: ModeValue) -> str:
    """Say that a value is not too much."""
    return ""


@dataclass(frozen=True, slots=True)
class Profile:
    """What this home can do and how its utility wants to be answered.

    Attributes:
        edition: Spoken edition.
        codes: Response codes that the utility's profile allows. 13 and 14, where not allowed,
            are told as 7.
        modes: Modes that the home carries out; None for any.
        device_category: Bits of `DeviceCategoryType` that the home is.
        by_mode: Whether responses say for which modes they are; None for what the edition does.
        longest_s: The longest duration of an event that is believed; by default any that can be
            written, since a server that means "until I say otherwise" sends a very long one.
        keeps_schedule: Whether events that were received go on to begin while the server is lost;
            without it the default control takes over at once.
        beyond: Says why a mode's value is more than the home's devices can do, empty if it is not.
    """

    edition: Edition = Edition.V2018
    codes: frozenset[int] = BASE_CODES
    modes: frozenset[str] | None = None
    device_category: int = 1 << 14
    by_mode: bool | None = None
    longest_s: float = 2.0**32
    keeps_schedule: bool = False
    beyond: Callable[[str, ModeValue], str] = field(default=_within, compare=False)

    @property
    def answers_by_mode(self) -> bool:
        """Whether responses say for which modes they are."""
        return self.edition is Edition.V2023 if self.by_mode is None else self.by_mode

    @property
    def resumes(self) -> bool:
        """Whether a mode that was lost is taken up again; see `hems.sep2.rules.events`."""
        return self.edition is Edition.V2023

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
    wrong = nonsense(event, profile.longest_s)
    if wrong:
        return Verdict(code=Code.INVALID, refused=frozenset(event.modes), reason=wrong)
    if effective(event, drawn).end <= now:
        if event.status.revoked or event.status is Status.COMPLETED:
            return Verdict(ignored=True, reason="over before it was received")
        return Verdict(
            code=Code.EXPIRED, refused=frozenset(event.modes), reason="over before it was received"
        )
    wanted = frozenset(event.modes)
    able = fitting(event, profile)
    if able == wanted:
        return Verdict(modes=able)
    code, reason = refusal(event, wanted - able, profile)
    if not profile.answers_by_mode:  # one answer for the event, which must be true of it all
        return Verdict(code=code, refused=wanted, reason=reason)
    return Verdict(modes=able, code=code, refused=wanted - able, reason=reason)


def fitting(event: Event, profile: Profile) -> frozenset[str]:
    """Return the modes of an event that the home carries out, at the values that they have."""
    return frozenset(
        m for m, v in event.modes.items() if profile.carries_out(m) and not profile.beyond(m, v)
    )


def refusal(event: Event, modes: frozenset[str], profile: Profile) -> tuple[Code, str]:
    """Return how modes of an event are refused, and why in words.

    One that the home does not carry out at all is refused so; where all that are refused ask for
    too much, they are not applicable.
    """
    unknown = frozenset(m for m in modes if not profile.carries_out(m))
    code, reason = unable(unknown, profile) if unknown else (Code.NOT_APPLICABLE, "")
    too_much = [words for m in sorted(modes) if (words := profile.beyond(m, event.modes[m]))]
    return code, "; ".join(filter(None, [reason, *too_much]))


def unable(modes: frozenset[str], profile: Profile) -> tuple[Code, str]:
    """Return how modes are refused that this home cannot carry out, and why in words."""
    code = Code.NOT_APPLICABLE if profile.edition is Edition.V2018 else Code.NOT_SUPPORTED
    return code, f"this home cannot carry out {', '.join(sorted(modes))}"


def receive(event: Event, verdict: Verdict, drawn: Draw, profile: Profile, now: float) -> Step:
    """Take a new event in: its first phase, and the answer to its arrival."""
    progress = Progress(Held(event, drawn, modes=verdict.modes))
    if not verdict.modes:
        progress = replace(progress, phase=Phase.REJECTED)
        due = [Owed(verdict.code, now)] if verdict.code is not None else []
        if profile.answers_by_mode:
            due = [replace(o, modes=verdict.refused) for o in due]
        return Step(progress, asked_for(event, due, profile))
    due = [Owed(Code.RECEIVED, now, named(verdict.modes, profile))]
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
    modes = named(held.modes or frozenset(held.event.modes), profile)
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
    holds = _of(held, lines)
    if not holds:  # the owner left it, or it may not run: it holds nothing, until its end
        return _end(progress, span.end, frozenset(), profile) if now >= span.end else Step(progress)
    due: list[Owed] = []
    phase = progress.phase
    running = {m: h for m, line in holds.items() for h in line if now in h.interval}
    if running and phase is not Phase.STARTED:
        begun = {m for m, line in holds.items() if not line[0].interval.empty}
        if begun:
            due.append(Owed(Code.STARTED, span.start, named(begun, profile)))
        phase = Phase.STARTED
    if profile.answers_by_mode or progress.phase is Phase.SUPERSEDED:
        due += _resumed({m: h for m, h in running.items() if h is not holds[m][0]}, profile)
    cuts = [(m, h) for m, line in holds.items() for h in line if _cut(h, now)]
    kept = frozenset(m for m, line in holds.items() if not _lost(line, now))
    if cuts and (profile.answers_by_mode or not kept):
        due += _superseded(held.event, cuts, profile)
    if not kept:
        return _done(progress, Phase.SUPERSEDED, due, profile)
    moved = replace(progress, phase=phase)
    if now < span.end:
        return _done(moved, phase, due, profile)
    ended = _end(moved, span.end, kept, profile)
    return Step(ended.progress, (*asked_for(held.event, due, profile), *ended.owed))


def _of(held: Held, lines: Mapping[str, Sequence[Hold]]) -> dict[str, Sequence[Hold]]:
    """Return an event's holds by mode, each in order of time."""
    mine = {
        m: [h for h in line if h.held.event.mrid == held.event.mrid] for m, line in lines.items()
    }
    return {mode: line for mode, line in mine.items() if line}


def _cut(hold: Hold, now: float) -> bool:
    """Whether the mode was taken away at the end of this hold."""
    return hold.superseded_by is not None and hold.interval.end <= now


def _lost(line: Sequence[Hold], now: float) -> bool:
    """Whether the event is without a mode now, or was at its end."""
    begun = [h for h in line if h.interval.start <= now]
    return bool(begun) and _cut(begun[-1], now)


def _resumed(again: Mapping[str, Hold], profile: Profile) -> list[Owed]:
    groups: dict[float, set[str]] = {}
    for mode, hold in again.items():
        groups.setdefault(hold.interval.start, set()).add(mode)
    return [Owed(Code.RESUMED, at, named(modes, profile)) for at, modes in sorted(groups.items())]


def _end(progress: Progress, at: float, modes: frozenset[str], profile: Profile) -> Step:
    """End an event at its own end, by time or because the server took it back."""
    held = progress.held
    if held.event.status.revoked:
        phase, code = Phase.CANCELLED, Code.CANCELLED
        if held.event.status is Status.SUPERSEDED:
            phase, code = Phase.SUPERSEDED, Code.SUPERSEDED
    else:
        phase, code = Phase.COMPLETED, _completion(progress, modes)
    answered = named(modes or held.modes or frozenset(held.event.modes), profile)
    return _done(progress, phase, [Owed(code, at, answered)], profile)


def _completion(progress: Progress, modes: frozenset[str]) -> Code:
    """Return how an event ended that had some modes to its end, or none."""
    if progress.phase is not Phase.STARTED:
        return Code.NO_PARTICIPATION
    if not progress.held.takes_part:
        return Code.PARTLY_OPT_OUT
    if not modes:  # it was suspended, or can no more be carried out: it was not completed
        return Code.NO_PARTICIPATION
    return Code.PARTLY_OPT_IN if progress.rejoined else Code.COMPLETED


def _superseded(event: Event, cuts: Sequence[tuple[str, Hold]], profile: Profile) -> list[Owed]:
    if not profile.answers_by_mode:
        last = max((hold for _, hold in cuts), key=lambda h: h.interval.end)
        return [Owed(_superseded_code(event, last, profile), last.interval.end)]
    groups: dict[tuple[Code, float], set[str]] = {}
    for mode, hold in cuts:
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


def named(modes: Iterable[str], profile: Profile) -> frozenset[str]:
    """Return the modes that a response speaks of; none where it is of the whole event."""
    return frozenset(modes) if profile.answers_by_mode else frozenset()


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
    if code is Code.ACKNOWLEDGED:
        return _CUSTOMER
    return _SPECIFIC
