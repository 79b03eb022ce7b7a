"""What the page and the command line may see and ask of the programmes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hems.surface import SurfaceError
from programs.about import About, Standing
from programs.performance import Performance


class UnknownProgrammeError(SurfaceError):
    """There is no programme of this id."""


class CannotLeaveError(SurfaceError):
    """The programme is no matter of choice, or binds; `str()` says why."""


class ConsentError(SurfaceError):
    """What is agreed to is not what was shown, or the time makes no sense."""


@dataclass(frozen=True, slots=True)
class PayView:
    """What a programme pays.

    Attributes:
        per_kwh: For each kWh that is delivered.
        currency: ISO 4217 letters.
    """

    per_kwh: float
    currency: str


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision that was made about a programme.

    Attributes:
        joined: Whether to take part.
        by: Who made it.
        at: When, UTC epoch seconds.
        until: Until when it was to count, UTC epoch seconds; None without an end.
        version: Of the text that was shown.
    """

    joined: bool
    by: str
    at: float
    until: float | None
    version: str


@dataclass(frozen=True, slots=True)
class ProgrammeView:
    """A programme as shown.

    Attributes:
        id: As in `programs.registry`.
        about: What a person reads about it.
        standing: How it stands in the home now.
        manner: "always", "agreed" or "chosen" (`programs.registry.Manner`).
        joined: Whether the home takes part.
        bound: Why it cannot be left, one sentence; empty if it can.
        decided_by: Who decided that last; empty while nobody has and the configuration holds.
        decided_at: When, UTC epoch seconds; None likewise.
        until: Until when that counts, UTC epoch seconds; None without an end.
        version: Of the text, to be given back by who joins or leaves.
        consequence: What leaving means, a sentence each; empty where it cannot be left.
        changed: Whether the text has changed since somebody agreed to it: that still counts, and
            the owner is asked again.
        pays: What it pays, where the configuration says so; None where only the contract does.
        decisions: All that is kept of what was decided, the latest first.
        missing: Why the home can do nothing for it, one sentence; empty where it can. Such is not
            joined.
    """

    id: str
    about: About
    standing: Standing
    manner: str
    joined: bool
    bound: str
    decided_by: str
    decided_at: float | None
    until: float | None
    version: str
    consequence: Sequence[str] = ()
    changed: bool = False
    pays: PayView | None = None
    decisions: Sequence[DecisionView] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the owner says about a programme.

    Attributes:
        joined: Whether to take part.
        by: Who says so.
        version: Of the text that was shown.
        until: Until when it counts, UTC epoch seconds; None without an end.
    """

    joined: bool
    by: str
    version: str
    until: float | None = None


class Form(StrEnum):
    """How a settlement is written."""

    CSV = "csv"
    JSON_LINES = "jsonl"


class ProgrammeSurface(Protocol):
    """What can be asked of the programmes."""

    async def programmes(self) -> Sequence[ProgrammeView]:
        """Return all programmes, in the registry's order.

        Raises:
            SurfaceError: The records cannot be read.
        """
        ...

    async def decide(self, programme: str, decision: Decision) -> None:
        """Join or leave a programme.

        Raises:
            UnknownProgrammeError: There is none of this id.
            CannotLeaveError: It cannot be left.
            ConsentError: Another text was shown than the one in force, or the time is over.
        """
        ...

    async def records(self, start: float, end: float, programme: str) -> Sequence[Performance]:
        """Return what was delivered in [start, end), UTC epoch seconds, by start.

        Args:
            start: UTC epoch seconds.
            end: UTC epoch seconds.
            programme: Of this programme alone; empty for all.

        Raises:
            UnknownProgrammeError: There is none of this id.
            SurfaceError: The records cannot be read.
        """
        ...

    async def settlement(self, start: float, end: float, programme: str, form: Form) -> str:
        """Return what ended in (start, end] with quarter-hours, as a file for whoever settles.

        Raises:
            UnknownProgrammeError: There is none of this id.
            SurfaceError: The records cannot be read.
        """
        ...
