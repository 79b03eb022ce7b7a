"""Finding chargers that call in by OCPP without being known."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from der.addresses import CentralSettings, StationAddress
from der.discovery.found import Found, How
from der.discovery.scan import Finder, Tell
from der.drivers.ocpp.central import CentralSystem
from der.model import DeviceKind
from der.registry import Driver
from der.sentence import say

DRIVERS: Final = {"ocpp1.6": Driver.OCPP16, "ocpp2.0.1": Driver.OCPP201}
"""By subprotocol of the WebSocket."""

_LOOK_EVERY_S: Final = 0.2


def called(identity: str, remote: str, subprotocol: str) -> Found:
    """Return the finding of a charger that has called.

    Args:
        identity: As it called itself.
        remote: Its IP address.
        subprotocol: Of OCPP, the newest that it offered; empty for none that is known.
    """
    driver = DRIVERS.get(subprotocol)
    return Found(
        (How.CALL_IN,),
        f"{identity} from {remote}",
        kind=DeviceKind.EVSE,
        driver=driver,
        at=None if driver is None else StationAddress(identity),
        name=identity,
        note="" if driver is not None else say("offers no version of OCPP that is spoken here"),
    )


def hearing(settings: CentralSettings, listens_s: float) -> Finder:
    """Return the finder that listens where chargers call, while no hub does.

    They are only noted: none is let in.
    """

    async def find(tell: Tell) -> AsyncGenerator[Found, None]:
        del tell
        central = CentralSystem(settings)
        await central.start()
        try:
            seen: frozenset[str] = frozenset()
            while True:
                for caller in central.callers:
                    if caller.identity not in seen:
                        yield called(caller.identity, caller.remote, caller.subprotocol)
                seen = frozenset(caller.identity for caller in central.callers)
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            await central.stop()

    return Finder("OCPP call-ins", find, listens_s)
