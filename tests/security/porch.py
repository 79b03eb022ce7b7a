"""A running hub as seen from within the home: its charger's door, broker, page, price source.

The charger calls over TLS with a password; the broker speaks TLS to the hub and plain MQTT to all
others of the home; the hub reads its prices from a server that an attacker may hold.
"""

import asyncio
import itertools
import json
import secrets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from certs.pki import Pki
from certs.tls import server_context
from der.sim.mqtt.node import Relay as Switch
from der.sim.mqtt.plugs import ZigbeePlug
from hems.commands.stage import LOOPBACK, free_port
from tests.e2e.rig import Home
from tests.faults.bench import Bench, Hub, copy_pki, house
from tests.faults.scripted import LyingUtility
from tests.hems.sep2.utility import serving
from tests.mqtt.broker import Mosquitto, mosquitto
from tests.mqtt.house import living
from tests.security.attack import Cycle, Where
from tests.security.relay import Relay, relayed
from tests.security.street import HOUSE, Page, Tail, ended, token_in
from tests.waiting import until

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
OWNER: Final = "Ada"
PLUG: Final = "zigbee2mqtt/kitchen"
PLUG_W: Final = 800.0
SCRIPT: Final = "<img src=x onerror=ran()>"
"""What runs where text is taken for HTML: `ran` is looked for in the page."""
TEMPLATE: Final = "{{7*191}}"
"""What becomes 1337 where text is taken for a template."""
_WITHIN_S: Final = 60.0


@dataclass
class Seller:
    """A server on which prices are to be had.

    Attributes:
        url: Its address.
        answer: What it does.
        asked: How often it was asked.
    """

    url: str
    answer: Answer
    asked: int = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer."""
        self.asked += 1
        return await self.answer(request)


async def prices(_request: web.Request) -> web.StreamResponse:
    """Answer a day of prices, as a good seller does."""
    rows = "".join(f"2030-01-01T{hour:02}:00Z,0.2\n" for hour in range(24))
    return web.Response(text=f"start,price_per_kwh\n{rows}")


@dataclass
class Porch:
    """See the module.

    Attributes:
        hub: The hub.
        page: Its page.
        utility: The utility.
        broker: The broker, as others of the home reach it.
        wire: The wire from the hub to the broker.
        plug: A plug on the broker.
        seller: Where the hub reads its prices.
        charger: Where the charger calls, without its identity.
        password: The charger's.
        owner: The owner's password.
        pki: Everybody's keys.
        folder: For what attackers make.
    """

    hub: Hub
    page: Page
    utility: LyingUtility
    broker: Mosquitto
    wire: Relay
    plug: Switch
    seller: Seller
    charger: str
    password: str
    owner: str
    pki: Pki
    folder: Path
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _tail: Tail = field(init=False)

    def __post_init__(self) -> None:
        self._tail = Tail(self.hub.child.log)

    def mark(self) -> None:
        """Have `lines` return what is written from now on."""
        self._tail.mark()

    async def lines(self, where: Where) -> list[str]:
        """Return the lines of a log since the mark; of the page's logs all."""
        if where is Where.SECURITY:
            return await self.page.security(())
        if where is Where.TRAIL:
            return await self.page.trail(())
        return self.hub.log.splitlines() if where is Where.HUB_RUN else self._tail.lines()

    def logs(self) -> list[str]:
        """Return what the hub has written to its own log since the mark."""
        return self._tail.lines()

    async def cycle(self) -> Cycle:
        """Return how the control cycle stands."""
        return await self.page.cycle()

    def number(self) -> int:
        """Return a number that was not returned before."""
        return next(self._numbers)

    def address(self) -> str:
        """Return an address of this machine from which nobody has asked yet."""
        number = self.number()
        return f"127.67.{number // 250}.{number % 250 + 1}"

    async def home(self) -> Home:
        """Return the page's snapshot."""
        return Home.model_validate_json(await self.page.get("/api/home"))

    async def order(self, method: str, path: str, body: object = None) -> str:
        """Ask something as a program of the hub's own machine; returns status and text."""
        bearer = {"Authorization": f"Bearer {self.page.token}"}
        url = f"{self.page.url}{path}"
        async with self.page.session.request(method, url, json=body, headers=bearer) as answer:
            return f"{answer.status} {await answer.text()}"

    async def log_in(self) -> str:
        """Log the owner in; returns the session's cookie, name and value."""
        order = {"name": OWNER, "password": self.owner}
        origin = {"Origin": self.page.url}
        url = f"{self.page.url}/api/login"
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.post(url, json=order, headers=origin) as answer,
        ):
            assert answer.ok, await answer.text()
            cookies = answer.headers.getall("Set-Cookie")
        (found,) = [each for each in cookies if each.startswith("hems-session=")]
        return found.partition(";")[0]

    async def buys(self, place: str) -> str:
        """Have prices read from somewhere, as a person who may set the hub up can."""
        order = {"kind": "dynamic", "currency": "EUR", "price": 0.3, "prices": place}
        return await self.order("PUT", "/api/settings/tariff", order)

    async def plug_is_read(self) -> str:
        """Wait until the plug's power is known, and is what it draws."""

        async def power() -> float | None:
            tile = (await self.home()).tile("plug")
            if "floods" in (tile.error or ""):
                # It was shut; somebody of the home has looked at it. It may say so once more.
                said = await self.order("POST", "/api/trust/plug/lift", {"why": "looked at"})
                assert said.startswith(("2", "409 ")), said
            return tile.power_w if tile.quality == "good" else None

        found = await until(power, lambda w: w == PLUG_W, _WITHIN_S, "the plug is read")
        return f"the plug draws {found:.0f} W"


def _config(bench: Bench, dcap: str, password: str, mqtt: str) -> str:
    identity = bench.pki.identity("utility")
    text = bench.config(dcap)
    door = f"certificate = {_quoted(identity.certificate)}\nkey = {_quoted(identity.key)}\n"
    text = text.replace("[ocpp]\n", f"[ocpp]\n{door}")
    text = text.replace('station = "ev"', f'station = "ev"\npassword = "{password}"')
    return text + mqtt


def _quoted(text: object) -> str:
    return json.dumps(str(text))


def _mqtt(port: int, trust: Path) -> str:
    return "\n".join(
        [
            *("[mqtt]", 'host = "localhost"', f"port = {port}", f"trust = {_quoted(trust)}"),
            "home_assistant = true",
            *("[[device]]", 'id = "plug"', 'kind = "plug"', 'driver = "mqtt"'),
            f"name = {_quoted(SCRIPT + TEMPLATE)}",
            *('profile = "zigbee2mqtt"', 'topic = "kitchen"', f'max = "{PLUG_W:.0f} W"'),
            "essentiality = 5\n",
        ]
    )


@asynccontextmanager
async def _selling() -> AsyncIterator[Seller]:
    seller = Seller("", prices)
    app = web.Application()
    app.router.add_get("/{tail:.*}", seller.serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        seller.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}/prices"
        yield seller
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _broker(folder: Path) -> AsyncIterator[tuple[Mosquitto, Mosquitto]]:
    """Run a broker: as the hub reaches it, by TLS, and as all others do."""
    await asyncio.to_thread(folder.mkdir)
    async with mosquitto(folder, tls=True) as secured:
        await secured.kill()
        port = free_port()
        secured.lines = [*secured.lines, f"listener {port} {LOOPBACK}"]
        await secured.start()
        settings = replace(secured.settings, host=LOOPBACK, port=port, tls=None)
        yield secured, Mosquitto(folder, port, secured.lines, settings)


@asynccontextmanager
async def porch(folder: Path, pki: Pki) -> AsyncIterator[Porch]:
    """Run a porch while the context lasts."""
    theirs = folder / "attackers"
    await asyncio.to_thread(theirs.mkdir, parents=True)
    own = await asyncio.to_thread(copy_pki, pki, folder / "pki")
    password, words = secrets.token_hex(12), secrets.token_urlsafe(18)
    async with AsyncExitStack() as stack:
        bench = await stack.enter_async_context(house(folder, own, HOUSE))
        utility = LyingUtility(bench.hub_lfdi)
        context = server_context(own.identity("utility"), own.trust)
        await stack.enter_async_context(serving(utility, context))
        secured, broker = await stack.enter_async_context(_broker(folder / "broker"))
        wire = await stack.enter_async_context(relayed(secured.port))
        switch = Switch(PLUG_W)
        plug = ZigbeePlug("plug", "kitchen", switch, period_s=0.5)
        await stack.enter_async_context(living(broker, plug))
        seller = await stack.enter_async_context(_selling())
        trust = secured.settings.tls
        assert trust is not None
        assert trust.trust is not None
        mqtt = _mqtt(wire.port, trust.trust)
        config = _config(bench, f"{utility.base}/dcap", password, mqtt)
        hub = bench.prepare(config)
        stack.push_async_callback(hub.child.stop)
        await hub.start()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        page = Page(hub.page, token_in(hub.child.log.parent), session)
        charger = f"wss://{LOOPBACK}:{bench.ocpp_port}/ocpp/"
        made = Porch(
            hub, page, utility, broker, wire, switch, seller, charger, password, words, own, theirs
        )
        await _owned(made)
        said = await made.buys(seller.url)
        assert '"saved":true' in said, said
        await made.plug_is_read()
        yield made
        await ended(hub.child)


async def _owned(made: Porch) -> None:
    """Make the owner's account."""
    order = {"name": OWNER, "password": made.owner}
    said = await made.order("POST", "/api/first", order)
    assert said.startswith("201 "), said


def anybody() -> ssl.SSLContext:
    """Return the TLS context of somebody who believes everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
