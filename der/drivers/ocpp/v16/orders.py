"""What a charger is told by OCPP 1.6J."""

from typing import Final

from ocpp.v16 import call, call_result
from ocpp.v16.enums import AvailabilityType, MessageTrigger, ResetType

from der.addresses import StationAddress
from der.drivers.ocpp.meter import MEASURANDS
from der.drivers.ocpp.plan import Plan, Step
from der.drivers.ocpp.said import Said, plain
from der.drivers.ocpp.schedule import steps
from der.drivers.ocpp.session import Socket
from der.drivers.ocpp.v16.profiles import profile
from der.drivers.ocpp.v16.session import Session16
from der.drivers.ocpp.words import Listener
from der.errors import PermanentError

FACTS: Final = (
    "ChargeProfileMaxStackLevel",
    "ChargingScheduleAllowedChargingRateUnit",
    "ConnectorSwitch3to1PhaseSupported",
    "MaxChargingProfilesInstalled",
    "NumberOfConnectors",
    "SupportedFeatureProfiles",
)
"""Configuration keys of interest (OCPP 1.6, chapter 9)."""


class Orders16:
    """Tells one charger, on one connection."""

    def __init__(
        self, address: StationAddress, name: str, socket: Socket, said: Said, listener: Listener
    ) -> None:
        self.session: Session16 = Session16(name, socket, said, listener)
        self._connector = address.connector
        self._wiring = address.wiring
        self._said = said
        self._listener = listener

    async def install(self, plan: Plan, what: str) -> None:
        """SetChargingProfile."""
        await self.session.told(
            call.SetChargingProfile(self._connector, profile(plan)),
            call_result.SetChargingProfile,
            what,
        )

    async def clear(self, plan: int, what: str) -> None:
        """ClearChargingProfile; its status "Unknown" only says that the profile had gone."""
        await self.session.request(
            call.ClearChargingProfile(id=plan), call_result.ClearChargingProfile, what
        )

    async def configure(self, sample_s: int, *, any_card: bool) -> None:
        """ChangeConfiguration, key by key.

        Many chargers have some of it fixed, and serve all the same: that is noted and no error.
        """
        for key, value in (
            ("MeterValueSampleInterval", str(sample_s)),
            ("MeterValuesSampledData", ",".join(MEASURANDS)),
            ("AllowOfflineTxForUnknownId", str(any_card).lower()),
        ):
            try:
                await self.session.told(
                    call.ChangeConfiguration(key, value), call_result.ChangeConfiguration, key
                )
            except PermanentError as error:
                self._said.note("setting", str(error).removeprefix(f"{self.session.name}: "))

    async def facts(self) -> None:
        """GetConfiguration."""
        answer = await self.session.request(
            call.GetConfiguration(key=list(FACTS)), call_result.GetConfiguration, "configuration"
        )
        found = answer.configuration_key or []
        self._listener.reported(
            {plain(one["key"]): plain(one.get("value", "")) for one in found if one["key"] in FACTS}
        )

    async def ask_status(self) -> None:
        """TriggerMessage."""
        await self._trigger(MessageTrigger.status_notification, "request for status")

    async def ask_heartbeat(self) -> None:
        """TriggerMessage."""
        await self.session.told(
            call.TriggerMessage(MessageTrigger.heartbeat),
            call_result.TriggerMessage,
            "request for its heartbeat",
        )

    async def ask_meter_values(self) -> None:
        """TriggerMessage."""
        await self._trigger(MessageTrigger.meter_values, "request for meter values")

    async def schedule(self, seconds: int) -> tuple[Step, ...]:
        """GetCompositeSchedule."""
        what = "composite schedule"
        answer = await self.session.request(
            call.GetCompositeSchedule(self._connector, seconds),
            call_result.GetCompositeSchedule,
            what,
        )
        self.session.check(str(answer.status), what)
        return steps(answer.charging_schedule, self._wiring)

    async def start(self, tag: str) -> str:
        """RemoteStartTransaction."""
        return await self.session.told(
            call.RemoteStartTransaction(tag, self._connector),
            call_result.RemoteStartTransaction,
            "start of charging",
        )

    async def stop(self, transaction: str) -> str:
        """RemoteStopTransaction."""
        return await self.session.told(
            call.RemoteStopTransaction(int(transaction)),
            call_result.RemoteStopTransaction,
            "stop of charging",
        )

    async def permit(self, *, operative: bool) -> str:
        """ChangeAvailability."""
        kind = AvailabilityType.operative if operative else AvailabilityType.inoperative
        return await self.session.told(
            call.ChangeAvailability(self._connector, kind),
            call_result.ChangeAvailability,
            f"change to {kind.value}",
        )

    async def reset(self, *, hard: bool) -> str:
        """Reset."""
        return await self.session.told(
            call.Reset(ResetType.hard if hard else ResetType.soft), call_result.Reset, "restart"
        )

    async def _trigger(self, message: MessageTrigger, what: str) -> None:
        await self.session.told(
            call.TriggerMessage(message, self._connector), call_result.TriggerMessage, what
        )
