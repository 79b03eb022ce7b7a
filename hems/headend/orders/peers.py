"""Orders of the enterprise's own systems: no second person sits there."""

from collections.abc import Callable

from hems.headend.book import Book
from hems.headend.dispatch import Order
from hems.headend.errors import DispatchError
from hems.headend.orders.four_eyes import judged
from hems.headend.orders.settings import FourEyesSettings
from hems.headend.records import Program


def peer_rule(settings: FourEyesSettings, book: Book) -> Callable[[Program, Order], None]:
    """Return what looks at each order of such a system before it goes out.

    The homes that it is for count, for a system does not ask who is kept out by contract.

    Args:
        settings: From which size on, and whether these systems are bound by it.
        book: Homes and programmes.
    """

    def rule(program: Program, order: Order) -> None:
        if not settings.peers:
            return
        _, why = judged(settings, program, order, len(book.reached_by(program)))
        if why is not None:
            raise DispatchError(f"{why}: an operator must order it, and another one confirm it")

    return rule
