"""The whole line in a town: the utility's server, the house, the hub, each on its own machine."""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import aiohttp
from aiohttp import AddrInfoType

from certs.identity import make_pin
from certs.pki import Pki
from hems.commands.child import Child
from hems.commands.scene import PIN_DIGITS
from hems.commands.stage import Stage, free_port
from tests.e2e.rig import Rig
from tests.machines import Machine
from tests.netfaults.town import HOUSE, HUB, METER, NAME, UTILITY, Town

EVENING = (
    *("--fixed-load", "1600", "--pv-w", "0", "--battery-soc", "0.7"),
    *("--ev-soc", "0.3", "--ev-max-a", "16", "--ev-arrive-hour", "7.5"),
    *("--tank-temp", "40", "--room-temp", "22"),
)
"""A house at a known draw: 1.6 kW of its own, a car at 3.7 kW, hot water at 3 kW."""
POLLED = ("list_poll_s = 5", "dcap_poll_s = 10", "time_poll_s = 30", "post_rate_s = 5")


@dataclass(slots=True)
class TownStage(Stage):
    """A stage whose parts are on the machines of a town.

    Attributes:
        town: The machines.
        port: Where homes reach the head-end.
        utility: The head-end's address.
    """

    town: Town = field(kw_only=True)
    utility: str = field(default=UTILITY, kw_only=True)
    port: int = field(default_factory=free_port, init=False)

    def where(self, port: int | None) -> Machine:
        """Return the machine on which one of our own doors is."""
        doors = {self.operator.url: self.town.grid} if hasattr(self, "operator") else {}
        doors |= {self.control: self.town.house, self.page: self.town.hub}
        return next(m for url, m in doors.items() if url.endswith(f":{port}"))

    def connector(self) -> aiohttp.TCPConnector:
        """Return what reaches our own doors on their machines."""

        def made(info: AddrInfoType) -> socket.socket:
            family, kind, protocol, _, address = info
            return self.where(int(address[1])).socket(family, kind, protocol)

        return aiohttp.TCPConnector(socket_factory=made)

    def _child(self, name: str, *arguments: str) -> Child:
        town = self.town
        place = {"headend": town.grid, "house": town.house, "hub": town.hub}[name]
        child = Stage._child(self, name, *arguments)
        child.command = place.command(*child.command)
        return child

    async def _register_home(self) -> None:
        body = {"lfdi": self.lfdi, "pin": make_pin(PIN_DIGITS), "edition": self.scene.edition}
        headers = {"Authorization": f"Bearer {self.operator.token}"}
        async with (
            aiohttp.ClientSession(connector=self.connector(), headers=headers) as session,
            session.post(f"{self.operator.url}/homes", json=body) as response,
        ):
            assert response.ok, await response.text()

    def _write_hub_config(self, pki: Pki, ports: Mapping[str, int], ocpp_port: int) -> None:
        self.dcap = f"https://{NAME}:{self.port}/dcap"
        self.town.lead_in(tuple(ports.values()))
        Stage._write_hub_config(self, pki, ports, ocpp_port)
        path = self.folder / "hub" / "hems.toml"
        text = path.read_text(encoding="utf-8")
        for port in ports.values():
            host = METER if port == ports["meter"] else HOUSE
            at = f'port = {port}\nhost = "{host}"'
            text = re.sub(rf"^port = {port}$", at, text, flags=re.MULTILINE)
        text = text.replace("[ocpp]", f'[ocpp]\nhost = "{HUB}"')
        path.write_text(text, encoding="utf-8")

    async def _start_headend(self, pki: Pki) -> None:
        lines = (f'host = "{self.utility}"', f"port = {self.port}", *self.scene.headend)
        self.scene = replace(self.scene, headend=lines)
        await Stage._start_headend(self, pki)

    async def _start_house(self, ocpp_port: int) -> None:
        calls = ("--ocpp", f"ws://{HUB}:{ocpp_port}/ocpp/ev")
        self.scene = replace(self.scene, house=(*self.scene.house, *calls))
        await Stage._start_house(self, ocpp_port)


class TownRig(Rig):
    """Hands and eyes on a stage in a town."""

    stage: TownStage

    async def __aenter__(self) -> Self:
        await self.stage.__aenter__()
        bearer = {"Authorization": f"Bearer {self.stage.operator.token}"}
        connector = self.stage.connector()
        self._operator = aiohttp.ClientSession(
            self.stage.operator.url, headers=bearer, connector=connector
        )
        self._http = aiohttp.ClientSession(connector=self.stage.connector())
        return self
