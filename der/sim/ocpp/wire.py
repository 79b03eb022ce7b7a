"""The WebSocket that the simulated charger talks through, faults included."""

import asyncio
import json

from aiohttp import ClientWebSocketResponse, WSMsgType

from der.sim.faults import Fault, FaultKind

CALL, CALL_ERROR = 2, 4
"""OCPP-J message types."""

LEAST_CALL_PARTS = 3


class ConnectionEndedError(Exception):
    """The WebSocket is closed; the charger begins anew."""


class FaultySocket:
    """The `recv` and `send` that the OCPP library asks for, over aiohttp, faults included."""

    def __init__(self, socket: ClientWebSocketResponse, fault: Fault) -> None:
        self._socket = socket
        self._fault = fault

    async def recv(self) -> str:
        """Return the next message that the charger takes notice of.

        Raises:
            ConnectionEndedError: There is none any more.
        """
        while True:
            # A hung charger reads nothing; it does not even answer a ping.
            while self._hung():
                await self._fault.until_changed()
            message = await self._socket.receive()
            if message.type is not WSMsgType.TEXT:
                raise ConnectionEndedError(str(message.type))
            if self._hung():
                continue  # it fell silent while waiting: the message is lost on it
            text = str(message.data)
            if self._fault.kind is not FaultKind.EXCEPTION or not await self._refused(text):
                return text

    async def send(self, message: str) -> None:
        """Send a message, or what the fault makes of it.

        Raises:
            ConnectionEndedError: The connection is gone.
        """
        kind = self._fault.kind
        if kind is FaultKind.SILENCE:
            return
        if kind is FaultKind.DELAY:
            await asyncio.sleep(self._fault.delay_s)
        garbled = kind is FaultKind.GARBAGE
        await self._push(self._fault.garbage().decode("latin-1") if garbled else message)

    async def _push(self, text: str) -> None:
        try:
            await self._socket.send_str(text)
        except (ConnectionError, RuntimeError) as error:  # the latter: it is closing
            raise ConnectionEndedError(str(error)) from error

    def _hung(self) -> bool:
        return self._fault.kind is FaultKind.SILENCE

    async def _refused(self, text: str) -> bool:
        """Answer a call with an error; an answer to our own call passes."""
        try:
            message = json.loads(text)
        except ValueError:
            return False  # no JSON: left to the library, which says so
        if not isinstance(message, list) or len(message) < LEAST_CALL_PARTS or message[0] != CALL:
            return False
        refusal = [CALL_ERROR, message[1], "InternalError", "simulated fault", {}]
        await self._push(json.dumps(refusal))
        return True
