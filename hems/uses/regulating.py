"""What helps to hold the frequency, put together; loaded only where its owner agreed to it."""

from collections.abc import Callable

from hems import wiring
from hems.clock import Clock
from hems.regulation.regulation import Regulation, RegulationEvents
from hems.settings.config import Config
from hems.store.store import Store
from hems.uses.use import UsesEvents


def regulating(
    config: Config, store: Store, clock: Clock, tell: UsesEvents, islanded: Callable[[], bool]
) -> Regulation:
    """Return what helps to hold the frequency.

    Args:
        config: The hub's settings.
        store: What is remembered.
        clock: Where the time comes from.
        tell: See `UsesEvents`.
        islanded: Whether the home is without its grid.
    """
    return Regulation(
        config.regulation.settings,
        wiring.descriptions(config),
        wiring.shared(config),
        clock,
        RegulationEvents(
            tell.signals,
            tell.rooms,
            tell.options,
            tell.held,
            tell.left_programmes,
            tell.alarm,
            tell.react,
            tell.record,
            islanded,
        ),
        store=store.settings,
    )
