"""Local events told to the server: a queue that outlives sessions, and who posts it (LogEvent).

What happened waits, oldest first, until the server has it. The queue is bounded: of more than
`KEPT` the oldest give way, and that is said once.
"""

import asyncio
import json
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from hems.sep2 import resources as res
from hems.sep2.errors import ForbiddenError, RejectedError, Sep2Error
from hems.sep2.transport.backoff import Backoff
from hems.sep2.transport.http import Transport
from hems.sep2.transport.troubles import Troubles

_log = logging.getLogger(__name__)

STANDARD_PEN: Final = 40732
"""Private enterprise number under which the codes of IEEE 2030.5 itself stand."""
VENDOR, STANDARD = 1, 2
"""profileID: codes of a maker, and those of IEEE 2030.5."""
GENERAL, DER, SECURITY = 0, 11, 19
"""functionSet: no particular one, distributed energy resources, security."""
KEPT: Final = 500
_NUMBERS: Final = 1 << 16
_DETAILS: Final = 32
_METHOD: Final = 405


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened here.

    Attributes:
        at: When, UTC epoch seconds of the home's clock.
        function_set: What it concerns (functionSet).
        code: What it is (logEventCode), in the profile's own numbering.
        details: For people, at most 32 octets are sent.
        profile: Whose numbering that is.
        pen: Private enterprise number of whoever defined it.
    """

    at: float
    function_set: int
    code: int
    details: str = ""
    profile: int = STANDARD
    pen: int = STANDARD_PEN


@dataclass(frozen=True, slots=True)
class Numbered:
    """A happening with its running number (logEventID)."""

    number: int
    happening: Happening

    def log_event(self, offset_s: float) -> res.LogEvent:
        """Return it as the server takes it; `offset_s` is the server's time less the home's."""
        what = self.happening
        details = what.details.encode()[:_DETAILS].decode(errors="ignore")
        return res.LogEvent(
            created_date_time=round(what.at + offset_s),
            details=details or None,
            function_set=what.function_set,
            log_event_code=what.code,
            log_event_id=self.number,
            log_event_pen=what.pen,
            profile_id=what.profile,
        )


class LogQueue:
    """What the server is still to be told of.

    Args:
        on_change: Told of each change, to keep `dump` over a restart; must not block.
        kept: So many wait at most.
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None, *, kept: int = KEPT) -> None:
        self.on_change = on_change
        self.news = asyncio.Event()
        self._kept = kept
        self._next = 0
        self._full = False
        self._queue: deque[Numbered] = deque()

    def add(self, happening: Happening) -> None:
        """Let something wait to be told."""
        self._queue.append(Numbered(self._next, happening))
        self._next = (self._next + 1) % _NUMBERS
        while len(self._queue) > self._kept:
            lost = self._queue.popleft()
            if not self._full:
                _log.warning("the log for the server is full from %s on", lost.happening)
            self._full = True
        self.news.set()
        self.on_change()

    @property
    def first(self) -> Numbered | None:
        """The oldest that waits."""
        return self._queue[0] if self._queue else None

    @property
    def waiting(self) -> Sequence[Happening]:
        """All that wait, oldest first."""
        return [numbered.happening for numbered in self._queue]

    def done(self, numbered: Numbered) -> None:
        """Let go of what the server has, or will never take."""
        if self._queue and self._queue[0] is numbered:
            self._queue.popleft()
            self._full = False
            self.on_change()

    def dump(self) -> str:
        """Return the queue as one line of text."""
        waiting = [{"number": n.number, **asdict(n.happening)} for n in self._queue]
        return json.dumps({"next": self._next, "waiting": waiting})

    def load(self, text: str) -> None:
        """Put what `dump` wrote before a restart ahead of what has happened since.

        Raises:
            ValueError: The text is something else; the queue stays as it is.
        """
        found: object = json.loads(text)
        match found:
            case {"next": int(following), "waiting": list(items)}:
                kept = [_numbered(item) for item in items]
            case _:
                raise ValueError("the log for the server is no queue")
        since = [
            Numbered((following + i) % _NUMBERS, n.happening) for i, n in enumerate(self._queue)
        ]
        self._queue = deque([*kept, *since][-self._kept :])
        self._next = (following + len(since)) % _NUMBERS
        self.news.set()


def _numbered(item: object) -> Numbered:
    match item:
        case {
            "number": int(number),
            "at": float() | int() as at,
            "function_set": int(function_set),
            "code": int(code),
            "details": str(details),
            "profile": int(profile),
            "pen": int(pen),
        }:
            happening = Happening(float(at), function_set, code, details, profile, pen)
            return Numbered(number, happening)
        case _:
            raise ValueError(f"{item!r} is nothing that happened")


class LogPoster:
    """Posts a queue to the LogEventList of an EndDevice.

    Args:
        queue: What waits.
        transport: Way to the server.
        offset_s: Returns the server's time less the home's.
        rng: For jitter.
        troubles: What goes wrong now.
        on_contact: Told after each answer of the server.
    """

    def __init__(
        self,
        queue: LogQueue,
        transport: Transport,
        offset_s: Callable[[], float],
        rng: random.Random,
        troubles: Troubles,
        *,
        on_contact: Callable[[], None] = lambda: None,
    ) -> None:
        self._queue = queue
        self._transport = transport
        self._offset_s = offset_s
        self._rng = rng
        self._troubles = troubles
        self._on_contact = on_contact
        self._list: str | None = None

    def use(self, device: res.EndDevice | None) -> None:
        """Set the EndDevice as the server shows it; None if it shows none."""
        link = device.log_event_list_link if device is not None else None
        self._list = link.href if link is not None else None
        self._queue.news.set()

    async def run(self) -> None:
        """Post what happens; never returns."""
        backoff, name = Backoff(self._rng), f"log {id(self._queue)}"
        while True:
            self._queue.news.clear()
            wait_s: float | None = None
            try:
                await self.post()
            except Sep2Error as error:
                if self._troubles.meet(name, error):
                    _log.warning("log events: %s", error)
                wait_s = backoff.failed(error)
            else:
                backoff.worked()
                self._troubles.over(name)
            if wait_s is not None:
                await asyncio.sleep(wait_s)  # what happens meanwhile waits behind
                continue
            await self._queue.news.wait()

    async def post(self) -> None:
        """Post all that waits.

        Raises:
            Sep2Error: Something could not be posted; it waits on.
        """
        while self._list is not None and (first := self._queue.first) is not None:
            try:
                await self._transport.post(self._list, first.log_event(self._offset_s()))
            except ForbiddenError:
                raise
            except RejectedError as error:
                if error.status == _METHOD:
                    raise
                _log.warning("a log event is given up: %s", error)
            self._on_contact()
            self._queue.done(first)
