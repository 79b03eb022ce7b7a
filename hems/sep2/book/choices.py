"""What the owner can do about an event: leave it, override it, come back, acknowledge it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hems.sep2.book.kinds import override_s
from hems.sep2.book.memory import Entry
from hems.sep2.errors import BindingError, UnknownEventError
from hems.sep2.rules import lifecycle
from hems.sep2.rules.lifecycle import Code, Owed, Profile, asked_for


@dataclass(frozen=True, slots=True)
class Change:
    """What a choice makes of an event, and what it owes the server."""

    entry: Entry
    owed: Sequence[Owed] = ()


def choose(entry: Entry, profile: Profile, now: float, *, opted_out: bool) -> Change:
    """Leave an event or take part again.

    Where the event grants time for an override, leaving it is one, and ends with that time.

    Raises:
        BindingError: Its programme does not allow leaving it, or the time granted is used up.
    """
    granted_s = override_s(entry.control)
    if granted_s:
        return Change(_overridden(entry, granted_s, now, on=opted_out))
    if opted_out and (entry.binding or not entry.kind.leavable):
        raise BindingError(f"event {entry.event.mrid}: its programme does not allow leaving it")
    step = lifecycle.choose(entry.progress, opted_out, profile, now)
    return Change(replace(entry, progress=step.progress), step.owed)


def _overridden(entry: Entry, granted_s: float, now: float, *, on: bool) -> Entry:
    used_s = entry.override.used_s(entry.span, now)
    if on and not entry.override.on and used_s >= granted_s:
        mrid = entry.event.mrid
        raise BindingError(f"event {mrid}: it may be overridden for {granted_s:.0f} s only")
    return entry.overridden(
        entry.override.begun(now) if on else entry.override.ended(entry.span, now)
    )


def override_ends(entry: Entry) -> float:
    """Return when the time is used up for which the owner may override; infinite if not on."""
    return entry.override.ends_at(entry.span, override_s(entry.control))


def override_over(entry: Entry, now: float) -> Entry:
    """Return an event whose owner takes part again, if the time to override it is used up."""
    ends_at = override_ends(entry)
    if entry.progress.phase.over or ends_at > now:
        return entry
    return entry.overridden(entry.override.ended(entry.span, ends_at))


def acknowledge(entry: Entry, profile: Profile, now: float) -> Change:
    """Note that the owner has read a message.

    Raises:
        UnknownEventError: It is no message.
    """
    if Code.ACKNOWLEDGED not in entry.kind.codes:
        raise UnknownEventError(f"event {entry.event.mrid}: not a message")
    owed = asked_for(entry.event, [Owed(Code.ACKNOWLEDGED, now)], profile)
    return Change(replace(entry, acknowledged=True), owed)
