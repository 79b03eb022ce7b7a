"""The island's keeper: orders one after the other, what it keeps, what it records and says."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from der.commands import Command, Connect, Disconnect, FollowGrid, FormGrid
from der.errors import TransientError
from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading, Setpoint
from hems.image import Image
from hems.microgrid.expected import PastDays
from hems.microgrid.keeper import KEY, Microgrid, Ports
from hems.microgrid.limits import Limits, Permit
from hems.microgrid.plant import Plant
from hems.microgrid.states import Phase
from hems.store.history import DeviceSeries
from hems.store.store import Store, open_store
from hems.surface import ImpossibleWishError
from programs.economic import EconomicPolicy
from programs.envelope import EnvelopePolicy
from programs.inputs import Inputs
from programs.microgrid import ID
from programs.peak_shaving import PeakShavingPolicy
from programs.performance import Performance
from programs.proposal import COURSE, HOME, Bounds
from programs.registry import Policies, propose_all
from programs.signal import Signal, SignalKind
from programs.slope import SlopePolicy
from tests.waiting import until
from tests.web.surface import ScriptedClock

pytestmark = pytest.mark.requirement("BUC-14")

T0 = 1_800_000_000.0
METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, -20_000, 20_000)
TIE = DeviceSpec("tie", DeviceKind.TIE, "Tie", Control.NONE, 0, 0)
BATTERY = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5_000, 5_000)
OXYGEN = DeviceSpec("oxygen", DeviceKind.PLUG, "Oxygen", Control.SWITCH, 0, 300, essentiality=9)
TANK = DeviceSpec("tank", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0, 3_000, essentiality=1)
SPECS = (METER, TIE, BATTERY, TANK, OXYGEN)
PLANT = Plant(
    "tie",
    "battery",
    Permit.OUTAGE,
    limits=Limits(delay_s=3.0, ramp_s=3.0),
    spacing_s=4.0,
    duration_s=7200.0,
)


@dataclass
class World:
    """A home as its devices say it is, and what reaches them."""

    clock: ScriptedClock
    keeper: Microgrid = field(init=False)
    alarms: dict[str, str | None] = field(default_factory=dict)
    commands: list[tuple[str, Command[str]]] = field(default_factory=list)
    records: list[Performance] = field(default_factory=list)
    signals: Sequence[Signal] | None = ()
    grid: tuple[float, float] = (230.0, 50.0)
    bus: tuple[float, float] = (230.0, 50.0)
    angle: float | None = 0.0
    closed: bool | None = True
    forming: bool = False
    power_w: float = 0.0
    soc: float = 0.6
    off: bool = False
    obeys: bool = True
    lost: set[str] = field(default_factory=set)

    def phase(self) -> Phase:
        """Where the home is."""
        return self.keeper.state.phase

    async def command(self, device: str, command: Command[str]) -> str:
        """Carry a command out as tie and inverter would."""
        self.commands.append((device, command))
        if not self.obeys:
            raise TransientError(f"{device}: no answer")
        match command:
            case Disconnect():
                self.closed, self.bus, self.angle = False, (0.0, 0.0), None
            case Connect():
                self.closed, self.bus, self.angle = True, self.grid, 0.0
            case FormGrid(frequency_hz=hz, voltage_v=volts):
                assert self.closed is False, "never with the tie closed"
                self.forming, self.bus, self.power_w = True, (volts, hz), -900.0
            case FollowGrid():
                self.forming = False
        return "done"

    def image(self) -> Image:
        """Return what the devices say now."""
        at = self.clock.now()
        told = Setpoint(0.0, 900.0) if self.off else None
        tie = Reading(
            at,
            0.0,
            voltage_v=self.bus[0],
            frequency_hz=self.bus[1],
            grid_voltage_v=self.grid[0],
            grid_frequency_hz=self.grid[1],
            angle_deg=self.angle,
            connected=self.closed,
        )
        battery = Reading(
            at,
            self.power_w,
            voltage_v=self.bus[0],
            frequency_hz=self.bus[1],
            soc=self.soc,
            capacity_wh=10_000.0,
            forming=self.forming,
        )
        load = Reading(at, 0.0, wants_power=True)
        found = {
            "meter": DeviceState(METER, Reading(at, 0.0), Quality.GOOD),
            "tie": DeviceState(TIE, tie, Quality.GOOD),
            "battery": DeviceState(BATTERY, battery, Quality.GOOD),
            "tank": DeviceState(TANK, load, Quality.GOOD, setpoint=told),
            "oxygen": DeviceState(OXYGEN, load, Quality.GOOD, setpoint=told),
        }
        for name in self.lost:
            found[name] = replace(found[name], quality=Quality.LOST)
        return Image(at, int(at), found)

    async def live(self, seconds: int) -> Phase:
        """Let the home live, looked at once a second; returns the phase in the end."""
        for _ in range(seconds):
            self.clock.at += 1.0
            self.keeper.take_image(self.image())
            for _ in range(5):
                await asyncio.sleep(0)
        return self.keeper.state.phase

    async def outage(self) -> None:
        """Take the grid away and wait for the island."""
        await self.live(2)
        self.grid = self.bus = (0.0, 0.0)
        self.off = True
        assert await self.live(10) is Phase.ISLAND
        self.off = False

    @property
    def withheld(self) -> set[str]:
        """Loads that may not run."""
        return set(self.keeper.applied(Policies()).microgrid.withheld)

    def kinds(self) -> list[type[Command[str]]]:
        """Return what was commanded."""
        return [type(command) for _, command in self.commands]


@asynccontextmanager
async def world(
    folder: Path, plant: Plant = PLANT, name: str = "hems.db"
) -> AsyncIterator[tuple[World, Store]]:
    """Return a home whose keeper runs, with a store of its own."""
    clock = ScriptedClock(T0)
    store = await open_store(folder / name, clock)
    try:
        found = made(store, clock, plant)
        running = asyncio.create_task(found.keeper.run())
        try:
            yield found, store
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    finally:
        await store.close()


def made(store: Store, clock: ScriptedClock, plant: Plant = PLANT) -> World:
    """Return a home and its keeper, which does not run yet."""
    found = World(clock)
    found.keeper = Microgrid(
        plant,
        SPECS,
        clock,
        Ports(
            store.settings,
            found.command,
            lambda: found.signals,
            PastDays(SPECS, store.history.history),
            lambda source, text: found.alarms.update({source: text}),
            lambda: None,
            found.records.append,
        ),
    )
    return found


async def test_an_outage_is_an_island_and_its_record_says_what_was_served(tmp_path: Path) -> None:
    async with world(tmp_path) as (home, _):
        await home.outage()
        assert home.kinds()[:2] == [Disconnect, FormGrid]
        policy = home.keeper.applied(Policies()).microgrid
        assert policy.parted
        assert policy.island is not None
        assert policy.island.bounds.upper_w == pytest.approx(4500.0)
        assert "The home is an island" in (home.alarms[ID] or "")
        (standing,) = home.keeper.standings
        assert standing.active
        await home.live(60)
        home.grid, home.angle = (230.0, 50.0), 90.0
        assert await home.live(5) is Phase.SYNCHRONISING
        home.angle = 3.0
        assert await home.live(8) is Phase.GRID
        assert home.alarms[ID] is None
        assert home.kinds()[-2:] == [Connect, FollowGrid]
        (record,) = home.records
        assert record.programme == ID
        assert record.delivered_wh == pytest.approx(900 * 65 / 3600, rel=0.15)
        assert record.settled_s is not None
        assert record.settled_s < 12.0
        assert "Hz" in record.note


async def test_the_record_of_an_island_lasts_as_long_as_it_did_though_its_clock_is_set(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as (home, _):
        await home.outage()
        home.clock.set_by_s = -7200.0
        await home.live(60)
        home.grid, home.angle = (230.0, 50.0), 3.0
        assert await home.live(20) is Phase.GRID
        (record,) = home.records
        assert 60.0 < record.ends_at - record.starts_at < 120.0


async def test_what_was_agreed_of_the_meter_has_no_meaning_on_an_island(tmp_path: Path) -> None:
    agreed = Policies(
        envelope=EnvelopePolicy(fixed_export_w=0.0),
        peak_shaving=PeakShavingPolicy(1_000.0),
        slope=SlopePolicy(500.0),
        economic=EconomicPolicy(since=T0),
    )
    async with world(tmp_path) as (home, _):
        await home.live(2)
        assert replace(home.keeper.applied(agreed), microgrid=agreed.microgrid) == agreed
        await home.outage()
        home.power_w = 0.0
        applied = home.keeper.applied(agreed)
        inputs = Inputs((), home.image().devices, -2_000.0, home.clock.now())
        bounding = [
            proposal.source
            for proposal in propose_all(inputs, applied)
            if proposal.target in {HOME, COURSE} and proposal.bounds != Bounds()
        ]
        assert set(bounding) == {ID, "main-breaker"}, "the sun may charge the battery"


async def test_loads_get_power_one_after_the_other_the_marked_first(tmp_path: Path) -> None:
    async with world(tmp_path) as (home, _):
        await home.live(2)
        home.grid = home.bus = (0.0, 0.0)
        await home.live(4)
        assert home.withheld == {"tank", "oxygen"}, "all is off before the inverter forms"
        home.off = True
        while await home.live(1) is not Phase.ISLAND:
            pass
        assert home.withheld == {"tank"}
        await home.live(5)
        assert home.withheld == set()


async def test_what_the_battery_cannot_carry_for_so_long_is_withheld(tmp_path: Path) -> None:
    async with world(tmp_path, replace(PLANT, duration_s=12 * 3600.0)) as (home, _):
        home.soc = 0.3
        await home.outage()
        await home.live(10)
        assert home.withheld == {"tank"}
        (standing,) = home.keeper.standings
        assert standing.energy_wh == pytest.approx(2500.0)


async def test_a_restart_on_an_island_takes_it_up(tmp_path: Path) -> None:
    async with world(tmp_path) as (home, store):
        await home.outage()
        await until(store.settings.all, lambda kept: '"island"' in kept[KEY], 5.0, "it is kept")
        again = made(store, home.clock)
        again.grid, again.bus, again.angle = home.grid, home.bus, None
        again.closed, again.forming, again.power_w = False, True, -900.0
        again.signals = None  # the utility is not to be reached either
        await again.keeper.load()
        assert again.phase() is Phase.ISLAND
        assert again.keeper.parted
        await again.live(3)
        policy = again.keeper.applied(Policies()).microgrid
        assert policy.island is not None
        assert not policy.withheld, "what runs goes on"
        assert not again.commands
        again.grid, again.angle, again.signals = (230.0, 50.0), 0.0, ()
        await again.live(20)
        assert again.phase() is Phase.SYNCHRONISING


@pytest.mark.parametrize(
    "text", ["", "no JSON", '{"phase": "flying"}', '{"tally": {"served_wh": 1}}']
)
async def test_what_was_kept_and_is_damaged_is_left(tmp_path: Path, text: str) -> None:
    async with world(tmp_path) as (_, store):
        await store.settings.put(KEY, text)
        again = made(store, ScriptedClock(T0))
        await again.keeper.load()
        assert again.phase() is Phase.GRID


async def test_orders_that_fail_are_said_and_given_again(tmp_path: Path) -> None:
    async with world(tmp_path) as (home, _):
        await home.live(2)
        home.obeys, home.grid, home.bus = False, (0.0, 0.0), (0.0, 0.0)
        assert await home.live(14) is Phase.SEPARATING
        assert 3 <= len(home.commands) <= 8
        assert "no answer" in (home.alarms["microgrid order"] or "")
        assert "does not open" in (home.alarms[ID] or "")
        home.obeys, home.off = True, True
        assert await home.live(10) is Phase.ISLAND
        assert home.alarms["microgrid order"] is None


async def test_sensors_that_are_lost_start_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as (home, _):
        home.lost = {"tie"}
        home.grid = home.bus = (0.0, 0.0)
        assert await home.live(30) is Phase.GRID
        assert not home.commands


async def test_without_a_permit_it_is_dark_and_says_why(tmp_path: Path) -> None:
    async with world(tmp_path, replace(PLANT, permit=Permit.NONE)) as (home, _):
        await home.live(2)
        home.grid = home.bus = (0.0, 0.0)
        assert await home.live(10) is Phase.DARK
        assert not home.commands
        assert "no island is permitted" in (home.alarms[ID] or "")
        assert not home.withheld
        (standing,) = home.keeper.standings
        assert standing.for_s == 0.0


async def test_a_disconnection_is_ridden_through_only_with_the_permit_for_it(
    tmp_path: Path,
) -> None:
    off = Signal("E1", "Grid company", SignalKind.DISCONNECT, 0.0, T0, T0 + 600, binding=True)
    async with world(tmp_path, replace(PLANT, permit=Permit.SCHEDULED)) as (home, _):
        await home.live(2)
        home.signals, home.off = [off], True
        assert home.keeper.applied(Policies()).microgrid.rides_through
        await home.live(12)
        assert home.phase() is Phase.ISLAND
        assert home.keeper.state.why == "Grid company asks the home to part from its grid"
        home.clock.at = T0 + 600  # the event is over
        home.angle = 0.0
        await home.live(12)
        assert home.phase() is Phase.GRID
        (record,) = home.records
        assert (record.event, record.asked_by) == ("E1", "the utility")
    async with world(tmp_path, name="other.db") as (home, _):
        await home.live(2)
        home.signals = [off]
        assert not home.keeper.applied(Policies()).microgrid.rides_through
        assert await home.live(10) is Phase.GRID


async def test_the_owner_asks_and_needs_the_permit_too(tmp_path: Path) -> None:
    async with world(tmp_path) as (home, _):
        with pytest.raises(ImpossibleWishError, match="permits no island"):
            await home.keeper.ask(leave=True)
        assert await home.live(5) is Phase.GRID
    async with world(tmp_path, replace(PLANT, permit=Permit.SCHEDULED), "other.db") as (home, _):
        await home.live(2)
        home.off = True
        await home.keeper.ask(leave=True)
        assert await home.live(15) is Phase.ISLAND
        home.angle = 0.0
        await home.keeper.ask(leave=False)
        assert await home.live(15) is Phase.GRID


async def test_less_is_counted_on_after_each_collapse(tmp_path: Path) -> None:
    async with world(tmp_path) as (home, _):
        await home.outage()
        home.forming, home.bus, home.power_w, home.off = False, (0.0, 0.0), 0.0, True
        assert await home.live(1) is Phase.DARK
        assert "more was asked of it" in (home.alarms[ID] or "")
        assert await home.live(30) is Phase.ISLAND
        policy = home.keeper.applied(Policies()).microgrid
        assert policy.island is not None
        assert policy.island.bounds.upper_w == pytest.approx(3600.0)


async def test_the_past_tells_what_to_expect() -> None:
    hours = [T0 // 3600 * 3600 - 3600 * back for back in range(48, 0, -1)]

    async def history(start: float, end: float, step_s: int) -> Sequence[DeviceSeries]:
        del start, end, step_s
        no_soc: list[float | None] = [None] * 48
        dark = [(hour // 3600) % 24 < 6 for hour in hours]
        return [
            DeviceSeries("meter", hours, [None, *[500.0] * 47], no_soc),
            DeviceSeries("tank", hours, [0.0 if night else 200.0 for night in dark], no_soc),
        ]

    expected = PastDays(SPECS, history)
    assert expected.load_w(T0, T0 + 3600) == 400.0, "a home without a past is a typical one"
    await expected.refresh(T0)
    midnight = T0 // 86400 * 86400
    assert expected.load_w(midnight + 3600, midnight + 7200) == pytest.approx(500.0)
    assert expected.load_w(midnight + 8 * 3600, midnight + 9 * 3600) == pytest.approx(300.0)
    assert expected.sun_w(midnight, midnight + 86400) == 0.0


async def test_nothing_is_saved_while_the_sun_would_be_held_back(tmp_path: Path) -> None:
    async with world(tmp_path, replace(PLANT, duration_s=48 * 3600.0)) as (home, _):
        home.soc = 0.5
        await home.outage()
        await home.live(10)
        assert home.withheld == {"tank"}
        home.soc = 0.96
        await home.live(1)
        assert home.withheld == set()
        home.soc = 0.9
        await home.live(1)
        assert home.withheld == set(), "not held back at once again"
        home.soc = 0.8
        await home.live(1)
        assert home.withheld == {"tank"}


async def test_a_home_that_does_not_return_by_itself_waits_for_its_owner(tmp_path: Path) -> None:
    async with world(tmp_path, replace(PLANT, returns=False)) as (home, _):
        await home.outage()
        home.grid, home.angle = (230.0, 50.0), 0.0
        assert await home.live(30) is Phase.ISLAND
        view = home.keeper.view()
        assert (view.phase, view.permit, view.gives_w) == ("island", "outage", 4500.0)
        await home.keeper.ask(leave=False)
        assert await home.live(15) is Phase.GRID
        assert home.keeper.view().words == ""
