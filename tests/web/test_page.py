"""The built page in a real browser, fed by a scripted home over real sockets."""

import asyncio
import re
from dataclasses import replace

import pytest
from playwright.async_api import Browser, ViewportSize, expect

from hems.surface import SurfaceError
from tests.web.axe import violations
from tests.web.outlook import TODAY, ScriptedOutlook
from tests.web.script import PEAK, PRICE, SCRIPT_START, TOMORROW, event
from tests.web.showing import DESKTOP, NARROW, PHONE, SMALLEST, showing
from tests.web.surface import ScriptedHome

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.requirement("ROLE-UI"),
]

DASH = "\N{EN DASH}"
COMING = event(
    TOMORROW,
    state="coming",
    program="Evening Calm",
    title="Reduce by 1 kW",
    starts_at=SCRIPT_START + 3 * 3600,
    ends_at=SCRIPT_START + 4 * 3600,
)


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


async def test_a_limit_below_nothing_is_told_as_what_must_be_given(browser: Browser) -> None:
    async with showing(browser) as shown:
        await expect(shown.page.get_by_text("At most 1.5 kW may be taken now.")).to_be_visible()
        await shown.home.play(limit_import_w=-4700.0)
        await expect(shown.page.get_by_text("At least 4.7 kW must be given now.")).to_be_visible()


async def test_a_home_without_a_meter_is_not_told_that_it_fails(browser: Browser) -> None:
    home = ScriptedHome()
    devices = [d for d in home.now.devices if d.kind != "meter"]
    home.now = replace(home.now, net_w=None, devices=devices)
    async with showing(browser, home=home) as shown:
        await expect(shown.page.locator("h1")).to_contain_text("No grid meter yet")
        rest = shown.page.get_by_test_id("flow-rest")
        await expect(rest).to_contain_text("no answer yet")


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
        await expect(car.get_by_test_id("next")).to_have_text(re.compile(r"Next\s*15:00: waits"))


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
        await expect(shown.page.get_by_test_id("plot")).to_be_visible()
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


async def test_the_page_says_what_why_and_what_next(browser: Browser) -> None:
    home = ScriptedHome()
    await home.play(price=PRICE)
    async with showing(browser, home=home) as shown:
        page = shown.page
        why = page.get_by_test_id("why")
        await expect(why).to_contain_text("Peak Saver asks: Import at most 1.5 kW, until 14:53.")
        await expect(why).to_contain_text("Wallbox: Held at 2.8 kW")
        ahead = page.get_by_test_id("ahead")
        heats = re.compile(r"14:45\s*Water heater heats with 2\.0\s*kW")
        await expect(ahead).to_contain_text(heats)
        await expect(ahead).to_contain_text(re.compile(r"14:53\s*Peak Saver ends"))
        top = await ahead.bounding_box()
        assert top is not None
        assert top["y"] + top["height"] < PHONE["height"], "it is seen without scrolling"

        await home.play(events=[], devices=[replace(d, reason="") for d in home.now.devices])
        await expect(why).to_have_text(
            "Water heater: Waits until 14:45: the sun leaves it over then"
        )
        await expect(ahead).to_contain_text(re.compile(r"15:00\s*energy gets cheaper: €0.284"))


async def test_a_home_that_nobody_asks_anything_says_so(browser: Browser) -> None:
    home = ScriptedHome()
    quiet = [replace(d, reason="", setpoint_w=None) for d in home.now.devices]
    await home.play(events=[], devices=quiet)
    async with showing(browser, home=home, outlook=ScriptedOutlook(view=None)) as shown:
        why = shown.page.get_by_test_id("why")
        await expect(why).to_contain_text("Nobody asks anything of your home.")
        await expect(shown.page.get_by_test_id("ahead")).to_contain_text("Nothing is planned")


async def test_energy_flows_and_an_old_figure_says_so(browser: Browser) -> None:
    async with showing(browser) as shown:
        page, home = shown.page, shown.home
        for part, way, figure in (
            ("solar", "in", r"3\.2\s*kW"),
            ("grid", "in", r"1\.4\s*kW"),
            ("battery", "in", r"1\.3\s*kW"),
            ("car", "out", r"2\.8\s*kW"),
            ("heat", "out", r"1\.3\s*kW"),
            ("rest", "out", r"1\.7\s*kW"),
        ):
            node = page.get_by_test_id(f"flow-{part}")
            await expect(node).to_have_attribute("data-way", way)
            await expect(node).to_contain_text(re.compile(figure))
        await expect(page.get_by_test_id("flow-battery")).to_contain_text(re.compile(r"62\s*%"))
        await expect(page.get_by_test_id("flow-house")).to_have_text(re.compile(r"5\.8\s*kW"))

        await home.change_device(replace(home.device("car"), quality="stale", age_s=42.0))
        car = page.get_by_test_id("flow-car")
        await expect(car).to_have_attribute("data-current", "false")
        await expect(car).to_contain_text(re.compile(r"2\.8\s*kW"))
        await expect(car.get_by_test_id("flow-aged")).to_have_text(re.compile(r"old: 4\d\s*s ago"))

        await home.play(net_w=-900)
        await expect(page.get_by_test_id("flow-grid")).to_have_attribute("data-way", "out")
        await expect(page.get_by_test_id("flow-grid")).to_contain_text("giving")


async def test_the_day_is_summed_up_and_a_missing_figure_says_why(browser: Browser) -> None:
    outlook = ScriptedOutlook(today=replace(TODAY, carbon_kg=None))
    async with showing(browser, outlook=outlook) as shown:
        page = shown.page
        for name, figure in (("cost", "€1.84"), ("saved", "€0.93"), ("self", "87 %")):
            shows = re.compile(re.escape(figure).replace("\\ ", r"\s"))
            await expect(page.get_by_test_id(f"today-{name}")).to_contain_text(shows)
        carbon = page.get_by_test_id("today-carbon").get_by_role("button")
        await expect(carbon).to_contain_text(DASH)
        await expect(carbon).to_have_attribute("aria-expanded", "false")
        await carbon.focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("today-note")).to_contain_text("Nobody tells the hub")
        assert await violations(page, "[data-testid=today]") == []


async def test_accounts_that_cannot_be_read_do_not_take_the_rest_away(browser: Browser) -> None:
    outlook = ScriptedOutlook(error=SurfaceError("The accounts cannot be read."))
    async with showing(browser, outlook=outlook) as shown:
        cost = shown.page.get_by_test_id("today-cost").get_by_role("button")
        await expect(cost).to_contain_text(DASH)
        await cost.click()
        note = shown.page.get_by_test_id("today-note")
        await expect(note).to_have_text("The accounts cannot be read.")
        await expect(shown.page.get_by_test_id("steps")).to_be_visible()
        assert all("503" in each for each in shown.complaints)
        shown.complaints.clear()


@pytest.mark.parametrize(
    "viewport", [SMALLEST, NARROW, PHONE, DESKTOP], ids=["320", "360", "390", "1280"]
)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_nothing_sticks_out_at_any_width_and_axe_finds_nothing(
    browser: Browser, viewport: ViewportSize, dark: bool
) -> None:
    home = ScriptedHome()
    await home.play(events=(*home.now.events, COMING), price=PRICE, alarms=["The breaker is hot."])
    async with showing(browser, viewport, dark=dark, home=home) as shown:
        await expect(shown.page.get_by_test_id("steps")).to_be_visible()
        await shown.page.get_by_test_id("opt-out").first.click()
        width = await shown.page.evaluate("document.documentElement.scrollWidth")
        assert width == viewport["width"]
        small = await shown.page.evaluate(_SMALL_BUTTONS)
        assert small == [], "too small for a finger (WCAG 2.2, 2.5.8 asks for 24 px)"
        assert await violations(shown.page) == []
        await shown.picture(f"{viewport['width']}-{'dark' if dark else 'light'}")


_SMALL_BUTTONS = """() => [...document.querySelectorAll('button')]
  .filter(b => b.getBoundingClientRect().height < 40 || b.getBoundingClientRect().width < 40)
  .map(b => b.textContent)"""
