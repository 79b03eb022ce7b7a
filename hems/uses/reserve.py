"""The reserve, put together; loaded only where its owner offers one."""

from collections.abc import Callable

from hems import wiring
from hems.clock import Clock
from hems.emg.reservations import Reservations
from hems.reserves.desk import Around, Reserves
from hems.reserves.terms import Terms
from hems.settings.config import Config
from hems.store.store import Store
from hems.uses.use import UsesEvents


def reserve(
    terms: Terms,
    config: Config,
    store: Store,
    clock: Clock,
    tell: UsesEvents,
    *,
    islanded: Callable[[], bool],
) -> Reserves:
    """Return the home's reserve.

    Args:
        terms: What the owner offers.
        config: The hub's settings.
        store: What is remembered.
        clock: Where the time comes from.
        tell: See `UsesEvents`.
        islanded: Whether nothing flows at the connection point.
    """
    return Reserves(
        terms,
        wiring.store_facts(config),
        store.settings,
        clock,
        Reservations(tell.engines, binding=terms.binding),
        around=Around(tell.signals, tell.spare, tell.left, tell.alarm, tell.record, islanded),
    )
