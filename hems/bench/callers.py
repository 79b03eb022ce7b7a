"""The chargers that have called in, as the OCPP central system of the home has noted them."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from der.registry import Registry
from hems.device_surface import CallerView


class Caller(Protocol):
    """A charger that has called in and that no device stands for."""

    @property
    def identity(self) -> str:
        """As it called itself."""
        ...

    @property
    def remote(self) -> str:
        """Its IP address."""
        ...

    @property
    def subprotocol(self) -> str:
        """The newest version of OCPP that it offered; empty for none that is known."""
        ...


@runtime_checkable
class Called(Protocol):
    """A shared part that chargers call.

    Stated here and not imported: a home without chargers loads no OCPP.
    """

    @property
    def callers(self) -> Sequence[Caller]:
        """The last ones."""
        ...


def heard(registry: Registry) -> Sequence[CallerView] | None:
    """Return the chargers that have called in of late; None if nobody listens for them."""
    for service in registry.services.values():
        if isinstance(service, Called):
            return tuple(
                CallerView(each.identity, each.remote, each.subprotocol) for each in service.callers
            )
    return None
