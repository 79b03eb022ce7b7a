"""What the charger says and answers by OCPP 2.0.1."""

from collections.abc import Callable, Mapping
from typing import TypedDict
from uuid import uuid4

from ocpp import v201
from ocpp.v201 import call, call_result
from ocpp.v201.enums import Action

from der.sim.ocpp.charge_point import Connection, Report, after, on
from der.sim.ocpp.charger import CONNECTOR, Charger, Filter, Status
from der.sim.ocpp.measured import MEASURANDS, measured201
from der.sim.ocpp.profiles import PURPOSES_201, Profile201Json, parse201, timestamp
from der.sim.ocpp.wire import FaultySocket
from der.sim.sunspec.unit import MAKER, VERSION

CONNECTORS: Mapping[Status, str] = {
    Status.AVAILABLE: "Available",
    Status.UNAVAILABLE: "Unavailable",
}
"""ConnectorStatusEnumType; all else is "Occupied"."""

STATES: Mapping[Status, str] = {
    Status.PREPARING: "EVConnected",
    Status.CHARGING: "Charging",
    Status.SUSPENDED_EV: "SuspendedEV",
    Status.SUSPENDED_EVSE: "SuspendedEVSE",
}
"""ChargingStateEnumType; all else is "Idle"."""

REASONS = {"Remote": "Remote", "EVDisconnected": "EVDisconnected"}
"""ReasonEnumType; all else is a reset."""


class EvseJson(TypedDict):
    """EVSEType, in snake case."""

    id: int


class NamedJson(TypedDict):
    """ComponentType or VariableType."""

    name: str


class VariableJson(TypedDict):
    """GetVariableDataType, or SetVariableDataType without its value."""

    component: NamedJson
    variable: NamedJson


class SettingJson(VariableJson):
    """SetVariableDataType."""

    attribute_value: str


class CriteriaJson(TypedDict, total=False):
    """ClearChargingProfileType."""

    evse_id: int
    charging_profile_purpose: str
    stack_level: int


class Connection201(Connection, v201.ChargePoint):  # type: ignore[misc] # the library has no types
    """One connection by OCPP 2.0.1, with one EVSE."""

    def __init__(self, identity: str, socket: FaultySocket, charger: Charger) -> None:
        super().__init__(identity, socket, charger)
        self._sequence = 0

    async def send_boot(self) -> tuple[str, int]:
        """BootNotification."""
        station = {
            "vendor_name": MAKER,
            "model": "EV charger",
            "serial_number": "SIM-EV-1",
            "firmware_version": VERSION,
        }
        answer = await self.ask(call.BootNotification(station, "PowerUp"))
        return ("", 1) if answer is None else (answer.status, answer.interval)

    async def send_heartbeat(self) -> None:
        """Heartbeat."""
        await self.ask(call.Heartbeat())

    async def send_status(self, status: Status) -> None:
        """StatusNotification, and in a transaction what that does."""
        await self.ask(
            call.StatusNotification(
                timestamp=timestamp(self.charger.clock()),
                connector_status=CONNECTORS.get(status, "Occupied"),
                evse_id=CONNECTOR,
                connector_id=1,
            )
        )
        running = self.charger.transaction
        if running is not None:
            await self._event("Updated", "ChargingStateChanged", running.id, status)

    async def send_start(self) -> tuple[str, bool] | None:
        """TransactionEvent, Started."""
        transaction = str(uuid4())
        answer = await self._event(
            "Started",
            "CablePluggedIn",
            transaction,
            Status.PREPARING,
            token={"id_token": "SIMULATED-CAR", "type": "Central"},
        )
        if answer is None or answer.id_token_info is None:
            return None
        return transaction, answer.id_token_info["status"] == "Accepted"

    async def send_stop(self, transaction: str, reason: str) -> None:
        """TransactionEvent, Ended."""
        stopped = REASONS.get(reason, "ImmediateReset")
        trigger = {"Remote": "RemoteStop", "EVDisconnected": "EVDeparted"}
        await self._event(
            "Ended",
            trigger.get(stopped, "ResetCommand"),
            transaction,
            Status.FINISHING,
            context="Transaction.End",
            stopped=stopped,
        )

    async def send_meter(self, context: str) -> None:
        """TransactionEvent, Updated; without a transaction MeterValues."""
        running = self.charger.transaction
        if running is None:
            await self.ask(call.MeterValues(CONNECTOR, [measured201(self.charger, context)]))
            return
        trigger = "Trigger" if context == "Trigger" else "MeterValuePeriodic"
        await self._event("Updated", trigger, running.id, self.charger.status(), context=context)

    async def _event(
        self,
        kind: str,
        trigger: str,
        transaction: str,
        status: Status,
        *,
        context: str = "",
        token: dict[str, str] | None = None,
        stopped: str | None = None,
    ) -> call_result.TransactionEvent | None:
        info = {"transaction_id": transaction, "charging_state": STATES.get(status, "Idle")}
        if stopped is not None:
            info["stopped_reason"] = stopped
        self._sequence += 1
        answer: call_result.TransactionEvent | None = await self.ask(
            call.TransactionEvent(
                event_type=kind,
                timestamp=timestamp(self.charger.clock()),
                trigger_reason=trigger,
                seq_no=self._sequence,
                transaction_info=info,
                meter_value=[measured201(self.charger, context)] if context else None,
                evse={"id": CONNECTOR, "connector_id": 1},
                id_token=token,
                number_of_phases_used=self.charger.offer().phases,
            )
        )
        return answer

    @on(Action.set_charging_profile)
    def _on_set_profile(
        self, evse_id: int, charging_profile: Profile201Json, **_: object
    ) -> object:
        try:
            profile = parse201(charging_profile, evse_id, self.charger.clock())
        except ValueError:
            return call_result.SetChargingProfile(status="Rejected")
        accepted = self.charger.install(profile)
        return call_result.SetChargingProfile(status="Accepted" if accepted else "Rejected")

    @on(Action.clear_charging_profile)
    def _on_clear_profile(
        self,
        charging_profile_id: int | None = None,
        charging_profile_criteria: CriteriaJson | None = None,
        **_: object,
    ) -> object:
        criteria = charging_profile_criteria or CriteriaJson()
        purpose = criteria.get("charging_profile_purpose")
        which = Filter(
            charging_profile_id,
            criteria.get("evse_id"),
            None if purpose is None else PURPOSES_201.get(purpose, purpose),
            criteria.get("stack_level"),
        )
        cleared = self.charger.clear(which)
        return call_result.ClearChargingProfile(status="Accepted" if cleared else "Unknown")

    @on(Action.get_composite_schedule)
    def _on_composite(
        self, duration: int, evse_id: int, charging_rate_unit: str | None = None, **_: object
    ) -> object:
        if evse_id not in {0, CONNECTOR} or charging_rate_unit == "A" or duration <= 0:
            return call_result.GetCompositeSchedule(status="Rejected")
        return call_result.GetCompositeSchedule(
            status="Accepted",
            schedule={
                "evse_id": evse_id,
                "duration": duration,
                "schedule_start": timestamp(self.charger.clock()),
                "charging_rate_unit": "W",
                "charging_schedule_period": [
                    {
                        "start_period": round(period.start_s),
                        "limit": round(period.limit, 1),
                        "number_phases": period.phases,
                    }
                    for period in self.charger.schedule(duration)
                ],
            },
        )

    @on(Action.set_variables)
    def _on_set_variables(self, set_variable_data: list[SettingJson], **_: object) -> object:
        return call_result.SetVariables(
            [
                {
                    "attribute_status": self._set(_key(one), one["attribute_value"]),
                    "component": one["component"],
                    "variable": one["variable"],
                }
                for one in set_variable_data
            ]
        )

    @on(Action.get_variables)
    def _on_get_variables(self, get_variable_data: list[VariableJson], **_: object) -> object:
        results: list[dict[str, object]] = []
        for one in get_variable_data:
            value = VARIABLES.get(_key(one))
            result: dict[str, object] = {
                "attribute_status": "UnknownVariable" if value is None else "Accepted",
                "component": one["component"],
                "variable": one["variable"],
            }
            if value is not None:
                result["attribute_value"] = value(self.charger)
            results.append(result)
        return call_result.GetVariables(results)

    @on(Action.trigger_message)
    def _on_trigger(
        self, requested_message: str, evse: EvseJson | None = None, **_: object
    ) -> object:
        return call_result.TriggerMessage(status=self._triggerable(requested_message, evse))

    @after(Action.trigger_message)
    def _after_trigger(
        self, requested_message: str, evse: EvseJson | None = None, **_: object
    ) -> None:
        if self._triggerable(requested_message, evse) == "Accepted":
            self.trigger(Report(requested_message))

    @on(Action.change_availability)
    def _on_availability(
        self, operational_status: str, evse: EvseJson | None = None, **_: object
    ) -> object:
        if evse is not None and evse["id"] != CONNECTOR:
            return call_result.ChangeAvailability(status="Rejected")
        self.charger.permit(operative=operational_status == "Operative")
        return call_result.ChangeAvailability(status="Accepted")

    @on(Action.request_start_transaction)
    def _on_remote_start(self, **_: object) -> object:
        may = self.charger.transaction is None and self.charger.home.ev_plugged
        if may:
            self.charger.stopped = False
        return call_result.RequestStartTransaction(status="Accepted" if may else "Rejected")

    @on(Action.request_stop_transaction)
    def _on_remote_stop(self, transaction_id: str, **_: object) -> object:
        running = self.charger.transaction
        if running is None or running.id != transaction_id:
            return call_result.RequestStopTransaction(status="Rejected")
        self.charger.stopped = True
        self.stop_reason = "Remote"
        return call_result.RequestStopTransaction(status="Accepted")

    @on(Action.reset)
    def _on_reset(self, type: str, **_: object) -> object:  # noqa: A002
        idle = type == "Immediate" or self.charger.transaction is None
        return call_result.Reset(status="Accepted" if idle else "Scheduled")

    @after(Action.reset)
    def _after_reset(self, type: str, **_: object) -> None:  # noqa: A002
        if type == "Immediate" or self.charger.transaction is None:
            self.reset("ImmediateReset")

    def _triggerable(self, message: str, evse: EvseJson | None) -> str:
        if message not in set(Report) or (evse is not None and evse["id"] != CONNECTOR):
            return "NotImplemented"
        if message == Report.TRANSACTION and self.charger.transaction is None:
            return "Rejected"
        return "Accepted"

    def _set(self, key: str, value: str) -> str:
        """Change a variable; returns its SetVariableStatus."""
        charger = self.charger
        if key == "AuthCtrlr.OfflineTxForUnknownIdEnabled" and value in {"true", "false"}:
            charger.offline_unknown = value == "true"
        elif key == "OCPPCommCtrlr.HeartbeatInterval" and value.isdecimal():
            charger.heartbeat_s = int(value)
        elif key == "SampledDataCtrlr.TxUpdatedInterval" and value.isdecimal():
            charger.sample_s = int(value)
        else:
            return "Rejected" if key in VARIABLES else "UnknownVariable"
        charger.configured(key, value)
        return "Accepted"


def _key(one: VariableJson) -> str:
    return f"{one['component']['name']}.{one['variable']['name']}"


VARIABLES: Mapping[str, Callable[[Charger], str]] = {
    "AuthCtrlr.OfflineTxForUnknownIdEnabled": lambda c: str(c.offline_unknown).lower(),
    "OCPPCommCtrlr.HeartbeatInterval": lambda c: str(c.heartbeat_s),
    "SampledDataCtrlr.TxUpdatedInterval": lambda c: str(c.sample_s),
    "SampledDataCtrlr.TxUpdatedMeasurands": lambda _: ",".join(MEASURANDS),
    "SmartChargingCtrlr.ACPhaseSwitchingSupported": lambda c: str(c.rating.switches).lower(),
    "SmartChargingCtrlr.Enabled": lambda _: "true",
    "SmartChargingCtrlr.RateUnit": lambda _: "A,W",
}
"""What it knows of the device model."""
