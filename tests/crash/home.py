"""The home that is killed: a hub on a disk of its own, a scripted utility, simulated devices.

Three devices and no planner, so that a start takes as little as it can; the hub, its store, its
protocol and its page are those of any home.
"""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from certs.identity import make_pin
from certs.pki import Pki
from certs.tls import server_context
from hems.commands.child import Child, ChildError
from hems.commands.scene import PIN_DIGITS, quoted
from hems.commands.stage import HubReady
from tests.block_disk import BlockDisk
from tests.crash.said import faults_in
from tests.e2e.rig import Home as Page
from tests.faults.bench import START_WITHIN_S, Bench, house
from tests.faults.scripted import LyingUtility, control
from tests.hems.sep2.utility import serving

HOUSE: Final = ("--fixed-load", "1600", "--pv-w", "800", "--battery-soc", "0.7")
WISHED: Final = "battery"
"""The device about which the owner wishes something."""
SETTING: Final = "peak.limit"
"""What the owner sets; in base units."""


@dataclass
class Told:
    """What the hub has said to somebody outside that it had.

    Attributes:
        events: Every event that the utility ever listed, in order.
        listed: The one that it lists now.
        over: Those that it lists no more.
        wish_w: The owner's last wish that was confirmed.
        tried_w: Those behind it that were not: one of them may stand, or none.
        limit_w: The last setting that was confirmed, which is kept in a file.
        tried_limit_w: Those behind it that were not.
        refused: What the page was refused, which it never should be.
    """

    events: list[str] = field(default_factory=list)
    listed: str | None = None
    over: set[str] = field(default_factory=set)
    wish_w: float | None = None
    tried_w: set[float] = field(default_factory=set)
    limit_w: float | None = None
    tried_limit_w: set[float] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)


class KilledHome:
    """See the module; made by `killed_home`.

    Args:
        bench: Its house.
        utility: Its utility.
        folder: Where its files are; on `disk`, where there is one.
        disk: Whose power can be cut; None where this machine carries none.
        beside: Where its log is.

    Attributes:
        told: What it has said that it had.
        page: Where its page is.
        faults: Faults of the software that its log has told of, while it had its disk.
    """

    def __init__(
        self,
        bench: Bench,
        utility: LyingUtility,
        folder: Path,
        disk: BlockDisk | None,
        beside: Path,
    ) -> None:
        self._bench, self.utility, self.folder, self._disk = bench, utility, folder, disk
        config, ready = folder / "hems.toml", beside / "ready.json"
        command = [sys.executable, "-m", "hems", "run", "--config", str(config)]
        command += ["--ready", str(ready)]
        self.hub = Child("hub", command, log=beside / "hub.log", ready=ready)
        self.told = Told()
        self.page = ""
        self.faults: list[str] = []
        self._heard = 0
        self._dead = True
        self._wishing = asyncio.Lock()

    @property
    def store(self) -> Path:
        """Its store's file."""
        return self.folder / "hems.db"

    def furnish(self) -> None:
        """Have a home that was never run, and nothing told by it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        (self.folder / "hems.toml").write_text(self._config(), encoding="utf-8")
        if self._disk is not None:
            self._disk.sync()
        self.utility.got.clear()
        self.utility.change("/rsp", response=(), all=0)
        self.utility.list_controls()
        self.told = Told()

    async def start(self) -> None:
        """Start the hub; `ready` waits for it."""
        await self.hub.start()
        self._dead = False

    async def ready(self) -> None:
        """Wait for its first control cycle.

        Raises:
            ChildError: It ended instead, or does not come.
        """
        said = HubReady.model_validate(await self.hub.wait_ready(START_WITHIN_S))
        self.page = said.page

    async def die(self, *, power: bool) -> None:
        """End the hub at this instant, and the power of its disk with it where asked to."""
        self._dead = True  # what a hub without its disk still says is said by nobody
        if not self.hub.running:
            self.faults.append(f"it had ended by itself: {self.hub.log_end(1)}")
        if power and self._disk is not None:
            self.hear()
            self._disk.pull()
        await self.hub.kill()
        if power and self._disk is not None:
            self._heard = self.hub.log.stat().st_size
            await asyncio.to_thread(self._disk.put_back)
        else:
            self.hear()

    def hear(self) -> None:
        """Look for faults in what it has logged since it was heard last."""
        with self.hub.log.open("rb") as log:
            log.seek(self._heard)
            news = log.read()
        self._heard += len(news)
        self.faults += faults_in(news.decode(errors="replace"))

    async def snapshot(self) -> Page:
        """Return what the page shows."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.page}/api/home") as answer,
        ):
            return Page.model_validate_json(await answer.read())

    def order(self) -> None:
        """List a new event, in place of the one that is listed."""
        self.withdraw()
        mrid = f"{len(self.told.events) + 1:04X}"
        self.told.events.append(mrid)
        self.told.listed = mrid
        self.utility.list_controls(control(mrid))

    def withdraw(self) -> None:
        """List no event any more."""
        if self.told.listed is not None:
            self.told.over.add(self.told.listed)
            self.told.listed = None
        self.utility.list_controls()

    async def wish(self, power_w: float) -> None:
        """Wish something of the battery; what is not confirmed may stand or not."""
        async with self._wishing:  # else it would not be known which is the last
            await self._wish(power_w)

    async def set_limit(self, limit_w: float) -> None:
        """Change a setting on the page; what is not confirmed may stand or not."""
        async with self._wishing:
            if self._dead:
                return
            self.told.tried_limit_w.add(limit_w)
            if await self._sent("PUT", "/api/settings", {"settings": {SETTING: limit_w}}):
                self.told.limit_w, self.told.tried_limit_w = limit_w, set()

    async def _wish(self, power_w: float) -> None:
        if self._dead:
            return
        self.told.tried_w.add(power_w)
        order = {"power_w": power_w, "seconds": 36_000}
        if await self._sent("POST", f"/api/devices/{WISHED}/wish", order):
            self.told.wish_w, self.told.tried_w = power_w, set()

    async def _sent(self, method: str, path: str, order: object) -> bool:
        """Send what the page sends; returns whether the hub has confirmed it while it lived."""
        headers = {"Origin": self.page, "Sec-Fetch-Site": "same-origin"}
        with suppress(aiohttp.ClientError):
            async with (
                aiohttp.ClientSession(self.page, headers=headers) as session,
                session.request(method, path, json=order) as answer,
            ):
                if 400 <= answer.status < 500 and not self._dead:
                    self.told.refused.append(f"{path}: {answer.status} {await answer.text()}")
                return answer.status in {200, 204} and not self._dead
        return False

    def _config(self) -> str:
        identity, trust = self._bench.pki.identity("hub"), self._bench.pki.trust
        ports = self._bench.ports
        return "\n".join(
            (
                "[home]",
                'name = "Killed home"',
                'battery = "hold"',
                "[web]",
                "port = 0",
                "[planner]",
                "enabled = false",
                "[utility]",
                f"url = {quoted(f'{self.utility.base}/dcap')}",
                f"certificate = {quoted(identity.certificate)}",
                f"key = {quoted(identity.key)}",
                f"trust = {quoted(trust.roots)}",
                f"crls = {quoted(trust.crls)}",
                f"pin = {quoted(make_pin(PIN_DIGITS))}",
                'edition = "csip-aus"',
                'poll_least = "1 s"',
                *_device("meter", "meter", ports["meter"]),
                *_device("pv", "pv", ports["pv"], 'min = "-4 kW"'),
                *_device("battery", "battery", ports["battery"], 'min = "-5 kW"', 'max = "5 kW"'),
            )
        )


def _device(name: str, kind: str, port: int, *more: str) -> tuple[str, ...]:
    fields = (f'id = "{name}"', f'kind = "{kind}"', f'name = "{name}"')
    return ("[[device]]", *fields, 'driver = "sunspec"', f"port = {port}", *more)


@asynccontextmanager
async def killed_home(beside: Path, pki: Pki, disk: BlockDisk | None) -> AsyncIterator[KilledHome]:
    """Have house and utility run while the context lasts, and a home that was never run.

    Args:
        beside: For what is not the hub's.
        pki: Everybody's keys.
        disk: On which the hub's files are; None for the folder `beside`.
    """
    async with house(beside, pki, HOUSE) as bench:
        utility = LyingUtility(bench.hub_lfdi)
        async with serving(utility, server_context(pki.identity("utility"), pki.trust)):
            folder = (beside if disk is None else disk.at) / "hub"
            home = KilledHome(bench, utility, folder, disk, beside)
            home.furnish()
            try:
                yield home
            finally:
                with suppress(ChildError):
                    await home.hub.kill()
