"""A scripted home, served on a free port of this machine."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

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
