"""One house with everything that the page shows, served at one fixed instant.

Its books, needs, grants, settings and history are the hub's own over real stores and files; only
devices and utility are scripted. All of it is the same each time.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

from der.sentence import say
from hems.cem.civil import day_start
from hems.participation.asked import Asked
from hems.surface import DeviceView, PriceView, Series, Snapshot
from programs.signal import SignalKind
from tests.hems.money.homes import HeldClock
from tests.hems.participation.play import EVENT, signal_of
from tests.web.agreed import Agreement, agreement
from tests.web.keeping import kept
from tests.web.living import HOUSE, live, pay
from tests.web.outlook import ScriptedOutlook, price
from tests.web.past import BERLIN, past
from tests.web.script import FINISHED, PEAK, SCRIPT_START
from tests.web.showing import OWNER, page_settings
from tests.web.surface import ScriptedClock, ScriptedHome
from tests.web.workshop import tools
from web.server import serving

LIVED_FROM: Final = day_start(date(2026, 6, 8), BERLIN)
PAID_FROM: Final = day_start(date(2026, 5, 1), BERLIN)
DEARER_AT: Final = SCRIPT_START + 40 * 60
JUST_NOW_S: Final = 600.0
LEAVING: Final = "You lose the bonus of \N{EURO SIGN}2.50 for this evening."
CALM: Final[dict[str, tuple[float, str]]] = {
    "meter": (1350.0, ""),
    "battery": (0.0, "Keeps its charge for 17:00: energy costs 0.40 then"),
    "car": (2760.0, "Charging: the cheapest hours before 07:00"),
}
"""What devices do while nobody asks anything; the others do what the script says."""


class LivedHome(ScriptedHome):
    """A scripted home whose last minutes were as it is now."""

    async def history(self, start: float, end: float, step_s: int) -> Sequence[Series]:
        return [self._to_now(each) for each in await super().history(start, end, step_s)]

    def _to_now(self, series: Series) -> Series:
        now = self.device(series.device)
        recent = [at >= SCRIPT_START - JUST_NOW_S for at in series.at]
        power_w = [now.power_w if r else p for r, p in zip(recent, series.power_w, strict=True)]
        # The charge rises to what it is now, or fell from there.
        off = (now.soc or 0.0) - (series.soc[-1] or 0.0) if series.soc else 0.0
        soc = [None if each is None else max(0.05, each + off) for each in series.soc]
        return replace(series, power_w=power_w, soc=soc)


@dataclass
class House:
    """The house and its page.

    Attributes:
        url: Where it is served.
        home: What it shows; a test may play it on.
        eventful: The snapshot in the middle of an event.
        calm: The snapshot while nobody asks anything.
    """

    url: str
    home: LivedHome
    eventful: Snapshot
    calm: Snapshot

    def show(self, now: Snapshot) -> None:
        """Have the page begin with a snapshot."""
        self.home.now = replace(now, seq=self.home.now.seq + 1)


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """Serve the house while the context lasts."""
    home, clock = LivedHome(), ScriptedClock()
    async with AsyncExitStack() as stack:
        places = [folder / name for name in ("past", "tools", "agreed", "setup")]
        for place in places:
            place.mkdir(parents=True)
        gone = await stack.enter_async_context(past(places[0], SCRIPT_START))
        await live(gone, LIVED_FROM, SCRIPT_START)
        await pay(gone, PAID_FROM, SCRIPT_START)
        shed = await stack.enter_async_context(tools(places[1], home, clock))
        made = await stack.enter_async_context(agreement(places[2], HeldClock(SCRIPT_START)))
        _asked(made)
        setting = await stack.enter_async_context(kept(places[3], home))
        parts = (
            *ScriptedOutlook().parts(),
            OWNER,
            *gone.parts(devices=HOUSE),
            *shed.parts,
            *made.parts,
            *setting.parts,
        )
        eventful = _eventful(home.now)
        url = await stack.enter_async_context(serving(home, page_settings(), clock, parts, OWNER))
        yield House(url, home, eventful, _calm(eventful))


def _asked(made: Agreement) -> None:
    """Have the programmes know of the event, and the alarms of what was wrong."""
    event: Asked = replace(
        EVENT,
        event=PEAK,
        starts_at=SCRIPT_START - 420,
        ends_at=SCRIPT_START + 1980,
        asks=((SignalKind.IMPORT_LIMIT, 1500.0),),
    )
    made.play.events, made.play.signals = [event], [signal_of(event)]
    clock = made.play.clock
    clock.at = SCRIPT_START - 30_000
    made.alarms.began("device pv", say("{name} does not answer", name="Roof"))
    clock.at = SCRIPT_START - 29_280
    made.alarms.ended("device pv")
    clock.at = SCRIPT_START


def _eventful(now: Snapshot) -> Snapshot:
    events = [replace(e, consequence=LEAVING) if e.id == PEAK else e for e in now.events]
    until = PriceView("Flex", "EUR", price(SCRIPT_START), DEARER_AT, price(DEARER_AT))
    return replace(now, events=events, price=until)


def _calm(now: Snapshot) -> Snapshot:
    return replace(
        now,
        net_w=CALM["meter"][0],
        limit_import_w=None,
        devices=_quiet(now.devices),
        events=[each for each in now.events if each.id == FINISHED],
    )


def _quiet(devices: Sequence[DeviceView]) -> list[DeviceView]:
    found = []
    for each in devices:
        power_w, reason = CALM.get(each.id, (each.power_w, each.reason))
        told = None if power_w is None or each.setpoint_w is None else power_w
        found.append(replace(each, power_w=power_w, setpoint_w=told, reason=reason))
    return found


def _told(message: ConsoleMessage) -> str:
    return f"{message.text} ({message.location['url']})"


@asynccontextmanager
async def visit(
    browser: Browser,
    viewport: ViewportSize,
    *,
    dark: bool = False,
    locale: str = "en-GB",
    scale: float = 1,
) -> AsyncIterator[Page]:
    """Open a browser whose clock stands where the house's does, in which nothing moves."""
    context: BrowserContext = await browser.new_context(
        viewport=viewport,
        device_scale_factor=scale,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        locale=locale,
        timezone_id=BERLIN.key,
    )
    complaints: list[str] = []
    page = await context.new_page()
    page.on("console", lambda m: complaints.append(_told(m)) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.clock.set_fixed_time(SCRIPT_START)
    yield page
    await context.close()
    # Said as it is: pytest explains comparisons of its own files only.
    assert complaints == [], complaints
