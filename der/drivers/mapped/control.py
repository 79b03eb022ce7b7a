"""Drives a described device: carries its steps out, and keeps or ends what it was told."""

import asyncio
import logging
from dataclasses import dataclass, replace

from der.addresses import Wiring
from der.description import Now
from der.drivers.mapped.bus import PointBus
from der.drivers.mapped.device_map import DeviceMap
from der.drivers.mapped.planning import Asked, Known, plan
from der.drivers.mapped.reading import Standing
from der.drivers.mapped.steps import Control, Feed, Steps
from der.errors import DeviceError, PermanentError
from der.model import DeviceSpec, Expiry, Setpoint

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """A device in its home.

    Attributes:
        spec: As commissioned.
        standing: What its readings are held against.
        wiring: How it is connected.
        monotonic: Seconds, for what lapses.
    """

    spec: DeviceSpec
    standing: Standing
    wiring: Wiring
    monotonic: Now

    def asked(self, setpoint: Setpoint | None = None, lapse_s: float | None = None) -> Asked:
        """Return what a set-point, or a command, asks of the device."""
        least_w = self.spec.least_on_w or self.wiring.least_a * self.standing.watts_per_ampere
        return Asked(
            spec=self.spec,
            standing=self.standing,
            fallback_a=self.wiring.fallback_a,
            power_w=None if setpoint is None else setpoint.power_w,
            lapse_s=lapse_s if setpoint is None else setpoint.lapse_s,
            revert_w=None if setpoint is None else setpoint.revert_w,
            least_w=least_w,
        )


@dataclass(slots=True)
class _Held:
    """A set-point that the device was told.

    Attributes:
        asked: What was asked.
        until: When it lapses, monotonic s.
        fed: When the watchdog was fed last.
    """

    asked: Asked
    until: float
    fed: float


class Controller:
    """The writing side of one link.

    Readings feed and end set-points while others may be given: they take turns, or the steps of
    an old set-point would mix with those of a new one.
    """

    def __init__(
        self, subject: Subject, device: DeviceMap, control: Control, bus: PointBus
    ) -> None:
        self.control = control
        self._subject = subject
        self._map = device
        self._bus = bus
        self._known: Known | None = None
        self._prepared = False
        self._held: _Held | None = None
        self._fault = ""
        self._turn = asyncio.Lock()

    async def hold(self, setpoint: Setpoint) -> None:
        """Give the device a set-point.

        Raises:
            PermanentError: Something must be set at the device by hand first.
            RejectedError: The device cannot hold this set-point, or one for so long.
            TransientError: No usable answer, or the set-point was not taken.
        """
        asked = self._subject.asked(setpoint)
        async with self._turn:
            # Planned before anything is written: what the device cannot hold does not disturb it.
            writes = plan(self.control.set, await self._settings(), asked)
            await self._prepare()
            now = self._subject.monotonic()
            self._held = _Held(asked, now + setpoint.lapse_s, now)
            await self._bus.write(writes)

    async def carry_out(self, steps: Steps, *, lapse_s: float | None = None) -> None:
        """Carry out steps that end whatever set-point is held; errors as `hold`."""
        async with self._turn:
            self._held = None
            await self._write(steps, self._subject.asked(lapse_s=lapse_s))

    async def form(self, frequency_hz: float, voltage_v: float) -> None:
        """Have it form the home's voltage, which ends its set-point; errors as `hold`."""
        async with self._turn:
            self._held = None
            asked = replace(self._subject.asked(), frequency_hz=frequency_hz, voltage_v=voltage_v)
            await self._write(self.control.form, asked)

    async def keep(self) -> None:
        """Feed the device's watchdog while the set-point is good, and end it when it is not.

        Only devices that do not count the time themselves need it. It hangs on readings: a hub
        that has died reads no more. What fails is said once and tried again; it costs no reading.
        """
        if self.control.expiry.kind not in {Expiry.FALLBACK, Expiry.GUARD}:
            return
        async with self._turn:
            if self._held is not None:
                await self._keep(self._held)

    async def _keep(self, held: _Held) -> None:
        expiry, now = self.control.expiry, self._subject.monotonic()
        try:
            if now >= held.until:
                if held.asked.revert_w is not None and self.control.reverts:
                    after = replace(held.asked, power_w=held.asked.revert_w)
                    await self._write(self.control.set, after)
                else:
                    await self._write(self.control.safe, self._subject.asked())
                self._held = None
                _log.info("%s: its set-point lapsed and is taken back", self._subject.spec.id)
            elif expiry.feed is Feed.SET and expiry.every_s and now - held.fed >= expiry.every_s:
                await self._write(self.control.set, held.asked)
                held.fed = now
        except DeviceError as error:
            if str(error) != self._fault:
                _log.warning("%s", error)
            self._fault = str(error)
        else:
            self._fault = ""

    async def _settings(self) -> Known:
        """Read, once on each connection, what writing depends on and does not change."""
        if self._known is None:
            values = await self._bus.read(self._map.settings)
            self._known = Known(self._map.points, values)
        return self._known

    async def _prepare(self) -> None:
        """Once on each connection: a device that restarted has forgotten, and dropped it."""
        if self._prepared:
            return
        settings = await self._settings()
        for requirement in self.control.require:
            if requirement.condition.holds(settings.values) is not True:
                self._known = None  # somebody may set it right meanwhile
                raise PermanentError(
                    f"{self._subject.spec.id}: {requirement.condition.point} is not as it must "
                    f"be: {requirement.why}"
                )
        await self._write(self.control.prepare, self._subject.asked())
        self._prepared = True

    async def _write(self, steps: Steps, asked: Asked) -> None:
        await self._bus.write(plan(steps, await self._settings(), asked))
