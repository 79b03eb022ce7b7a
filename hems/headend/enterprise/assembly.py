"""The feeds put together: what homes see, what the operator may do, what is kept up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hems.headend.enterprise.book import BulletinBook
from hems.headend.enterprise.door import FeedDoor
from hems.headend.enterprise.settings import BulletinSettings, FirmwareSettings
from hems.headend.enterprise.statistics import StatisticsBook
from hems.headend.enterprise.views import FeedViews, FirmwareViews
from hems.headend.store import Store


@dataclass(frozen=True, slots=True)
class EnterpriseSide:
    """What the head-end has of feeds; all of it empty where none is configured.

    Attributes:
        views: What homes see.
        doors: What the operator may do.
        book: The bulletin; None for none.
        days: The days that homes told; None for none.
    """

    views: Sequence[FeedViews | FirmwareViews] = ()
    doors: Sequence[FeedDoor] = ()
    book: BulletinBook | None = None
    days: StatisticsBook | None = None

    async def keep(self) -> None:
        """Sign anew what would end, forget what is old."""
        if self.book is not None:
            await self.book.keep()
        if self.days is not None:
            await self.days.keep()


async def assemble_enterprise(
    store: Store,
    now: Callable[[], float],
    bulletins: BulletinSettings | None,
    firmware: FirmwareSettings | None,
) -> EnterpriseSide:
    """Put the feeds together.

    Args:
        store: The open database.
        now: UTC epoch seconds.
        bulletins: Who signs; None for no bulletins.
        firmware: Where the firmware lists are; None for none.

    Raises:
        CertificateError: The signer's certificate or key cannot be used.
    """
    lists = () if firmware is None else (FirmwareViews(firmware.folder),)
    if bulletins is None:
        return EnterpriseSide(lists)
    book, days = BulletinBook(store, bulletins, now), StatisticsBook(store, now)
    await book.check()
    return EnterpriseSide((FeedViews(book, days), *lists), (FeedDoor(book, days),), book, days)
