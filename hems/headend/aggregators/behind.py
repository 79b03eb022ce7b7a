"""Who stands behind a request: the caller itself, or a home that it speaks for."""

from typing import Protocol

from hems.headend.book import Book
from hems.headend.errors import ForbiddenError
from hems.headend.fleet.access import Access
from hems.headend.records import Home


class Speakers(Protocol):
    """Who is an aggregator; see `hems.headend.aggregators.desk.Aggregators`."""

    def find(self, lfdi: str) -> object | None:
        """Return an aggregator; None if a device is none."""
        ...


class Behind:
    """Finds the homes that aggregators speak for, and judges each by how it stands itself.

    Args:
        book: Homes.
        speakers: Aggregators.
    """

    def __init__(self, book: Book, speakers: Speakers) -> None:
        self._book = book
        self._speakers = speakers

    def speaks(self, lfdi: str) -> bool:
        """Whether a device is an aggregator."""
        return self._speakers.find(lfdi) is not None

    def count(self, lfdi: str) -> int:
        """Return for how many EndDevices a device speaks, its own counted."""
        return 1 + len(self._book.rolls.managed(lfdi))

    def numbered(self, lfdi: str, number: str, need: Access) -> Home | None:
        """Return the home of a number, if a device speaks for it; None else.

        Args:
            lfdi: Of the device.
            number: As in the path.
            need: What the home must be served.

        Raises:
            ForbiddenError: The home is not served this.
        """
        if not (number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS):
            return None
        home = self._book.rolls.numbered(int(number))
        # A number has one way to be written.
        if home is None or home.aggregator != lfdi or number != str(home.id):
            return None
        return self._judged(home, need)

    def named(self, lfdi: str, other: str, need: Access) -> Home | None:
        """Return the home of an LFDI, if a device speaks for it; else as `numbered`."""
        home = self._book.home(other)
        if home is None or home.aggregator != lfdi:
            return None
        return self._judged(home, need)

    def agent_of(self, home: Home) -> str | None:
        """Return who sees what a home posts beside itself: its aggregator, or one for itself."""
        return home.aggregator or (home.lfdi if self.speaks(home.lfdi) else None)

    def served(self, home: Home) -> Access:
        """Return what a home is served."""
        return self._book.served(home.lfdi)

    def _judged(self, home: Home, need: Access) -> Home:
        if need not in self._book.served(home.lfdi):
            raise ForbiddenError(f"device {home.lfdi} is not served this as its hub stands")
        self._book.contacts.seen(home.lfdi)
        return home


_MAX_DIGITS = 18
