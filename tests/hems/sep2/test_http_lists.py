"""Lists read page by page from a real server, while they change and lie."""

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import web

from hems.sep2 import resources as res
from hems.sep2.errors import DeadlineError, OversizedError, TransientError
from hems.sep2.http import Limits
from hems.sep2.xml import MEDIA_TYPE, BadItem, serialize
from tests.hems.sep2.serving import sep, talking_to

pytestmark = pytest.mark.requirement("PRO-2030.5")


class ListServer:
    """Serves a list of DERs page by page; `before` may change it before each page."""

    def __init__(self, count: int, largest: int = 255) -> None:
        self.items = [res.DER(href=f"/der/{n}") for n in range(count)]
        self.largest = largest
        self.asked: list[tuple[int, int]] = []
        self.before: Callable[[int], None] = lambda _: None

    async def answer(self, request: web.Request) -> web.Response:
        self.before(len(self.asked))
        start = int(request.query.get("s", 0))
        length = min(int(request.query.get("l", 1)), self.largest)
        self.asked.append((start, length))
        page = tuple(self.items[start : start + length])
        return sep(res.DERList(all=len(self.items), results=len(page), poll_rate=60, der=page))


@pytest.mark.parametrize(
    ("count", "page", "largest", "requests"),
    [
        (0, 50, 255, 1),
        (1, 50, 255, 1),
        (50, 50, 255, 1),
        (51, 50, 255, 2),
        (7, 1, 255, 7),
        (7, 50, 1, 7),
    ],
)
async def test_a_list_is_read_to_its_end(
    count: int, page: int, largest: int, requests: int
) -> None:
    server = ListServer(count, largest)
    async with talking_to(server.answer) as transport:
        read = await transport.get_list("/der", res.DERList, page=page)
    assert read == res.DERList(all=count, results=count, poll_rate=60, der=tuple(server.items))
    assert len(server.asked) == requests


async def test_a_list_keeps_its_own_query() -> None:
    seen: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.path_qs)
        return sep(res.DERList(all=0, results=0))

    async with talking_to(handler) as transport:
        await transport.get_list("/der?kind=pv", res.DERList, page=10)
    assert seen == ["/der?kind=pv&s=0&l=10"]


@pytest.mark.parametrize("change", ["grow", "shrink", "shift"])
async def test_a_list_that_changes_while_it_is_read_is_read_again(change: str) -> None:
    server = ListServer(3)

    def before(request: int) -> None:
        if request != 1:
            return
        if change in ("grow", "shift"):
            server.items.insert(0, res.DER(href="/der/new"))
        if change in ("shrink", "shift"):
            server.items.pop()

    server.before = before
    async with talking_to(server.answer) as transport:
        read = await transport.get_list("/der", res.DERList, page=1)
    assert read.der == tuple(server.items)


async def test_a_list_that_never_stands_still() -> None:
    server = ListServer(3)
    server.before = lambda request: server.items.insert(0, res.DER(href=f"/der/new{request}"))
    async with talking_to(server.answer) as transport:
        with pytest.raises(TransientError, match="/der: the list changed each time it was read"):
            await transport.get_list("/der", res.DERList, page=1)
    assert len(server.asked) <= 20


@pytest.mark.requirement("LC-TEST")
async def test_a_list_that_claims_more_than_it_has() -> None:
    async def handler(_: web.Request) -> web.Response:
        return sep(res.DERList(all=9, results=0))

    async with talking_to(handler) as transport:
        with pytest.raises(TransientError, match="changed each time"):
            await transport.get_list("/der", res.DERList)


@pytest.mark.requirement("LC-TEST")
async def test_a_list_without_end() -> None:
    async def handler(_: web.Request) -> web.Response:
        return sep(res.DERList(all=2**32 - 1, results=1, der=(res.DER(),)))

    async with talking_to(handler) as transport:
        with pytest.raises(OversizedError, match="4294967295 items, at most 10000 are read"):
            await transport.get_list("/der", res.DERList)


async def test_bad_items_are_told_once_and_do_not_stop_the_paging() -> None:
    async def handler(request: web.Request) -> web.Response:
        start = int(request.query["s"])
        page = res.DERList(
            all=3, results=1, der=(res.DER(href=f"/der/{start}", subscribable=start),)
        )
        body = serialize(page).replace(b'subscribable="1"', b'subscribable="often"')
        return web.Response(body=body, content_type=MEDIA_TYPE)

    bad: list[BadItem] = []
    async with talking_to(handler) as transport:
        read = await transport.get_list("/der", res.DERList, page=1, on_bad=bad.append)
    assert [der.href for der in read.der] == ["/der/0", "/der/2"]
    assert [item.error.element for item in bad] == ["DERList/DER/@subscribable"]


async def test_a_list_has_a_deadline_and_a_length_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ListServer(10)
    stuck = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        if server.asked:
            await stuck.wait()
        return await server.answer(request)

    limits = Limits(total_s=5, list_s=0.2)
    async with talking_to(slow, limits=limits) as transport:
        with pytest.raises(DeadlineError, match=r"/der: not whole within 0\.2 s"):
            await transport.get_list("/der", res.DERList, page=3)
        stuck.set()
        assert len((await transport.get_list("/der", res.DERList, page=3)).der) == 10
        monkeypatch.setattr("hems.sep2.http.MAX_LIST", 500)
        with pytest.raises(OversizedError, match="/der: the list is longer than 500 octets"):
            await transport.get_list("/der", res.DERList, page=3)
