"""OCPP 1.6J driver: EV chargers that call in to the hub (see `ocpp16_central`)."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from ocpp.v16 import call, call_result
from ocpp.v16.enums import AvailabilityType, ResetType

from der.addresses import StationAddress
from der.commands import Command, Connect, Disconnect, FirmwareVersion, Identify, Reset
from der.description import Connector, DeviceDescription, Now, Service
from der.drivers.ocpp.central import CentralSystem
from der.drivers.ocpp.station import PLUGGED, Station
from der.errors import PermanentError, TransientError
from der.model import Connection, DeviceSpec, Expiry, Reading, Safeguard, Setpoint
from der.service import A, unsupported

_WANTING: Final = frozenset({"Preparing", "Charging", "SuspendedEVSE"})


_WAIT_SHARE: Final = 0.9
"""Share of a device's deadline to wait for a charger, so that the error says what is missing."""


def connector(description: DeviceDescription, service: Service | None, now: Now) -> Connector:
    """Return what waits for a charger; it is let in from now on.

    Raises:
        PermanentError: Another charger has the same identity.
    """
    if not isinstance(description.at, StationAddress) or not isinstance(service, CentralSystem):
        raise PermanentError(f"{description.spec.id}: an OCPP charger needs an identity")
    station = service.add(description.at)
    wait_s = _WAIT_SHARE * description.deadline_s
    return partial(connect, description.spec, station, wait_s=wait_s, now=now)


async def connect(
    spec: DeviceSpec,
    station: Station,
    *,
    wait_s: float = 1.8,
    now: Callable[[], float] = time.time,
) -> "OcppLink":
    """Wait for a charger to call in.

    Args:
        spec: The charger as commissioned.
        station: Its place in the central system.
        wait_s: Longest wait; less than the device's deadline, to say what was waited for.
        now: UTC epoch seconds, for the readings.

    Raises:
        TransientError: It has not called in.
    """
    try:
        async with asyncio.timeout(wait_s):
            await station.arrived()
    except TimeoutError as error:
        raise TransientError(f"{spec.id}: charger has not called in") from error
    return OcppLink(spec, station, now)


class OcppLink:
    """A live connection to one charger; made by `connect`.

    It outlives the charger's own reconnections: while the charger is away, calls end in
    TransientError.
    """

    def __init__(self, spec: DeviceSpec, station: Station, now: Callable[[], float]) -> None:
        self._spec = spec
        self._station = station
        self._now = now

    @property
    def connection(self) -> Connection:
        """Who called, as its BootNotification says."""
        return self._station.connection

    @property
    def safeguard(self) -> Safeguard:
        """A limit ends by its own schedule; the charger's fallback profile rules then."""
        fallback_a = self._station.config.wiring.fallback_a
        return Safeguard(Expiry.FALLBACK, f"charges with at most {fallback_a:g} A a phase")

    async def read(self) -> Reading:
        """Return what the charger reported last; `at` is when that arrived.

        A charger reports by itself; one that is behind its schedule is asked, for the next read.

        Raises:
            TransientError: The charger is not connected, or has not reported its power yet.
        """
        station = self._station
        if not station.online:
            raise TransientError(f"{self._spec.id}: the charger is not connected")
        station.ask_meter_values(1.5 * station.config.sample_s)
        plugged = None if station.status is None else station.status in PLUGGED
        sample, limit = station.sample, station.limit
        if plugged is False:
            # Without a car there is no power, and many chargers then send no meter values.
            at, power_w = self._now(), 0.0
        elif sample is None or sample.power_w is None:
            raise TransientError(f"{self._spec.id}: the charger has not reported its power yet")
        else:
            at, power_w = sample.at, sample.power_w
        return Reading(
            at=at,
            power_w=power_w,
            voltage_v=None if sample is None else sample.voltage_v,
            energy_import_wh=None if sample is None else sample.energy_wh,
            soc=sample.soc if sample is not None and plugged else None,
            connected=plugged,
            wants_power=None if station.status is None else station.status in _WANTING,
            limit_w=None if limit is None else limit.power_w,
        )

    async def write(self, setpoint: Setpoint | None) -> None:
        """Limit the charging power by a charging profile that lapses by itself.

        Raises:
            PermanentError: The charger refuses the profile.
            TransientError: No usable answer, or the charger is not connected.
        """
        if setpoint is None:
            await self._station.clear_limit()
        else:
            await self._station.set_limit(setpoint)

    async def ioctl(self, command: Command[A]) -> object:
        """Put the charger in or out of operation, restart it or name it.

        Raises:
            PermanentError: The charger refuses.
            TransientError: No usable answer, or the charger is not connected.
        """
        match command:
            case Connect():
                return await self._available(AvailabilityType.operative)
            case Disconnect():
                if self._station.transaction is not None:
                    # Availability alone would wait for the transaction's end.
                    await self._station.command(
                        call.RemoteStopTransaction(self._station.transaction),
                        call_result.RemoteStopTransaction,
                        "stop of charging",
                    )
                return await self._available(AvailabilityType.inoperative)
            case Reset(hard):
                return await self._station.command(
                    call.Reset(ResetType.hard if hard else ResetType.soft),
                    call_result.Reset,
                    "restart",
                )
            case Identify():
                return self._station.connection
            case FirmwareVersion():
                return self._station.connection.firmware
            case _:
                raise unsupported(self._spec.id, command)

    async def close(self) -> None:
        """Let go of the charger; its connection to the central system stays."""

    async def _available(self, kind: AvailabilityType) -> str:
        return await self._station.command(
            call.ChangeAvailability(self._station.config.connector, kind),
            call_result.ChangeAvailability,
            f"change to {kind}",
        )
