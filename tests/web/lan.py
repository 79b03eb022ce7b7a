"""A scripted home served to a home's network: 127.0.0.2 stands for the hub's address there."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from hems.clock import Clock, SystemClock
from hems.lan.presence import LanSettings, Presence, open_presence
from tests.web.script import ZONE
from tests.web.surface import ScriptedClock, ScriptedHome
from web.lan import LanDoor
from web.lan_api import LanApi
from web.operation import Doorkeeper, OpenDoor, Part
from web.server import serving
from web.settings import WebSettings

OUTSIDE = "127.0.0.2"


@dataclass
class OnNetwork:
    """A page on the network.

    Attributes:
        here: Its address for this machine.
        presence: The hub's presence on the network.
        folder: Where the hub keeps its keys.
        alarms: What was said to be wrong, and to be well again.
    """

    here: str
    presence: Presence
    folder: Path
    home: ScriptedHome
    alarms: list[str | None] = field(default_factory=list)

    @property
    def https(self) -> str:
        """Its address by HTTPS."""
        return f"https://{OUTSIDE}:{self.presence.https_port}"

    @property
    def http(self) -> str:
        """Its address by plain HTTP."""
        return f"http://{OUTSIDE}:{self.here.rpartition(':')[2]}"

    @property
    def root(self) -> Path:
        """The CA's certificate in a file."""
        path = self.folder / "root.crt"
        path.write_bytes(self.presence.identity.authority.public_bytes(Encoding.PEM))
        return path

    def trusting(self) -> ssl.SSLContext:
        """Return a client's context that trusts the hub's CA and nothing else."""
        return ssl.create_default_context(cafile=str(self.root))


@asynccontextmanager
async def on_network(
    folder: Path,
    *,
    static: Path | None = None,
    clock: Clock | None = None,
    names: tuple[str, ...] = (),
    parts: Sequence[Part] = (),
    door: Doorkeeper | None = None,
    look_s: float = 60.0,
) -> AsyncIterator[OnNetwork]:
    """Serve a scripted home to the network; nothing is announced."""
    home, alarms = ScriptedHome(), list[str | None]()
    settings = LanSettings(OUTSIDE, names, folder / "page", announce=False, look_s=look_s)
    presence = await open_presence(settings, clock or SystemClock(), "TEST")
    lan = LanDoor(presence, 0, alarms.append)
    web = WebSettings(
        host=OUTSIDE, port=0, time_zone=ZONE, static_dir=static or folder / "static", names=names
    )
    served = (LanApi(presence), *parts)
    keeper = OpenDoor() if door is None else door
    async with serving(home, web, ScriptedClock(), served, keeper, lan=lan) as here:
        yield OnNetwork(here, presence, folder, home, alarms)
