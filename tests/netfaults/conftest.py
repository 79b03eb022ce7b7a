"""A line in a town, one for each file of tests."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import pytest
import pytest_asyncio

from certs.pki import Pki, init_pki
from hems.commands.event import Event
from hems.commands.scene import Scene
from tests.e2e.rig import Home
from tests.netfaults.names import Book
from tests.netfaults.stage import EVENING, POLLED, TownRig, TownStage
from tests.netfaults.town import HUB, HUB6, KNOWN, NAME, UTILITY, UTILITY6, Town
from tests.waiting import until

LIMIT_W: Final = 1500.0
ALL_WELL_S: Final = 120.0
_UP_S: Final = 300.0
_LONGEST_CYCLE_S: Final = 5.0
"""A cycle a second, on a machine that has much else to do."""
_LOOK_S: Final = 0.2
_FLOW_S: Final = 2.0


@dataclass
class Line:
    """The line, and what was seen of it.

    Attributes:
        town: The machines and the cables between them.
        rig: Hands and eyes on what runs there.
        inn: Keys of somebody whom nobody trusts.
        watching: Whether the hub runs, so that its control cycle must go on.
    """

    town: Town
    rig: TownRig
    inn: Pki
    watching: bool = True

    async def watch(self) -> None:
        """See that the control cycle never stops; never returns."""
        last, since = -1, time.monotonic()
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                seq = (await self.rig.home()).seq
            except aiohttp.ClientError:
                assert not self.watching, "the page is gone"
                last, since = -1, time.monotonic()
                continue
            now = time.monotonic()
            if seq != last:
                last, since = seq, now
            assert now - since < _LONGEST_CYCLE_S, f"no cycle since {seq}"

    async def well(self) -> Home:
        """Wait until the utility and all devices answer."""
        return await until(
            self.rig.home,
            lambda home: home.utility.state == "connected" and not bad(home),
            ALL_WELL_S,
            "all is well",
        )

    async def link(self, state: str, reason: str = "") -> Home:
        """Wait until the link to the utility is in a state, for a reason."""
        return await until(
            self.rig.home,
            lambda home: home.utility.state == state and reason in home.utility.detail,
            ALL_WELL_S,
            f"{state}: {reason}",
        )

    async def link_of_new_flows(self, state: str, reason: str) -> Home:
        """Wait until the link is in a state, where nothing that was connected stays so.

        A connection that was made to an address of before goes on, whatever becomes of the name.
        """

        async def look() -> Home:
            self.town.new_flows()
            await asyncio.sleep(_FLOW_S)
            return await self.rig.home()

        return await until(
            look,
            lambda home: home.utility.state == state and reason in home.utility.detail,
            ALL_WELL_S,
            f"{state}: {reason}",
        )

    async def event(self, seconds: int, limit_w: float = LIMIT_W) -> Event:
        """Dispatch an event that begins now."""
        return await self.rig.dispatch(limit_import_w=limit_w, seconds=seconds)

    async def begins(self, event: Event) -> None:
        """Wait until the home has begun an event; it must be before it ends."""
        await until(
            self.rig.home,
            lambda home: (card := home.card(event.id)) is not None and card.state == "running",
            event.start + event.duration_s - time.time(),
            "the event is begun",
        )

    async def runs(self, event: Event) -> None:
        """Wait until an event is carried out; it must be before it ends."""
        await until(
            self.rig.home,
            lambda home: (
                (card := home.card(event.id)) is not None
                and card.state == "running"
                and (home.net_w or 1e9) <= LIMIT_W + 100
            ),
            event.start + event.duration_s - time.time(),
            "the event is carried out",
        )

    async def answered(self, event: Event, codes: list[int]) -> None:
        """Wait until the utility has these answers to an event, each once."""
        within_s = max(0.0, event.start + event.duration_s - time.time()) + ALL_WELL_S
        await until(
            lambda: self.rig.statuses(event.id), lambda told: told == codes, within_s, f"{codes}"
        )


def bad(home: Home) -> set[str]:
    """Return the devices whose reading is not good."""
    return {tile.id for tile in home.devices if tile.quality != "good"}


Opener = Callable[..., AbstractAsyncContextManager[Line]]


@asynccontextmanager
async def opened(
    folder: Path, *, utility: tuple[str, ...] = (), ipv6: bool = False
) -> AsyncIterator[Line]:
    """Open a line in a town of its own while the context lasts.

    Args:
        folder: For its files.
        utility: More lines for the hub's [utility] section.
        ipv6: Whether hub and utility speak IPv6 with each other, and nothing else.
    """
    ours, theirs = (HUB6, UTILITY6) if ipv6 else (HUB, UTILITY)
    inn = init_pki(folder / "inn", label="Somebody else")
    with Town.made(folder / "resolv.conf") as town:
        scene = Scene(
            page_port=0,
            battery="hold",
            house=EVENING,
            headend=POLLED,
            utility=('poll_least = "1 s"', f'notify_host = "{ours}"', *utility),
        )
        town.book(Book(names={**KNOWN, NAME: (theirs,)}))
        stage = TownStage(folder / "stage", scene, within_s=_UP_S, town=town, utility=theirs)
        async with TownRig(stage) as rig:
            line = Line(town, rig, inn)
            await line.well()
            yield line


@asynccontextmanager
async def watched(line: Line) -> AsyncIterator[Line]:
    """Have the control cycle looked at while the context lasts; all is well before and after."""
    await line.well()
    watching = asyncio.create_task(line.watch())
    try:
        yield line
        await line.well()
    finally:
        if not watching.done():
            watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    """Return a line that all tests of a file use."""
    async with opened(tmp_path_factory.mktemp("town")) as line:
        yield line


@pytest_asyncio.fixture(loop_scope="module")
async def line(standing: Line) -> AsyncIterator[Line]:
    """Return the line, well before and after, its control cycle looked at meanwhile."""
    async with watched(standing):
        yield standing
