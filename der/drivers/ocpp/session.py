"""One WebSocket connection of a charger; what both versions of OCPP share of it."""

import logging
import sys
from asyncio import Event
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar, cast
from uuid import uuid4

import ocpp.messages
from ocpp.charge_point import ChargePoint
from ocpp.exceptions import NotImplementedError as CallNotImplementedError
from ocpp.exceptions import (
    NotSupportedError,
    OCPPError,
    UnknownCallErrorCodeError,
    ValidationError,
)
from ocpp.routing import after, on

from der.drivers.ocpp.frame import BadFrameError, read_frame
from der.drivers.ocpp.said import Said, plain
from der.errors import PermanentError, TransientError
from der.lifeline import Lifeline

HEARTBEAT_S: Final = 60
"""How often a charger is told to say that it lives, in s."""

CALL_TIMEOUT_S: Final = 1.5
"""Longest wait for a charger's answer, in s; OCPP-J allows no second call meanwhile."""

FRAMES: Final = "ignored a frame from the charger"

_GIVEN_UP: Final = 64
_ACCEPTED: Final = frozenset({"Accepted", "RebootRequired", "Scheduled"})

Handler = TypeVar("Handler", bound=Callable[..., object])
Result = TypeVar("Result")

log = logging.getLogger(__name__)

# A thread for each message's validation would cost more than the validation.
ocpp.messages.ASYNC_VALIDATION = False


def handles(action: str) -> Callable[[Handler], Handler]:
    """Mark a method as the one that answers a call of the charger's."""
    return cast("Callable[[Handler], Handler]", on(action))


def then(action: str) -> Callable[[Handler], Handler]:
    """Mark a method as one that runs when a call of the charger's has been answered."""
    return cast("Callable[[Handler], Handler]", after(action))


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


class _Remarks:
    """What the library would log: a charger's bad call costs one line, not a traceback each."""

    def __init__(self, said: Said) -> None:
        self._said = said

    def info(self, *_: object) -> None:
        """Frames in and out are nobody's business."""

    def warning(self, *_: object) -> None:
        """An error answer: whoever asked says so."""

    def error(self, *_: object) -> None:
        """An answer that came while its call was given up, which was said."""

    def exception(self, *about: object) -> None:
        """A frame that the library cannot use."""
        self._said.often(FRAMES, _reason(sys.exc_info()[1], about))


class Session(ChargePoint):  # type: ignore[misc] # the library is untyped
    """One connection: answers the charger's calls, and makes the hub's.

    Args:
        name: The device's, for messages.
        socket: Where frames go out.
        said: What has been said of the charger.

    Attributes:
        lifeline: Ends what waits for an answer when the connection ends.
        ready: Set once a BootNotification has been answered.
    """

    def __init__(self, name: str, socket: Socket, said: Said) -> None:
        super().__init__(
            name, _Wire(socket), response_timeout=CALL_TIMEOUT_S, logger=_Remarks(said)
        )
        self.name = name
        self.lifeline = Lifeline()
        self.ready = Event()
        self._said = said
        self._awaited: set[str] = set()
        self._given_up: deque[str] = deque(maxlen=_GIVEN_UP)

    async def receive(self, text: str) -> bool:
        """Take one frame; what can't be used ends in one log line.

        Returns:
            Whether it was a frame, and one that may come now.
        """
        try:
            frame = read_frame(text)
        except BadFrameError as fault:
            self._said.often(FRAMES, str(fault))
            return False
        if frame.answers and frame.id not in self._awaited:
            if frame.id in self._given_up:
                log.debug("%s: an answer came after it had been given up", self.name)
                return True
            self._said.often(FRAMES, "an answer to nothing that was asked")
            return False
        await self.route_message(text)
        return True

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
        key = str(uuid4())
        self._awaited.add(key)
        try:
            # From the asking on: a call before it may use up some of the time.
            async with self.lifeline.bounded(CALL_TIMEOUT_S):
                answer = await self.call(payload, suppress=False, unique_id=key)
        except TimeoutError as error:
            cause = self.lifeline.cause or f"no answer within {CALL_TIMEOUT_S:g} s"
            raise TransientError(f"{self.name}: {what}: {cause}") from error
        except ConnectionError as error:
            raise TransientError(f"{self.name}: {what}: the charger has gone") from error
        except (CallNotImplementedError, NotSupportedError) as error:
            raise PermanentError(f"{self.name}: {what}: the charger does not support it") from error
        except (OCPPError, UnknownCallErrorCodeError) as error:
            raise TransientError(f"{self.name}: {what}: {_reason(error)}") from error
        except (ValidationError, TypeError, ValueError, ArithmeticError) as error:
            # What the library, or its schema's arithmetic, makes of an answer that passed neither.
            raise TransientError(f"{self.name}: {what}: the answer makes no sense") from error
        finally:
            self._awaited.discard(key)
            self._given_up.append(key)
        if not isinstance(answer, result):
            raise TransientError(f"{self.name}: {what}: the answer makes no sense")
        return answer

    async def told(self, payload: object, result: type[Result], what: str) -> str:
        """Make a call that is answered with a status; returns it.

        Raises:
            PermanentError: The charger refuses it or does not know it.
            TransientError: No usable answer, or no charger.
        """
        answer = await self.request(payload, result, what)
        status = plain(getattr(answer, "status", ""))
        self.check(status, what)
        return status

    def check(self, status: str, what: str) -> None:
        """Raise PermanentError for a status that is a refusal."""
        if status not in _ACCEPTED:
            raise PermanentError(f"{self.name}: {what}: the charger says {plain(status)}")


def utc_text(at: float) -> str:
    """Return a time, UTC epoch seconds, as a charger is told it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _reason(error: BaseException | None, about: tuple[object, ...] = ()) -> str:
    """Say in a few words what is wrong with a message."""
    action = getattr(about[-1], "action", "") if about else ""
    if isinstance(error, OCPPError):
        # The details may hold the whole message; the description is the charger's, or the code's.
        reason = plain(error.description, 100) or type(error).__name__
    elif isinstance(error, UnknownCallErrorCodeError):
        reason = "an error without a known code"
    else:
        reason = "its values make no sense"
    return f"{plain(action)}: {reason}" if action else reason
