"""A reserve with the real book, ledger and store; the house is a few readings."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems.emg.reservations import Reservations
from hems.image import Image
from hems.reserves.desk import Around, Reserves
from hems.reserves.terms import Terms
from hems.sep2 import resources as res
from hems.sep2.book.book import BookSettings
from hems.sep2.book.engine import Engine
from hems.sep2.rules.events import Program
from hems.store.store import Store, open_store
from programs.capability import Spare, StoreFacts
from programs.performance import Performance
from programs.registry import Policies
from programs.signal import Signal
from tests.hems.sep2.kinds_made import grant

T0 = 1_767_225_600.0
"""A midnight, UTC."""
BATTERY = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5_000, 5_000)
METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, -20_000, 20_000)
TERMS = Terms("grid", frozenset({"Reserve"}), ZoneInfo("UTC"), reserve_soc=0.1)


@dataclass
class SetClock:
    """A clock that stands until it is moved, and whose UTC can be set."""

    at: float = T0
    set_by_s: float = 0.0

    def now(self) -> float:
        """Return UTC."""
        return self.at + self.set_by_s

    def monotonic(self) -> float:
        """Return seconds that never step."""
        return self.at


@dataclass
class Rig:
    """Hands and eyes on a reserve."""

    store: Store
    clock: SetClock
    terms: Terms
    net_w: float | None = 500.0
    soc: float = 0.6
    quality: Quality = Quality.GOOD
    signals: list[Signal] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    islanded: bool = False
    alarms: dict[str, str] = field(default_factory=dict)
    records: list[Performance] = field(default_factory=list)
    seq: int = 0

    def __post_init__(self) -> None:
        self.engine = self._engine()
        self.desk = self._desk()

    def _engine(self) -> Engine:
        settings = BookSettings("grid", "0" * 39 + "1")
        draws = random.Random(1)  # noqa: S311 - draws, not secrets
        return Engine(settings, self.store.ledger, self.clock, draws)

    def _desk(self) -> Reserves:
        return Reserves(
            self.terms,
            {"battery": StoreFacts()},
            self.store.settings,
            self.clock,
            Reservations(lambda: [("grid", self.engine)], binding=self.terms.binding),
            around=Around(
                lambda: self.signals,
                lambda _image: Spare(),
                self.left.__contains__,
                self._alarm,
                self.records.append,
                lambda: self.islanded,
            ),
        )

    def _alarm(self, source: str, text: str | None) -> None:
        self.alarms.pop(source, None)
        if text is not None:
            self.alarms[source] = text

    async def restart(self) -> None:
        """Start anew on what was kept."""
        self.engine, self.alarms = self._engine(), {}
        self.desk = self._desk()
        await self.engine.load()
        await self.desk.load()

    def image(self) -> Image:
        """Return what the devices say now."""
        now = self.clock.now()
        net = None if self.net_w is None else Reading(now, self.net_w)
        battery = Reading(now, 0.0, soc=self.soc, capacity_wh=10_000.0, connected=True)
        meter = DeviceState(METER, net, Quality.LOST if net is None else Quality.GOOD)
        self.seq += 1
        states = {"meter": meter, "battery": DeviceState(BATTERY, battery, self.quality)}
        return Image(now, self.seq, states)

    async def pass_s(self, seconds: float, step_s: float = 1.0) -> None:
        """Let time pass, an image and a look at the offers each step."""
        for _ in range(round(seconds / step_s)):
            self.clock.at += step_s
            self.desk.take_image(self.image())
            await self.desk.trade()

    async def committed(
        self,
        mrid: str,
        start: float,
        lasts_s: float,
        power_w: float,
        energy_wh: float | None = None,
    ) -> None:
        """Have the utility commit the first offer."""
        request = self.desk.view().offers[0].id
        one = grant(mrid, request, int(start), int(lasts_s), watts=-power_w)
        if energy_wh is not None:
            one = replace(one, energy_available=res.SignedRealEnergy.of(-energy_wh))
        await self.take(one)

    async def take(self, *grants: res.FlowReservationResponse) -> None:
        """Take in the utility's list of grants as it is now."""
        kind = res.FlowReservationResponse
        await self.engine.update(Program(""), list(grants), kind=kind, complete=True)

    @property
    def held(self) -> Sequence[str]:
        """Ids of what the programmes are told to hold."""
        return [c.id for c in self.desk.applied(Policies()).reserve.commitments]


@asynccontextmanager
async def opened(path: Path, terms: Terms = TERMS) -> AsyncIterator[Rig]:
    """Open a rig at T0."""
    clock = SetClock()
    store = await open_store(path / "hems.db", clock)
    try:
        yield Rig(store, clock, terms)
    finally:
        await store.close()
