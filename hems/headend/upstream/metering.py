"""What all homes together take from the grid, as one mirror usage point at the utility."""

import hashlib
import math
from collections.abc import Sequence
from typing import Final

from hems.headend.upstream.port import Reading
from hems.sep2.enddevice.readings import MirrorSpec, Sample, SeriesSpec

_AGGREGATE: Final = 0b11
"""roleFlags: a mirror, of premises."""
_WATTS: Final = 38


def point_of(lfdi: str, post_s: int) -> MirrorSpec:
    """Return the usage point of a whole group; its mRIDs stay the same over restarts.

    Args:
        lfdi: Of the aggregator's EndDevice.
        post_s: How often readings are posted, if the utility says nothing else.
    """
    series = SeriesSpec(_mrid(lfdi, "net power"), "net power of all homes", _WATTS)
    return MirrorSpec(
        _mrid(lfdi, "point"), "aggregated homes", (series,), role_flags=_AGGREGATE, post_s=post_s
    )


class Totals:
    """Sums up what homes read.

    Args:
        spec: The usage point.
        every_s: How often a total is made.
        stale_s: A reading older than this does not count.
    """

    def __init__(self, spec: MirrorSpec, every_s: float, stale_s: float) -> None:
        self._series = spec.series[0].mrid
        self._every_s = every_s
        self._stale_s = stale_s
        self._made_at = -math.inf

    def total(self, readings: Sequence[Reading], now: float) -> Sample | None:
        """Return the total to be posted; None while the next is not due or nothing is read.

        Args:
            readings: What was read last of each home.
            now: Epoch s.
        """
        if now - self._made_at < self._every_s:
            return None
        known = [
            reading.net_w
            for reading in readings
            if reading.net_w is not None and now - reading.at <= self._stale_s
        ]
        if not known:
            return None
        self._made_at = now
        start = now - self._every_s
        return Sample(self._series, start, round(self._every_s), math.fsum(known))


def _mrid(lfdi: str, what: str) -> str:
    return hashlib.sha256(f"aggregator {lfdi} {what}".encode()).hexdigest()[:32].upper()
