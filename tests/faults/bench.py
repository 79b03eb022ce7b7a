"""A simulated house on which hubs are started one after another, each configured as a test wants.

The house, the hub and the head-end are processes of their own; a scripted utility, where a test
needs one that lies, is a server on a real TLS socket.
"""

import asyncio
import io
import os
import shutil
import ssl
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from pydantic import BaseModel, ConfigDict, TypeAdapter

from certs.identity import IdentityFiles, lfdi, sfdi
from certs.pem import der, read_certificates
from certs.pki import Pki
from certs.tls import client_context
from hems.commands.child import Child
from hems.commands.scene import Scene, hub_config
from hems.commands.stage import LOOPBACK, HouseReady, HubReady, Stage, free_port
from hems.sep2.xml import MEDIA_TYPE
from tests.e2e.rig import Home, Rig, Trace
from tests.hems.sep2.utility import Utility
from tests.waiting import until

START_WITHIN_S = 60.0
"""A busy machine loads a program for half of that; what waits for good waits longer."""
QUICK = ('poll_least = "1 s"',)
"""Polls as often as a scripted utility asks, once a second."""


class _Health(BaseModel):
    model_config = ConfigDict(extra="ignore")

    status: str
    seq: int


@dataclass
class Hub:
    """One hub as a process, with eyes on its page and its log.

    Attributes:
        child: The process.
        page: The page's address, once the hub runs.
    """

    child: Child
    page: str = ""

    async def start(self) -> None:
        """Start it (again) and wait for its first control cycle."""
        await self.child.start()
        ready = HubReady.model_validate(await self.child.wait_ready(START_WITHIN_S))
        self.page = ready.page

    async def home(self) -> Home:
        """Return the page's snapshot."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.page}/api/home") as response,
        ):
            return Home.model_validate_json(await response.read())

    async def seq(self) -> int:
        """Return the number of the last control cycle."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.page}/api/health") as response,
        ):
            health = _Health.model_validate_json(await response.read())
            assert health.status == "ok"
            return health.seq

    async def goes_on(self, cycles: int = 2) -> None:
        """Wait for more control cycles, which come once a second."""
        seen = await self.seq()
        await until(self.seq, lambda now: now >= seen + cycles, cycles + 2.0, "cycles go on")

    async def state(self, state: str, within_s: float = 15.0, reason: str = "") -> Home:
        """Wait until the link to the utility is in a state, for a reason."""

        def as_said(home: Home) -> bool:
            return home.utility.state == state and reason in home.utility.detail

        return await until(self.home, as_said, within_s, f"{state}: {reason}")

    @property
    def log(self) -> str:
        """All that it has written to its log."""
        return self.child.log.read_text(encoding="utf-8", errors="replace")

    def logged(self, *parts: str) -> list[str]:
        """Return the log's lines in which all parts occur."""
        return [line for line in self.log.splitlines() if all(part in line for part in parts)]


@dataclass
class Bench:
    """The simulated house, keys, and free ports.

    Attributes:
        folder: Where hubs keep their files.
        pki: Everybody's keys.
        house: The house's process.
        control: Its door for tests.
        ports: Where its devices listen.
        ocpp_port: Where its charger calls.
    """

    folder: Path
    pki: Pki
    house: Child
    control: str
    ports: Mapping[str, int]
    ocpp_port: int
    _hubs: int = field(default=0, init=False)

    @property
    def hub_lfdi(self) -> str:
        """The hub's LFDI."""
        return lfdi(der(read_certificates(self.pki.identity("hub").certificate)[0]))

    def utility(self) -> Utility:
        """Return a scripted utility at which the hub is registered; `serving` serves it."""
        return Utility(self.hub_lfdi, sfdi(self.hub_lfdi))

    def config(
        self, dcap: str, *, utility: Sequence[str] = QUICK, page_port: int = 0, more: str = ""
    ) -> str:
        """Return a hub's configuration for the house, as TOML."""
        scene = Scene(battery="hold", utility=tuple(utility))
        text = hub_config(
            scene,
            pki=self.pki,
            ports=self.ports,
            ocpp_port=self.ocpp_port,
            dcap=dcap,
            page_port=page_port,
        )
        return text + more

    def prepare(self, config: str) -> Hub:
        """Write a hub's configuration; start it with `Hub.start`."""
        self._hubs += 1
        folder = self.folder / f"hub{self._hubs}"
        folder.mkdir()
        path = folder / "hems.toml"
        path.write_text(config, encoding="utf-8")
        ready = folder / "ready.json"
        command = [sys.executable, "-m", "hems", "run", "--config", str(path)]
        command += ["--ready", str(ready)]
        return Hub(Child("hub", command, log=folder / "hub.log", ready=ready))

    @asynccontextmanager
    async def running(self, config: str) -> AsyncIterator[Hub]:
        """Run a hub while the context lasts; it must end well when it is asked to."""
        hub = self.prepare(config)
        try:
            await hub.start()
            yield hub
        except BaseException:
            print(f"--- hub\n{hub.child.log_end(60)}")
            raise
        finally:
            code = await hub.child.stop()
        assert code == 0, hub.child.log_end()
        assert "Traceback" not in hub.log, hub.log

    async def fault(self, device: str, fault: str) -> None:
        """Make a device misbehave on its real socket, until told otherwise."""
        await self._order("fault", {"device": device, "fault": fault})

    async def load(self, base_w: float) -> None:
        """Hold the house's uncontrolled load."""
        await self._order("load", {"base_w": base_w})

    async def trace(self, since: float) -> list[Trace]:
        """Return the true power at the meter, every 100 ms, since a UTC time."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.control}/trace", params={"since": str(since)}) as response,
        ):
            return TypeAdapter(list[Trace]).validate_json(await response.read())

    async def _order(self, door: str, order: Mapping[str, str | float]) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.control}/{door}", json=order) as response,
        ):
            assert response.ok, await response.text()


@asynccontextmanager
async def house(folder: Path, pki: Pki, options: Sequence[str]) -> AsyncIterator[Bench]:
    """Run a simulated house while the context lasts."""
    ocpp_port = free_port()
    ready = folder / "house.json"
    command = [sys.executable, "-m", "der.sim", "--ready", str(ready), *options]
    command += ["--ocpp", f"ws://{LOOPBACK}:{ocpp_port}/ocpp/ev"]
    child = Child("house", command, log=folder / "house.log", ready=ready)
    try:
        await child.start()
        said = HouseReady.model_validate(await child.wait_ready(START_WITHIN_S))
        control = f"http://{said.control.host}:{said.control.port}"
        yield Bench(folder, pki, child, control, said.ports(), ocpp_port)
    finally:
        await child.stop()


@dataclass
class Line:
    """A whole running line: a real head-end, the house, and a hub that listens at a known port.

    Attributes:
        rig: Hands and eyes on it.
        pki: Everybody's keys.
        dcap: Where the head-end's clients begin.
        notify: Where the hub takes notifications.
    """

    rig: Rig
    pki: Pki
    dcap: str
    notify: str

    @property
    def base(self) -> str:
        """The head-end's origin."""
        return self.dcap.removesuffix("/dcap")

    def log(self, side: str) -> list[str]:
        """Return the log's lines of "head-end" or "hub"."""
        child = self.rig.stage.headend if side == "head-end" else self.rig.stage.hub
        return child.log.read_text(encoding="utf-8").splitlines()

    def as_hub(self) -> ssl.SSLContext:
        """Return the TLS context of one who shows the hub's certificate."""
        return client_context(self.pki.identity("hub"), self.pki.trust)

    def as_utility(self) -> ssl.SSLContext:
        """Return the TLS context of one who shows the utility's certificate."""
        return client_context(self.pki.identity("utility"), self.pki.trust)


@asynccontextmanager
async def whole_line(folder: Path, pki: Pki, options: Sequence[str]) -> AsyncIterator[Line]:
    """Run utility, house and hub while the context lasts.

    Args:
        folder: For their files; the PKI of `folder/stage/pki` is theirs if it is there already.
        pki: Copied there if it is not.
        options: Of the house.
    """
    own = folder / "stage" / "pki"
    if not own.exists():
        copy_pki(pki, own)
    notify_port = free_port()
    scene = Scene(
        page_port=0,
        battery="hold",
        house=tuple(options),
        headend=("list_poll_s = 60", "time_poll_s = 60", "dcap_poll_s = 60", "post_rate_s = 5"),
        utility=(f"notify_port = {notify_port}",),
    )
    async with Rig(Stage(folder / "stage", scene)) as rig:
        notify = f"https://127.0.0.1:{notify_port}/notify"
        # It listens once it has asked its inverters what they can do.
        await until(
            rig.home, lambda home: home.utility.state == "connected", 20.0, "a hub that listens"
        )
        yield Line(rig, Pki(own), rig.stage.dcap, notify)


def copy_pki(pki: Pki, folder: Path) -> Pki:
    """Return a copy of a PKI, to be spoiled."""
    shutil.copytree(pki.folder, folder)
    return Pki(folder)


def without_certificate(pki: Pki) -> ssl.SSLContext:
    """Return a TLS context of a client that trusts the PKI but has no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(pki.trust.roots)
    return context


def with_certificate(identity: IdentityFiles, pki: Pki) -> ssl.SSLContext:
    """Return a TLS context of a client that trusts the PKI and shows `identity`."""
    return client_context(identity, pki.trust)


async def ask(
    method: str,
    url: str,
    context: ssl.SSLContext,
    body: bytes | AsyncIterator[bytes] | None = None,
    media: str = MEDIA_TYPE,
) -> tuple[int, str]:
    """Make one request on a connection of its own; returns status and text of the answer."""
    data = io.BytesIO(body) if isinstance(body, bytes) else body
    headers = {"Accept": MEDIA_TYPE} | ({} if body is None else {"Content-Type": media})
    async with (
        aiohttp.ClientSession() as session,
        # From a file or a stream; a long bytes object draws a warning from the library.
        session.request(method, url, data=data, headers=headers, ssl=context) as answer,
    ):
        return answer.status, await answer.text()


async def run_to_end(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    """Run a `hems` command that is to end by itself; returns exit code, stdout and stderr."""
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hems", *arguments),
        cwd=cwd,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(START_WITHIN_S):
            out, error = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()
        raise AssertionError(f"hems {' '.join(arguments)} did not end by itself") from None
    return process.returncode or 0, out.decode(), error.decode()
