"""The newest telegram of a meter, and what to say of the rest: cut, garbled, repeated. Pure.

A reading is as old as its arrival at the hub. The meter's own clock is looked at, and a wrong one
is told of; it makes no reading young or old.
"""

import logging
from typing import Final

from der.drivers.p1.framing import Framer
from der.drivers.p1.telegram import Telegram, TelegramError, parse
from der.errors import TransientError
from der.sentence import say

_log = logging.getLogger(__name__)

CLOCK_TOLERANCE_S: Final = 60.0
"""A meter's clock is set over the network to within seconds; more is a fault."""
REPEATED: Final = "the same telegram comes again and again"
UNCHECKED: Final = "the checksum of a telegram is missing"
QUIET_S: Final = 3600.0
"""What was not seen for so long is worth telling of again."""


class Memory:
    """What outlives a connection to a meter: what was said of it, and its last telegram.

    Args:
        device: The meter's id.

    Attributes:
        last: Its last telegram; None before the first.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self.last: Telegram | None = None
        self._seen: dict[str, float] = {}

    def say(self, kind: str, text: str, monotonic: float) -> None:
        """Log what is wrong once, however often it is seen."""
        last = self._seen.get(kind)
        self._seen[kind] = monotonic
        if last is None or monotonic - last > QUIET_S:
            _log.warning("%s: %s", self.device, text)


class Newest:
    """Keeps the newest whole telegram of one connection.

    Args:
        memory: What is known of the meter.
        max_age_s: A telegram older than this is no reading any more.
    """

    def __init__(self, memory: Memory, max_age_s: float) -> None:
        self._memory = memory
        self._max_age_s = max_age_s
        self._framer = Framer()
        self._telegram: Telegram | None = None
        self._arrived = 0.0
        self._arrived_at = 0.0
        self._fault = ""

    @property
    def telegram(self) -> Telegram | None:
        """The newest, however old; None before the first."""
        return self._telegram

    def feed(self, data: bytes, monotonic: float, now: float) -> bool:
        """Take in bytes.

        Args:
            data: As they came.
            monotonic: When, in monotonic seconds.
            now: When, UTC epoch seconds.

        Returns:
            Whether there is a newer telegram.
        """
        newer = False
        for found in self._framer.feed(data):
            if isinstance(found, str):
                self._complain(found, monotonic)
                continue
            try:
                telegram = parse(found)
            except TelegramError as error:
                self._complain(str(error), monotonic)
            else:
                newer = self._take(telegram, monotonic, now) or newer
        return newer

    def current(self, monotonic: float) -> tuple[Telegram, float]:
        """Return the newest telegram and when it came, UTC epoch seconds.

        Raises:
            TransientError: There is none that is fresh.
        """
        if self._telegram is None or monotonic - self._arrived > self._max_age_s:
            silent = say(
                "{id}: no good telegram for more than {seconds:g} s",
                id=self._memory.device,
                seconds=self._max_age_s,
            )
            raise TransientError(
                say("{silent}: {why}", silent=silent, why=self._fault) if self._fault else silent
            )
        return self._telegram, self._arrived_at

    def silent(self) -> str:
        """Return why there has been no telegram yet, in a clause."""
        return self._fault or "nothing comes"

    def _take(self, telegram: Telegram, monotonic: float, now: float) -> bool:
        before = self._telegram
        if before is not None and before.checked and not telegram.checked:
            self._complain(UNCHECKED, monotonic)
            return False
        self._look_at_clock(telegram, monotonic, now)
        # A meter's clock runs; an adapter that repeats what it once heard measures nothing.
        if telegram.sent_at is not None and telegram == self._memory.last:
            self._fault = REPEATED
            return False
        if before is not None and not self._fault:
            self._look_at_pace(monotonic)
        self._telegram, self._arrived, self._arrived_at = telegram, monotonic, now
        self._memory.last, self._fault = telegram, ""
        return True

    def _look_at_clock(self, telegram: Telegram, monotonic: float, now: float) -> None:
        ahead_s = 0.0 if telegram.sent_at is None else telegram.sent_at - now
        if abs(ahead_s) > CLOCK_TOLERANCE_S:
            side = "ahead" if ahead_s > 0 else "behind"
            text = f"the meter's clock is {abs(ahead_s):.0f} s {side}; readings count from arrival"
            self._memory.say("clock", text, monotonic)

    def _look_at_pace(self, monotonic: float) -> None:
        period_s = monotonic - self._arrived
        if period_s > self._max_age_s:
            text = (
                f"sends every {period_s:.0f} s, but is stale after {self._max_age_s:g} s: "
                "its max_age must be longer"
            )
            self._memory.say("pace", text, monotonic)

    def _complain(self, fault: str, monotonic: float) -> None:
        """Note what is wrong; each kind is said once, as a bad line makes hundreds of them."""
        self._fault = fault
        self._memory.say(fault, fault, monotonic)
