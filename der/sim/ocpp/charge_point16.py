"""What the charger says and answers by OCPP 1.6J."""

from collections.abc import Callable, Mapping

from ocpp import v16
from ocpp.v16 import call, call_result
from ocpp.v16.enums import Action

from der.sim.ocpp.charge_point import Connection, Report, after, on
from der.sim.ocpp.charger import (
    CONNECTOR,
    HIGHEST_STACK_LEVEL,
    MOST_PROFILES,
    Charger,
    Filter,
    Status,
)
from der.sim.ocpp.measured import MEASURANDS, measured16
from der.sim.ocpp.profiles import ProfileJson, parse16, timestamp
from der.sim.sunspec.unit import MAKER, VERSION

READ_ONLY_KEYS: Mapping[str, str] = {
    "ChargeProfileMaxStackLevel": str(HIGHEST_STACK_LEVEL),
    "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
    "ChargingScheduleMaxPeriods": "24",
    "MaxChargingProfilesInstalled": str(MOST_PROFILES),
    "MeterValuesSampledData": ",".join(MEASURANDS),
    "NumberOfConnectors": "1",
    "SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger",
}
"""OCPP 1.6, chapter 9."""

REPORTS = frozenset(Report) - {Report.TRANSACTION}


class Connection16(Connection, v16.ChargePoint):  # type: ignore[misc] # the library has no types
    """One connection by OCPP 1.6J."""

    async def send_boot(self) -> tuple[str, int]:
        """BootNotification."""
        answer = await self.ask(
            call.BootNotification(
                charge_point_model="EV charger",
                charge_point_vendor=MAKER,
                charge_point_serial_number="SIM-EV-1",
                firmware_version=VERSION,
            )
        )
        return ("", 1) if answer is None else (answer.status, answer.interval)

    async def send_heartbeat(self) -> None:
        """Heartbeat."""
        await self.ask(call.Heartbeat())

    async def send_status(self, status: Status) -> None:
        """StatusNotification."""
        await self.ask(
            call.StatusNotification(
                connector_id=CONNECTOR,
                error_code="NoError",
                status=status,
                timestamp=timestamp(self.charger.clock()),
            )
        )

    async def send_start(self) -> tuple[str, bool] | None:
        """StartTransaction."""
        answer = await self.ask(
            call.StartTransaction(
                connector_id=CONNECTOR,
                id_tag="SIMULATED-CAR",
                meter_start=round(self.charger.shown.ev.import_wh),
                timestamp=timestamp(self.charger.clock()),
            )
        )
        if answer is None:
            return None
        return str(answer.transaction_id), answer.id_tag_info["status"] == "Accepted"

    async def send_stop(self, transaction: str, reason: str) -> None:
        """StopTransaction."""
        await self.ask(
            call.StopTransaction(
                meter_stop=round(self.charger.shown.ev.import_wh),
                timestamp=timestamp(self.charger.clock()),
                transaction_id=int(transaction),
                reason=reason,
            )
        )

    async def send_meter(self, context: str) -> None:
        """MeterValues."""
        charger = self.charger
        running = charger.transaction
        await self.ask(
            call.MeterValues(
                connector_id=CONNECTOR,
                meter_value=[measured16(charger, context)],
                transaction_id=None if running is None else int(running.id),
            )
        )

    @on(Action.set_charging_profile)
    def _on_set_profile(self, connector_id: int, cs_charging_profiles: ProfileJson) -> object:
        try:
            profile = parse16(cs_charging_profiles, connector_id, self.charger.clock())
        except ValueError:
            return call_result.SetChargingProfile(status="Rejected")
        accepted = self.charger.install(profile)
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
        cleared = self.charger.clear(which)
        return call_result.ClearChargingProfile(status="Accepted" if cleared else "Unknown")

    @on(Action.get_composite_schedule)
    def _on_composite(
        self, connector_id: int, duration: int, charging_rate_unit: str | None = None
    ) -> object:
        if connector_id not in {0, CONNECTOR} or charging_rate_unit == "A" or duration <= 0:
            return call_result.GetCompositeSchedule(status="Rejected")
        periods = [
            {
                "start_period": round(period.start_s),
                "limit": round(period.limit, 1),
                "number_phases": period.phases,
            }
            for period in self.charger.schedule(duration)
        ]
        return call_result.GetCompositeSchedule(
            status="Accepted",
            connector_id=connector_id,
            schedule_start=timestamp(self.charger.clock()),
            charging_schedule={
                "duration": duration,
                "charging_rate_unit": "W",
                "charging_schedule_period": periods,
            },
        )

    @on(Action.change_configuration)
    def _on_change_configuration(self, key: str, value: str) -> object:
        return call_result.ChangeConfiguration(status=self._configure(key, value))

    @on(Action.get_configuration)
    def _on_get_configuration(self, key: list[str] | None = None) -> object:
        switches = {"ConnectorSwitch3to1PhaseSupported": str(self.charger.rating.switches).lower()}
        changeable = {name: str(value(self.charger)) for name, value in SETTINGS.items()}
        known = {**READ_ONLY_KEYS, **switches, **changeable}
        wanted = known if key is None else key
        return call_result.GetConfiguration(
            configuration_key=[
                {"key": name, "readonly": name not in SETTINGS, "value": known[name]}
                for name in wanted
                if name in known
            ],
            unknown_key=[name for name in wanted if name not in known],
        )

    @on(Action.trigger_message)
    def _on_trigger(self, requested_message: str, connector_id: int = CONNECTOR) -> object:
        if requested_message not in REPORTS or connector_id != CONNECTOR:
            return call_result.TriggerMessage(status="NotImplemented")
        return call_result.TriggerMessage(status="Accepted")

    @after(Action.trigger_message)
    def _after_trigger(self, requested_message: str, connector_id: int = CONNECTOR) -> None:
        if requested_message in REPORTS and connector_id == CONNECTOR:
            self.trigger(Report(requested_message))

    @on(Action.change_availability)
    def _on_availability(self, connector_id: int, type: str) -> object:  # noqa: A002
        if connector_id not in {0, CONNECTOR}:
            return call_result.ChangeAvailability(status="Rejected")
        self.charger.permit(operative=type == "Operative")
        return call_result.ChangeAvailability(status="Accepted")

    @on(Action.remote_start_transaction)
    def _on_remote_start(self, id_tag: str, **_: object) -> object:  # noqa: ARG002
        may = self.charger.transaction is None and self.charger.home.ev_plugged
        if may:
            self.charger.stopped = False
        return call_result.RemoteStartTransaction(status="Accepted" if may else "Rejected")

    @on(Action.remote_stop_transaction)
    def _on_remote_stop(self, transaction_id: int) -> object:
        running = self.charger.transaction
        if running is None or running.id != str(transaction_id):
            return call_result.RemoteStopTransaction(status="Rejected")
        self.charger.stopped = True
        self.stop_reason = "Remote"
        return call_result.RemoteStopTransaction(status="Accepted")

    @on(Action.reset)
    def _on_reset(self, type: str) -> object:  # noqa: A002, ARG002
        return call_result.Reset(status="Accepted")

    @after(Action.reset)
    def _after_reset(self, type: str) -> None:  # noqa: A002
        self.reset(f"{type}Reset")

    def _configure(self, key: str, value: str) -> str:
        """Change a configuration key; returns the ConfigurationStatus."""
        charger = self.charger
        if key in READ_ONLY_KEYS:
            return "Rejected"
        if key == "AllowOfflineTxForUnknownId" and value in {"true", "false"}:
            charger.offline_unknown = value == "true"
        elif key == "HeartbeatInterval" and value.isdecimal():
            charger.heartbeat_s = int(value)
        elif key == "MeterValueSampleInterval" and value.isdecimal():
            charger.sample_s = int(value)
        else:
            return "Rejected" if key in SETTINGS else "NotSupported"
        charger.configured(key, value)
        return "Accepted"


SETTINGS: Mapping[str, Callable[[Charger], object]] = {
    "AllowOfflineTxForUnknownId": lambda charger: str(charger.offline_unknown).lower(),
    "HeartbeatInterval": lambda charger: charger.heartbeat_s,
    "MeterValueSampleInterval": lambda charger: charger.sample_s,
}
"""What can be changed."""
