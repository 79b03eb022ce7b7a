"""A program that is alone on an internet of its own (`unshare -n`): it reads prices there.

Every address of it answers with prices, with a redirect where the path names one, and with what is
nobody's business at the addresses that the hub must not ask; prints what became of each reading.
"""

import asyncio
import json
from typing import Final
from urllib.parse import quote

from aiohttp import web

from hems.tariff.source import SourceError, fetch

_PLAIN: Final = (
    *("prices.example", "8.8.4.4", "nas.local", "192.168.7.7", "localhost", "127.0.0.1"),
    *("inward.example", "own.local", "169.254.169.254", "0.0.0.0"),  # noqa: S104 - asked for
)
_LED: Final = (
    ("prices.example", "8.8.4.4"),
    ("nas.local", "prices.example"),
    ("127.0.0.1", "192.168.7.7"),
    ("nas.local", "192.168.7.7"),
    ("prices.example", "192.168.7.7"),
    ("prices.example", "nas.local"),
    ("prices.example", "127.0.0.1"),
    ("prices.example", "2130706433"),
    ("prices.example", "169.254.169.254"),
    ("nas.local", "127.0.0.1"),
    ("127.0.0.1", "169.254.169.254"),
    ("prices.example", "inward.example"),
)
_ODD: Final = {
    "round": "http://prices.example/round",
    "nowhere": "http://[",
    "file": "file:///etc/passwd",
}


async def _answer(request: web.Request) -> web.Response:
    to = request.query.get("to")
    if to is not None:
        return web.Response(status=302, headers={"Location": to})
    if request.path == "/round":
        return web.Response(status=307, headers={"Location": "/round"})
    return web.Response(text="read")


async def _read(url: str) -> str:
    try:
        return await fetch(url)
    except SourceError as error:
        return str(error)


async def _main() -> None:
    app = web.Application()
    app.router.add_get("/{tail:.*}", _answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, None, 80).start()
    told = {host: await _read(f"http://{host}/prices") for host in _PLAIN}
    for first, then in _LED:
        to = quote(f"http://{then}/prices", safe="")
        told[f"{first} > {then}"] = await _read(f"http://{first}/?to={to}")
    for name, place in _ODD.items():
        told[name] = await _read(f"http://prices.example/?to={quote(place, safe='')}")
    await runner.cleanup()
    print(json.dumps(told))


asyncio.run(_main())
