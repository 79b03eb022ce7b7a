"""What a row of the mapping table says: points that a control centre sees, and those it commands.

Values on the line are in the centre's own unit: one of them is `scale` watts (or whatever the
quantity is in). Signs are those of IEEE 2030.5, as operators use them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hems.headend.modes import Mode
from hems.headend.telecontrol.asdu import Type

Place = tuple[int, int]
"""Common address, and information object address."""


class Quantity(StrEnum):
    """What a control centre can see of a group."""

    COULD_SHED = "could_shed_w"
    """By how much its homes could take less at once, W."""
    COULD_GENERATE = "could_generate_w"
    """How much they could give, W."""
    COULD_ABSORB = "could_absorb_w"
    """How much more they could take, W."""
    POWER = "power_w"
    """What they take at their connection points by their last readings, import positive, W."""
    DELIVERED = "delivered_w"
    """What its own events under way bring: so much less taken, or more given, W."""
    HOMES = "homes"
    """How many there are."""
    REACHED = "homes_reached"
    """How many could be asked for something now."""
    ANSWERING = "homes_answering"
    """How many have answered its own events under way."""
    RUNNING = "event_running"
    """Whether an event is under way for any of them; a single point."""


POINTS: Final = frozenset({Quantity.RUNNING})
"""Those that are single points."""

COMMANDS: Final = frozenset(
    {
        Mode.IMPORT,
        Mode.EXPORT,
        Mode.GENERATION,
        Mode.LOAD,
        Mode.MAX_PERCENT,
        Mode.FIXED_PERCENT,
        Mode.TARGET_W,
        Mode.TARGET_VAR,
        Mode.STORAGE_W,
        Mode.SHED,
        Mode.DUTY,
        Mode.LOAD_PERCENT,
    }
)
"""Modes whose value is one plain amount, so that a set-point can carry it. Those that cut homes off
are not among them: for these a person is wanted."""
SHARED: Final = frozenset({Mode.SHED, Mode.TARGET_W, Mode.STORAGE_W, Mode.TARGET_VAR})
"""Amounts that add up over homes, so that a group's can be shared."""
END: Final = "end"
"""The command that ends what another one has ordered."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A point that a control centre sees.

    Attributes:
        place: Its addresses.
        quantity: What it tells.
        group: Of which group or site; None for everybody.
        scale: What one is on the line.
        dead_band: It is told when it has changed by so much, in units of the line.
        period_s: It is told at least so often, s; 0 for only when it changes.
        interrogation: Group of interrogation, 1 to 16; 0 for none.
    """

    place: Place
    quantity: Quantity
    group: str | None
    scale: float = 1.0
    dead_band: float = 0.0
    period_s: float = 0.0
    interrogation: int = 0

    @property
    def single(self) -> bool:
        """Whether it is a single point, not a measured value."""
        return self.quantity in POINTS


@dataclass(frozen=True, slots=True)
class Commanded:
    """A point that a control centre commands.

    Attributes:
        place: Its addresses.
        kind: Single command or set-point.
        mode: What it orders; None where it ends what another point has ordered.
        group: Of which group or site; None for everybody.
        scale: What one is on the line.
        minutes: How long an event lasts that it orders.
        program: Name of the programme that carries it; None for the first that fits.
        shared: Whether the amount is all homes' together; each home's where not.
        direct: Whether it may be executed without having been selected.
        value: What a single command orders, in units of the line.
        ends: Information object address of what it ends, of the same common address.
    """

    place: Place
    kind: Type
    mode: Mode | None
    group: str | None
    scale: float = 1.0
    minutes: float = 0.0
    program: str | None = None
    shared: bool = False
    direct: bool = False
    value: float = 0.0
    ends: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """All points.

    Attributes:
        seen: Those that a control centre sees, by addresses, in their order.
        commanded: Those that it commands, by addresses.
    """

    seen: Mapping[Place, Seen]
    commanded: Mapping[Place, Commanded]

    @property
    def commons(self) -> tuple[int, ...]:
        """All common addresses, in their order."""
        return tuple(sorted({common for common, _ in (*self.seen, *self.commanded)}))

    @property
    def groups(self) -> frozenset[str | None]:
        """All groups that it names; None for everybody."""
        seen = {row.group for row in self.seen.values()}
        return frozenset(seen | {row.group for row in self.commanded.values() if row.mode})

    @property
    def programs(self) -> frozenset[str]:
        """All programmes that it names."""
        return frozenset(row.program for row in self.commanded.values() if row.program)
