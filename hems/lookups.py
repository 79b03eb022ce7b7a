"""An event loop that goes on without its name server.

Two things of asyncio's own are changed. A silent name server keeps each question for ten seconds
and more, in the few threads that all other blocking work shares: with some devices and servers
known by name, nobody could log in to the page meanwhile, and the hub could not end. Here each
question has a thread to itself, which nobody waits for, and the same one is asked once at a time.

And where nobody says where a name is, what was said last still holds, for some days (RFC 8767):
the router that has lost its line, or its head, is no reason to lose the meter or the utility. That
there is no such name is an answer, and taken as one. Who answers at an address is known by its
certificate or its PIN all the same.
"""

import asyncio
import contextlib
import logging
import socket
import threading
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

_log = logging.getLogger(__name__)

PATIENCE_S: Final = 0.5
"""So long an answer is waited for where there is one of before; a device has 1 s to connect."""
STALE_S: Final = 3 * 86_400.0
_MOST: Final = 256
"""Of so many questions the answer is remembered."""
_NOBODY_SAYS: Final = frozenset({socket.EAI_AGAIN, socket.EAI_FAIL, socket.EAI_SYSTEM})

_Question: TypeAlias = tuple[bytes | str | None, bytes | str | int | None, int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question under way: its answer, and when it was asked."""

    answer: asyncio.Future[Any]
    at: float


@dataclass(frozen=True, slots=True)
class _Known:
    """What was answered, and when."""

    found: Any
    at: float


class LookupLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop, with look-ups of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: dict[_Question, _Asked] = {}
        self._known: dict[_Question, _Known] = {}
        self._missed: set[_Question] = set()

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - asyncio calls with this name
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        """Look a name up; see `socket.getaddrinfo`."""
        question = (host, port, family, type, proto, flags)
        asked = self._asked.get(question) or self._ask(question)
        known = self._known.get(question)
        if known is None or self.time() - known.at > STALE_S:
            return await asyncio.shield(asked.answer)
        try:
            async with asyncio.timeout_at(asked.at + PATIENCE_S):
                return await asyncio.shield(asked.answer)
        except socket.gaierror as error:
            if error.errno not in _NOBODY_SAYS:
                raise
            why = error.strerror or str(error)
        except TimeoutError:
            why = "no answer yet"
        if question not in self._missed:
            self._missed.add(question)
            _log.warning("name %s: %s; its last address is used", host, why)
        return known.found

    def _ask(self, question: _Question) -> _Asked:
        asked = self._asked[question] = _Asked(self.create_future(), self.time())
        asked.answer.add_done_callback(lambda answer: self._answered(question, answer))
        thread = threading.Thread(
            target=self._look, args=(question, asked.answer), name="name", daemon=True
        )
        thread.start()
        return asked

    def _look(self, question: _Question, answer: asyncio.Future[Any]) -> None:
        """Ask, in a thread."""
        found, error = None, None
        try:
            found = socket.getaddrinfo(*question)
        except Exception as caught:  # noqa: BLE001 - whatever it is, who asked is told
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.call_soon_threadsafe(_tell, answer, found, error)

    def _answered(self, question: _Question, answer: asyncio.Future[Any]) -> None:
        del self._asked[question]
        if answer.cancelled() or answer.exception() is not None:
            return
        self._known.pop(question, None)
        self._known[question] = _Known(answer.result(), self.time())
        if len(self._known) > _MOST:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._missed.discard(oldest)
        if question in self._missed:
            self._missed.remove(question)
            _log.info("over: name %s is found again", question[0])


def _tell(answer: asyncio.Future[Any], found: object, error: Exception | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(found)
    else:
        answer.set_exception(error)
