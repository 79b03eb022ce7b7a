"""What a charging station is told by OCPP 2.0.1."""

from typing import Final

from ocpp.v201 import call, call_result
from ocpp.v201.datatypes import (
    ComponentType,
    EVSEType,
    GetVariableDataType,
    IdTokenType,
    SetVariableDataType,
    VariableType,
)
from ocpp.v201.enums import (
    IdTokenEnumType,
    MessageTriggerEnumType,
    OperationalStatusEnumType,
    ResetEnumType,
)

from der.addresses import StationAddress
from der.drivers.ocpp.meter import MEASURANDS
from der.drivers.ocpp.plan import Plan, Step
from der.drivers.ocpp.said import Said, plain
from der.drivers.ocpp.schedule import steps
from der.drivers.ocpp.session import Socket
from der.drivers.ocpp.v201.profiles import profile
from der.drivers.ocpp.v201.session import Session201
from der.drivers.ocpp.words import Listener
from der.errors import PermanentError

FACTS: Final = (
    ("SmartChargingCtrlr", "Enabled"),
    ("SmartChargingCtrlr", "ACPhaseSwitchingSupported"),
    ("SmartChargingCtrlr", "Entries"),
    ("SmartChargingCtrlr", "PeriodsPerSchedule"),
    ("SmartChargingCtrlr", "ProfileStackLevel"),
    ("SmartChargingCtrlr", "RateUnit"),
    ("SecurityCtrlr", "SecurityProfile"),
)
"""Components and variables of interest (OCPP 2.0.1 part 2, appendix 3)."""

_ONE: Final = 1
_MEASURED: Final = ",".join(MEASURANDS)


class Orders201:
    """Tells one station, on one connection."""

    def __init__(
        self, address: StationAddress, name: str, socket: Socket, said: Said, listener: Listener
    ) -> None:
        self._evse = address.connector
        self.session: Session201 = Session201(name, socket, said, listener, self._evse)
        self._wiring = address.wiring
        self._said = said
        self._listener = listener
        self._starts = 0

    async def install(self, plan: Plan, what: str) -> None:
        """SetChargingProfile."""
        await self.session.told(
            call.SetChargingProfile(self._evse, profile(plan)),
            call_result.SetChargingProfile,
            what,
        )

    async def clear(self, plan: int, what: str) -> None:
        """ClearChargingProfile; its status "Unknown" only says that the profile had gone."""
        await self.session.request(
            call.ClearChargingProfile(charging_profile_id=plan),
            call_result.ClearChargingProfile,
            what,
        )

    async def configure(self, sample_s: int, *, any_card: bool) -> None:
        """SetVariables, all in one call.

        Many stations have some of it fixed, and serve all the same: that is noted and no error.
        """
        wanted = (
            ("SampledDataCtrlr", "TxUpdatedInterval", str(sample_s)),
            ("SampledDataCtrlr", "TxUpdatedMeasurands", _MEASURED),
            ("SampledDataCtrlr", "TxStartedMeasurands", _MEASURED),
            ("AuthCtrlr", "OfflineTxForUnknownIdEnabled", str(any_card).lower()),
        )
        answer = await self.session.request(
            call.SetVariables(
                [
                    SetVariableDataType(value, ComponentType(component), VariableType(variable))
                    for component, variable, value in wanted
                ]
            ),
            call_result.SetVariables,
            "settings",
        )
        for one in answer.set_variable_result:
            if one["attribute_status"] not in {"Accepted", "RebootRequired"}:
                name = f"{one['component']['name']}.{one['variable']['name']}"
                self._said.note("setting", f"{name}: the charger says {one['attribute_status']}")

    async def facts(self) -> None:
        """GetVariables."""
        answer = await self.session.request(
            call.GetVariables(
                [GetVariableDataType(ComponentType(c), VariableType(v)) for c, v in FACTS]
            ),
            call_result.GetVariables,
            "variables",
        )
        self._listener.reported(
            {
                f"{plain(one['component']['name'])}.{plain(one['variable']['name'])}": plain(
                    one["attribute_value"]
                )
                for one in answer.get_variable_result
                if "attribute_value" in one
            }
        )

    async def ask_status(self) -> None:
        """TriggerMessage; a station may know it only of a connector, never of an EVSE."""
        await self._trigger(
            MessageTriggerEnumType.status_notification,
            EVSEType(self._evse, _ONE),
            "request for status",
        )

    async def ask_heartbeat(self) -> None:
        """TriggerMessage."""
        await self._trigger(MessageTriggerEnumType.heartbeat, None, "request for its heartbeat")

    async def ask_meter_values(self) -> None:
        """TriggerMessage: of the transaction, or where none runs of the EVSE."""
        evse, what = EVSEType(self._evse), "request for meter values"
        try:
            await self._trigger(MessageTriggerEnumType.transaction_event, evse, what)
        except PermanentError:
            await self._trigger(MessageTriggerEnumType.meter_values, evse, what)

    async def schedule(self, seconds: int) -> tuple[Step, ...]:
        """GetCompositeSchedule."""
        what = "composite schedule"
        answer = await self.session.request(
            call.GetCompositeSchedule(seconds, self._evse), call_result.GetCompositeSchedule, what
        )
        self.session.check(str(answer.status), what)
        return steps(answer.schedule, self._wiring)

    async def start(self, tag: str) -> str:
        """RequestStartTransaction."""
        self._starts += 1
        return await self.session.told(
            call.RequestStartTransaction(
                IdTokenType(tag, IdTokenEnumType.central), self._starts, self._evse
            ),
            call_result.RequestStartTransaction,
            "start of charging",
        )

    async def stop(self, transaction: str) -> str:
        """RequestStopTransaction."""
        return await self.session.told(
            call.RequestStopTransaction(transaction),
            call_result.RequestStopTransaction,
            "stop of charging",
        )

    async def permit(self, *, operative: bool) -> str:
        """ChangeAvailability."""
        kind = OperationalStatusEnumType.operative
        if not operative:
            kind = OperationalStatusEnumType.inoperative
        return await self.session.told(
            call.ChangeAvailability(kind, EVSEType(self._evse)),
            call_result.ChangeAvailability,
            f"change to {kind.value}",
        )

    async def reset(self, *, hard: bool) -> str:
        """Reset; in this version a restart waits for the car's departure unless it is at once."""
        kind = ResetEnumType.immediate if hard else ResetEnumType.on_idle
        return await self.session.told(call.Reset(kind), call_result.Reset, "restart")

    async def _trigger(
        self, message: MessageTriggerEnumType, evse: EVSEType | None, what: str
    ) -> None:
        await self.session.told(
            call.TriggerMessage(message, evse), call_result.TriggerMessage, what
        )
