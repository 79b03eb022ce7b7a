"""An event as those who take part for the home see it."""

from dataclasses import dataclass

from programs.registry import BY_KIND
from programs.signal import SignalKind


@dataclass(frozen=True, slots=True)
class Asked:
    """An event of a utility.

    Attributes:
        event: mRID.
        asked_by: The programme's name at the utility.
        lfdi: As whom the home is asked.
        starts_at: Effective start, UTC epoch seconds.
        ends_at: Effective end.
        state: As in `hems.surface.EventView`.
        opted_out: Whether the owner left it.
        binding: Whether it cannot be left.
        asks: What, each with its value in the unit of its kind.
        devices: Ids of the devices that it is about; empty for the home as a whole.
    """

    event: str
    asked_by: str
    lfdi: str
    starts_at: float
    ends_at: float
    state: str
    opted_out: bool
    binding: bool
    asks: tuple[tuple[SignalKind, float], ...]
    devices: frozenset[str] = frozenset()

    @property
    def programmes(self) -> frozenset[str]:
        """Ids of the programmes that answer it."""
        return frozenset(BY_KIND[kind].id for kind, _ in self.asks if kind in BY_KIND)

    @property
    def dropped(self) -> bool:
        """Whether it was called off: what it took the place of does not come back for it."""
        return self.state in {"cancelled", "rejected"}
