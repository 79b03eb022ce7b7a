"""Guessing is slow: who shows wrong codes waits longer and longer. Bounded in memory."""

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hems.headend.errors import ThrottledError

FREE: Final = 5
"""So many slips are forgiven at once."""
_EACH_S: Final = 12.0
"""After so long one more is forgiven."""
_MOST: Final = 4096
_V6_HOME: Final = 64
"""Bits of an IPv6 address that are one household's or company's."""


@dataclass(slots=True)
class _Slips:
    count: float
    at: float


class Attempts:
    """Counts wrong codes by where they come from.

    Args:
        monotonic: Monotonic seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._slips: OrderedDict[str, _Slips] = OrderedDict()

    def admit(self, address: str) -> None:
        """Let an attempt through.

        Raises:
            ThrottledError: Too many were wrong; it says when the next is looked at.
        """
        slips = self._slips.get(source_of(address))
        if slips is None:
            return
        now = self._monotonic()
        slips.count = max(0.0, slips.count - (now - slips.at) / _EACH_S)
        slips.at = now
        if slips.count > FREE - 1:
            again_s = math.ceil((slips.count - (FREE - 1)) * _EACH_S)
            raise ThrottledError("too many wrong codes came from this address", again_s)

    def wrong(self, address: str) -> None:
        """Count a wrong code."""
        source = source_of(address)
        slips = self._slips.pop(source, None) or _Slips(0.0, self._monotonic())
        slips.count = min(slips.count + 1.0, FREE + 1.0)
        self._slips[source] = slips
        while len(self._slips) > _MOST:
            self._slips.popitem(last=False)


def source_of(address: str) -> str:
    """Return what counts as one source of attempts: an address, of IPv6 its network."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    return str(ipaddress.ip_network((int(found), _V6_HOME), strict=False))
