"""What the parts of the use cases have in common: what each offers, and what it may ask.

What a programme asks is decided purely (`programs`); what it needs to know over time (a commitment,
a price, an island's state) is kept by one part each.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from der.commands import Command, DeviceOptions
from hems.image import Image
from hems.security_event import Note, unheard
from hems.sep2.book.engine import Engine
from hems.tariff.utility import Told
from programs.about import Standing
from programs.capability import Spare
from programs.customer_baseline import Baseline
from programs.performance import Performance
from programs.proposal import Bounds
from programs.registry import Policies
from programs.signal import Signal


class Use(Protocol):
    """One use case's part of the running home."""

    async def load(self) -> None:
        """Take up what was kept before a restart; says by alarm what could not be."""
        ...

    async def run(self) -> None:
        """Serve until cancelled."""
        ...

    def take_image(self, image: Image) -> None:
        """Take in what the devices said; each cycle, must not block."""
        ...

    def applied(self, policies: Policies) -> Policies:
        """Return the policies with what this part has to say put in."""
        ...

    @property
    def standings(self) -> Sequence[Standing]:
        """How its programmes stand now."""
        ...


@dataclass(frozen=True, slots=True)
class UsesEvents:
    """What the parts ask of the home, and tell it; none may block.

    Attributes:
        alarm: Told, by its source, in one sentence what the owner should know; None ends it.
        clock_error_s: Returns the home's time less the utility's; None while that is not known.
        signals: Returns what the utilities ask now; None while that is not known.
        engines: Returns the home's own events at each utility, by its name.
        left: Tells of an event whether the owner has left it.
        spare: Returns for how long each load could stay off.
        command: Has a device carry out a command that is no set-point.
        react: Has the home decide anew at once.
        record: Takes what was delivered of what was asked.
        rooms: Returns where each battery's power may be while all limits hold, by id.
        options: Returns what devices can do, by id.
        held: Returns what a device has confirmed that it runs for the grid.
        left_programmes: Returns the programmes that the owner has left.
        highest_w: Returns the billing month's highest quarter-hour mean import so far, W.
        told: Returns what the utilities tell of prices.
        baseline: Finds what the home would have taken, by programme, from one time to another, UTC
            epoch seconds; raises `StoreError` where the history cannot be read.
        note: Told what bears on security.
    """

    alarm: Callable[[str, str | None], None]
    clock_error_s: Callable[[], float | None]
    signals: Callable[[], Sequence[Signal] | None]
    engines: Callable[[], Iterable[tuple[str, Engine]]]
    left: Callable[[str], bool]
    spare: Callable[[Image], Spare]
    command: Callable[[str, Command[str]], Awaitable[str]]
    react: Callable[[], None]
    record: Callable[[Performance], None]
    rooms: Callable[[], Mapping[str, Bounds]]
    options: Callable[[], Mapping[str, DeviceOptions]]
    held: Callable[[str], Sequence[object]]
    left_programmes: Callable[[], Collection[str]]
    highest_w: Callable[[], float]
    told: Callable[[], Iterable[Told]]
    baseline: Callable[[str, float, float], Awaitable[Baseline | None]]
    note: Note = unheard
