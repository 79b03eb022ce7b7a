"""What chargers say and are told, in words that both versions of OCPP share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from der.drivers.ocpp.meter import Measured
from der.drivers.ocpp.plan import Plan, Step
from der.drivers.ocpp.session import Session
from der.model import Alarm


class Plug(StrEnum):
    """What a charger says of its cable."""

    FREE = "free"
    """No car."""
    PLUGGED = "plugged"
    """A car that does not charge yet."""
    CHARGING = "charging"
    PAUSED_BY_HUB = "paused by the hub"
    PAUSED_BY_CAR = "paused by the car"
    FINISHING = "finishing"
    """The transaction is over, the car is still there."""
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"


WITH_CAR = frozenset(
    {Plug.PLUGGED, Plug.CHARGING, Plug.PAUSED_BY_HUB, Plug.PAUSED_BY_CAR, Plug.FINISHING}
)
WANTING = frozenset({Plug.PLUGGED, Plug.CHARGING, Plug.PAUSED_BY_HUB})
"""Where a car would charge if it were allowed to."""


@dataclass(frozen=True, slots=True)
class Boot:
    """Who a charger says it is."""

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""


class Listener(Protocol):
    """Whoever keeps what a charger says; connectors are EVSEs in OCPP 2.0.1, 0 is the station."""

    def now(self) -> float:
        """Return UTC as epoch seconds, which the charger is told too."""
        ...

    def booted(self, boot: Boot) -> None:
        """It named itself."""
        ...

    def timed(self, stated: str) -> None:
        """A message that is sent at once carried this timestamp."""
        ...

    def plugged(self, connector: int, plug: Plug) -> None:
        """What a connector is doing."""
        ...

    def occupied(self, connector: int) -> None:
        """A connector has a car; what that does is told otherwise, or not."""
        ...

    def alarmed(self, connector: int, alarms: frozenset[Alarm]) -> None:
        """All that a connector complains of now."""
        ...

    def measured(self, connector: int, values: Sequence[Measured], stated: str) -> None:
        """A connector's measurements, and when they were taken by the charger's clock."""
        ...

    def started(self, connector: int, tag: str | None, transaction: str | None) -> str:
        """A transaction starts; returns its id, a new one where the charger gives none."""
        ...

    def running(self, connector: int, transaction: str) -> None:
        """A transaction is going on."""
        ...

    def ended(self, transaction: str) -> None:
        """A transaction ended."""
        ...

    def accepts(self, tag: str) -> bool:
        """Whether this card may charge."""
        ...

    def reported(self, values: Mapping[str, str]) -> None:
        """Settings and facts of the charger, by name."""
        ...

    def warned(self, what: str, why: str) -> None:
        """The charger complains of something that people should know."""
        ...

    def noted(self, what: str, why: str) -> None:
        """The charger told something that people may want to know."""
        ...


class Orders(Protocol):
    """What a charger can be told on one connection.

    All raise PermanentError where it refuses or does not know the call, TransientError where it
    gives no usable answer.
    """

    @property
    def session(self) -> Session:
        """The connection."""
        ...

    async def install(self, plan: Plan, what: str) -> None:
        """Have it keep to a plan; one of the same id is replaced. `what` names it in errors."""
        ...

    async def clear(self, plan: int, what: str) -> None:
        """Take a plan back; that there was none is no error."""
        ...

    async def configure(self, sample_s: int, *, any_card: bool) -> None:
        """Have it report every `sample_s` s, and go on as it should when the hub is away."""
        ...

    async def facts(self) -> None:
        """Have it report what it can do, to `Listener.reported`."""
        ...

    async def ask_status(self) -> None:
        """Have it tell what its connector is doing."""
        ...

    async def ask_heartbeat(self) -> None:
        """Have it ask for the time."""
        ...

    async def ask_meter_values(self) -> None:
        """Have it send meter values."""
        ...

    async def schedule(self, seconds: int) -> tuple[Step, ...]:
        """Return what it will keep to in the coming seconds, limits in W."""
        ...

    async def start(self, tag: str) -> str:
        """Have it start a transaction; returns its status."""
        ...

    async def stop(self, transaction: str) -> str:
        """Have it end a transaction; returns its status."""
        ...

    async def permit(self, *, operative: bool) -> str:
        """Put the connector into or out of operation; returns the status."""
        ...

    async def reset(self, *, hard: bool) -> str:
        """Have it restart; returns its status."""
        ...
