"""What leads the home to an island and back, put together; loaded only where it has a tie."""

from hems import wiring
from hems.clock import Clock
from hems.microgrid.expected import PastDays
from hems.microgrid.keeper import Microgrid, Ports
from hems.microgrid.plant import Plant
from hems.settings.config import Config
from hems.store.store import Store
from hems.uses.use import UsesEvents


def island(plant: Plant, config: Config, store: Store, clock: Clock, tell: UsesEvents) -> Microgrid:
    """Return what leads the home to an island and back.

    Args:
        plant: What it is made of.
        config: The hub's settings.
        store: What is remembered.
        clock: Where the time comes from.
        tell: See `UsesEvents`.
    """
    specs = [description.spec for description in wiring.descriptions(config)]
    return Microgrid(
        plant,
        specs,
        clock,
        Ports(
            store.settings,
            tell.command,
            tell.signals,
            PastDays(specs, store.history.history),
            tell.alarm,
            tell.react,
            tell.record,
        ),
    )
