"""Participation put together over a store."""

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from hems.clock import Clock
from hems.participation.deadlines import Deadlines
from hems.participation.keeper import Keeper
from hems.participation.ledger import Ledger
from hems.participation.participation import Participation, Surroundings, Terms
from hems.store.store import Store
from programs.signal import Signal


def assembled(
    store: Store,
    clock: Clock,
    terms: Terms,
    around: Surroundings,
    *,
    meter: str | None,
    zone: ZoneInfo,
    signals: Callable[[], Sequence[Signal] | None],
    alarm: Callable[[str | None], None],
) -> Participation:
    """Return the part of a home that takes part in programmes.

    Args:
        store: What the home remembers.
        clock: Where the time comes from.
        terms: What was agreed.
        around: The home around it.
        meter: Id of the connection point's meter; None where there is none.
        zone: The home's time zone.
        signals: Returns what is asked now; None while that is not known yet.
        alarm: Told in one sentence when records cannot be written, and None when they can.
    """
    ledger = Ledger(store.performances, store.history, meter, zone, terms.methods)
    deadlines = Deadlines()
    keeper = Keeper(
        ledger,
        store.settings,
        clock,
        asked=around.asked,
        signals=signals,
        alarm=alarm,
        left=lambda: part.left,
        elsewhere=around.elsewhere,
        islanded=around.islanded,
        options=around.options,
        late=lambda image: deadlines.take(image.at, around.departures(image.at)),
    )
    part = Participation(terms, store.settings, clock, around, keeper=keeper, ledger=ledger)
    return part
