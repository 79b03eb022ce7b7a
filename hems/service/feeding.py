"""When the watchdog of the service manager is fed. Pure.

A hub whose event loop lives and that decides nothing is as good as dead, and worse: nobody starts
it again. So while a home is controlled nothing feeds the watchdog but a valid control decision. A
home that is being changed, restored or brought up to date decides nothing for a good reason; the
reason lasts only so long.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

STEP_WITHIN_S: Final = 7200.0
"""So long a step may last that rewrites the whole store: ten years of history on an SD card."""
CHANGE_WITHIN_S: Final = 120.0
"""So long one home may take to follow another: devices are closed, opened, asked what they can
do."""
OFTEN: Final = 4.0
"""It is fed up to so many times within the watchdog's time: one message may get lost, and a
machine under load may be late."""


class Phase(StrEnum):
    """What the program is at."""

    STARTING = "starts"
    """Nothing is promised yet; the service manager's start time runs."""
    STEP = "prepares its store"
    """A step that may last long: the store is migrated, restored or erased."""
    CONTROLLING = "controls the home"
    """Decisions come one after the other; so they do while the home is being set up."""
    CHANGING = "changes over to another configuration"
    """One home ends and another begins within this process."""
    ENDING = "ends in order"
    """The service manager's stop time runs."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What is known of the program; monotonic seconds.

    Attributes:
        phase: What it is at.
        since: Since when.
        decided_at: When the last valid decision was taken in this phase; None for not yet.
        fed_at: When the watchdog was fed last; None for never.
        ready: Whether the service manager was told that the start is over.
    """

    phase: Phase = Phase.STARTING
    since: float = 0.0
    decided_at: float | None = None
    fed_at: float | None = None
    ready: bool = False


def is_due(vitals: Vitals, now: float, watchdog_s: float) -> bool:
    """Return whether the watchdog is to be fed now.

    Args:
        vitals: What is known.
        now: Monotonic seconds.
        watchdog_s: How long the service manager waits.
    """
    if vitals.fed_at is not None and now - vitals.fed_at < watchdog_s / OFTEN:
        return False
    return _well(vitals, now, watchdog_s / OFTEN)


def may_last(vitals: Vitals, now: float) -> bool:
    """Return whether more time is to be asked for: a long step goes on, and not for too long."""
    return vitals.phase is Phase.STEP and now - vitals.since < STEP_WITHIN_S


def _well(vitals: Vitals, now: float, fresh_s: float) -> bool:
    match vitals.phase:
        case Phase.CONTROLLING:
            # Each decision feeds once, and an old one not at all: it says nothing of now.
            decided, fed = vitals.decided_at, vitals.fed_at
            if decided is None or now - decided >= fresh_s:
                return False
            return fed is None or decided > fed
        case Phase.CHANGING:
            return vitals.ready and now - vitals.since < CHANGE_WITHIN_S
        case Phase.STEP:
            return vitals.ready and may_last(vitals, now)
        case Phase.STARTING | Phase.ENDING:
            return False
