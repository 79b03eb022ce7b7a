"""The link to one EV charger, of either version: what the hub reads, writes and commands."""

import asyncio
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from der.addresses import StationAddress
from der.commands import Command
from der.description import Connector, DeviceDescription, Now, Service
from der.drivers.ocpp.central import CentralSystem
from der.drivers.ocpp.control import Controls
from der.drivers.ocpp.meter import POWER, MeterSample
from der.drivers.ocpp.station import Station, Version
from der.drivers.ocpp.words import WANTING
from der.errors import PermanentError, TransientError
from der.model import Connection, DeviceSpec, Reading, Safeguard, Setpoint
from der.sentence import say
from der.service import A

_WAIT_SHARE: Final = 0.9
"""Share of a device's deadline to wait for a charger, so that the error says what is missing."""
_OBEYS_WITHIN_S: Final = 10.0
_OBEYS_SHARE: Final = 1.05
_OBEYS_W: Final = 100.0
_ASK_AFTER: Final = 1.5
"""Meter values are asked for when they are so many times as old as the charger should send them."""


def connector(
    version: Version, description: DeviceDescription, service: Service | None, now: Now
) -> Connector:
    """Return what waits for a charger; it is let in from now on.

    Raises:
        PermanentError: Another charger has the same identity.
    """
    del now  # the central system has it
    spec = description.spec
    if not isinstance(description.at, StationAddress) or not isinstance(service, CentralSystem):
        raise PermanentError(f"{spec.id}: an OCPP charger needs an identity")
    station = service.add(description.at, version, spec)
    return partial(connect, spec, station, wait_s=_WAIT_SHARE * description.deadline_s)


async def connect(spec: DeviceSpec, station: Station, *, wait_s: float = 1.8) -> "OcppLink":
    """Wait for a charger to call in.

    Args:
        spec: The charger as commissioned.
        station: Its place in the central system.
        wait_s: Longest wait; less than the device's deadline, to say what was waited for.

    Raises:
        TransientError: It has not called in.
    """
    try:
        async with asyncio.timeout(wait_s):
            await station.arrived()
    except TimeoutError as error:
        raise TransientError(say("{id}: charger has not called in", id=spec.id)) from error
    return OcppLink(spec, station)


class OcppLink:
    """A live connection to one charger; made by `connect`.

    It outlives the charger's own reconnections: while the charger is away, calls end in
    TransientError.
    """

    def __init__(self, spec: DeviceSpec, station: Station) -> None:
        self._spec = spec
        self._station = station
        self._controls = Controls(station)

    @property
    def connection(self) -> Connection:
        """Who called, as its BootNotification says."""
        return self._station.record.connection

    @property
    def safeguard(self) -> Safeguard:
        """A limit ends by its own schedule; the charger's fallback profile rules then."""
        return self._station.mandate.safeguard

    async def read(self) -> Reading:
        """Return what the charger reported last; `at` is when its power was taken.

        A charger reports by itself; one that is behind its schedule is asked, for the next read.

        Raises:
            TransientError: The charger is not connected, has not reported its power yet, or
                reports one that cannot be.
        """
        station, record = self._station, self._station.record
        if not station.online:
            raise TransientError(say("{id}: the charger is not connected", id=self._spec.id))
        now = record.now()  # what is remembered may move along
        station.ask_meter_values(_ASK_AFTER * station.address.sample_s)
        sample, plugged = record.sample, record.has_car
        if plugged is False:
            # Without a car there is no power, and many chargers then send no meter values.
            at, power_w = now, 0.0
        elif sample is not None and "power_w" in sample.suspect:
            raise TransientError(
                f"{self._spec.id}: {POWER}: not what a charger of {self._spec.max_w:g} W can draw"
            )
        elif sample is None or sample.power_w is None:
            raise TransientError(
                say("{id}: the charger has not reported its power yet", id=self._spec.id)
            )
        else:
            at, power_w = sample.at, sample.power_w
        self._look_whether_it_obeys(at, power_w)
        values = sample or MeterSample(at)
        return Reading(
            at=at,
            power_w=power_w,
            voltage_v=values.voltage_v,
            energy_import_wh=values.energy_wh,
            soc=values.soc if plugged else None,
            connected=plugged,
            wants_power=None if record.plug is None else record.plug in WANTING,
            limit_w=station.mandate.limit_w,
            phases=() if plugged is False else values.phases,
            alarms=record.alarms,
            taken=_older(values, at),
            suspect=_names(values.suspect - {"power_w"}),
        )

    def _look_whether_it_obeys(self, at: float, power_w: float) -> None:
        """Say it once where a charger draws more than it has long been told to."""
        mandate, said = self._station.mandate, self._station.said
        limit_w = mandate.limit_w
        if limit_w is None or at - mandate.told_at < _OBEYS_WITHIN_S:
            return
        if power_w > limit_w * _OBEYS_SHARE + _OBEYS_W:
            said.warn(POWER, "more than the limit that the charger accepted")
        else:
            said.over(POWER)

    async def write(self, setpoint: Setpoint | None) -> None:
        """Limit the charging power by a charging profile that lapses by itself.

        Raises:
            PermanentError: The charger refuses the profile.
            TransientError: No usable answer, or the charger is not connected.
        """
        mandate = self._station.mandate
        if setpoint is None:
            await mandate.clear()
        else:
            await mandate.limit(setpoint)
        self._station.review()

    async def ioctl(self, command: Command[A]) -> object:
        """Carry out a command.

        Raises:
            PermanentError: The charger refuses.
            RejectedError: It has no such command.
            TransientError: No usable answer, or the charger is not connected.
        """
        return await self._controls.carry_out(command)

    async def close(self) -> None:
        """Let go of the charger; its connection to the central system stays."""


_READINGS: Final[Mapping[str, str]] = MappingProxyType(
    {"energy_wh": "energy_import_wh", "soc": "soc", "voltage_v": "voltage_v"}
)
"""What a reading calls a sample's values."""


def _older(sample: MeterSample, at: float) -> dict[str, float]:
    """Return when the values were taken that are older than the reading."""
    return {
        _READINGS[name]: taken
        for name, taken in sample.taken.items()
        if taken < at and getattr(sample, name) is not None
    }


def _names(suspect: frozenset[str]) -> frozenset[str]:
    return frozenset(_READINGS[name] for name in suspect)
