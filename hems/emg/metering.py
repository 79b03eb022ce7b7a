"""Brings what a utility has metered of the home to the device that is fed with it."""

import logging
from collections.abc import Callable, Collection, Sequence

from der.drivers.feed import Feed
from hems.clock import Clock
from hems.emg.usage import reading
from hems.sep2.enddevice.usage import UsagePoint

_log = logging.getLogger(__name__)


class Metering:
    """One utility's own meter.

    Args:
        utility: Its name, under which the readings are brought.
        feed: Where they are brought.
        own: LFDIs of this home, whose mirrored readings are no news.
        clock: Where the time comes from.
        offset_s: Tells the lead of the utility's clock over the home's, s.
    """

    def __init__(
        self,
        utility: str,
        feed: Feed,
        own: Collection[str],
        clock: Clock,
        offset_s: Callable[[], float],
    ) -> None:
        self._utility = utility
        self._feed = feed
        self._own = own
        self._clock = clock
        self._offset_s = offset_s
        self._told_nothing = False

    def take(self, points: Sequence[UsagePoint]) -> None:
        """Take in what the utility's server shows; said once if it has no power among it."""
        found = reading(points, self._own, self._offset_s(), self._clock.now())
        if found is not None:
            self._feed.put(self._utility, found)
        elif not self._told_nothing:
            _log.warning(
                "%s: shows no usage point that tells the power at the connection point",
                self._utility,
            )
        self._told_nothing = found is None
