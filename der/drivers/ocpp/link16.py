"""OCPP 1.6J driver: EV chargers that call in to the hub (see `der.drivers.ocpp.central`)."""

from typing import Final

from der.description import Connector, DeviceDescription, Now, Service
from der.drivers.ocpp import link
from der.drivers.ocpp.central import SUBPROTOCOL_16
from der.drivers.ocpp.station import Version
from der.drivers.ocpp.v16.orders import Orders16

V16: Final = Version("OCPP 1.6", SUBPROTOCOL_16, Orders16)


def connector(description: DeviceDescription, service: Service | None, now: Now) -> Connector:
    """Return what waits for a charger; errors as for `link.connector`."""
    return link.connector(V16, description, service, now)
