"""The charger's side of one OCPP connection: what it reports and when, in either version."""

import asyncio
import time
from abc import abstractmethod
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar, cast

from ocpp import routing
from ocpp.charge_point import ChargePoint
from ocpp.exceptions import OCPPError

from der.sim.ocpp.charger import Charger, Status
from der.sim.ocpp.wire import ConnectionEndedError, FaultySocket

ANSWER_S = 5.0
"""A central system that takes longer is as good as gone."""

CHANGE_W = 100.0
"""A change of power beyond this is reported at once, not at the next interval."""

LEAST_GAP_S = 0.25
"""Between two reports of a power that is still changing."""

NEVER_S = 86_400

Handler = TypeVar("Handler", bound=Callable[..., Any])
# The library has no type information; these are its two decorators, typed.
on = cast("Callable[[str], Callable[[Handler], Handler]]", routing.on)
after = cast("Callable[[str], Callable[[Handler], Handler]]", routing.after)


class Report(StrEnum):
    """What the central system can ask the charger to report."""

    BOOT = "BootNotification"
    HEARTBEAT = "Heartbeat"
    METER = "MeterValues"
    STATUS = "StatusNotification"
    TRANSACTION = "TransactionEvent"


class Connection(ChargePoint):  # type: ignore[misc] # the library has no types
    """One connection of the charger to its central system.

    Attributes:
        wake: Set whenever there may be something to report.
    """

    def __init__(self, identity: str, socket: FaultySocket, charger: Charger) -> None:
        super().__init__(identity, socket, response_timeout=ANSWER_S)
        self.wake = asyncio.Event()
        self.charger = charger
        self.stop_reason: str | None = None
        self._triggered: set[Report] = set()
        self._reset: str | None = None
        self._told_status: Status | None = None
        self._told_w = 0.0
        self._told_at = -1e9
        self._heartbeat_at = 0.0

    async def report(self) -> None:
        """Boot, then tell what happens, until the connection ends.

        Raises:
            ConnectionEndedError: It has ended, or is to be ended by a reset.
        """
        await self._boot()
        await self._tell_status()
        while True:
            await self.wake.wait()
            self.wake.clear()
            await self._tend_transaction()
            if self._told_status is not self.charger.status():
                await self._tell_status()
            await self._tell_meter()
            await self._obey_triggers()
            if time.monotonic() >= self._heartbeat_at:
                await self._heartbeat()

    def trigger(self, report: Report) -> None:
        """Report something soon."""
        self._triggered.add(report)
        self.wake.set()

    def reset(self, reason: str) -> None:
        """End the transaction and the connection soon."""
        self._reset = reason
        self.wake.set()

    async def ask(self, payload: object) -> Any:
        """Call the central system; returns its answer, None if it answered with an error."""
        try:
            return await self.call(payload)
        except TimeoutError as error:
            raise ConnectionEndedError(f"no answer within {ANSWER_S:g} s") from error
        except OCPPError:
            return None  # an answer outside the schema is no answer

    @abstractmethod
    async def send_boot(self) -> tuple[str, int]:
        """Send a BootNotification; returns the answer's status and interval in s."""

    @abstractmethod
    async def send_heartbeat(self) -> None:
        """Send a Heartbeat."""

    @abstractmethod
    async def send_status(self, status: Status) -> None:
        """Tell what the connector does."""

    @abstractmethod
    async def send_start(self) -> tuple[str, bool] | None:
        """Start a transaction; returns its id and whether it is accepted, None if unanswered."""

    @abstractmethod
    async def send_stop(self, transaction: str, reason: str) -> None:
        """End a transaction."""

    @abstractmethod
    async def send_meter(self, context: str) -> None:
        """Send meter values; `context` is a ReadingContext."""

    async def _boot(self) -> None:
        while True:
            status, interval_s = await self.send_boot()
            if status == "Accepted":
                self.charger.heartbeat_s = interval_s
                self._heartbeat_at = time.monotonic() + interval_s
                return
            await asyncio.sleep(max(1, interval_s))

    async def _heartbeat(self) -> None:
        await self.send_heartbeat()
        # 0 would mean without pause; a day stands for never.
        self._heartbeat_at = time.monotonic() + (self.charger.heartbeat_s or NEVER_S)

    async def _tell_status(self) -> None:
        status = self.charger.status()
        await self.send_status(status)
        self._told_status = status

    async def _tend_transaction(self) -> None:
        charger = self.charger
        plugged = charger.home.ev_plugged
        if charger.transaction is not None:
            reason = self._reset or self.stop_reason or (None if plugged else "EVDisconnected")
            if reason is not None:
                await self.send_stop(charger.transaction.id, reason)
                self.stop_reason = None
                charger.ended()
        if self._reset is not None:
            raise ConnectionEndedError("reset")
        if not plugged:
            charger.stopped = False  # the next car starts afresh
        elif charger.transaction is None and charger.operative and not charger.stopped:
            await self._start()

    async def _start(self) -> None:
        started = await self.send_start()
        if started is not None:
            transaction, accepted = started
            self.charger.begun(transaction, accepted=accepted)
            self._told_at = -1e9  # the session's first values go out with it

    async def _tell_meter(self) -> None:
        power_w = self.charger.shown.ev.power_w
        age_s = time.monotonic() - self._told_at
        interval_s = self.charger.sample_s
        changed = abs(power_w - self._told_w) > CHANGE_W or (power_w == 0) != (self._told_w == 0)
        if (changed and age_s >= LEAST_GAP_S) or 0 < interval_s <= age_s:
            await self._measure("Sample.Periodic")

    async def _measure(self, context: str) -> None:
        self._told_w, self._told_at = self.charger.shown.ev.power_w, time.monotonic()
        await self.send_meter(context)

    async def _obey_triggers(self) -> None:
        triggered, self._triggered = self._triggered, set()
        if Report.BOOT in triggered:
            await self._boot()
        if Report.STATUS in triggered:
            await self._tell_status()
        if triggered & {Report.METER, Report.TRANSACTION}:
            await self._measure("Trigger")
        if Report.HEARTBEAT in triggered:
            await self._heartbeat()
