"""The charger's side of one OCPP 1.6J connection: what it answers and what it reports."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ocpp import routing
from ocpp.exceptions import OCPPError
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action

from der.sim.charger import CONNECTOR, READ_ONLY_KEYS, Charger, Filter, Status
from der.sim.ocpp_wire import (
    ConnectionEndedError,
    FaultySocket,
    ProfileJson,
    meter_value,
    parse_profile,
    timestamp,
)
from der.sim.sunspec_unit import MAKER, VERSION

ANSWER_S = 5.0
"""A central system that takes longer is as good as gone."""

CHANGE_W = 100.0
"""A change of power beyond this is reported at once, not at the next interval."""

LEAST_GAP_S = 0.25
"""Between two reports of a power that is still changing."""

Handler = TypeVar("Handler", bound=Callable[..., Any])
# The library has no type information; these are its two decorators, typed.
on = cast("Callable[[str], Callable[[Handler], Handler]]", routing.on)
after = cast("Callable[[str], Callable[[Handler], Handler]]", routing.after)

TRIGGERS = {"BootNotification", "Heartbeat", "MeterValues", "StatusNotification"}


class Connection(ChargePoint):  # type: ignore[misc] # the library has no types
    """One connection of the charger to its central system.

    Attributes:
        wake: Set whenever there may be something to report.
    """

    def __init__(self, identity: str, socket: FaultySocket, charger: Charger) -> None:
        super().__init__(identity, socket, response_timeout=ANSWER_S)
        self.wake = asyncio.Event()
        self._charger = charger
        self._triggered: set[str] = set()
        self._reset: str | None = None
        self._stop_reason: str | None = None
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
            if self._told_status is not self._charger.status():
                await self._tell_status()
            await self._tell_meter()
            await self._obey_triggers()
            if time.monotonic() >= self._heartbeat_at:
                await self._heartbeat()

    async def _boot(self) -> None:
        while True:
            boot = call.BootNotification(
                charge_point_model="EV charger",
                charge_point_vendor=MAKER,
                charge_point_serial_number="SIM-EV-1",
                firmware_version=VERSION,
            )
            answer = await self._ask(boot)
            interval_s = 1 if answer is None else answer.interval
            if answer is not None and answer.status == "Accepted":
                self._charger.settings["HeartbeatInterval"] = interval_s
                self._heartbeat_at = time.monotonic() + interval_s
                return
            await asyncio.sleep(max(1, interval_s))

    async def _heartbeat(self) -> None:
        await self._ask(call.Heartbeat())
        # 0 would mean without pause; a day stands for never.
        interval_s = self._charger.settings["HeartbeatInterval"] or 86_400
        self._heartbeat_at = time.monotonic() + interval_s

    async def _tell_status(self) -> None:
        status = self._charger.status()
        notification = call.StatusNotification(
            connector_id=CONNECTOR,
            error_code="NoError",
            status=status,
            timestamp=timestamp(time.time()),
        )
        await self._ask(notification)
        self._told_status = status

    async def _tend_transaction(self) -> None:
        charger = self._charger
        plugged = charger.home.ev_plugged
        if charger.transaction is not None:
            reason = self._reset or self._stop_reason or (None if plugged else "EVDisconnected")
            if reason is not None:
                await self._stop(charger.transaction.id, reason)
        if self._reset is not None:
            raise ConnectionEndedError("reset")
        if not plugged:
            charger.stopped = False  # the next car starts afresh
        elif charger.transaction is None and charger.operative and not charger.stopped:
            await self._start()

    async def _start(self) -> None:
        start = call.StartTransaction(
            connector_id=CONNECTOR,
            id_tag="SIMULATED-CAR",
            meter_start=round(self._charger.home.ev.import_wh),
            timestamp=timestamp(time.time()),
        )
        answer = await self._ask(start)
        if answer is not None:
            accepted = answer.id_tag_info["status"] == "Accepted"
            self._charger.begun(answer.transaction_id, accepted)
            self._told_at = -1e9  # the session's first values go out with it

    async def _stop(self, transaction: int, reason: str) -> None:
        stop = call.StopTransaction(
            meter_stop=round(self._charger.home.ev.import_wh),
            timestamp=timestamp(time.time()),
            transaction_id=transaction,
            reason=reason,
        )
        await self._ask(stop)
        self._stop_reason = None
        self._charger.ended()

    async def _tell_meter(self) -> None:
        power_w = self._charger.home.ev.power_w
        age_s = time.monotonic() - self._told_at
        interval_s = self._charger.settings["MeterValueSampleInterval"]
        changed = abs(power_w - self._told_w) > CHANGE_W or (power_w == 0) != (self._told_w == 0)
        if (changed and age_s >= LEAST_GAP_S) or 0 < interval_s <= age_s:
            await self._send_meter("Sample.Periodic")

    async def _send_meter(self, context: str) -> None:
        home, transaction = self._charger.home, self._charger.transaction
        self._told_w, self._told_at = home.ev.power_w, time.monotonic()
        values = call.MeterValues(
            connector_id=CONNECTOR,
            meter_value=[meter_value(home, time.time(), context)],
            transaction_id=None if transaction is None else transaction.id,
        )
        await self._ask(values)

    async def _obey_triggers(self) -> None:
        triggered, self._triggered = self._triggered, set()
        if "BootNotification" in triggered:
            await self._boot()
        if "StatusNotification" in triggered:
            await self._tell_status()
        if "MeterValues" in triggered:
            await self._send_meter("Trigger")
        if "Heartbeat" in triggered:
            await self._heartbeat()

    async def _ask(self, payload: object) -> Any:
        """Call the central system; returns its answer, None if it answered with an error."""
        try:
            return await self.call(payload)
        except TimeoutError as error:
            raise ConnectionEndedError(f"no answer within {ANSWER_S:g} s") from error
        except OCPPError:
            return None  # an answer outside the schema is no answer

    @on(Action.set_charging_profile)
    def _on_set_profile(self, connector_id: int, cs_charging_profiles: ProfileJson) -> object:
        try:
            profile = parse_profile(cs_charging_profiles, connector_id, time.time())
        except ValueError:
            return call_result.SetChargingProfile(status="Rejected")
        accepted = self._charger.install(profile)
        return call_result.SetChargingProfile(status="Accepted" if accepted else "Rejected")

    @on(Action.clear_charging_profile)
    def _on_clear_profile(
        self,
        id: int | None = None,  # noqa: A002 - the protocol's name
        connector_id: int | None = None,
        charging_profile_purpose: str | None = None,
        stack_level: int | None = None,
    ) -> object:
        which = Filter(id, connector_id, charging_profile_purpose, stack_level)
        cleared = self._charger.clear(which)
        return call_result.ClearChargingProfile(status="Accepted" if cleared else "Unknown")

    @on(Action.get_composite_schedule)
    def _on_composite(
        self, connector_id: int, duration: int, charging_rate_unit: str | None = None
    ) -> object:
        if connector_id not in {0, CONNECTOR} or charging_rate_unit == "A" or duration <= 0:
            return call_result.GetCompositeSchedule(status="Rejected")
        periods = [
            {"start_period": round(period.start_s), "limit": round(period.limit, 1)}
            for period in self._charger.schedule(duration)
        ]
        return call_result.GetCompositeSchedule(
            status="Accepted",
            connector_id=connector_id,
            schedule_start=timestamp(time.time()),
            charging_schedule={
                "duration": duration,
                "charging_rate_unit": "W",
                "charging_schedule_period": periods,
            },
        )

    @on(Action.change_configuration)
    def _on_change_configuration(self, key: str, value: str) -> object:
        return call_result.ChangeConfiguration(status=self._charger.configure(key, value))

    @on(Action.get_configuration)
    def _on_get_configuration(self, key: list[str] | None = None) -> object:
        changeable = {name: str(value) for name, value in self._charger.settings.items()}
        known = {**READ_ONLY_KEYS, **changeable}
        wanted = known if key is None else key
        return call_result.GetConfiguration(
            configuration_key=[
                {"key": name, "readonly": name in READ_ONLY_KEYS, "value": known[name]}
                for name in wanted
                if name in known
            ],
            unknown_key=[name for name in wanted if name not in known],
        )

    @on(Action.trigger_message)
    def _on_trigger(self, requested_message: str, connector_id: int = CONNECTOR) -> object:
        if requested_message not in TRIGGERS or connector_id != CONNECTOR:
            return call_result.TriggerMessage(status="NotImplemented")
        return call_result.TriggerMessage(status="Accepted")

    @after(Action.trigger_message)
    def _after_trigger(self, requested_message: str, connector_id: int = CONNECTOR) -> None:
        if requested_message in TRIGGERS and connector_id == CONNECTOR:
            self._triggered.add(requested_message)
            self.wake.set()

    @on(Action.change_availability)
    def _on_availability(self, connector_id: int, type: str) -> object:  # noqa: A002
        if connector_id not in {0, CONNECTOR}:
            return call_result.ChangeAvailability(status="Rejected")
        self._charger.permit(type == "Operative")
        return call_result.ChangeAvailability(status="Accepted")

    @on(Action.remote_start_transaction)
    def _on_remote_start(self, id_tag: str, **_: object) -> object:  # noqa: ARG002
        may = self._charger.transaction is None and self._charger.home.ev_plugged
        if may:
            self._charger.stopped = False
        return call_result.RemoteStartTransaction(status="Accepted" if may else "Rejected")

    @on(Action.remote_stop_transaction)
    def _on_remote_stop(self, transaction_id: int) -> object:
        running = self._charger.transaction
        if running is None or running.id != transaction_id:
            return call_result.RemoteStopTransaction(status="Rejected")
        self._charger.stopped = True
        self._stop_reason = "Remote"
        return call_result.RemoteStopTransaction(status="Accepted")

    @on(Action.reset)
    def _on_reset(self, type: str) -> object:  # noqa: A002, ARG002
        return call_result.Reset(status="Accepted")

    @after(Action.reset)
    def _after_reset(self, type: str) -> None:  # noqa: A002
        self._reset = f"{type}Reset"
        self.wake.set()
