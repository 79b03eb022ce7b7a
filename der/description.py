"""A device as configured: what it is, which driver speaks to it, and where it is found."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from der.addresses import Address, Shared
from der.model import Connection, DeviceSpec
from der.service import Link


@dataclass(frozen=True, slots=True)
class DeviceDescription:
    """A device as configured.

    Attributes:
        spec: What it is.
        driver: Name of a driver (`der.registry.Driver`).
        at: Where it is found; each driver knows one kind of address.
        inverted: A meter that counts the other way round than its protocol says.
        deadline_s: Longest time for any one call.
    """

    spec: DeviceSpec
    driver: str
    at: Address | None = None
    inverted: bool = False
    deadline_s: float = 2.0


class Service(Protocol):
    """What several devices of a driver share: a listener, or a connection to a broker."""

    async def start(self) -> None:
        """Begin; raises PermanentError where that can't succeed."""
        ...

    async def stop(self) -> None:
        """End; never raises, and calling it again does nothing."""
        ...


Inspector = Callable[[str, Connection], str | None]
"""Returns why whoever calls in as a device (its id) is not to be spoken to, one clause; None where
it may be."""

KeptOut = Callable[[str], bool]
"""Returns whether nothing is to be answered to an IP address now."""


@runtime_checkable
class CalledIn(Protocol):
    """A shared part that devices call by themselves, and tell what rules before they are opened."""

    def inspect_by(self, inspector: Inspector) -> None:
        """Have each device that calls in looked at, before anything is told to it."""
        ...

    def keep_out_by(self, kept_out: KeptOut) -> None:
        """Have those sent away whose address is kept out, until it is not any more."""
        ...

    def drop(self, device: str) -> None:
        """End a device's connection, if there is one; it is looked at when it calls again."""
        ...


Connector = Callable[[], Awaitable[Link]]
"""Makes the link to a device; raises TransientError or PermanentError."""

Now = Callable[[], float]
"""UTC epoch seconds."""


class DriverModule(Protocol):
    """What the module of a driver offers to the registry."""

    def connector(
        self, description: DeviceDescription, service: Service | None, now: Now
    ) -> Connector:
        """Return what connects to a device; no I/O.

        Args:
            description: The device; its `at` has the type that the registry's table says.
            service: The driver's shared part, where it has one.
            now: For the readings.

        Raises:
            PermanentError: The description can't be right.
        """
        ...


class ServiceModule(Protocol):
    """What the module of a driver's shared part offers to the registry."""

    def service(self, shared: Shared, now: Now) -> Service:
        """Return the shared part, not started; no I/O."""
        ...
