"""One WebSocket connection of a charger, spoken to by OCPP 1.6J."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar, cast

import ocpp.messages
from ocpp.exceptions import NotImplementedError as CallNotImplementedError
from ocpp.exceptions import NotSupportedError, OCPPError
from ocpp.routing import after, on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import Action, AuthorizationStatus, DataTransferStatus, RegistrationStatus

from der.lifeline import Lifeline
from der.drivers.ocpp.frame import frame_fault
from der.drivers.ocpp.meter import MeterValue
from der.errors import PermanentError, TransientError

HEARTBEAT_S: Final = 60
"""How often a charger is told to say that it lives, in s."""

CALL_TIMEOUT_S: Final = 1.5
"""Longest wait for a charger's answer, in s; OCPP-J allows no second call meanwhile."""

Handler = TypeVar("Handler", bound=Callable[..., object])
Result = TypeVar("Result")

log = logging.getLogger(__name__)

# A thread for each message's validation would cost more than the validation.
ocpp.messages.ASYNC_VALIDATION = False


class Listener(Protocol):
    """Whoever keeps what a charger says."""

    def on_boot(self, manufacturer: str, model: str, serial: str, firmware: str) -> None:
        """The charger named itself."""
        ...

    def on_status(self, connector: int, status: str) -> None:
        """A connector's ChargePointStatus."""
        ...

    def on_meter_values(
        self, connector: int, values: list[MeterValue], transaction: int | None
    ) -> None:
        """A connector's measurements, and the transaction that runs meanwhile."""
        ...

    def on_start(self, connector: int, id_tag: str) -> int:
        """A transaction starts; returns its id."""
        ...

    def on_stop(self, transaction: int) -> None:
        """A transaction ended."""
        ...

    def accepts(self, id_tag: str) -> bool:
        """Whether this card may charge."""
        ...


class Socket(Protocol):
    """The part of a WebSocket that sending needs."""

    async def send_str(self, data: str) -> None:
        """Send one text frame."""
        ...


class _Wire:
    """A WebSocket as the OCPP library expects it; receiving stays with `Session.receive`."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    async def send(self, message: str) -> None:
        await self._socket.send_str(message)


class _OneLine(logging.Filter):
    """A charger's bad message costs one line, not the library's traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


_frames = logging.getLogger(f"{__name__}.frames")
_frames.setLevel(logging.WARNING)
_frames.addFilter(_OneLine())


def _handles(action: str) -> Callable[[Handler], Handler]:
    return cast("Callable[[Handler], Handler]", on(action))


def _then(action: str) -> Callable[[Handler], Handler]:
    return cast("Callable[[Handler], Handler]", after(action))


class Session(ChargePoint):  # type: ignore[misc] # the library is untyped
    """One connection: answers the charger's calls, and makes the hub's."""

    def __init__(self, identity: str, socket: Socket, listener: Listener) -> None:
        super().__init__(identity, _Wire(socket), response_timeout=CALL_TIMEOUT_S, logger=_frames)
        self._listener = listener
        self._waiting = 0
        self._fault = ""
        self.lifeline = Lifeline()
        self.booted = asyncio.Event()

    async def receive(self, text: str) -> None:
        """Take one frame; what can't be used ends in one log line."""
        fault = frame_fault(text, awaiting=self._waiting > 0)
        if fault is not None:
            if fault != self._fault:  # once, not for each of a stream of them
                log.warning("%s: ignored a frame from the charger: %s", self.id, fault)
            self._fault = fault
            return
        self._fault = ""
        await self.route_message(text)

    async def request(self, payload: object, result: type[Result], what: str) -> Result:
        """Call the charger.

        Args:
            payload: The call.
            result: The type of its answer.
            what: What is asked, for messages.

        Raises:
            PermanentError: The charger does not know or support the call.
            TransientError: No usable answer, or the charger has gone.
        """
        self._waiting += 1
        try:
            # Twice the library's limit: the call before may use it up first.
            async with self.lifeline.bounded(2 * CALL_TIMEOUT_S):
                answer = await self.call(payload, suppress=False)
        except TimeoutError as error:
            cause = self.lifeline.cause or f"no answer within {CALL_TIMEOUT_S:g} s"
            raise TransientError(f"{self.id}: {what}: {cause}") from error
        except ConnectionError as error:
            raise TransientError(f"{self.id}: {what}: the charger has gone") from error
        except (CallNotImplementedError, NotSupportedError) as error:
            raise PermanentError(f"{self.id}: {what}: the charger does not support it") from error
        except OCPPError as error:
            raise TransientError(f"{self.id}: {what}: {error.description}") from error
        finally:
            self._waiting -= 1
        if not isinstance(answer, result):
            raise TransientError(f"{self.id}: {what}: the answer makes no sense")
        return answer

    @_handles(Action.boot_notification)
    def _boot(
        self, charge_point_vendor: str, charge_point_model: str, **more: str
    ) -> call_result.BootNotification:
        self._listener.on_boot(
            charge_point_vendor,
            charge_point_model,
            more.get("charge_point_serial_number", ""),
            more.get("firmware_version", ""),
        )
        return call_result.BootNotification(
            current_time=_utc_text(), interval=HEARTBEAT_S, status=RegistrationStatus.accepted
        )

    @_then(Action.boot_notification)
    def _boot_answered(self, **_: str) -> None:
        self.booted.set()

    @_handles(Action.heartbeat)
    def _heartbeat(self) -> call_result.Heartbeat:
        return call_result.Heartbeat(current_time=_utc_text())

    @_handles(Action.authorize)
    def _authorize(self, id_tag: str) -> call_result.Authorize:
        return call_result.Authorize(id_tag_info=self._tag_info(id_tag))

    @_handles(Action.start_transaction)
    def _start(self, connector_id: int, id_tag: str, **_: object) -> call_result.StartTransaction:
        return call_result.StartTransaction(
            transaction_id=self._listener.on_start(connector_id, id_tag),
            id_tag_info=self._tag_info(id_tag),
        )

    @_handles(Action.stop_transaction)
    def _stop(self, transaction_id: int, **_: object) -> call_result.StopTransaction:
        self._listener.on_stop(transaction_id)
        return call_result.StopTransaction()

    @_handles(Action.meter_values)
    def _meter_values(
        self,
        connector_id: int,
        meter_value: list[MeterValue],
        transaction_id: int | None = None,
    ) -> call_result.MeterValues:
        self._listener.on_meter_values(connector_id, meter_value, transaction_id)
        return call_result.MeterValues()

    @_handles(Action.status_notification)
    def _status(
        self, connector_id: int, status: str, **_: object
    ) -> call_result.StatusNotification:
        self._listener.on_status(connector_id, status)
        return call_result.StatusNotification()

    @_handles(Action.data_transfer)
    def _data(self, **_: object) -> call_result.DataTransfer:
        return call_result.DataTransfer(status=DataTransferStatus.unknown_vendor_id)

    @_handles(Action.firmware_status_notification)
    def _firmware(self, **_: object) -> call_result.FirmwareStatusNotification:
        return call_result.FirmwareStatusNotification()

    def _tag_info(self, id_tag: str) -> IdTagInfo:
        accepted = self._listener.accepts(id_tag)
        return IdTagInfo(
            status=AuthorizationStatus.accepted if accepted else AuthorizationStatus.invalid
        )


def _utc_text() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
