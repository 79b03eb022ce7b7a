"""What a charging station says by OCPP 2.0.1."""

from collections.abc import Mapping, Sequence
from typing import Final, NotRequired, TypedDict

from ocpp import v201
from ocpp.v201 import call_result
from ocpp.v201.datatypes import IdTokenInfoType
from ocpp.v201.enums import (
    Action,
    AuthorizationStatusEnumType,
    DataTransferStatusEnumType,
    RegistrationStatusEnumType,
)

from der.drivers.ocpp.said import Said, plain
from der.drivers.ocpp.session import HEARTBEAT_S, Session, Socket, handles, then, utc_text
from der.drivers.ocpp.v201.meter import MeterValue, measured
from der.drivers.ocpp.words import Boot, Listener, Plug
from der.model import Alarm

PLUGS: Final[Mapping[str, Plug]] = {
    "Available": Plug.FREE,
    "Reserved": Plug.FREE,
    "Unavailable": Plug.UNAVAILABLE,
    "Faulted": Plug.FAULTED,
}
"""By ConnectorStatusEnumType; "Occupied" says no more than that there is a car."""

CHARGING: Final[Mapping[str, Plug]] = {
    "Charging": Plug.CHARGING,
    "EVConnected": Plug.PLUGGED,
    "SuspendedEV": Plug.PAUSED_BY_CAR,
    "SuspendedEVSE": Plug.PAUSED_BY_HUB,
    "Idle": Plug.FINISHING,
}
"""By ChargingStateEnumType."""


class Evse(TypedDict):
    """EVSEType, keys in snake case."""

    id: int
    connector_id: NotRequired[int]


class Token(TypedDict):
    """IdTokenType, keys in snake case."""

    id_token: str
    type: str


class Transaction(TypedDict):
    """TransactionType, keys in snake case."""

    transaction_id: str
    charging_state: NotRequired[str]


class Named(TypedDict):
    """ComponentType or VariableType, keys in snake case."""

    name: str
    evse: NotRequired[Evse]


class Event(TypedDict):
    """EventDataType, keys in snake case."""

    trigger: str
    actual_value: str
    component: Named
    variable: Named
    cleared: NotRequired[bool]
    tech_info: NotRequired[str]


class Attribute(TypedDict):
    """VariableAttributeType, keys in snake case."""

    value: NotRequired[str]


class Report(TypedDict):
    """ReportDataType, keys in snake case."""

    component: Named
    variable: Named
    variable_attribute: list[Attribute]


class Session201(Session, v201.ChargePoint):  # type: ignore[misc] # the library is untyped
    """One connection of a station that speaks OCPP 2.0.1; its EVSEs are what 1.6 calls connectors.

    Args:
        evse: Of which a transaction is that names none.
    """

    def __init__(
        self, name: str, socket: Socket, said: Said, listener: Listener, evse: int
    ) -> None:
        super().__init__(name, socket, said)
        self._listener = listener
        self._evse = evse

    @handles(Action.boot_notification)
    def _boot(
        self, charging_station: Mapping[str, str], **_: object
    ) -> call_result.BootNotification:
        self._listener.booted(
            Boot(
                charging_station["vendor_name"],
                charging_station["model"],
                charging_station.get("serial_number", ""),
                charging_station.get("firmware_version", ""),
            )
        )
        return call_result.BootNotification(
            current_time=utc_text(self._listener.now()),
            interval=HEARTBEAT_S,
            status=RegistrationStatusEnumType.accepted,
        )

    @then(Action.boot_notification)
    def _boot_answered(self, **_: object) -> None:
        self.ready.set()

    @handles(Action.heartbeat)
    def _heartbeat(self, **_: object) -> call_result.Heartbeat:
        return call_result.Heartbeat(current_time=utc_text(self._listener.now()))

    @handles(Action.authorize)
    def _authorize(self, id_token: Token, **_: object) -> call_result.Authorize:
        return call_result.Authorize(id_token_info=self._token_info(id_token))

    @handles(Action.transaction_event)
    def _transaction(
        self,
        event_type: str,
        timestamp: str,
        transaction_info: Transaction,
        *,
        evse: Evse | None = None,
        id_token: Token | None = None,
        meter_value: Sequence[MeterValue] = (),
        offline: bool = False,
        **_: object,
    ) -> call_result.TransactionEvent:
        connector = self._evse if evse is None else evse["id"]
        transaction = transaction_info["transaction_id"]
        if not offline:
            self._listener.timed(timestamp)
        if event_type == "Started":
            tag = None if id_token is None else id_token["id_token"]
            self._listener.started(connector, tag, transaction)
        elif event_type == "Updated":
            self._listener.running(connector, transaction)
        state = transaction_info.get("charging_state")
        if state is not None and not offline:
            self._listener.plugged(connector, CHARGING[state])
        self._measure(connector, meter_value)
        if event_type == "Ended":
            self._listener.ended(transaction)
        if id_token is None:
            return call_result.TransactionEvent()
        return call_result.TransactionEvent(id_token_info=self._token_info(id_token))

    @handles(Action.meter_values)
    def _meter_values(
        self, evse_id: int, meter_value: Sequence[MeterValue], **_: object
    ) -> call_result.MeterValues:
        self._measure(evse_id, meter_value)
        return call_result.MeterValues()

    @handles(Action.status_notification)
    def _status(
        self, timestamp: str, connector_status: str, evse_id: int, **_: object
    ) -> call_result.StatusNotification:
        self._listener.timed(timestamp)
        self._connector_says(evse_id, connector_status)
        return call_result.StatusNotification()

    @handles(Action.notify_event)
    def _event(
        self, event_data: Sequence[Event], generated_at: str, **_: object
    ) -> call_result.NotifyEvent:
        self._listener.timed(generated_at)
        for event in event_data:
            self._note(event)
        return call_result.NotifyEvent()

    @handles(Action.notify_report)
    def _report(self, report_data: Sequence[Report] = (), **_: object) -> call_result.NotifyReport:
        self._listener.reported(
            {
                f"{plain(one['component']['name'])}.{plain(one['variable']['name'])}": plain(
                    attribute["value"]
                )
                for one in report_data
                for attribute in one["variable_attribute"]
                if "value" in attribute
            }
        )
        return call_result.NotifyReport()

    @handles(Action.security_event_notification)
    def _security_event(
        self,
        type: str,  # noqa: A002 - the protocol's name
        tech_info: str = "",
        **_: object,
    ) -> call_result.SecurityEventNotification:
        self._listener.warned("ALARM, a security event", f"{type} {tech_info}")
        return call_result.SecurityEventNotification()

    @handles(Action.data_transfer)
    def _data(self, vendor_id: str, **_: object) -> call_result.DataTransfer:
        self._listener.noted("DataTransfer", f"the hub has no use for data of {vendor_id!r}")
        return call_result.DataTransfer(status=DataTransferStatusEnumType.unknown_vendor_id)

    @handles(Action.firmware_status_notification)
    def _firmware(self, status: str, **_: object) -> call_result.FirmwareStatusNotification:
        self._listener.noted("firmware update", status)
        return call_result.FirmwareStatusNotification()

    @handles(Action.log_status_notification)
    def _log(self, status: str, **_: object) -> call_result.LogStatusNotification:
        self._listener.noted("upload of its log", status)
        return call_result.LogStatusNotification()

    def _measure(self, evse: int, values: Sequence[MeterValue]) -> None:
        for value in values:
            self._listener.measured(evse, measured([value]), value["timestamp"])

    def _connector_says(self, evse: int, status: str) -> None:
        if status == "Occupied":
            self._listener.occupied(evse)
        elif status in PLUGS:
            self._listener.plugged(evse, PLUGS[status])
            fault = status == "Faulted"
            self._listener.alarmed(evse, frozenset({Alarm.FAULT} if fault else ()))

    def _note(self, event: Event) -> None:
        component, variable = event["component"], event["variable"]
        where = component.get("evse")
        evse = 0 if where is None else where["id"]
        if variable["name"] == "AvailabilityState" and evse:
            self._connector_says(evse, event["actual_value"])
        elif variable["name"] == "Problem":
            fault = event["actual_value"].lower() == "true" and not event.get("cleared", False)
            self._listener.alarmed(evse, frozenset({Alarm.FAULT} if fault else ()))
        if event["trigger"] == "Alerting" and not event.get("cleared", False):
            name = f"{plain(component['name'])}.{plain(variable['name'])}"
            self._listener.warned("alert", f"{name} is {plain(event['actual_value'])}")

    def _token_info(self, token: Token) -> IdTokenInfoType:
        accepted = self._listener.accepts(token["id_token"])
        return IdTokenInfoType(
            status=AuthorizationStatusEnumType.accepted
            if accepted
            else AuthorizationStatusEnumType.invalid
        )
