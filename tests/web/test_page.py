"""The built page in a real browser, fed by a scripted home over real sockets."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.web.script import (
    BINDING,
    PEAK,
    PRICE,
    SCRIPT_START,
    TOMORROW,
    ZONE,
    event,
    message,
)
from tests.web.surface import ScriptedClock, ScriptedHome
from web.server import serving
from web.settings import WebSettings

pytestmark = [pytest.mark.browser, pytest.mark.requirement("ROLE-UI")]

RESULTS = Path("test-results")
PHONE = ViewportSize(width=390, height=844)
NARROW = ViewportSize(width=360, height=740)
DESKTOP = ViewportSize(width=1280, height=800)
COMING = event(
    TOMORROW,
    state="coming",
    program="Evening Calm",
    title="Reduce by 1 kW",
    starts_at=SCRIPT_START + 3 * 3600,
    ends_at=SCRIPT_START + 4 * 3600,
)
STORM = message(TOMORROW, "A storm comes: keep your car charged.", urgent=True)


@dataclass
class Shown:
    """A page that shows a scripted home, and what the browser complained of."""

    page: Page
    home: ScriptedHome
    complaints: list[str] = field(default_factory=list)

    async def picture(self, name: str) -> None:
        """Keep a picture of the whole page for people to look at."""
        await self.page.screenshot(path=RESULTS / f"page-{name}.png", full_page=True)


@asynccontextmanager
async def showing(
    browser: Browser,
    viewport: ViewportSize = PHONE,
    *,
    dark: bool = False,
    home: ScriptedHome | None = None,
) -> AsyncIterator[Shown]:
    """Show a scripted home; at the end the browser must have had nothing to complain of."""
    settings = WebSettings(port=0, time_zone=ZONE)
    if not (settings.static_dir / "index.html").is_file():
        pytest.fail("the page is not built: run `make web/static/index.html`")
    home = home or ScriptedHome()
    async with serving(home, settings, ScriptedClock()) as url:
        context = await browser.new_context(
            viewport=viewport, color_scheme="dark" if dark else "light", reduced_motion="reduce"
        )
        shown = Shown(await context.new_page(), home)
        shown.page.on(
            "console",
            lambda m: shown.complaints.append(m.text) if m.type in {"error", "warning"} else None,
        )
        shown.page.on("pageerror", lambda error: shown.complaints.append(str(error)))
        await shown.page.goto(url)
        await expect(shown.page.get_by_test_id("net-power")).to_be_visible()
        yield shown
        await context.close()
    assert shown.complaints == []


@pytest.mark.requirement("BUC-13")
async def test_live_figures_follow_the_home(browser: Browser) -> None:
    async with showing(browser) as shown:
        page, home = shown.page, shown.home
        net = page.get_by_test_id("net-power")
        await expect(net).to_have_text(re.compile(r"^\s*1\.4\s*kW\s*$"))
        await expect(page.locator("h1")).to_have_text(
            re.compile("Taking.*from the grid", re.DOTALL)
        )
        await expect(page.get_by_test_id("utility-state")).to_contain_text("Connected")

        await home.play(net_w=-2340)
        await home.change_device(replace(home.device("pv"), power_w=-4890))
        await expect(net).to_have_text(re.compile(r"2\.3\s*kW"))
        await expect(page.locator("h1")).to_have_text(re.compile("Giving.*to the grid", re.DOTALL))
        await expect(page.get_by_test_id("tile-pv")).to_contain_text(re.compile(r"4\.9\s*kW"))


async def test_each_device_says_what_and_why(browser: Browser) -> None:
    async with showing(browser) as shown:
        battery = shown.page.get_by_test_id("tile-battery")
        await expect(battery).to_contain_text(re.compile(r"62\s*% full"))
        await expect(battery).to_contain_text("giving to the home")
        car = shown.page.get_by_test_id("tile-car")
        await expect(car).to_contain_text("charging")
        await expect(car).to_contain_text("Held at 2.8 kW: Peak Saver asks")
        # the meter's 1410 W less the five devices
        await expect(shown.page.get_by_test_id("tile-rest")).to_contain_text(
            re.compile(r"1\.7\s*kW")
        )


async def test_opting_out_needs_a_second_word_and_reaches_the_home(browser: Browser) -> None:
    async with showing(browser) as shown:
        page, home = shown.page, shown.home
        card = page.get_by_test_id("event-card")
        await expect(card).to_have_count(1)
        await expect(card).to_contain_text("Peak Saver asks now")
        await expect(card).to_contain_text("14:13 to 14:53")
        await expect(page.get_by_test_id("event-title")).to_have_text("Import at most 1.5 kW")

        await page.get_by_test_id("opt-out").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("opt-out-confirm")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_test_id("opt-out")).to_be_focused()
        assert home.wishes == []

        await page.get_by_test_id("opt-out").click()
        await page.get_by_test_id("opt-out-confirm").click()
        await expect(card).to_contain_text("You opted out of Peak Saver")
        await expect(page.get_by_role("status")).to_contain_text("You opted out of Peak Saver")
        assert home.wishes == [("opt-out", PEAK)]

        await page.get_by_test_id("opt-in").click()
        await expect(page.get_by_test_id("opt-out")).to_be_visible()
        assert home.wishes == [("opt-out", PEAK), ("opt-in", PEAK)]


async def test_events_come_and_go(browser: Browser) -> None:
    async with showing(browser) as shown:
        page, home = shown.page, shown.home
        await home.play(events=[COMING])
        card = page.get_by_test_id("event-card")
        await expect(card).to_contain_text("Evening Calm will ask")
        await expect(card).to_contain_text("begins in")
        await expect(page.get_by_role("status")).to_contain_text("Evening Calm will ask")

        await home.play(
            events=[event(BINDING, may_opt_out=False), replace(COMING, state="running")]
        )
        await expect(card).to_have_count(2)
        binding = page.locator(f"[data-event='{BINDING}']")
        await expect(binding).to_contain_text("binding")
        await expect(binding.get_by_role("button")).to_have_count(0)

        await home.play(events=[replace(COMING, state="cancelled")], alarms=["The breaker is hot."])
        await expect(card).to_have_count(0)
        await expect(page.get_by_test_id("event-over")).to_contain_text("Cancelled")
        await expect(page.get_by_test_id("alarms")).to_contain_text("The breaker is hot.")


async def test_a_refused_opt_out_is_told_in_words(browser: Browser) -> None:
    async with showing(browser) as shown:
        page, home = shown.page, shown.home
        await page.get_by_test_id("opt-out").click()
        # It becomes binding between the page's last snapshot and the click.
        home.now = replace(home.now, events=[event(PEAK, may_opt_out=False)])
        await page.get_by_test_id("opt-out-confirm").click()
        await expect(page.get_by_test_id("event-card").get_by_role("alert")).to_contain_text(
            "Peak Saver does not allow opting out"
        )
        assert home.wishes == []
        # Chromium reports the refusal's status on its console; nothing else may stand there.
        assert len(shown.complaints) == 1
        assert "409" in shown.complaints.pop()


async def test_messages_and_the_price_are_told(browser: Browser) -> None:
    async with showing(browser) as shown:
        await shown.home.play(
            messages=[message(PEAK, "Works in your street on Friday."), STORM], price=PRICE
        )
        cards = shown.page.get_by_test_id("message")
        await expect(cards).to_have_count(2)
        await expect(cards.first).to_contain_text("A storm")
        await expect(shown.page.get_by_test_id("price")).to_have_text(
            re.compile("costs \u20ac0.312 a kWh until 15:00, then \u20ac0.284")
        )
        await shown.picture("messages")
        await cards.first.get_by_test_id("message-read").click()
        await expect(cards).to_have_count(1)
        assert shown.home.wishes == [("acknowledge", STORM.id)]


async def test_what_cannot_be_done_says_why(browser: Browser) -> None:
    async with showing(browser) as shown:
        why = "This home cannot carry out opModVoltVar."
        refused = replace(event(TOMORROW, state="rejected"), note=why)
        await shown.home.play(events=[refused])
        over = shown.page.get_by_test_id("event-over")
        await expect(over).to_contain_text("Not possible here")
        await expect(over.get_by_test_id("event-note")).to_have_text(why)


async def test_an_old_figure_stays_and_looks_old(browser: Browser) -> None:
    async with showing(browser) as shown:
        page, home = shown.page, shown.home
        car = page.get_by_test_id("tile-car")
        await expect(car).to_have_attribute("data-quality", "good")
        await home.change_device(
            replace(
                home.device("car"),
                quality="stale",
                age_s=42.0,
                error="Wallbox: read got no answer within 2 s",
            )
        )
        await expect(car).to_have_attribute("data-quality", "stale")
        await expect(car).to_contain_text(re.compile(r"2\.8\s*kW"))
        await expect(car.get_by_test_id("aged")).to_contain_text(re.compile(r"4\d\s*s ago"))
        await expect(car).to_contain_text("no answer within 2 s")
        await expect(page.get_by_test_id("tile-rest")).to_have_attribute("data-quality", "stale")

        await home.change_device(
            replace(home.device("car"), quality="lost", age_s=None, power_w=None)
        )
        await expect(car).to_have_attribute("data-quality", "lost")
        await expect(car).to_contain_text("No answer yet")
        await expect(page.get_by_test_id("tile-rest")).to_contain_text("Needs a reading")
        await shown.picture("stale")


async def test_a_value_that_is_old_or_not_believed_is_seen_to_be(browser: Browser) -> None:
    async with showing(browser) as shown:
        battery = shown.page.get_by_test_id("tile-battery")
        await expect(battery.get_by_test_id("suspect")).to_have_count(0)
        await shown.home.change_device(
            replace(
                shown.home.device("battery"),
                ages={"soc": 125.0},
                suspect=("temp_c",),
                safe="it stands still",
                risk="a power cut of the hub",
            )
        )
        await expect(battery).to_contain_text(re.compile(r"62\s*% full \(2\s*min ago\)"))
        await expect(battery.get_by_test_id("suspect")).to_have_text("Not believed: temperature")
        safe = battery.get_by_test_id("safe")
        await expect(safe.get_by_text("Without the hub")).not_to_be_visible()
        await safe.get_by_text("If the hub fails").click()
        await expect(safe.get_by_text("it stands still")).to_be_visible()
        await expect(safe).to_contain_text("Risk: a power cut of the hub")
        await shown.home.change_device(
            replace(shown.home.device("car"), quality="asleep", age_s=42.0)
        )
        car = shown.page.get_by_test_id("tile-car")
        await expect(car).to_have_attribute("data-quality", "asleep")
        await expect(car.get_by_test_id("aged")).to_contain_text("Asleep, last heard")
        await shown.picture("aged")


async def test_the_page_comes_back_after_the_hub_was_away(browser: Browser) -> None:
    home, settings = ScriptedHome(), WebSettings(port=0, time_zone=ZONE)
    page = await browser.new_page(viewport=PHONE)
    async with serving(home, settings, ScriptedClock()) as url:
        await page.goto(url)
        await expect(page.get_by_test_id("live")).to_have_text("Live figures")
    await expect(page.get_by_test_id("live")).to_contain_text("Reconnecting to the hub")
    await expect(page.get_by_test_id("net-power")).to_be_visible()

    await home.play(net_w=5200)
    again = replace(settings, port=int(url.rpartition(":")[2]))
    async with serving(home, again, ScriptedClock()):
        await expect(page.get_by_test_id("live")).to_have_text("Live figures", timeout=15_000)
        await expect(page.get_by_test_id("net-power")).to_have_text(re.compile(r"5\.2\s*kW"))
        await page.close()


async def test_the_chart_shows_the_day_and_the_day_before(browser: Browser) -> None:
    async with showing(browser, DESKTOP) as shown:
        chart = shown.page.get_by_test_id("chart")
        await expect(chart.locator("canvas")).to_be_visible()
        await expect(chart.get_by_role("heading")).to_have_text("Today")
        await expect(chart).to_contain_text("From the sun")
        for name in ("Grid", "Solar", "Battery", "Car", "Limit"):
            await expect(chart.locator(".u-legend")).to_contain_text(name)
        assert await chart.locator("canvas").evaluate(_INKED), "the chart is drawn"
        await chart.get_by_role("button", name="The day before").click()
        await expect(chart.get_by_role("heading")).to_have_text("Yesterday")
        assert len({start for start, _, _ in shown.home.questions}) == 2


_INKED = """canvas => {
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set();
  for (let i = 0; i < data.length; i += 4)
    if (data[i + 3] === 255) colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
  return colours.size > 10;
}"""


@pytest.mark.parametrize("viewport", [NARROW, PHONE, DESKTOP], ids=["360", "390", "1280"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_nothing_sticks_out_at_any_width(
    browser: Browser, viewport: ViewportSize, dark: bool
) -> None:
    home = ScriptedHome()
    await home.play(events=(*home.now.events, COMING))
    async with showing(browser, viewport, dark=dark, home=home) as shown:
        await expect(shown.page.get_by_test_id("chart").locator("canvas")).to_be_visible()
        await shown.page.get_by_test_id("opt-out").first.click()
        width = await shown.page.evaluate("document.documentElement.scrollWidth")
        assert width == viewport["width"]
        small = await shown.page.evaluate(_SMALL_BUTTONS)
        assert small == [], "too small for a finger (WCAG 2.2, 2.5.8 asks for 24 px)"
        await shown.picture(f"{viewport['width']}-{'dark' if dark else 'light'}")


_SMALL_BUTTONS = """() => [...document.querySelectorAll('button')]
  .filter(b => b.getBoundingClientRect().height < 40 || b.getBoundingClientRect().width < 40)
  .map(b => b.textContent)"""


async def test_long_words_do_not_break_the_narrow_page(browser: Browser) -> None:
    home = ScriptedHome()
    word = "Energieversorgungsunternehmensprogramm" * 3
    await home.play(
        events=[replace(event(PEAK), program=word, title=word, effect=word)],
        alarms=[word],
        devices=[replace(d, name=word, reason=word) for d in home.now.devices],
        utility=replace(home.now.utility, state="unreachable", detail=word),
    )
    async with showing(browser, NARROW, home=home) as shown:
        await expect(shown.page.get_by_test_id("chart").locator("canvas")).to_be_visible()
        width = await shown.page.evaluate("document.documentElement.scrollWidth")
        assert width == NARROW["width"]
        await shown.picture("long-words")


async def test_each_of_several_utilities_is_shown_by_its_name(browser: Browser) -> None:
    home = ScriptedHome()
    grid = replace(home.now.utility, name="grid")
    market = replace(grid, name="market", state="refused", detail="another registration PIN")
    await home.play(utility=grid, utilities=[grid, market])
    async with showing(browser, home=home) as shown:
        links = shown.page.get_by_test_id("utility-state")
        await expect(links).to_have_count(2)
        await expect(links.first).to_contain_text("grid: Connected to the utility")
        await expect(links.last).to_contain_text("market: The utility refused this home")
        await expect(links.last).to_contain_text("another registration PIN")


async def test_what_the_home_says_is_text_not_markup(browser: Browser) -> None:
    home = ScriptedHome()
    markup = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    await home.play(events=[replace(event(PEAK), program=markup, title=markup)], alarms=[markup])
    async with showing(browser, home=home) as shown:
        dialogs: list[str] = []
        shown.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        await expect(shown.page.get_by_test_id("event-title")).to_have_text(markup)
        await expect(shown.page.get_by_test_id("alarms")).to_contain_text(markup)
        await asyncio.wait_for(shown.page.evaluate("1"), timeout=5)
        assert dialogs == []
