"""A hub in an empty folder, walked in a browser from its first start to a home that is enrolled.

Nobody edits a file. The utility and the house are the demo's; only what the utility does with the
home's request is done by its own command.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

from hems.commands.child import Child
from hems.commands.stage import HouseReady, HubReady
from tests.e2e.conftest import Opener
from tests.e2e.rig import Rig
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.requirement("ROLE-UI")]

OWNER, PASSWORD = "Ada", "correct horse battery"
FIVE_MINUTES_S = 300.0


@asynccontextmanager
async def new_hub(folder: Path) -> AsyncIterator[tuple[Child, str]]:
    """Run a hub in an empty folder; yields it and its page."""
    hub = Child(
        "new hub",
        [
            *(sys.executable, "-m", "hems", "run", "--home", str(folder / "home")),
            *("--port", "0", "--ready", str(folder / "ready.json")),
        ],
        log=folder / "hub.log",
        ready=folder / "ready.json",
    )
    await hub.start()
    try:
        yield hub, HubReady.model_validate(await hub.wait_ready(30.0)).page
    except BaseException:
        print(hub.log_end(60))
        raise
    finally:
        await hub.stop()


async def hems(*arguments: str) -> str:
    """Run a command; returns what it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hems", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


async def through_home_and_tariff(page: Page) -> None:
    await page.get_by_test_id("language-en").check()
    await page.get_by_test_id("step-next").click()
    await page.get_by_test_id("account-name").fill(OWNER)
    await page.get_by_test_id("account-password").fill(PASSWORD)
    await page.get_by_test_id("account-again").fill(PASSWORD)
    await page.get_by_test_id("step-next").click()
    await page.get_by_test_id("home-name").fill("Rosenweg 3")
    await expect(page.get_by_test_id("home-zone")).to_have_value("Europe/Berlin")
    await expect(page.get_by_test_id("home-breaker")).to_have_value("35")
    await page.get_by_test_id("step-next").click()
    await page.get_by_test_id("tariff-price").fill("0.31")
    await page.get_by_test_id("tariff-feed-in").fill("0.08")
    await page.get_by_test_id("step-next").click()
    await expect(page.get_by_test_id("setup-step")).to_have_attribute("data-step", "devices")


async def enrolled(page: Page, rig: Rig, folder: Path) -> None:
    """Hand the home's request to its utility, and the utility's answer to the home."""
    await page.get_by_test_id("utility-by-files").locator("summary").first.click()
    pin = await page.get_by_test_id("identity-pin").inner_text()
    async with page.expect_download() as downloading:
        await page.get_by_test_id("utility-request").click()
    request, answer = folder / "hub.csr", folder / "enrolment.pem"
    await (await downloading.value).save_as(request)
    demo = ("--demo", str(rig.stage.folder))
    await hems("headend", "answer", str(request), "--pin", pin, *demo, "--out", str(answer))
    await page.get_by_test_id("utility-files").set_input_files(answer)
    await page.get_by_test_id("utility-connect").click()
    await expect(page.get_by_test_id("utility-state")).to_have_attribute(
        "data-state", "connected", timeout=60_000
    )
    assert len(await page.get_by_test_id("identity-lfdi").inner_text()) == 40


@pytest.mark.requirement("LC-COMMISSION", "PRO-2030.5")
async def test_from_the_first_start_to_a_home_that_is_enrolled(
    opened: Opener, browser: Browser, tmp_path: Path
) -> None:
    async with opened() as rig:
        await rig.stage.hub.stop()
        ready = HouseReady.model_validate_json(rig.stage.house.ready.read_text())
        (tmp_path / "new").mkdir()
        async with new_hub(tmp_path / "new") as (_, url):
            context = await browser.new_context(
                locale="en-GB", timezone_id="Europe/Berlin", accept_downloads=True
            )
            page = await context.new_page()
            began = time.monotonic()
            await page.goto(url)
            await expect(page).to_have_url(f"{url}/setup")
            await through_home_and_tariff(page)

            config = str(tmp_path / "new" / "home" / "hems.toml")
            sunspec = ("--driver", "sunspec", "--host", "127.0.0.1")
            for name, kind in (("meter", "meter"), ("pv", "pv"), ("battery", "battery")):
                port = ("--port", str(ready.ports()[name]))
                await hems(
                    "device", "add", name, "--kind", kind, *sunspec, *port, "--config", config
                )
            await expect(page.get_by_test_id("devices-count")).to_contain_text(
                "3 devices", timeout=30_000
            )
            await page.get_by_test_id("step-next").click()
            await enrolled(page, rig, tmp_path / "new")
            await page.get_by_test_id("step-next").click()
            await expect(page.get_by_test_id("missing").locator("li")).to_have_count(0)
            await page.get_by_test_id("setup-finish").click()
            await expect(page.get_by_test_id("net-power")).to_be_visible()
            took = time.monotonic() - began
            print(f"first start to enrolled: {took:.0f} s by machine")
            assert took < FIVE_MINUTES_S

            event = await rig.dispatch(limit_import_w=1500.0, seconds=30)
            await expect(page.get_by_test_id("event-card")).to_contain_text("1.5", timeout=30_000)
            await until(
                lambda: rig.statuses(event.id), lambda found: 2 in found, 30.0, "it is answered"
            )
            await context.close()
        await restored_elsewhere(tmp_path)
        home = tmp_path / "new" / "home"
        said = await hems("wipe", "--yes", "--home", str(home))
        assert "identity/request.key" in said
        left = {path.name for path in home.rglob("*") if path.is_file() and path.stat().st_size}
        assert left == set(), left


async def restored_elsewhere(tmp_path: Path) -> None:
    """Move the home to another hub by a backup; it has its name and its account there."""
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("staple correct battery\n")
    file, secret = str(tmp_path / "b"), ("--passphrase-file", str(passphrase))
    await hems("backup", file, *secret, "--home", str(tmp_path / "new" / "home"))
    (tmp_path / "other").mkdir()
    await hems("restore", file, *secret, "--home", str(tmp_path / "other" / "home"))
    async with new_hub(tmp_path / "other") as (_, url):
        async with aiohttp.ClientSession(url) as session, session.get("/api/me") as answer:
            assert (await answer.json())["accounts"] is True
        settings = (tmp_path / "other" / "home" / "settings.toml").read_text()
        assert "Rosenweg 3" in settings
        assert not (tmp_path / "other" / "home" / ".restore").exists()
