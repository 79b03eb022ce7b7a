"""The use cases at work: the parts that remember and act beside the control cycle.

What a programme asks is decided purely (`programs`); what it needs to know over time (a commitment,
a price, an island's state) is kept by one part each. Here they are put together.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from certs.identity import IdentityFiles, Trust
from certs.renewal import CertificateWatch
from certs.tls import server_context
from der.commands import Command, DeviceOptions
from der.model import DeviceKind
from der.service import Device
from hems import wiring
from hems.cem.planner.problem import BySlot
from hems.cem.slots import Slots
from hems.clock import Clock
from hems.demand import Demand, DemandEvents
from hems.emg.reservations import Reservations
from hems.image import Image
from hems.microgrid.expected import PastDays
from hems.microgrid.keeper import Microgrid, Ports
from hems.regulation.regulation import Regulation, RegulationEvents
from hems.reserves.desk import Around, Reserves
from hems.sep2.book.engine import Engine
from hems.settings.config import Config
from hems.settings.visibility_section import VisibilitySection
from hems.store.store import Store
from hems.tariff.utility import Told
from hems.visibility.door import Door
from hems.visibility.visibility import Visibility
from programs.about import Standing
from programs.capability import Spare
from programs.performance import Performance
from programs.proposal import Bounds
from programs.registry import Policies
from programs.signal import Signal

_log = logging.getLogger(__name__)

_AGAIN_S: Final = 60.0
"""A port that is taken is tried again."""


def _logged(performance: Performance) -> None:
    _log.info("%s", performance)


class Use(Protocol):
    """One use case's part of the running home."""

    async def load(self) -> None:
        """Take up what was kept before a restart; says by alarm what could not be."""
        ...

    async def run(self) -> None:
        """Serve until cancelled."""
        ...

    def take_image(self, image: Image) -> None:
        """Take in what the devices said; each cycle, must not block."""
        ...

    def applied(self, policies: Policies) -> Policies:
        """Return the policies with what this part has to say put in."""
        ...

    @property
    def standings(self) -> Sequence[Standing]:
        """How its programmes stand now."""
        ...


@dataclass(frozen=True, slots=True)
class UsesEvents:
    """What the parts ask of the home, and tell it; none may block.

    Attributes:
        alarm: Told, by its source, in one sentence what the owner should know; None ends it.
        clock_error_s: Returns the home's time less the utility's; None while that is not known.
        signals: Returns what the utilities ask now; None while that is not known.
        engines: Returns the home's own events at each utility, by its name.
        left: Tells of an event whether the owner has left it.
        spare: Returns for how long each load could stay off.
        command: Has a device carry out a command that is no set-point.
        react: Has the home decide anew at once.
        record: Takes what was delivered of what was asked.
        rooms: Returns where each battery's power may be while all limits hold, by id.
        options: Returns what devices can do, by id.
        held: Returns what a device has confirmed that it runs for the grid.
        left_programmes: Returns the programmes that the owner has left.
        highest_w: Returns the billing month's highest quarter-hour mean import so far, W.
        told: Returns what the utilities tell of prices.
    """

    alarm: Callable[[str, str | None], None]
    clock_error_s: Callable[[], float | None]
    signals: Callable[[], Sequence[Signal] | None]
    engines: Callable[[], Iterable[tuple[str, Engine]]]
    left: Callable[[str], bool]
    spare: Callable[[Image], Spare]
    command: Callable[[str, Command[str]], Awaitable[str]]
    react: Callable[[], None]
    record: Callable[[Performance], None] = _logged
    rooms: Callable[[], Mapping[str, Bounds]] = dict
    options: Callable[[], Mapping[str, DeviceOptions]] = dict
    held: Callable[[str], Sequence[object]] = lambda _device: ()
    left_programmes: Callable[[], Collection[str]] = frozenset
    highest_w: Callable[[], float] = float
    told: Callable[[], Iterable[Told]] = tuple


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

    def __init__(self, config: Config, store: Store, clock: Clock, tell: UsesEvents) -> None:
        self._tell = tell
        self.visibility = Visibility(
            store.visibility, clock, lambda text: tell.alarm("visibility", text)
        )
        self._watch: CertificateWatch | None = None
        self._door: Door | None = None
        self._section = config.visibility
        identity = _identity(config.visibility)
        if identity is not None:
            self._watch = CertificateWatch(
                *identity,
                on_identity=lambda _lfdi: None,
                alarm=lambda text: tell.alarm("visibility certificate", text),
            )
            context = self._watch.cover(server_context(*identity))
            self._door = Door(self.visibility, context, clock, tell.clock_error_s)
        self.reserves = _reserves(config, store, clock, tell)
        self.microgrid = _microgrid(config, store, clock, tell)
        self.regulation = _regulation(config, clock, tell, lambda: self.parted)
        self.demand = _demand(config, store, clock, tell)
        self._parts: tuple[Use, ...] = (
            self.visibility,
            self.demand,
            self.regulation,
            *((self.microgrid,) if self.microgrid is not None else ()),
            *((self.reserves,) if self.reserves is not None else ()),
        )

    @property
    def parted(self) -> bool:
        """Whether the home is without its grid, so that no device may run as it likes."""
        return self.microgrid is not None and self.microgrid.parted

    def attach(self, devices: Mapping[str, Device]) -> None:
        """Take the place that the parts need between the home and its devices; before they open."""
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
            if self._door is not None:
                group.create_task(self._open(self._door))

    async def _open(self, door: Door) -> None:
        """Keep the door for recipients open; a port that is taken is tried again."""
        host, port = self._section.host, self._section.port
        while True:
            try:
                await door.serve(host, port, self._opened)
            except OSError as error:
                why = error.strerror or str(error)
                self._tell.alarm(
                    "visibility door", f"Nobody can be shown anything, {host}:{port}: {why}"
                )
            await asyncio.sleep(_AGAIN_S)

    def _opened(self, port: int) -> None:
        self._tell.alarm("visibility door", None)
        _log.info("who was granted it sees the home at https://%s:%d", self._section.host, port)

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

    def promises(self) -> object:
        """Return what changes when another promise is made; compared as a whole."""
        return None if self.reserves is None else self.reserves.basis()

    @property
    def standings(self) -> Sequence[Standing]:
        """How the programmes stand now."""
        return [standing for part in self._parts for standing in part.standings]

    def refresh_certificates(self) -> None:
        """Read renewed certificates and revocation lists."""
        if self._watch is not None:
            self._watch.refresh()


def _demand(config: Config, store: Store, clock: Clock, tell: UsesEvents) -> Demand:
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
        ),
    )


def _identity(section: VisibilitySection) -> tuple[IdentityFiles, Trust] | None:
    """Return the files of the door's certificate; None where there is no door."""
    certificate, key, trust, crls = section.certificate, section.key, section.trust, section.crls
    if certificate is None or key is None or trust is None or crls is None:
        return None
    return IdentityFiles(certificate, key), Trust(trust, crls)


def _reserves(config: Config, store: Store, clock: Clock, tell: UsesEvents) -> Reserves | None:
    """Return the home's reserve; None where its owner offers none."""
    terms = wiring.reserve_terms(config)
    if terms is None:
        return None
    return Reserves(
        terms,
        wiring.store_facts(config),
        store.settings,
        clock,
        Reservations(tell.engines, binding=terms.binding),
        around=Around(tell.signals, tell.spare, tell.left, tell.alarm, tell.record),
    )


def _regulation(
    config: Config, clock: Clock, tell: UsesEvents, islanded: Callable[[], bool]
) -> Regulation:
    """Return what helps to hold the frequency; without consent it does nothing."""
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
    )


def _microgrid(config: Config, store: Store, clock: Clock, tell: UsesEvents) -> Microgrid | None:
    """Return what leads the home to an island and back; None where it has no tie."""
    plant = config.microgrid.plant()
    if plant is None:
        return None
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
