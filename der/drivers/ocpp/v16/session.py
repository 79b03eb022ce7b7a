"""What a charger says by OCPP 1.6J."""

from collections.abc import Mapping
from typing import Final

from ocpp import v16
from ocpp.v16 import call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import (
    Action,
    AuthorizationStatus,
    DataTransferStatus,
    RegistrationStatus,
)

from der.drivers.ocpp.said import Said
from der.drivers.ocpp.session import HEARTBEAT_S, Session, Socket, handles, then, utc_text
from der.drivers.ocpp.v16.meter import MeterValue, measured
from der.drivers.ocpp.words import Boot, Listener, Plug
from der.model import Alarm

PLUGS: Final[Mapping[str, Plug]] = {
    "Available": Plug.FREE,
    "Reserved": Plug.FREE,
    "Preparing": Plug.PLUGGED,
    "Charging": Plug.CHARGING,
    "SuspendedEVSE": Plug.PAUSED_BY_HUB,
    "SuspendedEV": Plug.PAUSED_BY_CAR,
    "Finishing": Plug.FINISHING,
    "Unavailable": Plug.UNAVAILABLE,
    "Faulted": Plug.FAULTED,
}
"""By ChargePointStatus."""

ALARMS: Final[Mapping[str, Alarm]] = {
    "OverVoltage": Alarm.OVER_VOLTAGE,
    "UnderVoltage": Alarm.UNDER_VOLTAGE,
}
"""By ChargePointErrorCode; all others but NoError are just faults."""


class Session16(Session, v16.ChargePoint):  # type: ignore[misc] # the library is untyped
    """One connection of a charger that speaks OCPP 1.6J."""

    def __init__(self, name: str, socket: Socket, said: Said, listener: Listener) -> None:
        super().__init__(name, socket, said)
        self._listener = listener

    @handles(Action.boot_notification)
    def _boot(
        self, charge_point_vendor: str, charge_point_model: str, **more: str
    ) -> call_result.BootNotification:
        self._listener.booted(
            Boot(
                charge_point_vendor,
                charge_point_model,
                more.get("charge_point_serial_number", more.get("charge_box_serial_number", "")),
                more.get("firmware_version", ""),
            )
        )
        return call_result.BootNotification(
            current_time=utc_text(self._listener.now()),
            interval=HEARTBEAT_S,
            status=RegistrationStatus.accepted,
        )

    @then(Action.boot_notification)
    def _boot_answered(self, **_: str) -> None:
        self.ready.set()

    @handles(Action.heartbeat)
    def _heartbeat(self) -> call_result.Heartbeat:
        return call_result.Heartbeat(current_time=utc_text(self._listener.now()))

    @handles(Action.authorize)
    def _authorize(self, id_tag: str) -> call_result.Authorize:
        return call_result.Authorize(id_tag_info=self._tag_info(id_tag))

    @handles(Action.start_transaction)
    def _start(self, connector_id: int, id_tag: str, **_: object) -> call_result.StartTransaction:
        return call_result.StartTransaction(
            transaction_id=int(self._listener.started(connector_id, id_tag, None)),
            id_tag_info=self._tag_info(id_tag),
        )

    @handles(Action.stop_transaction)
    def _stop(self, transaction_id: int, **_: object) -> call_result.StopTransaction:
        self._listener.ended(str(transaction_id))
        return call_result.StopTransaction()

    @handles(Action.meter_values)
    def _meter_values(
        self,
        connector_id: int,
        meter_value: list[MeterValue],
        transaction_id: int | None = None,
    ) -> call_result.MeterValues:
        if transaction_id is not None:
            self._listener.running(connector_id, str(transaction_id))
        for value in meter_value:
            self._listener.measured(connector_id, measured([value]), value["timestamp"])
        return call_result.MeterValues()

    @handles(Action.status_notification)
    def _status(
        self, connector_id: int, status: str, error_code: str, timestamp: str = "", **_: object
    ) -> call_result.StatusNotification:
        self._listener.timed(timestamp)
        self._listener.alarmed(connector_id, _alarms(status, error_code))
        self._listener.plugged(connector_id, PLUGS[status])
        return call_result.StatusNotification()

    @handles(Action.data_transfer)
    def _data(self, vendor_id: str, **_: object) -> call_result.DataTransfer:
        self._listener.noted("DataTransfer", f"the hub has no use for data of {vendor_id!r}")
        return call_result.DataTransfer(status=DataTransferStatus.unknown_vendor_id)

    @handles(Action.firmware_status_notification)
    def _firmware(self, status: str) -> call_result.FirmwareStatusNotification:
        self._listener.noted("firmware update", status)
        return call_result.FirmwareStatusNotification()

    @handles(Action.diagnostics_status_notification)
    def _diagnostics(self, status: str) -> call_result.DiagnosticsStatusNotification:
        self._listener.noted("upload of diagnostics", status)
        return call_result.DiagnosticsStatusNotification()

    @handles(Action.security_event_notification)
    def _security_event(
        self,
        type: str,  # noqa: A002 - the protocol's name
        tech_info: str = "",
        **_: object,
    ) -> call_result.SecurityEventNotification:
        self._listener.warned("ALARM, a security event", f"{type} {tech_info}")
        return call_result.SecurityEventNotification()

    def _tag_info(self, id_tag: str) -> IdTagInfo:
        accepted = self._listener.accepts(id_tag)
        return IdTagInfo(
            status=AuthorizationStatus.accepted if accepted else AuthorizationStatus.invalid
        )


def _alarms(status: str, error_code: str) -> frozenset[Alarm]:
    if error_code == "NoError":
        return frozenset({Alarm.FAULT} if status == "Faulted" else ())
    return frozenset({ALARMS.get(error_code, Alarm.FAULT)})
