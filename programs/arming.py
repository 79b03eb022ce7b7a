"""When a battery regulates, by what, and on whose word (BUC-3). Pure.

Nothing moves without the owner's consent. Frequency response then needs nobody; a signal is
followed while an event of the agreed programme is in force, so that the utility's protocol says
from when to when, may be left, and is answered, while the signal itself comes by a faster way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from der.curves import Droop
from programs.proposal import Rank
from programs.rules import rank_of
from programs.signal import Signal


class By(StrEnum):
    """Who responds to the frequency."""

    AUTO = "auto"
    """The inverter where it has the function, else the hub."""
    INVERTER = "inverter"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the owner agreed to.

    Attributes:
        device: The battery.
        droop: Response to the frequency; None for none.
        by: Who responds to it.
        signal: Whether a signal may be followed.
        program: Programme whose events arm that; empty: it is followed whenever it comes.
    """

    device: str
    droop: Droop | None = None
    by: By = By.AUTO
    signal: bool = False
    program: str = ""


@dataclass(frozen=True, slots=True)
class Armed:
    """What is to be done now.

    Attributes:
        droop: Response to the frequency in the hub's own loop; None for none.
        inverter: The same in the inverter; None for none.
        follows: Whether a signal is followed.
        event: The event behind that; None without one.
    """

    droop: Droop | None = None
    inverter: Droop | None = None
    follows: bool = False
    event: Signal | None = None

    @property
    def loops(self) -> bool:
        """Whether the hub's own loop has something to do."""
        return self.follows or self.droop is not None

    @property
    def rank(self) -> Rank:
        """How strong the word behind it is."""
        return Rank.ECONOMY if self.event is None else rank_of(self.event)


def arm(
    agreed: Agreed,
    signals: Sequence[Signal],
    now: float,
    *,
    inverter_can: bool,
    responds: bool = False,
    left: bool = False,
) -> Armed:
    """Return what is to be done now.

    Args:
        agreed: What the owner agreed to.
        signals: All signals from outside.
        now: UTC epoch seconds.
        inverter_can: Whether the battery's inverter runs a droop, as far as it has shown.
        responds: Whether it answers the frequency already, for the utility say: the hub then does
            not do the same a second time.
        left: Whether the owner has left the programme, or the home its grid.
    """
    if left:
        return Armed()
    event = next(
        (s for s in signals if agreed.program and s.program == agreed.program and s.in_force(now)),
        None,
    )
    follows = agreed.signal and (event is not None or not agreed.program)
    if inverter_can and agreed.by is not By.HUB:
        return Armed(None, agreed.droop, follows, event)
    hub = agreed.by is not By.INVERTER and not responds
    return Armed(agreed.droop if hub else None, None, follows, event)
