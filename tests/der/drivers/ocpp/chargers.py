"""A charger's side of OCPP for tests, of either version: the `ocpp` library over WebSockets."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from aiohttp import ClientSession, ClientWebSocketResponse, encode_basic_auth
from ocpp import v16, v201
from ocpp.charge_point import ChargePoint
from ocpp.routing import on
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201

Handler = TypeVar("Handler", bound=Callable[..., object])
CARD = "card"
TRANSACTION = "T-1"


def _handles(action: str) -> Callable[[Handler], Handler]:
    return cast("Callable[[Handler], Handler]", on(action))


def stamp(ahead_s: float = 0.0) -> str:
    """Return the time as a charger says it whose clock is ahead."""
    return datetime.fromtimestamp(datetime.now(UTC).timestamp() + ahead_s, UTC).isoformat()


@dataclass(frozen=True)
class Told:
    """A charging profile as the hub sent it, of either version."""

    id: int
    level: int
    purpose: str
    kind: str
    unit: str
    periods: list[tuple[float, float, int]]
    start: float | None
    duration: int | None
    transaction: object


class _Wire:
    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket

    async def recv(self) -> str:
        return await self._socket.receive_str()

    async def send(self, message: str) -> None:
        await self._socket.send_str(message)


class Charger(ChargePoint):  # type: ignore[misc] # the library is untyped
    """Records what the hub asks, and answers as told.

    Attributes:
        asked: Names and payloads of the hub's calls.
        answers: Statuses to answer instead of "Accepted", by call; those of profiles also by
            call and purpose.
        mute: Calls that are never answered.
        late: Calls that are answered after so many seconds.
        gate: Answers wait until it is set.
        ahead_s: By how much its clock is ahead.
    """

    def __init__(self, identity: str, socket: ClientWebSocketResponse) -> None:
        super().__init__(identity, _Wire(socket), response_timeout=5)
        self.socket = socket
        self.asked: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self.answers: dict[str, str] = {}
        self.mute: set[str] = set()
        self.late: dict[str, float] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.ahead_s = 0.0
        self.schedule: list[dict[str, object]] | None = None

    async def boot(self) -> Any:
        raise NotImplementedError

    async def plug(self, state: str) -> None:
        """Say what the cable does, in the words of 1.6's ChargePointStatus."""
        raise NotImplementedError

    async def measure(self, **values: float | str) -> None:
        """Send meter values; an underscore in a name stands for a dot, a double one for a phase."""
        raise NotImplementedError

    async def start_charging(self, tag: str = CARD) -> tuple[str, str]:
        """Start a transaction; returns its id and whether the card is accepted."""
        raise NotImplementedError

    async def stop_charging(self, transaction: str) -> None:
        raise NotImplementedError

    async def warn(self, kind: str, info: str) -> None:
        """Send a SecurityEventNotification."""
        raise NotImplementedError

    def told(self, payload: Mapping[str, Any]) -> Told:
        """Return the profile of a SetChargingProfile."""
        raise NotImplementedError

    async def next(self, name: str) -> dict[str, Any]:
        """Wait for the hub's next call of this name."""
        async with asyncio.timeout(10):
            while True:
                asked, payload = await self.asked.get()
                if asked == name:
                    return payload

    async def limit(self) -> Told:
        """Wait for the hub's next charging profile."""
        return self.told(await self.next("SetChargingProfile"))

    async def answer(self, name: str, payload: dict[str, Any]) -> str:
        self.asked.put_nowait((name, payload))
        if name in self.mute:
            await asyncio.Event().wait()
        if name in self.late:
            await asyncio.sleep(self.late[name])
        await self.gate.wait()
        if name == "SetChargingProfile":
            purpose = self.told(payload).purpose
            if purpose in self.answers:
                return self.answers[purpose]
        return self.answers.get(name, "Accepted")


class Charger16(Charger, v16.ChargePoint):  # type: ignore[misc] # the library is untyped
    """A charger that speaks OCPP 1.6J."""

    async def boot(self) -> Any:
        return await self.call(call16.BootNotification("Model E", "Maker", firmware_version="9"))

    async def plug(self, state: str, connector: int = 1, error: str = "NoError") -> None:
        await self.call(
            call16.StatusNotification(connector, error, state, timestamp=stamp(self.ahead_s))
        )

    async def measure(self, **values: float | str) -> None:
        sampled = []
        for name, value in values.items():
            measurand, _, phase = name.partition("__")
            one = {"measurand": measurand.replace("_", "."), "value": str(value)}
            sampled.append(one | ({"phase": phase.replace("_", "-")} if phase else {}))
        message = {"timestamp": stamp(self.ahead_s), "sampledValue": sampled}
        await self.call(call16.MeterValues(1, [message]))

    async def start_charging(self, tag: str = CARD) -> tuple[str, str]:
        answer = await self.call(call16.StartTransaction(1, tag, 0, stamp()))
        return str(answer.transaction_id), str(answer.id_tag_info["status"])

    async def stop_charging(self, transaction: str) -> None:
        await self.call(call16.StopTransaction(9, stamp(), int(transaction)))

    async def warn(self, kind: str, info: str) -> None:
        await self.call(call16.SecurityEventNotification(kind, stamp(), info))

    def told(self, payload: Mapping[str, Any]) -> Told:
        assert payload["connector_id"] == 1
        profile = payload["cs_charging_profiles"]
        return _told(profile, profile["charging_profile_id"], profile["charging_schedule"])

    @_handles("SetChargingProfile")
    async def _set(self, **payload: Any) -> Any:
        return result16.SetChargingProfile(await self.answer("SetChargingProfile", payload))

    @_handles("ClearChargingProfile")
    async def _clear(self, **payload: Any) -> Any:
        return result16.ClearChargingProfile(await self.answer("ClearChargingProfile", payload))

    @_handles("ChangeConfiguration")
    async def _configure(self, **payload: Any) -> Any:
        return result16.ChangeConfiguration(await self.answer("ChangeConfiguration", payload))

    @_handles("GetConfiguration")
    async def _configuration(self, **payload: Any) -> Any:
        await self.answer("GetConfiguration", payload)
        known = {"key": "NumberOfConnectors", "readonly": True, "value": "1"}
        return result16.GetConfiguration(configuration_key=[known], unknown_key=[])

    @_handles("GetCompositeSchedule")
    async def _composite(self, **payload: Any) -> Any:
        status = await self.answer("GetCompositeSchedule", payload)
        if self.schedule is None:
            return result16.GetCompositeSchedule(status)
        return result16.GetCompositeSchedule(
            status,
            connector_id=1,
            schedule_start=stamp(),
            charging_schedule={
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": self.schedule,
            },
        )

    @_handles("TriggerMessage")
    async def _trigger(self, **payload: Any) -> Any:
        return result16.TriggerMessage(await self.answer("TriggerMessage", payload))

    @_handles("ChangeAvailability")
    async def _availability(self, **payload: Any) -> Any:
        return result16.ChangeAvailability(await self.answer("ChangeAvailability", payload))

    @_handles("RemoteStartTransaction")
    async def _remote_start(self, **payload: Any) -> Any:
        return result16.RemoteStartTransaction(await self.answer("RemoteStart", payload))

    @_handles("RemoteStopTransaction")
    async def _remote_stop(self, **payload: Any) -> Any:
        return result16.RemoteStopTransaction(await self.answer("RemoteStop", payload))


STATES = {
    "Charging": "Charging",
    "SuspendedEV": "SuspendedEV",
    "SuspendedEVSE": "SuspendedEVSE",
    "Preparing": "EVConnected",
}


class Charger201(Charger, v201.ChargePoint):  # type: ignore[misc] # the library is untyped
    """A station that speaks OCPP 2.0.1."""

    def __init__(self, identity: str, socket: ClientWebSocketResponse) -> None:
        super().__init__(identity, socket)
        self._sequence = 0

    async def boot(self) -> Any:
        station = {"vendorName": "Maker", "model": "Model E", "firmwareVersion": "9"}
        return await self.call(call201.BootNotification(station, "PowerUp"))

    async def plug(self, state: str, connector: int = 1) -> None:
        if state in STATES:
            await self.event("Updated", charging_state=STATES[state])
        else:
            await self.call(call201.StatusNotification(stamp(self.ahead_s), state, connector, 1))

    async def measure(self, **values: float | str) -> None:
        sampled = []
        for name, value in values.items():
            measurand, _, phase = name.partition("__")
            one: dict[str, object] = {"measurand": measurand.replace("_", "."), "value": value}
            sampled.append(one | ({"phase": phase.replace("_", "-")} if phase else {}))
        message = {"timestamp": stamp(self.ahead_s), "sampledValue": sampled}
        await self.call(call201.MeterValues(1, [message]))

    async def event(self, kind: str, tag: str = "", **info: object) -> Any:
        """Send a TransactionEvent."""
        self._sequence += 1
        return await self.call(
            call201.TransactionEvent(
                kind,
                stamp(self.ahead_s),
                "ChargingStateChanged",
                self._sequence,
                {"transactionId": TRANSACTION, **info},
                evse={"id": 1},
                id_token={"idToken": tag, "type": "Central"} if tag else None,
            )
        )

    async def start_charging(self, tag: str = CARD) -> tuple[str, str]:
        answer = await self.event("Started", tag)
        return TRANSACTION, str(answer.id_token_info["status"])

    async def stop_charging(self, transaction: str) -> None:
        assert transaction == TRANSACTION
        await self.event("Ended")

    async def warn(self, kind: str, info: str) -> None:
        await self.call(call201.SecurityEventNotification(kind, stamp(), info))

    def told(self, payload: Mapping[str, Any]) -> Told:
        assert payload["evse_id"] == 1
        profile = payload["charging_profile"]
        (schedule,) = profile["charging_schedule"]
        return _told(profile, profile["id"], schedule)

    @_handles("SetChargingProfile")
    async def _set(self, **payload: Any) -> Any:
        return result201.SetChargingProfile(await self.answer("SetChargingProfile", payload))

    @_handles("ClearChargingProfile")
    async def _clear(self, **payload: Any) -> Any:
        return result201.ClearChargingProfile(await self.answer("ClearChargingProfile", payload))

    @_handles("SetVariables")
    async def _configure(self, set_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        status = await self.answer("SetVariables", {"data": set_variable_data})
        return result201.SetVariables(
            [
                {
                    "attributeStatus": status,
                    "component": one["component"],
                    "variable": one["variable"],
                }
                for one in set_variable_data
            ]
        )

    @_handles("GetVariables")
    async def _variables(self, get_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        await self.answer("GetVariables", {"data": get_variable_data})
        return result201.GetVariables(
            [
                {
                    "attributeStatus": "Accepted",
                    "attributeValue": "true",
                    "component": one["component"],
                    "variable": one["variable"],
                }
                for one in get_variable_data
            ]
        )

    @_handles("GetCompositeSchedule")
    async def _composite(self, **payload: Any) -> Any:
        status = await self.answer("GetCompositeSchedule", payload)
        if self.schedule is None:
            return result201.GetCompositeSchedule(status)
        return result201.GetCompositeSchedule(
            status,
            schedule={
                "evseId": 1,
                "duration": 60,
                "scheduleStart": stamp(),
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": self.schedule,
            },
        )

    @_handles("TriggerMessage")
    async def _trigger(self, **payload: Any) -> Any:
        return result201.TriggerMessage(await self.answer("TriggerMessage", payload))

    @_handles("ChangeAvailability")
    async def _availability(self, **payload: Any) -> Any:
        return result201.ChangeAvailability(await self.answer("ChangeAvailability", payload))

    @_handles("RequestStartTransaction")
    async def _remote_start(self, **payload: Any) -> Any:
        return result201.RequestStartTransaction(await self.answer("RemoteStart", payload))

    @_handles("RequestStopTransaction")
    async def _remote_stop(self, **payload: Any) -> Any:
        return result201.RequestStopTransaction(await self.answer("RemoteStop", payload))


def _told(profile: Mapping[str, Any], number: int, schedule: Mapping[str, Any]) -> Told:
    start = schedule.get("start_schedule")
    return Told(
        number,
        profile["stack_level"],
        profile["charging_profile_purpose"],
        profile["charging_profile_kind"],
        schedule["charging_rate_unit"],
        [
            (one["start_period"], float(one["limit"]), one["number_phases"])
            for one in schedule["charging_schedule_period"]
        ],
        None if start is None else datetime.fromisoformat(start).timestamp(),
        schedule.get("duration"),
        profile.get("transaction_id"),
    )


CHARGERS: Mapping[str, type[Charger]] = {"ocpp1.6": Charger16, "ocpp2.0.1": Charger201}


def url(port: int, identity: str, scheme: str = "http") -> str:
    """Return where a charger calls."""
    return f"{scheme}://127.0.0.1:{port}/ocpp/{identity}"


@asynccontextmanager
async def calling(
    port: int,
    subprotocol: str,
    identity: str = "CP1",
    *,
    password: str = "",
    boot: bool = True,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Charger]:
    """Call the hub and listen to it."""
    headers = {"Authorization": encode_basic_auth(identity, password)} if password else {}
    where = url(port, identity, "http" if tls is None else "https")
    async with (
        ClientSession() as http,
        http.ws_connect(
            where, protocols=(subprotocol,), headers=headers, ssl=True if tls is None else tls
        ) as socket,
    ):
        charger = CHARGERS[subprotocol](identity, socket)
        listening = asyncio.create_task(charger.start())
        try:
            if boot:
                await charger.boot()
            yield charger
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError, TypeError, ConnectionError):
                await listening
