"""A charger as the hub knows it, over all its connections.

Chargers reconnect after each hiccup of a wireless link, often without a BootNotification; what
they said before still holds, and the limit that they had is sent again.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, Final

from ocpp.v16 import call, call_result
from ocpp.v16.enums import MessageTrigger

from der.addresses import StationAddress
from der.drivers.ocpp.meter import MeterSample, MeterValue, parse_meter_values
from der.drivers.ocpp.profile import (
    LIMIT_PROFILE,
    fallback_profile,
    limit_profile,
)
from der.drivers.ocpp.session import Session
from der.errors import DeviceError, PermanentError, TransientError
from der.model import Connection, Setpoint

PLUGGED: Final = frozenset({"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"})
"""ChargePointStatus values with a car at the cable."""

_MEASURANDS: Final = "Power.Active.Import,Energy.Active.Import.Register,SoC,Voltage,Current.Import"
_BOOT_GRACE_S: Final = 0.5
_ACCEPTED: Final = frozenset({"Accepted", "RebootRequired"})

log = logging.getLogger(__name__)


class Station:
    """One charger: what it said last, what it was told last, and the connection if there is one."""

    def __init__(self, config: StationAddress, now: Callable[[], float] = time.time) -> None:
        self.config = config
        self.status: str | None = None
        self.sample: MeterSample | None = None
        self.transaction: int | None = None
        self._now = now
        self._connection = Connection(f"OCPP 1.6J station {config.identity}")
        self._session: Session | None = None
        self._ready = asyncio.Event()
        self._limit: Setpoint | None = None
        self._limit_until = 0.0
        self._telling = asyncio.Lock()  # what is in force is what was sent last, never two at once
        self._triggers = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._next_transaction = int(now()) & 0x3FFFFFFF

    @property
    def connection(self) -> Connection:
        """Who it says it is."""
        return self._connection

    @property
    def limit(self) -> Setpoint | None:
        """The limit that it accepted last and that has not lapsed."""
        return self._limit if self._now() < self._limit_until else None

    async def arrived(self) -> None:
        """Wait until the charger is connected and can be spoken to."""
        await self._ready.wait()

    @property
    def online(self) -> bool:
        """Whether the charger is connected and can be spoken to."""
        return self._ready.is_set()

    def attach(self, session: Session) -> None:
        """Take a new connection; an older one is over."""
        if self._session is not None:
            self.detach(self._session, "the charger has made a new connection")
        self._session = session
        self._triggers = True
        self._spawn(self._prepare(session))

    def detach(self, session: Session, cause: str = "the charger has gone") -> None:
        """Let a connection go."""
        session.lifeline.cut(cause)
        if self._session is session:
            self._session = None
            self._ready.clear()
            for task in self._tasks:
                task.cancel()

    async def set_limit(self, setpoint: Setpoint) -> None:
        """Put a limit in force: one SetChargingProfile, sent at once.

        Raises:
            PermanentError: The charger refuses it.
            TransientError: No usable answer, or no charger.
        """
        async with self._telling:
            await self._set_limit(setpoint)

    async def _set_limit(self, setpoint: Setpoint) -> None:
        profile = limit_profile(setpoint, self.config.wiring, self._now())
        what = f"limit of {setpoint.power_w:g} W"
        answer = await self._live(what).request(
            call.SetChargingProfile(self.config.connector, profile),
            call_result.SetChargingProfile,
            what,
        )
        self._check(answer.status, what)
        self._limit, self._limit_until = setpoint, self._now() + setpoint.lapse_s

    async def clear_limit(self) -> None:
        """Take the hub's limit back; errors as for `set_limit`."""
        what = "end of limit"
        async with self._telling:
            await self._live(what).request(
                call.ClearChargingProfile(id=LIMIT_PROFILE), call_result.ClearChargingProfile, what
            )  # its status "Unknown" only says that the limit had lapsed
            self._limit_until = 0.0

    async def _renew_limit(self) -> None:
        """Send again what is in force, for what is left of its time; errors as for `set_limit`."""
        async with self._telling:
            limit, left_s = self.limit, self._limit_until - self._now()
            if limit is not None:  # its own lapse bounds what a clock set back would make of it
                await self._set_limit(replace(limit, lapse_s=min(left_s, limit.lapse_s)))

    async def command(self, payload: object, result: type[Any], what: str) -> str:
        """Make any other call that answers with a status; returns the status.

        Raises:
            PermanentError: The charger refuses it or does not know it.
            TransientError: No usable answer, or no charger.
        """
        answer = await self._live(what).request(payload, result, what)
        status = str(answer.status.value if hasattr(answer.status, "value") else answer.status)
        if status != "Scheduled":
            self._check(status, what)
        return status

    def ask_meter_values(self, max_age_s: float) -> None:
        """Ask for fresh meter values if the last are older than wanted; does not wait for them."""
        fresh = self.sample is not None and self._now() - self.sample.at <= max_age_s
        if not fresh and self._triggers and self._session is not None and self.online:
            self._triggers = False  # one at a time; given back when it has been answered
            self._spawn(self._trigger(self._session))

    def on_boot(self, manufacturer: str, model: str, serial: str, firmware: str) -> None:
        """Note who the charger says it is."""
        self._connection = replace(
            self._connection,
            manufacturer=manufacturer,
            model=model,
            serial=serial,
            firmware=firmware,
        )

    def on_status(self, connector: int, status: str) -> None:
        """Note a ChargePointStatus of our connector."""
        if connector == self.config.connector:
            self.status = status

    def on_meter_values(
        self, connector: int, values: list[MeterValue], transaction: int | None
    ) -> None:
        """Note measurements of our connector, or of the whole charger (0)."""
        if transaction is not None and connector == self.config.connector:
            self.transaction = transaction  # of a hub that has been restarted meanwhile
        if connector in {0, self.config.connector}:
            self.sample = parse_meter_values(
                values, self._now(), self.config.wiring.voltage_v, self.sample
            )

    def on_start(self, connector: int, id_tag: str) -> int:
        """Give a transaction its id, unique over restarts of the hub."""
        self._next_transaction += 1
        if connector == self.config.connector and self.accepts(id_tag):
            self.transaction = self._next_transaction
        return self._next_transaction

    def on_stop(self, transaction: int) -> None:
        """Note that a transaction ended; the next car's charge is not known."""
        if transaction == self.transaction:
            self.transaction = None
        if self.sample is not None:
            self.sample = replace(self.sample, soc=None)

    def accepts(self, id_tag: str) -> bool:
        """Whether this card may charge."""
        return not self.config.id_tags or id_tag in self.config.id_tags

    def _live(self, what: str) -> Session:
        if self._session is None:
            raise TransientError(f"{self.config.identity}: {what}: the charger is not connected")
        return self._session

    def _check(self, status: str, what: str) -> None:
        if status not in _ACCEPTED:
            raise PermanentError(f"{self.config.identity}: {what}: the charger says {status}")

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _prepare(self, session: Session) -> None:
        """Tell a charger that has connected what rules, and how often to report.

        A charger that has just started wants its BootNotification answered before anything else;
        one that has only reconnected sends none.
        """
        try:
            async with asyncio.timeout(_BOOT_GRACE_S):
                await session.booted.wait()
        except TimeoutError:
            log.info("%s: the charger has reconnected without booting", self.config.identity)
        self._ready.set()
        await self._try(self._renew_limit())
        connector, identity = self.config.connector, self.config.identity
        await self._try(
            self.command(
                call.SetChargingProfile(connector, fallback_profile(self.config.wiring)),
                call_result.SetChargingProfile,
                "fallback limit",
            )
        )
        for key, value in (
            ("MeterValueSampleInterval", str(self.config.sample_s)),
            ("MeterValuesSampledData", _MEASURANDS),
        ):
            await self._try(
                self.command(
                    call.ChangeConfiguration(key, value), call_result.ChangeConfiguration, key
                ),
                logging.INFO,  # many chargers have it fixed, and report often enough all the same
            )
        await self._try(
            self.command(
                call.TriggerMessage(MessageTrigger.status_notification, connector),
                call_result.TriggerMessage,
                "request for status",
            )
        )
        log.info("%s: the charger is ready", identity)

    async def _try(self, work: Awaitable[object], level: int = logging.WARNING) -> None:
        """One setting that a charger refuses must not keep the others from it."""
        try:
            await work
        except DeviceError as error:
            log.log(level, "%s", error)

    async def _trigger(self, session: Session) -> None:
        try:
            answer = await session.request(
                call.TriggerMessage(MessageTrigger.meter_values, self.config.connector),
                call_result.TriggerMessage,
                "request for meter values",
            )
        except DeviceError as error:
            # Not asked again on this connection: a call without answer holds up the next limit.
            log.warning("%s", error)
            return
        self._triggers = answer.status in _ACCEPTED
