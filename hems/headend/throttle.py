"""How often one device may ask: a token bucket for each certificate."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from hems.headend.errors import ThrottledError

_MINUTE_S = 60.0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Throttle:
    """Lets each device ask so often a minute, and all of a minute's requests at once.

    Args:
        per_minute: Requests of one device in a minute; 0 for no limit.
        monotonic: Monotonic seconds.
    """

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._monotonic = monotonic
        self._buckets: dict[str, _Bucket] = {}

    def admit(self, lfdi: str, devices: int = 1) -> None:
        """Count a request of a device.

        Args:
            lfdi: Its LFDI.
            devices: For how many it speaks: it may ask as often as they may together.

        Raises:
            ThrottledError: It asks too often; the error says when it may ask again.
        """
        if not self._per_minute:
            return
        most = self._per_minute * devices
        now, rate = self._monotonic(), most / _MINUTE_S
        bucket = self._buckets.setdefault(lfdi, _Bucket(most, now))
        bucket.tokens = min(most, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        if bucket.tokens < 1.0:
            raise ThrottledError(
                f"device {lfdi} asks more than {most} times a minute",
                math.ceil((1.0 - bucket.tokens) / rate),
            )
        bucket.tokens -= 1.0
