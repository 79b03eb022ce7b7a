"""The whole line on one machine: a utility, a simulated house and the hub, each a process.

`hems demo` shows it to people; the end-to-end tests and the benchmarks run the same one. All
sockets are on the loopback interface, on free ports.
"""

import asyncio
import random
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp
from pydantic import BaseModel, ConfigDict

from certs.identity import lfdi, make_pin
from certs.manifest.installation import Installation
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki
from hems.commands.approval import approve
from hems.commands.child import Child, ChildError
from hems.commands.event import Operator
from hems.commands.scene import PIN_DIGITS, Scene, hub_config, quoted

START_WITHIN_S: Final = 30.0
LOOPBACK: Final = "127.0.0.1"
_LASTING: Final = range(20_000, 32_000)
"""Ports that systems do not give to outgoing connections; one of those could take a port between
its choice and its use, or while its owner restarts."""
_ATTEMPTS: Final = 100


class HeadEndReady(BaseModel):
    """What the head-end says once it listens."""

    model_config = ConfigDict(extra="ignore")

    dcap: str
    operator: str


class Place(BaseModel):
    """Where something answers."""

    model_config = ConfigDict(extra="ignore")

    host: str = ""
    port: int | None = None


class HouseReady(BaseModel):
    """What the simulated house says once it listens."""

    model_config = ConfigDict(extra="ignore")

    control: Place
    devices: dict[str, Place]

    def ports(self) -> dict[str, int]:
        """Return the ports of the devices that listen."""
        return {name: at.port for name, at in self.devices.items() if at.port is not None}


class HubReady(BaseModel):
    """What the hub says once its first control cycle is done."""

    model_config = ConfigDict(extra="ignore")

    page: str
    pid: int


@dataclass(slots=True)
class Stage:
    """The running processes and where to reach them; an async context manager.

    Attributes:
        folder: Where their files are.
        scene: What is played.
        installation: What the hub's software agent approves; None for what runs here.
        within_s: How long each may take to come up.

    Raises:
        ChildError: On entering, if one of them does not come up; all are stopped then.
    """

    folder: Path
    scene: Scene = field(default_factory=Scene)
    headend: Child = field(init=False)
    house: Child = field(init=False)
    hub: Child = field(init=False)
    operator: Operator = field(init=False)
    dcap: str = field(init=False, default="")
    control: str = field(init=False, default="")
    page: str = field(init=False, default="")
    lfdi: str = field(init=False, default="")
    installation: Installation | None = None
    within_s: float = START_WITHIN_S

    def __post_init__(self) -> None:
        self.folder = self.folder.absolute()
        self.headend = self._child("headend", "-m", "hems", "headend", "run", "--config")
        self.house = self._child("house", "-m", "der.sim")
        self.hub = self._child("hub", "-m", "hems", "run", "--config")

    async def __aenter__(self) -> Self:
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Prepare the folder and start everything, utility and house at the same time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("headend", "house", "hub"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir()
            (self.folder / f"{name}.log").unlink(missing_ok=True)
        pki = Pki(self.folder / "pki")
        if not pki.trust.roots.exists():
            pki = await asyncio.to_thread(init_pki, self.folder / "pki")
        hub = read_certificates(pki.identity("hub").certificate)[0]
        self.lfdi = lfdi(der(hub))
        ocpp_port = free_port()
        await self._start_headend(pki)
        await self._start_house(ocpp_port)
        utility = HeadEndReady.model_validate(await self.headend.wait_ready(self.within_s))
        token = (self.folder / "headend" / "token").read_text(encoding="utf-8").strip()
        self.dcap, self.operator = utility.dcap, Operator(url=utility.operator, token=token)
        await self._register_home()
        house = HouseReady.model_validate(await self.house.wait_ready(self.within_s))
        self.control = f"http://{house.control.host}:{house.control.port}"
        self._write_hub_config(pki, house.ports(), ocpp_port)
        await self.start_hub()

    async def start_hub(self) -> None:
        """Start the hub (again) and wait for its first control cycle."""
        await self.hub.start()
        ready = HubReady.model_validate(await self.hub.wait_ready(self.within_s))
        self.page = ready.page

    async def close(self) -> None:
        """Stop everything, the hub first so that it can give its devices back."""
        for child in (self.hub, self.house, self.headend):
            await child.stop()

    async def _start_headend(self, pki: Pki) -> None:
        identity, trust = pki.identity("utility"), pki.trust
        settings = self.folder / "headend" / "headend.toml"
        lines = [
            f"database = {quoted(self.folder / 'headend' / 'headend.db')}",
            f"certificate = {quoted(identity.certificate)}",
            f"key = {quoted(identity.key)}",
            f"roots = {quoted(trust.roots)}",
            f"crls = {quoted(trust.crls)}",
            f"token_file = {quoted(self.folder / 'headend' / 'token')}",
            f"ready_file = {quoted(self.headend.ready)}",
            f"advertise = {str(self.scene.discover).lower()}",
            *self.scene.headend,
            "[est]",
            f"pki = {quoted(pki.folder)}",
            *self.scene.est,
        ]
        settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.headend.command = [*self.headend.command, str(settings)]
        await self.headend.start()

    async def _start_house(self, ocpp_port: int) -> None:
        scene = self.scene
        self.house.command = [
            *self.house.command,
            *("--seed", str(scene.seed), "--speed", str(scene.speed)),
            *("--ocpp", f"ws://{LOOPBACK}:{ocpp_port}/ocpp/ev"),
            *("--extra-meters", str(scene.extra_meters)),
            *self._ready(self.house),
            *scene.house,
        ]
        await self.house.start()

    async def _register_home(self) -> None:
        body = {"lfdi": self.lfdi, "pin": make_pin(PIN_DIGITS), "edition": self.scene.edition}
        headers = {"Authorization": f"Bearer {self.operator.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{self.operator.url}/homes", json=body) as response,
        ):
            if not response.ok:
                raise ChildError(f"the head-end refused the home: {await response.text()}")

    def _write_hub_config(self, pki: Pki, ports: Mapping[str, int], ocpp_port: int) -> None:
        text = hub_config(
            self.scene,
            pki=pki,
            ports=ports,
            ocpp_port=ocpp_port,
            dcap=self.dcap,
            page_port=free_port(self.scene.page_port),
        )
        path = self.folder / "hub" / "hems.toml"
        path.write_text(text, encoding="utf-8")
        if self.scene.agent:
            approve(pki, self.installation, path.parent)
        arguments = (str(path), *self._ready(self.hub), *self.scene.hub)
        self.hub.command = [*self.hub.command, *arguments]

    def _child(self, name: str, *arguments: str) -> Child:
        return Child(
            name,
            [sys.executable, *arguments],
            log=self.folder / f"{name}.log",
            ready=self.folder / name / "ready.json",
        )

    @staticmethod
    def _ready(child: Child) -> tuple[str, str]:
        return ("--ready", str(child.ready))


def free_port(wanted: int = 0) -> int:
    """Return `wanted` if it is free on loopback, else another port that is."""
    others = random.SystemRandom().sample(_LASTING, _ATTEMPTS)
    for port in (*([wanted] if wanted else ()), *others):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            taken: int = probe.getsockname()[1]
            return taken
    raise ChildError("no free port on the loopback interface")
