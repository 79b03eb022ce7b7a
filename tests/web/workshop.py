"""A scripted home whose devices can be looked into, changed and added, and whose car has needs.

What is found, kept and wanted is the hub's own, over real files and a real store; only the devices
themselves are scripted.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playwright.async_api import Browser, Page, ViewportSize

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems.cem.needs import CarMode
from hems.device_surface import CallerView, DeviceDetail, MoveOutcome, UnknownDeviceError
from hems.image import Image
from hems.needs.habits import CarHabit, Habits, RunHabit
from hems.needs.needs import Needs
from hems.needs.surface import NeedsView
from hems.settings.config import load
from hems.settings.devices_file import Table, write
from hems.setup.device_setup import DeviceSetup
from hems.store.store import open_store
from hems.surface import DeviceView
from programs.economy import EconomyPolicy
from tests.hems.setup.following import FollowingHome
from tests.web.outlook import ScriptedOutlook
from tests.web.script import SCRIPT_START, ZONE, device, first_snapshot
from tests.web.showing import OWNER, PHONE, Shown, showing
from tests.web.surface import ScriptedClock, ScriptedHome
from tests.web.visitor import Visitor
from web.device_api import DeviceApi
from web.found_api import FoundApi
from web.needs_api import NeedsApi
from web.operation import Part

CAR = DeviceSpec("car", DeviceKind.EVSE, "Wallbox", Control.CEILING, 0, 7400)
WASHER = DeviceSpec("washer", DeviceKind.PLUG, "Washing machine", Control.SWITCH, 0, 2300)
LEAVES_AT = SCRIPT_START + 17 * 3600  # 07:20 the next morning
PUMP: Table = {
    "id": "heatpump",
    "kind": "heat_pump",
    "name": "Heat pump",
    "driver": "modbus",
    "map": "relay-board",
    "host": "192.168.1.5",
    "port": 502,
    "max": "3000 W",
    "comfort_low": 19.0,
    "comfort_high": 23.0,
}
TOML = """
[[device]]
id = "battery"
kind = "battery"
name = "Battery"
driver = "sunspec"
host = "192.168.1.6"
port = 502
min = "-5 kW"
max = "5 kW"

[[device]]
id = "pv"
kind = "pv"
name = "Roof"
driver = "sunspec"
host = "192.168.1.7"
port = 502
min = "-6 kW"

[[device]]
id = "meter"
kind = "meter"
name = "Meter"
driver = "sunspec"
host = "192.168.1.8"
port = 502

[[device]]
id = "car"
kind = "evse"
name = "Wallbox"
driver = "ocpp16"
station = "WB1"
max = "7.4 kW"
"""
BY_HAND = ("battery", "pv", "meter", "car")


@dataclass
class Bench:
    """A `DeviceSurface` of what the scripted home shows."""

    home: ScriptedHome
    tested: list[str] = field(default_factory=list)

    async def device(self, device: str) -> DeviceDetail:
        shown = next((d for d in self.home.now.devices if d.id == device), None)
        if shown is None:
            raise UnknownDeviceError(f"this home has no device {device!r}")
        return DeviceDetail(
            shown.id,
            shown.name,
            shown.kind,
            "sunspec",
            shown.min_w,
            shown.max_w,
            5,
            "owner",
            manufacturer="Acme",
            model="Box 5",
            serial="A-1",
            firmware="2.7.1",
            address="192.168.1.6:502 unit 1",
            functions=("volt-watt",),
            expiry="reversion",
            power_w=shown.power_w,
            soc=shown.soc,
            capacity_wh=60e3 if shown.kind == "evse" else None,
            age_s=shown.age_s,
            quality=shown.quality,
        )

    async def test(self, device: str, move_s: float) -> MoveOutcome:
        del move_s
        self.tested.append(device)
        return MoveOutcome(passed=True, moved=True, phases=("A",))

    def callers(self) -> Sequence[CallerView] | None:
        return (CallerView("garage", "192.168.1.7", "ocpp1.6"),)


@dataclass
class HabitualNeeds:
    """A home's real needs, and when its car usually leaves."""

    needs_: Needs

    def __getattr__(self, name: str) -> Any:
        return getattr(self.needs_, name)

    def needs(self) -> NeedsView:
        view = self.needs_.needs()
        return replace(view, cars=[replace(car, leaves_at=LEAVES_AT) for car in view.cars])


@dataclass
class Tools:
    """What the page of such a home is served with.

    Attributes:
        bench: The devices.
        following: The home that takes up new ones.
        needs: What is wanted.
        parts: Of the API.
    """

    bench: Bench
    following: FollowingHome
    needs: Needs
    parts: Sequence[Part]


@dataclass
class Workshop:
    """All of it at work.

    Attributes:
        shown: The page and the scripted home.
        bench: Its devices.
        following: The home that takes up new ones.
        needs: What is wanted.
    """

    shown: Shown
    bench: Bench
    following: FollowingHome
    needs: Needs

    @property
    def page(self) -> Page:
        """The page."""
        return self.shown.page

    @property
    def kept(self) -> list[str]:
        """Ids of the devices that the program keeps."""
        return [each.id for each in load(self.following.path).device if each.id not in BY_HAND]

    def expect_refusals(self) -> None:
        """Forgive the browser that it complained of what the hub refused."""
        complaints = self.shown.complaints
        complaints[:] = [c for c in complaints if "status of 40" not in c]

    async def go(self, path: str) -> None:
        """Show a view."""
        await self.page.goto(f"{self.shown.url}{path}")


def devices() -> Sequence[DeviceView]:
    """Return the script's devices, as their set-points are understood, and a washing machine."""
    controls = {
        "battery": ("target", -5000.0, 5000.0),
        "car": ("ceiling", 0.0, 7400.0),
        "pv": ("floor", -6000.0, 0.0),
        "heatpump": ("switch", 0.0, 3000.0),
        "water": ("switch", 0.0, 2000.0),
    }
    found = []
    for each in first_snapshot().devices:
        control, min_w, max_w = controls.get(each.id, ("none", 0.0, 0.0))
        found.append(replace(each, control=control, min_w=min_w, max_w=max_w, safe="goes idle"))
    washer = device("washer", "Washing machine", "plug", 0.0)
    return (*found, replace(washer, control="switch", max_w=2300.0))


@asynccontextmanager
async def tools(folder: Path, home: ScriptedHome, clock: ScriptedClock) -> AsyncIterator[Tools]:
    """Give a scripted home everything that its devices and its car need."""
    home.now = replace(home.now, devices=devices())
    path = folder / "hems.toml"
    path.write_text(TOML, encoding="utf-8")
    write(folder / "devices.toml", [PUMP])
    bench, following = Bench(home), FollowingHome(path)
    setup = DeviceSetup(path, following, bench.callers, clock)
    store = await open_store(folder / "hems.db", clock)
    habits = Habits(
        (CarHabit("car", CarMode.CHEAPEST, time(7), energy_wh=12_000.0),),
        (RunHabit("washer", (2000.0, 100.0), 1800.0),),
    )
    needs = Needs(store.settings, (CAR, WASHER), habits, clock, ZoneInfo(ZONE))
    reading = Reading(SCRIPT_START, 2760.0, connected=True)
    state = DeviceState(CAR, reading, Quality.GOOD)
    needs.take_image(Image(SCRIPT_START, 1, {"car": state}), EconomyPolicy())
    parts = (
        DeviceApi(bench),
        FoundApi(setup),
        NeedsApi(HabitualNeeds(needs), clock, ZONE),
    )
    try:
        yield Tools(bench, following, needs, parts)
    finally:
        await setup.close()
        await store.close()


@asynccontextmanager
async def workshop(
    browser: Browser,
    folder: Path,
    viewport: ViewportSize = PHONE,
    *,
    dark: bool = False,
    locale: str = "en-GB",
    visitor: Visitor = OWNER,
) -> AsyncIterator[Workshop]:
    """Show the scripted home with everything that its devices and its car need."""
    home = ScriptedHome()
    async with (
        tools(folder, home, ScriptedClock()) as found,
        showing(
            browser,
            viewport,
            dark=dark,
            home=home,
            outlook=ScriptedOutlook(),
            locale=locale,
            visitor=visitor,
            parts=found.parts,
        ) as shown,
    ):
        yield Workshop(shown, found.bench, found.following, found.needs)
