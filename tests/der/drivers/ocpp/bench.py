"""A central system with one charger that calls it, of either version."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from der.addresses import CentralSettings, StationAddress
from der.drivers.ocpp.central import CentralSystem
from der.drivers.ocpp.link import OcppLink, connect
from der.drivers.ocpp.link16 import V16
from der.drivers.ocpp.link201 import V201
from der.drivers.ocpp.station import Station, Version
from der.model import Control, DeviceKind, DeviceSpec
from tests.der.drivers.ocpp.chargers import Charger, calling

EVSE = DeviceSpec("ev", DeviceKind.EVSE, "Charger", Control.CEILING, 0, 7360, least_on_w=1380)
VERSIONS = (V16, V201)


@asynccontextmanager
async def central(
    version: Version,
    address: StationAddress | None = None,
    spec: DeviceSpec = EVSE,
    *,
    settings: CentralSettings | None = None,
    now: Callable[[], float] = time.time,
    monotonic: Callable[[], float] | None = None,
) -> AsyncIterator[tuple[CentralSystem, Station]]:
    """Run a central system that knows one charger; without `monotonic` `now` is never set."""
    system = CentralSystem(settings, now, monotonic or now)
    station = system.add(address or StationAddress("CP1"), version, spec)
    await system.start()
    try:
        yield system, station
    finally:
        await system.stop()


@asynccontextmanager
async def linked(
    version: Version,
    address: StationAddress | None = None,
    spec: DeviceSpec = EVSE,
    *,
    now: Callable[[], float] = time.time,
    monotonic: Callable[[], float] | None = None,
) -> AsyncIterator[tuple[OcppLink, Charger, Station]]:
    """Run one, with a charger that has called and been told all that a new one is told."""
    async with (
        central(version, address, spec, now=now, monotonic=monotonic) as (system, station),
        calling(system.port, version.subprotocol) as ev,
    ):
        link = await connect(spec, station)
        await settled(ev)
        yield link, ev, station
        await link.close()


async def settled(ev: Charger) -> None:
    """Wait until the hub has told a new charger all it tells it."""
    await ev.next("TriggerMessage")
