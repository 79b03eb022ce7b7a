"""The use cases at work, put together: each part loaded only where the configuration needs it.

Most homes have no tie, offer no reserve and regulate nothing; they do without the memory for it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from certs.keys.opening import key_store
from der.model import DeviceKind
from der.service import Device
from hems import wiring
from hems.cem.planner.problem import BySlot
from hems.cem.slots import Slots
from hems.clock import Clock
from hems.demand import Demand, DemandEvents
from hems.image import Image
from hems.settings.config import Config
from hems.store.store import Store
from hems.uses.use import Use, UsesEvents
from hems.visibility.visibility import Visibility
from programs.about import Standing
from programs.registry import Policies
from programs.signal import Signal

if TYPE_CHECKING:
    from hems.microgrid.keeper import Microgrid
    from hems.regulation.regulation import Regulation
    from hems.reserves.desk import Reserves
    from hems.uses.doorway import Doorway


class Uses:
    """All of them, as one part.

    Args:
        config: The hub's settings.
        store: What is remembered.
        clock: Where the time comes from.
        tell: See `UsesEvents`.

    Raises:
        CertificateError: A key or certificate of the visibility section cannot be used.
    """

    _doorway: "Doorway | None"

    def __init__(self, config: Config, store: Store, clock: Clock, tell: UsesEvents) -> None:
        self.visibility = Visibility(
            store.visibility, clock, lambda text: tell.alarm("visibility", text)
        )
        self.demand = _demand(config, store, clock, tell, lambda: self.islanded)
        self._doorway = None
        self.reserves: Reserves | None = None
        self.microgrid: Microgrid | None = None
        self.regulation: Regulation | None = None
        # Imported only here, not above: most homes do without these parts and their memory.
        if config.visibility.certificate is not None:
            from hems.uses.doorway import Doorway  # noqa: PLC0415

            self._doorway = Doorway(
                config.visibility,
                self.visibility,
                clock,
                keys=key_store(config.keys.settings),
                alarm=tell.alarm,
                clock_error_s=tell.clock_error_s,
                note=tell.note,
            )
        terms = wiring.reserve_terms(config)
        if terms is not None:
            from hems.uses.reserve import reserve  # noqa: PLC0415

            self.reserves = reserve(
                terms, config, store, clock, tell, islanded=lambda: self.islanded
            )
        plant = config.microgrid.plant()
        if plant is not None:
            from hems.uses.island import island  # noqa: PLC0415

            self.microgrid = island(plant, config, store, clock, tell)
        if config.regulation.consent:
            from hems.uses.regulating import regulating  # noqa: PLC0415

            self.regulation = regulating(config, store, clock, tell, lambda: self.parted)
        known = (self.visibility, self.demand, self.regulation, self.microgrid, self.reserves)
        self._parts: tuple[Use, ...] = tuple(part for part in known if part is not None)

    @property
    def parted(self) -> bool:
        """Whether the home is without its grid, so that no device may run as it likes."""
        return self.microgrid is not None and self.microgrid.parted

    @property
    def islanded(self) -> bool:
        """Whether nothing flows at the connection point, so that nothing is delivered there."""
        return self.microgrid is not None and self.microgrid.islanded

    def attach(self, devices: Mapping[str, Device]) -> None:
        """Take the place that the parts need between the home and its devices; before they open."""
        if self.regulation is not None:
            self.regulation.attach(devices)

    async def load(self) -> None:
        """Take up what was kept before a restart."""
        for part in self._parts:
            await part.load()

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as group:
            for part in self._parts:
                group.create_task(part.run())
            if self._doorway is not None:
                group.create_task(self._doorway.run())

    def take_image(self, image: Image) -> None:
        """Take in what the devices said."""
        for part in self._parts:
            part.take_image(image)

    def applied(self, policies: Policies) -> Policies:
        """Return the policies with what all parts have to say put in."""
        for part in self._parts:
            policies = part.applied(policies)
        return policies

    def told(self, signals: Sequence[Signal] | None) -> Sequence[Signal] | None:
        """Return what the utilities ask, calls of the reserve told from emergencies."""
        return signals if self.reserves is None else self.reserves.told(signals)

    def promised(self, slots: Slots) -> Mapping[str, BySlot]:
        """Return what batteries are to hold back by slot, Wh beside their reserve."""
        return {} if self.reserves is None else self.reserves.by_slot(slots)

    def spared(self, slots: Slots) -> BySlot:
        """Return what is paid for each kWh that is not taken, by slot; empty for nothing."""
        market = self.demand.market
        return () if market is None else market.spared(slots)

    def promises(self) -> object:
        """Return what changes when another promise is made; compared as a whole."""
        return None if self.reserves is None else self.reserves.basis()

    @property
    def recorded(self) -> frozenset[str]:
        """The mRIDs of events of which these parts make the record."""
        return frozenset() if self.reserves is None else self.reserves.calls

    @property
    def standings(self) -> Sequence[Standing]:
        """How the programmes stand now."""
        return [standing for part in self._parts for standing in part.standings]

    def refresh_certificates(self) -> None:
        """Read renewed certificates and revocation lists."""
        if self._doorway is not None:
            self._doorway.refresh()


def _demand(
    config: Config, store: Store, clock: Clock, tell: UsesEvents, islanded: Callable[[], bool]
) -> Demand:
    """Return the part that follows the home's peak, its connection and the wholesale market."""
    meters = (device.id for device in config.device if device.kind is DeviceKind.METER)
    return Demand(
        config,
        store,
        clock,
        next(meters, None),
        DemandEvents(
            tell.alarm,
            tell.record,
            tell.react,
            tell.highest_w,
            lambda programme: programme not in tell.left_programmes(),
            tell.told,
            tell.signals,
            islanded,
            tell.baseline,
        ),
    )
