"""What the page may ask of the past. Plain frozen records out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hems.surface import SurfaceError


class TooMuchError(SurfaceError):
    """More is asked for than one answer carries, or time runs the wrong way."""


class Energetic(Protocol):
    """What a device took and gave in a period; see `hems.store.quarters.Energy`."""

    @property
    def taken_wh(self) -> float:
        """Energy while its power was positive."""
        ...

    @property
    def given_wh(self) -> float:
        """Energy while it was negative, a magnitude."""
        ...

    @property
    def mean_w(self) -> float:
        """Mean power over what was measured, passive sign."""
        ...

    @property
    def low_w(self) -> float:
        """Lowest mean power of a minute."""
        ...

    @property
    def high_w(self) -> float:
        """Highest."""
        ...

    @property
    def soc_low(self) -> float | None:
        """Lowest state of charge."""
        ...

    @property
    def soc_high(self) -> float | None:
        """Highest."""
        ...

    @property
    def measured_s(self) -> float:
        """For how long it was measured."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device's energies by period.

    Attributes:
        id: Device id.
        name: As people know it; its id where the home has it no more.
        kind: See `der.model.DeviceKind`; empty where the home has it no more.
        energies: One for each period; None where nothing was measured.
        measured: Share of what has gone of each period that was measured.
    """

    id: str
    name: str
    kind: str
    energies: Sequence[Energetic | None]
    measured: Sequence[float]


@dataclass(frozen=True, slots=True)
class Totals:
    """The home's energies in a period, Wh, magnitudes; None where that cannot be told.

    Attributes:
        taken_wh: From the grid.
        given_wh: To the grid.
        sun_wh: From PV.
        own_wh: What of that stayed in the home.
        used_wh: What the home used, batteries left out.
    """

    taken_wh: float | None = None
    given_wh: float | None = None
    sun_wh: float | None = None
    own_wh: float | None = None
    used_wh: float | None = None


@dataclass(frozen=True, slots=True)
class EnergyTable:
    """What all devices took and gave, by period.

    Attributes:
        periods: Start and end of each, UTC epoch seconds.
        devices: By id.
        totals: Of each period.
        whole: Of all of them together.
    """

    periods: Sequence[tuple[float, float]]
    devices: Sequence[DeviceRow]
    totals: Sequence[Totals]
    whole: Totals
