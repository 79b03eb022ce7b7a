"""What the page and the command line may see and ask of single devices.

Plain frozen records out, one wish in; `hems.bench.workbench` implements it for a running home.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from hems.surface import SurfaceError

MOVE_S: Final = 10.0
"""How long each step of a test move lasts, in s, where nothing else is asked."""
SHORTEST_S: Final = 1.0
LONGEST_S: Final = 60.0


class UnknownDeviceError(SurfaceError):
    """No device of this id is configured."""


@dataclass(frozen=True, slots=True)
class DeviceDetail:
    """All that is known of a device; units and signs as in `der.model`.

    Attributes:
        id: As configured, as are name, kind, driver, min_w, max_w, essentiality, ownership,
            phases and the two bounds of comfort.
        address: Where it answers; empty while it does not, as are who made it and what it is.
        abilities: What it can do beyond reading.
        functions: Grid-support functions that it runs by itself.
        details: Further facts that its driver tells.
        expiry: What ends a set-point when the hub falls silent (`der.model.Expiry`).
        safe: What the device then does, in words.
        risk: What may still go wrong, in words; empty if nothing is known.
        power_w: Of its last reading, as are soc, temp_c, voltage_v and limit_w.
        capacity_wh: What it can store, Wh.
        age_s: How old that is.
        quality: What it is worth (`der.model.Quality`).
        error: What is wrong with the device; None if nothing is.
    """

    id: str
    name: str
    kind: str
    driver: str
    min_w: float
    max_w: float
    essentiality: int
    ownership: str
    phases: Sequence[str] = ()
    comfort_low_c: float | None = None
    comfort_high_c: float | None = None
    address: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    abilities: Sequence[str] = ()
    functions: Sequence[str] = ()
    details: Sequence[str] = ()
    expiry: str = ""
    safe: str = ""
    risk: str = ""
    power_w: float | None = None
    soc: float | None = None
    temp_c: float | None = None
    voltage_v: float | None = None
    limit_w: float | None = None
    capacity_wh: float | None = None
    age_s: float | None = None
    quality: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class MoveOutcome:
    """What a test move has shown.

    Attributes:
        passed: Whether it may join the programmes.
        moved: Whether it was seen to do what it was told; a device at rest need not be.
        findings: What is wrong or could not be shown, one sentence each.
        phases: Phases of the home on which the meter saw it; empty if that is not known.
    """

    passed: bool
    moved: bool
    findings: Sequence[str] = ()
    phases: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CallerView:
    """A charger that has called in and that no device stands for.

    Attributes:
        identity: As it called itself.
        remote: Its IP address.
        subprotocol: The newest version of OCPP that it offered; empty for none that is known.
    """

    identity: str
    remote: str
    subprotocol: str


class DeviceSurface(Protocol):
    """What can be asked of single devices of the running home."""

    async def device(self, device: str) -> DeviceDetail:
        """Return all that is known of a device; asks the device itself if it is connected.

        Raises:
            UnknownDeviceError: There is none of this id.
        """
        ...

    async def test(self, device: str, move_s: float) -> MoveOutcome:
        """Do the test move with a device; takes half a minute, or some minutes if it is unclear.

        Args:
            device: Its id.
            move_s: How long each step of the move lasts, in s.

        Raises:
            UnknownDeviceError: There is none of this id.
            SurfaceError: It cannot be tested now.
        """
        ...

    def callers(self) -> Sequence[CallerView] | None:
        """Return the chargers that have called in of late; None if nobody listens for them."""
        ...
