"""What the page and the command line may see and ask of the home's island. Plain records out."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class IslandView:
    """How the home stands to its grid.

    Attributes:
        phase: "grid", "island", "dark" or one of the steps between (`states.Phase`).
        words: What that means now, one sentence; empty while the home is simply connected.
        promise: What the home could do without its grid, one sentence.
        permit: What the utility has agreed to: "none", "outage" or "scheduled".
        agreement: Under which name.
        gives_w: What its inverter may give.
        takes_w: What it may take.
        energy_wh: What its battery holds above its floor; None where that is not known.
        lasts_s: For how long that carries the home; None where that is not known, or where it does
            not end within the time that an outage is expected to last.
        asked_to_leave: Whether the owner asked the home to part from its grid.
    """

    phase: str
    words: str
    promise: str
    permit: str
    agreement: str
    gives_w: float
    takes_w: float
    energy_wh: float | None
    lasts_s: float | None
    asked_to_leave: bool


class IslandSurface(Protocol):
    """What can be asked of the home's island."""

    def island(self) -> IslandView | None:
        """Return how the home stands to its grid; None where it has no tie."""
        ...

    async def ask_island(self, *, leave: bool) -> None:
        """Ask the home to part from its grid, or to go back to it.

        Raises:
            ImpossibleWishError: It has no tie, or the utility permits no island that is planned.
        """
        ...
