"""The fleet's hubs and the EndDevices that stand for them: one follows the other."""

from collections.abc import Callable, Sequence

from hems.headend.book import Book
from hems.headend.fleet.imports import NewHome


class EndDevices:
    """EndDevices, as the fleet needs them.

    Args:
        book: Where they are registered.
        revoked: Whether the certificate of an LFDI was taken back.
    """

    def __init__(self, book: Book, revoked: Callable[[str], bool]) -> None:
        self._book = book
        self._revoked = revoked

    async def enter(self, homes: Sequence[NewHome]) -> None:
        """Register homes; one that is registered already stays as it is.

        Raises:
            BusyError: The database cannot take them.
        """
        await self._book.register_all([(each.lfdi, each.pin, each.edition) for each in homes])

    async def retire(self, lfdi: str) -> None:
        """Forget the EndDevice of an identity, if there is one, and what it subscribed to.

        Raises:
            BusyError: The database cannot do it now.
        """
        if self._book.home(lfdi) is not None:
            await self._book.retire(lfdi)

    def revoked(self, lfdi: str) -> bool:
        """Whether the certificate of an identity was taken back."""
        return self._revoked(lfdi)
