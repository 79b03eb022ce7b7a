"""A seller's server on a free port of this machine, and what a book of prices needs beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web


@dataclass
class HeldClock:
    """Time as the test sets it."""

    at: float = 1_800_000_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@dataclass
class Seller:
    """What it answers next, and how often it was asked."""

    body: bytes = b"[]"
    status: int = 200
    asked: int = 0
    url: str = ""

    async def answer(self, _request: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(status=self.status, body=self.body)

    async def times(self) -> int:
        return self.asked

    def sells(self, start: float, *per_kwh: float) -> None:
        rows = "".join(f"{start + i * 3600:.0f},{price}\n" for i, price in enumerate(per_kwh))
        self.body = f"start,price_per_kwh\n{rows}".encode()


@asynccontextmanager
async def selling() -> AsyncIterator[Seller]:
    seller = Seller()
    app = web.Application()
    app.add_routes([web.get("/prices", seller.answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        seller.url = f"http://127.0.0.1:{port}/prices?token=secret"
        yield seller
    finally:
        await runner.cleanup()
