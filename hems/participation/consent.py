"""What the owner agreed to: who, when, until when, and what was shown; pure."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from programs.page import promise
from programs.registry import Manner, Programme

KEPT: Final = 50
"""So many consents of a programme are kept, the latest."""


@dataclass(frozen=True, slots=True)
class Consent:
    """One decision of the owner about one programme.

    Attributes:
        joined: Whether to take part; else to leave.
        by: Who decided.
        at: UTC epoch seconds.
        until: From then on it no longer counts; None for ever.
        version: Of the text that was shown (`text_version`).
    """

    joined: bool
    by: str
    at: float
    until: float | None
    version: str


def text_version(programme: Programme) -> str:
    """Return the version of what a person reads before joining or leaving: 12 hex digits.

    It changes with every word of it, so that a consent says exactly what was agreed to.
    """
    about = programme.about
    words = (
        programme.id,
        programme.manner.value,
        about.title,
        about.triggered_by,
        about.asks,
        about.ends,
        about.leaving,
        about.clause,
        about.latency.value,
        promise(about),
        *about.use_cases,
        *about.carried_by,
    )
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]


def takes_part(
    programme: Programme, consents: Sequence[Consent], configured: bool | None, now: float
) -> bool:
    """Return whether the home takes part in a programme.

    Args:
        programme: Which.
        consents: The owner's decisions, oldest first.
        configured: What the configuration says; None for nothing.
        now: UTC epoch seconds.
    """
    if programme.manner is Manner.ALWAYS:
        return True
    in_force = standing(consents, now)
    if in_force is not None:
        return in_force.joined
    return programme.joined if configured is None else configured


def standing(consents: Sequence[Consent], now: float) -> Consent | None:
    """Return the decision that counts; None where none was made, or its time is over."""
    last = consents[-1] if consents else None
    if last is None or (last.until is not None and now >= last.until):
        return None
    return last


def turns_at(all_consents: Iterable[Sequence[Consent]], now: float) -> float:
    """Return when the next decision runs out that counts now; infinite if none does.

    Args:
        all_consents: The decisions about each programme, oldest first.
        now: UTC epoch seconds.
    """
    counting = (standing(consents, now) for consents in all_consents)
    ends = (each.until for each in counting if each is not None and each.until is not None)
    return min(ends, default=math.inf)
