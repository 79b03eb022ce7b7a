"""OCPP 2.0.1 driver: EV chargers that call in to the hub (see `der.drivers.ocpp.central`)."""

from typing import Final

from der.description import Connector, DeviceDescription, Now, Service
from der.drivers.ocpp import link
from der.drivers.ocpp.central import SUBPROTOCOL_201
from der.drivers.ocpp.station import Version
from der.drivers.ocpp.v201.orders import Orders201

V201: Final = Version("OCPP 2.0.1", SUBPROTOCOL_201, Orders201)


def connector(description: DeviceDescription, service: Service | None, now: Now) -> Connector:
    """Return what waits for a charger; errors as for `link.connector`."""
    return link.connector(V201, description, service, now)
