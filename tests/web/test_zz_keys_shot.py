from pathlib import Path
import pytest
from playwright.async_api import Browser
from tests.web.agreed import agreed
pytestmark=[pytest.mark.browser]
async def test_shot(browser: Browser, tmp_path: Path) -> None:
    async with agreed(browser, tmp_path) as shown:
        await shown.page.set_viewport_size({"width":390,"height":844})
        await shown.go("/privacy")
        e=shown.page.get_by_test_id("certificates")
        await e.scroll_into_view_if_needed()
        await e.screenshot(path="/tmp/w/keys/phone.png")
        await shown.page.set_viewport_size({"width":1280,"height":800})
        await e.screenshot(path="/tmp/w/keys/desk.png")
