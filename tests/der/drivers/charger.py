"""A charger's side of OCPP 1.6J for tests: the `ocpp` library over aiohttp's WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TypeVar, cast

from aiohttp import ClientSession, ClientWebSocketResponse, encode_basic_auth
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action

from der.drivers.ocpp.central import SUBPROTOCOL

Handler = TypeVar("Handler", bound=Callable[..., object])


def _handles(action: str) -> Callable[[Handler], Handler]:
    return cast("Callable[[Handler], Handler]", on(action))


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
        heard: Set with each call of the hub.
        answers: Statuses to answer instead of "Accepted", by call.
        mute: Calls that are never answered.
        gate: Answers wait until it is set.
    """

    def __init__(self, identity: str, socket: ClientWebSocketResponse) -> None:
        super().__init__(identity, _Wire(socket), response_timeout=5)
        self.socket = socket
        self.asked: asyncio.Queue[tuple[str, dict[str, object]]] = asyncio.Queue()
        self.answers: dict[str, str] = {}
        self.mute: set[str] = set()
        self.gate = asyncio.Event()
        self.gate.set()

    async def boot(self) -> call_result.BootNotification:
        return await self.call(call.BootNotification("Model E", "Maker", firmware_version="9"))

    async def status(self, status: str, connector: int = 1) -> None:
        await self.call(call.StatusNotification(connector, "NoError", status))

    async def measure(self, **values: str) -> None:
        """Send meter values; an underscore in a name stands for a dot."""
        sampled = [{"measurand": name.replace("_", "."), "value": v} for name, v in values.items()]
        stamp = datetime.now(UTC).isoformat()
        await self.call(call.MeterValues(1, [{"timestamp": stamp, "sampledValue": sampled}]))

    async def next(self, name: str) -> dict[str, object]:
        """Wait for the hub's next call of this name."""
        async with asyncio.timeout(5):
            while True:
                asked, payload = await self.asked.get()
                if asked == name:
                    return payload

    async def _answer(self, name: str, payload: dict[str, object]) -> str:
        self.asked.put_nowait((name, payload))
        if name in self.mute:
            await asyncio.Event().wait()
        await self.gate.wait()
        return self.answers.get(name, "Accepted")

    @_handles(Action.set_charging_profile)
    async def _set(self, **payload: object) -> call_result.SetChargingProfile:
        return call_result.SetChargingProfile(await self._answer("SetChargingProfile", payload))

    @_handles(Action.clear_charging_profile)
    async def _clear(self, **payload: object) -> call_result.ClearChargingProfile:
        return call_result.ClearChargingProfile(await self._answer("ClearChargingProfile", payload))

    @_handles(Action.change_configuration)
    async def _configure(self, **payload: object) -> call_result.ChangeConfiguration:
        return call_result.ChangeConfiguration(await self._answer("ChangeConfiguration", payload))

    @_handles(Action.trigger_message)
    async def _trigger(self, **payload: object) -> call_result.TriggerMessage:
        return call_result.TriggerMessage(await self._answer("TriggerMessage", payload))

    @_handles(Action.change_availability)
    async def _availability(self, **payload: object) -> call_result.ChangeAvailability:
        return call_result.ChangeAvailability(await self._answer("ChangeAvailability", payload))

    @_handles(Action.remote_stop_transaction)
    async def _stop(self, **payload: object) -> call_result.RemoteStopTransaction:
        return call_result.RemoteStopTransaction(
            await self._answer("RemoteStopTransaction", payload)
        )


def url(port: int, identity: str) -> str:
    """Return where a charger calls."""
    return f"http://127.0.0.1:{port}/ocpp/{identity}"


@asynccontextmanager
async def charger(
    port: int, identity: str, *, password: str = "", boot: bool = True
) -> AsyncIterator[Charger]:
    """Call the hub and listen to it."""
    headers = {"Authorization": encode_basic_auth(identity, password)} if password else {}
    async with (
        ClientSession() as http,
        http.ws_connect(url(port, identity), protocols=(SUBPROTOCOL,), headers=headers) as socket,
    ):
        charge_point = Charger(identity, socket)
        listening = asyncio.create_task(charge_point.start())
        try:
            if boot:
                await charge_point.boot()
            yield charge_point
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError, TypeError, ConnectionError):
                await listening
