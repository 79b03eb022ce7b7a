"""What the module of the feed offers, for who loads it only where a signal is followed."""

from collections.abc import Callable
from typing import Protocol

from hems.regulation.message import Taken
from hems.regulation.settings import Source


class SignalFeed(Protocol):
    """Follows the signal."""

    async def run(self) -> None:
        """Follow it until cancelled."""
        ...


class FeedModule(Protocol):
    """`hems.regulation.feed`."""

    def Feed(  # noqa: N802 - a class there
        self,
        source: Source,
        last: Callable[[], int],
        taken: Callable[[Taken], None],
        now: Callable[[], float],
    ) -> SignalFeed:
        """Return what follows a source."""
        ...
