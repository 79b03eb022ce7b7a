"""What a reserve needs of the grid's side: to offer, to withdraw, to see what was committed."""

from collections.abc import Sequence
from typing import Protocol

from programs.commitment import Commitment, Offer, Posted


class Port(Protocol):
    """The way to the utilities, in house words: what the home gives up is positive."""

    def posted(self, utility: str) -> Sequence[Posted]:
        """Return the offers that a utility has, or is to have."""
        ...

    def commitments(self, utility: str) -> Sequence[Commitment]:
        """Return what a utility has committed and not taken back, whether or not it is over."""
        ...

    async def offer(self, utility: str, offer: Offer) -> str:
        """Make an offer; returns the mRID of its request.

        Raises:
            ValueError: There is no such utility, or the offer cannot be written.
        """
        ...

    async def withdraw(self, utility: str, mrid: str) -> None:
        """Take an offer back; nothing happens if it is not known any more."""
        ...
