"""What is made of an event when its server tells of it: new, changed, or illegible."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hems.sep2.book.choices import Change
from hems.sep2.book.controls import Control
from hems.sep2.book.curves import unusable
from hems.sep2.book.kinds import KINDS
from hems.sep2.book.memory import Entry
from hems.sep2.codec.reading import BadItem
from hems.sep2.rules.changes import amend
from hems.sep2.rules.curve import Curve
from hems.sep2.rules.events import Event, Held, Program, draw
from hems.sep2.rules.lifecycle import Code, Owed, Profile, Verdict, asked_for, judge, named, receive
from hems.sep2.rules.successive import follow_on

Curves = Mapping[str, Curve | str]
"""What is known of curves, by href: the curve, or why it cannot be used."""


def first(
    control: Control,
    event: Event,
    profile: Profile,
    curves: Curves,
    rng: random.Random,
    *,
    others: Iterable[Held],
    now: float,
) -> Change | None:
    """Take in an event that is new; None where it is not this home's business.

    Args:
        control: As received.
        event: The same in neutral words.
        profile: How the home answers events of this kind.
        curves: See `Curves`.
        rng: Source of its random parts, which are drawn here and never again.
        others: The events that were received before; it may follow on one of them.
        now: Server's clock.
    """
    drawn = follow_on(event, draw(event, rng), others)
    verdict = judge(event, drawn, profile, now)
    if verdict.ignored:
        return None
    wrong = unusable(event.modes, verdict.modes, curves)
    lost = frozenset(wrong)
    if wrong and not profile.answers_by_mode:  # one answer, which must be true of all of it
        verdict, lost = Verdict(), frozenset(event.modes)
    step = receive(event, replace(verdict, modes=verdict.modes - lost), drawn, profile, now)
    reason = "; ".join(filter(None, [verdict.reason, *sorted(set(wrong.values()))]))
    # A curve that is not there makes a control as invalid as one that is nonsense.
    invalid = [Owed(Code.INVALID, now, named(lost, profile))] if wrong else []
    owed = (*step.owed, *asked_for(event, invalid, profile))
    return Change(Entry(control, step.progress, event.mandatory, reason), owed)


def again(
    known: Entry, control: Control, event: Event, profile: Profile, curves: Curves, *, now: float
) -> Change:
    """Take in what its server now says of an event that is known; arguments as of `first`."""
    binding = event.mandatory
    event = replace(event, mandatory=binding and not known.override.on)
    able = frozenset(m for m in event.modes if profile.carries_out(m))
    wrong = unusable(event.modes, able, curves) if event.modes != known.event.modes else {}
    judging = replace(profile, modes=able - wrong.keys()) if wrong else profile
    step, reason = amend(known.progress, event, judging, now)
    owed = step.owed
    if wrong:
        reason = "; ".join(sorted(set(wrong.values())))
        owed = [replace(o, code=Code.INVALID) for o in owed]
    held = step.progress.held
    taken = held.event == event
    entry = replace(
        known,
        control=control if taken else _as_far_as(held, known.control, control),
        progress=step.progress,
        binding=binding,
        reason=reason or known.reason,
        refused=None if taken else control,
    )
    return Change(entry, owed)


def _as_far_as(held: Held, before: Control, after: Control) -> Control:
    """Return an event as it is to be kept when its server's change of it was refused."""
    kept, status = held.event, after.event_status
    if status.current_status != kept.status:
        status = replace(status, current_status=int(kept.status), date_time=kept.status_time)
    return replace(
        before,
        event_status=status,
        reply_to=kept.reply_to,
        response_required=kept.response_required,
    )


def illegible(item: BadItem, profile: Profile, now: float) -> tuple[Event, Sequence[Owed]]:
    """Return an event that cannot be read, as far as it goes, and what is owed for it.

    Args:
        item: What of it is legible, its mRID among that.
        profile: How the home answers events of this kind.
        now: Server's clock.
    """
    event = Event(
        item.mrid or "",
        Program(""),
        0,
        0,
        0,
        {},
        kind=KINDS[item.kind].name,
        response_required=item.response_required,
        reply_to=item.reply_to,
    )
    if item.device_category and not item.device_category & profile.device_category:
        return event, ()  # not this home's business, legible or not
    return event, asked_for(event, [Owed(Code.INVALID, now)], profile)
