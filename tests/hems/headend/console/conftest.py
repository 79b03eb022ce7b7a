"""The console of a running head-end, in a real browser; a town of groups and homes behind it."""

import math
import time
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from hems.headend.server import HeadEnd
from hems.headend.settings import DEFAULT_PROGRAMS, HeadEndSettings
from hems.headend.settle.baseline import Way
from hems.headend.settle.settings import BaselineSettings, SettlementSettings
from tests.hems.headend.conftest import Home, MakeHome, Operator
from tests.hems.headend.settle.homes import STEP_S, SetClock, measure, point, series
from tests.hems.headend.street import Street
from tests.web.showing import DESKTOP, RESULTS

BUILT: Final = Path("web/console-static/index.html")
PASSWORD: Final = "quite a long pass phrase 17"
PEOPLE: Final = {
    "Ada": ["dispatcher"],
    "Bob": ["dispatcher"],
    "Erika": ["engineer"],
    "Otto": ["auditor"],
    "Ines": ["dispatcher", "engineer", "auditor"],
}
HOMES: Final = {"home-a": "tx-1", "home-b": "tx-1", "home-c": "tx-2"}
_EXPECTED: Final = "Failed to load resource: the server responded with a status of 4"


@dataclass
class Town:
    """A substation with two feeders, three homes that operate, and who works there."""

    head_end: HeadEnd
    operator: Operator
    clock: SetClock
    homes: dict[str, Home]
    points: dict[str, str] = field(default_factory=dict)

    async def employ(self, name: str) -> None:
        """Have somebody be an operator."""
        wish = {"name": name, "roles": PEOPLE[name], "password": PASSWORD}
        status, answer = await self.operator.ask("POST", "/operators", wish)
        assert status in {201, 409}, answer

    async def measured(self, name: str, power_w: float, begin: float, end: float) -> None:
        """Have a home tell what it took, mean by mean."""
        if name not in self.points:
            self.points[name] = await point(self.homes[name])
        told = series(lambda _: power_w, int(begin), int(end))
        await measure(self.homes[name], self.points[name], told)


@pytest.fixture
def clock() -> SetClock:
    """The utility's: the present, at the beginning of an interval of settlements."""
    return SetClock(float(math.ceil(time.time() / STEP_S) * STEP_S))


@pytest.fixture
def settings(settings: HeadEndSettings) -> HeadEndSettings:
    support = DEFAULT_PROGRAMS[2].model_copy(
        update={"baseline": BaselineSettings(method=Way.BEFORE), "pay_per_kwh": 0.5}
    )
    return settings.model_copy(
        update={
            "programs": (*DEFAULT_PROGRAMS[:2], support),
            "settlement": SettlementSettings(currency="EUR"),
        }
    )


@pytest.fixture
async def head_end(settings: HeadEndSettings, clock: SetClock) -> AsyncIterator[HeadEnd]:
    if not BUILT.is_file():
        pytest.fail("the console is not built: run `make web/static/index.html`")
    async with HeadEnd(settings, clock) as running:
        yield running


@pytest.fixture
async def town(head_end: HeadEnd, operator: Operator, make_home: MakeHome, clock: SetClock) -> Town:
    homes = {name: make_home(name) for name in HOMES}
    street = Street(operator, homes["home-a"], homes["home-b"])
    await street.good("POST", "/fleet/groups", {"groups": _GROUPS})
    for number, (name, group) in enumerate(HOMES.items()):
        place = {"lat": 53.551 + number / 400, "lon": 9.935 + number / 300}
        wish = {"group": group, "name": f"Elbchaussee {number + 1}", "place": place}
        await street.good("PUT", f"/fleet/sites/site-{name}", wish)
        await operator.enter(homes[name])
        await street.operate(homes[name], f"site-{name}")
    return Town(head_end, operator, clock, homes)


_GROUPS: Final = [
    {"id": "north", "kind": "substation", "name": "Umspannwerk Nord"},
    {
        "id": "feeder-1",
        "kind": "feeder",
        "parent": "north",
        "name": "Hafen",
        "place": {"lat": 53.545, "lon": 9.95},
    },
    {
        "id": "feeder-2",
        "kind": "feeder",
        "parent": "north",
        "name": "Altona",
        "place": {"lat": 53.56, "lon": 9.9},
    },
    *(
        {
            "id": f"tx-{number}",
            "kind": "transformer",
            "parent": "feeder-1",
            "name": f"Trafo {number}",
            "place": {"lat": 53.55 + number / 500, "lon": 9.93 + number / 250},
        }
        for number in (1, 2)
    ),
    {"id": "trial", "kind": "free", "name": "Heat pumps on trial"},
]


@dataclass
class Console:
    """The console in a browser, as somebody sees it."""

    page: Page
    url: str
    complaints: list[str]

    async def open(self, path: str) -> None:
        """Go to a place of the console."""
        await self.page.goto(f"{self.url}/console{path}")

    async def log_in(self, name: str, password: str = PASSWORD) -> None:
        """Log somebody in, at the log-in page."""
        await self.page.get_by_test_id("login-name").fill(name)
        await self.page.get_by_test_id("login-password").fill(password)
        await self.page.get_by_test_id("login-go").click()

    async def picture(self, name: str) -> None:
        """Keep a picture of the whole page for people to look at."""
        await self.page.screenshot(path=RESULTS / f"console-{name}.png", full_page=True)


class Shows(Protocol):
    """Opens the console."""

    def __call__(
        self,
        name: str,
        viewport: ViewportSize = DESKTOP,
        *,
        dark: bool = False,
        locale: str = "en-GB",
    ) -> Awaitable[Console]:
        """Open the console's overview as an operator; as nobody, its log-in page."""
        ...


@pytest.fixture
async def show(browser: Browser, town: Town) -> AsyncIterator[Shows]:
    """Open the console as somebody; the browser must have had nothing to complain of."""
    opened: list[Console] = []

    async def start(
        name: str, viewport: ViewportSize = DESKTOP, *, dark: bool = False, locale: str = "en-GB"
    ) -> Console:
        if name:
            await town.employ(name)
        context = await browser.new_context(
            viewport=viewport,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale=locale,
        )
        page, complaints = await context.new_page(), list[str]()
        page.on(
            "console",
            lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        console = Console(page, town.head_end.addresses.operator_url, complaints)
        opened.append(console)
        await console.open("/")
        await expect(page.get_by_test_id("login")).to_be_visible()
        if name:
            await console.log_in(name)
            await expect(page.get_by_test_id("me")).to_contain_text(name)
        return console

    yield start
    for console in opened:
        await console.page.context.close()
        # A browser tells of each answer that refuses something; those are the console's to show.
        assert [each for each in console.complaints if not each.startswith(_EXPECTED)] == []
