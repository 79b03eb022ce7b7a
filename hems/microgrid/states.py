"""The words of an island's course: where the home is, and what tie and inverter are told."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """Where the home is on its way."""

    GRID = "grid"
    SOFTENING = "softening"
    """About to part as planned: the tie's power is brought to zero."""
    SEPARATING = "separating"
    PREPARING = "preparing"
    """The home is dark; loads are switched off before the inverter forms."""
    FORMING = "forming"
    ISLAND = "island"
    SYNCHRONISING = "synchronising"
    REJOINING = "rejoining"
    """The home is dark and the grid is back: the tie closes without an inverter."""
    RETURNING = "returning"
    """Connected again; import rises little by little."""
    DARK = "dark"


PARTED: Final = frozenset({Phase.PREPARING, Phase.FORMING, Phase.ISLAND, Phase.SYNCHRONISING})
FORMED: Final = frozenset({Phase.ISLAND, Phase.SYNCHRONISING})


class Act(StrEnum):
    """What tie or inverter is told."""

    OPEN = "open"
    CLOSE = "close"
    FORM = "form"
    FOLLOW = "follow"


@dataclass(frozen=True, slots=True)
class Order:
    """One act.

    Attributes:
        act: What.
        hz: Reference frequency, for FORM.
        volts: Reference voltage, for FORM.
    """

    act: Act
    hz: float = 0.0
    volts: float = 0.0


@dataclass(frozen=True, slots=True)
class State:
    """Where the home is; times are of one clock that never steps.

    Attributes:
        phase: On its way.
        since: Since when.
        why: What brought it there, one sentence.
        bad_since: Since when the grid is abnormal; None while it is not.
        good_since: Since when it is as a home may go back to it.
        soft_since: Since when next to nothing flows through the tie; None while more does.
        last: Time and frequency of the last look at the grid.
        tries: Attempts to form since the island was last well.
        rest_until: Before then no attempt is made.
        hz: Reference frequency of the inverter.
        doubt: What two sensors say against each other, one sentence.
    """

    phase: Phase = Phase.GRID
    since: float = float("-inf")
    why: str = ""
    bad_since: float | None = None
    good_since: float | None = None
    soft_since: float | None = None
    last: tuple[float, float] | None = None
    tries: int = 0
    rest_until: float = float("-inf")
    hz: float = 50.0
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        state: Where the home now is.
        order: What tie or inverter is told; None for nothing.
    """

    state: State
    order: Order | None = None
