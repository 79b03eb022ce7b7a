"""The whole line, started for each test."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from hems.commands.scene import Scene
from hems.commands.stage import Stage
from tests.e2e.rig import Rig

EVENING = (
    *("--fixed-load", "1600", "--pv-w", "0", "--battery-soc", "0.7"),
    *("--ev-soc", "0.3", "--ev-max-a", "16", "--ev-arrive-hour", "7.5"),
    *("--tank-temp", "40", "--room-temp", "22"),
)
"""A house at a known draw: 1.6 kW of its own, a car at 3.7 kW, hot water at 3 kW."""
POLLED = ("list_poll_s = 60", "time_poll_s = 60", "dcap_poll_s = 60", "post_rate_s = 5")

Opener = Callable[..., AbstractAsyncContextManager[Rig]]


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    """Return what opens a rig for as long as its context lasts."""

    @asynccontextmanager
    async def open_rig(
        *,
        house: tuple[str, ...] = EVENING,
        utility: tuple[str, ...] = (),
        discover: bool = False,
        edition: str = "csip-aus",
        economy: tuple[str, ...] = (),
    ) -> AsyncIterator[Rig]:
        scene = Scene(
            page_port=0,
            battery="hold",
            house=house,
            headend=POLLED,
            utility=utility,
            discover=discover,
            edition=edition,
            economy=economy,
        )
        async with Rig(Stage(tmp_path / "stage", scene)) as rig:
            yield rig

    return open_rig
