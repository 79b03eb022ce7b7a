"""A scripted home, served on a free port of this machine."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser import launched
from tests.web.script import ZONE
from tests.web.surface import ScriptedClock, ScriptedHome
from web.server import serving
from web.settings import WebSettings


@dataclass
class Served:
    """A scripted home being served, and a client of it."""

    home: ScriptedHome
    clock: ScriptedClock
    url: str
    client: aiohttp.ClientSession


@pytest.fixture
def settings(tmp_path: Path) -> WebSettings:
    return WebSettings(port=0, time_zone=ZONE, static_dir=tmp_path / "static", names=("hub.local",))


@pytest.fixture
async def served(settings: WebSettings) -> AsyncIterator[Served]:
    home, clock = ScriptedHome(), ScriptedClock()
    async with serving(home, settings, clock) as url, aiohttp.ClientSession(url) as client:
        yield Served(home, clock, url, client)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium_of_this_file() -> AsyncIterator[Browser]:
    """Chromium for all tests of a file: to start it costs more than most of them."""
    async with launched() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def browser(chromium_of_this_file: Browser) -> AsyncIterator[Browser]:
    """A browser in which nothing is open or kept, neither before a test nor after it.

    It lives in the event loop of its file: tests with it are of `asyncio(loop_scope="module")`.
    """
    assert not chromium_of_this_file.contexts
    yield chromium_of_this_file
    for context in chromium_of_this_file.contexts:
        await context.close()
