"""The cycle and a simulated inverter on its socket: functions run, and never in anybody's way."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from der.addresses import ModbusAddress
from der.curves import Curve, GridFunction, GridSupport, ShareOf
from der.model import Quality
from der.registry import build
from der.sim.runner import SimulatedHome
from hems.cem.arbiter import Decision
from hems.cem.cycle import Cycle
from hems.cem.effects import Effect
from hems.clock import SystemClock
from hems.image import Image, ImageRing
from programs.envelope_var import EnvelopeVarPolicy
from programs.registry import Policies
from programs.signal import Signal, SignalKind
from programs.support import Place
from tests.der.described import described
from tests.der.drivers.sunspec_home import KINDS, simulated

PERIOD_S = 0.2
VOLT_VAR = Curve(
    GridFunction.VOLT_VAR,
    ((0.92, -0.44), (0.98, 0.0), (1.02, 0.0), (1.08, 0.44)),
    ShareOf.MAX_VA,
)
MOST_VAR = 4400 * 0.44


@dataclass
class Watcher:
    images: list[Image] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)

    def on_image(self, image: Image, decision: Decision) -> None:
        del decision
        self.images.append(image)

    def on_effect(self, effect: Effect) -> None:
        self.effects.append(effect)


@dataclass
class Line:
    """A cycle over the meter and inverters of a simulated home."""

    home: SimulatedHome
    cycle: Cycle
    watcher: Watcher
    signals: list[Signal]

    async def until(self, true: Callable[[], bool], within_s: float = 8.0) -> None:
        async with asyncio.timeout(within_s):
            while not true():  # noqa: ASYNC110 - the house itself has no event to wait for
                await asyncio.sleep(0.02)

    @property
    def meter_var(self) -> float:
        return self.home.house.now.meter.reactive_var

    @property
    def voltage_v(self) -> float:
        return self.home.house.now.voltage_v

    def ask(
        self,
        kind: SignalKind,
        value: float = 0.0,
        settings: GridSupport | None = None,
        *,
        event: str = "E1",
    ) -> None:
        now = time.time()
        self.signals.append(
            Signal(event, "Peak", kind, value, now, now + 60, binding=False, settings=settings)
        )


@asynccontextmanager
async def line(
    names: Sequence[str] = ("meter", "pv"),
    policies: Policies | None = None,
    **options: object,
) -> AsyncIterator[Line]:
    async with simulated(**{"pv_style": "full", **options}) as home:
        registry = build(
            [
                described(
                    name,
                    KINDS[name][0],
                    "sunspec",
                    ModbusAddress("127.0.0.1", home.devices.servers[name].port, timeout_s=5.0),
                    KINDS[name][2],
                    min_w=KINDS[name][1],
                    deadline_s=2,
                )
                for name in names
            ],
            now=time.time,
        )
        await registry.start()
        watcher, signals = Watcher(), list[Signal]()
        given = policies or Policies()
        cycle = Cycle(
            registry.devices,
            ImageRing(),
            SystemClock(),
            lambda: tuple(signals),
            [watcher],
            policies=lambda: given,
            period_s=PERIOD_S,
        )
        running = asyncio.create_task(cycle.run())
        try:
            yield Line(home, cycle, watcher, signals)
        finally:
            cycle.stop()
            await asyncio.wait_for(running, 20)
            await registry.stop()


@pytest.mark.requirement("BUC-4")
async def test_a_curve_is_told_shown_recorded_and_ended() -> None:
    async with line() as home:
        home.home.house.supply.feeder_v = 250.0
        home.ask(SignalKind.VOLT_VAR, settings=VOLT_VAR)
        await home.until(lambda: home.meter_var > 0.9 * MOST_VAR)
        await home.until(lambda: bool(home.cycle.functions))
        assert "Volt-VAR" in home.cycle.functions["pv"][0]
        (told,) = [e for e in home.watcher.effects if e.support and not e.refresh]
        assert (told.event, told.source, told.device, told.error) == ("E1", "volt-var", "pv", None)
        home.signals.clear()
        await home.until(lambda: home.meter_var == 0.0)
        await home.until(lambda: not home.cycle.functions)


@pytest.mark.requirement("BUC-4", "BUC-12")
async def test_one_way_follows_the_other_and_none_is_left_behind() -> None:
    async with line() as home:
        home.home.house.supply.feeder_v = 250.0
        home.ask(SignalKind.VOLT_VAR, settings=VOLT_VAR)
        await home.until(lambda: home.meter_var > 0.9 * MOST_VAR)
        home.ask(SignalKind.REACTIVE_POWER, -700.0, event="E2")
        await home.until(lambda: home.meter_var == pytest.approx(-700.0, abs=2))
        assert [y.wish.cause for y in home.cycle.yielded] == ["E1"]
        del home.signals[1]
        await home.until(lambda: home.meter_var > 0.9 * MOST_VAR)


@pytest.mark.requirement("BUC-4", "ROLE-CEM")
async def test_an_adoption_that_hangs_delays_neither_reading_nor_writing() -> None:
    async with line(curve_adoption="hangs") as home:
        await home.until(lambda: len(home.watcher.images) > 5)
        home.ask(SignalKind.VOLT_VAR, settings=VOLT_VAR)
        await asyncio.sleep(1.0)
        seen = len(home.watcher.images)
        home.ask(SignalKind.EXPORT_LIMIT, 500.0, event="E2")
        await home.until(lambda: home.home.house.now.meter.power_w >= -500.0, 3.0)
        await asyncio.sleep(1.0)
        for image in home.watcher.images[seen:]:
            for state in image.devices.values():
                assert state.quality is Quality.GOOD
                assert state.reading is not None
                assert image.at - state.reading.at < 5 * PERIOD_S
        await home.until(lambda: "pv" in home.cycle.refusals, 15.0)
        assert "was not adopted" in home.cycle.refusals["pv"]
        assert len([e for e in home.watcher.effects if e.support and e.error]) == 1


@pytest.mark.requirement("BUC-4")
async def test_a_device_that_refuses_is_shown_and_not_hammered() -> None:
    async with line(curve_adoption="fails") as home:
        home.ask(SignalKind.VOLT_VAR, settings=VOLT_VAR)
        await home.until(lambda: "pv" in home.cycle.refusals)
        (told,) = [e for e in home.watcher.effects if e.support]
        assert (told.event, told.refused) == ("E1", Place.REACTIVE)
        assert "pv" in (told.error or "")
        wrote = len(home.home.journal.writes())
        await asyncio.sleep(2.0)
        assert len(home.home.journal.writes()) == wrote
        assert not home.cycle.functions


@pytest.mark.requirement("BUC-4")
async def test_the_hub_follows_the_curve_for_an_inverter_that_only_holds_var() -> None:
    async with line(pv_style="classic") as home:
        supply = home.home.house.supply
        supply.feeder_v, supply.reactance_ohm = 244.0, 0.5
        home.ask(SignalKind.VOLT_VAR, settings=VOLT_VAR)
        await home.until(lambda: home.meter_var > 500.0, 15.0)
        assert home.voltage_v < 246.0
        settled: list[float] = []
        for _ in range(15):
            await asyncio.sleep(0.2)
            settled.append(home.meter_var)
        assert max(settled[-5:]) - min(settled[-5:]) < 0.1 * MOST_VAR  # it does not hunt


@pytest.mark.requirement("BUC-11")
async def test_the_envelope_holds_reactive_power_at_the_meter() -> None:
    limits = Policies(envelope_var=EnvelopeVarPolicy(-600.0, 600.0))
    async with line(policies=limits) as home:
        home.home.house.supply.feeder_v = 250.0
        home.ask(SignalKind.VOLT_VAR, settings=VOLT_VAR)
        await home.until(lambda: home.meter_var > 400.0)
        await home.until(lambda: home.meter_var <= 600.0)
        for _ in range(20):
            await asyncio.sleep(0.1)
            assert 400.0 < home.meter_var <= 600.0


@pytest.mark.requirement("BUC-11")
async def test_the_envelope_keeps_the_voltage_below_its_bound() -> None:
    bound = EnvelopeVarPolicy(greatest_v=246.0)
    async with line(policies=Policies(envelope_var=bound)) as home:
        supply = home.home.house.supply
        supply.reactance_ohm = 0.4
        await home.until(lambda: len(home.watcher.images) > 5)
        supply.feeder_v = 247.0
        await home.until(lambda: home.voltage_v > 247.5)
        await home.until(lambda: home.voltage_v < 246.0, 20.0)
        assert home.meter_var > 1000.0
