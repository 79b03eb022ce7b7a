"""Whether a version on trial has proved itself, by what its home does. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from der.sentence import Verbatim, say

STEADY_S: Final = 300.0
"""So long all must be as before, without a break."""
GIVE_UP_S: Final = 840.0
"""After so long it says itself that it has failed, and why; a little later the launcher would."""
STALE_S: Final = 30.0
"""A home that has decided nothing for so long does not control."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How a home stands.

    Attributes:
        devices: Those that answer, by id.
        utilities: Those that it is connected with, by name.
    """

    devices: frozenset[str] = frozenset()
    utilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Course:
    """How a trial goes; monotonic seconds.

    Attributes:
        before: How the home stood with the former version.
        began: When the new one started.
        seq: The number of the last decision seen.
        decided_at: When that was first seen; None for none yet.
        steady_since: Since when all is as before; None where it is not.
        missing: What is not as before, in words.
    """

    before: Seen
    began: float
    seq: int = -1
    decided_at: float | None = None
    steady_since: float | None = None
    missing: Sequence[str] = ()


def looked(course: Course, seen: Seen, seq: int, now: float) -> Course:
    """Return the course after a look.

    Args:
        course: Before.
        seen: How the home stands.
        seq: The number of its last decision; it begins anew where the home is made anew.
        now: Monotonic seconds.
    """
    decided_at = now if seq != course.seq else course.decided_at
    missing: list[str] = []
    if decided_at is None or now - decided_at > STALE_S:
        missing.append(say("nothing is decided"))
    missing += [
        say("{name} does not answer", name=Verbatim(each))
        for each in sorted(course.before.devices - seen.devices)
    ]
    missing += [
        say("no connection with {name}", name=Verbatim(each))
        for each in sorted(course.before.utilities - seen.utilities)
    ]
    since = None if missing else course.steady_since
    return replace(
        course,
        seq=seq,
        decided_at=decided_at,
        steady_since=now if since is None and not missing else since,
        missing=tuple(missing),
    )


def proved(course: Course, now: float) -> bool | None:
    """Return whether the version has proved itself, or failed; None while that is not known."""
    if course.steady_since is not None and now - course.steady_since >= STEADY_S:
        return True
    if now - course.began >= GIVE_UP_S and course.missing:
        return False
    return None
