"""Lists read page by page from a real server, while they change and lie."""

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import web

from hems.sep2 import resources as res
from hems.sep2.errors import DeadlineError, MalformedError, OversizedError, TransientError
from hems.sep2.transport.http import Limits
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


async def test_items_that_share_a_placeholder_for_an_mrid_are_told_apart() -> None:
    async def handler(request: web.Request) -> web.Response:
        start = int(request.query["s"])
        item = res.FunctionSetAssignments(href=f"/fsa/{start}", mrid="00")
        listed = res.FunctionSetAssignmentsList(all=3, results=1, function_set_assignments=(item,))
        return sep(listed)

    async with talking_to(handler) as transport:
        read = await transport.get_list("/fsa", res.FunctionSetAssignmentsList, page=1)
    assert [a.href for a in read.function_set_assignments] == ["/fsa/0", "/fsa/1", "/fsa/2"]


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
        with pytest.raises(TransientError, match="counts 9 items that it does not show"):
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
        monkeypatch.setattr("hems.sep2.transport.http.MAX_LIST", 500)
        with pytest.raises(OversizedError, match="/der: the list is longer than 500 octets"):
            await transport.get_list("/der", res.DERList, page=3)


class Liar(ListServer):
    """A server that counts its items wrongly, or pages in its own way.

    Attributes:
        all: What it says; None for the truth.
        pages: Whether it obeys `s` and `l`.
    """

    def __init__(self, count: int, *, says: int | None = None, pages: bool = True) -> None:
        super().__init__(count)
        self.says = count if says is None else says
        self.pages = pages

    async def answer(self, request: web.Request) -> web.Response:
        start = int(request.query.get("s", 0)) if self.pages else 0
        length = int(request.query.get("l", 1)) if self.pages else len(self.items)
        self.asked.append((start, length))
        page = tuple(self.items[start : start + length])
        return sep(res.DERList(all=self.says, results=len(page), der=page))


@pytest.mark.parametrize("page", [1, 2, 50, 255])
@pytest.mark.parametrize(
    ("count", "says", "pages"),
    [
        (0, 3, True),  # says more than it has
        (5, 9, True),
        (5, 2, True),  # has more than it says
        (4, 2, True),
        (5, 5, False),  # ignores what is asked for
        (5, 2, False),
        (1, 1, False),
        (0, 0, False),
    ],
)
async def test_a_count_that_is_wrong_loses_no_item(
    count: int, says: int, pages: bool, page: int
) -> None:
    server = Liar(count, says=says, pages=pages)
    bad: list[BadItem] = []
    async with talking_to(server.answer) as transport:
        read = await transport.get_list("/der", res.DERList, page=page, on_bad=bad.append)
        told = [str(item.error) for item in bad]
        again = await transport.get_list("/der", res.DERList, page=page, on_bad=bad.append)
    # A page that ends where `all` says shows nothing wrong, and costs no further request.
    believed = pages and 0 < says < count and says % page == 0
    assert read.der == tuple(server.items[:says] if believed else server.items)
    assert again is read
    missing = max(0, says - count)
    assert told == [
        f"{transport.host}/der: it counts {missing} items that it does not show"
    ] * bool(missing)
    assert len(server.asked) <= 2 * 2 * (count + 1)


async def test_a_list_of_255_items_comes_whole_in_pages_of_any_size() -> None:
    for largest, requests in ((255, 6), (1, 255)):
        server = ListServer(255, largest)
        async with talking_to(server.answer) as transport:
            read = await transport.get_list("/der", res.DERList)
        assert read.der == tuple(server.items)
        assert len(server.asked) == requests


async def test_a_list_without_its_count_is_told_and_not_guessed() -> None:
    """Without it nobody can tell a whole list, and only a whole one shows what is gone."""

    async def handler(_: web.Request) -> web.Response:
        body = b'<DERList xmlns="urn:ieee:std:2030.5:ns" results="0"/>'
        return web.Response(body=body, content_type=MEDIA_TYPE)

    async with talking_to(handler) as transport:
        with pytest.raises(MalformedError, match=r"/der: DERList: .*attribute all is missing"):
            await transport.get_list("/der", res.DERList)


async def test_what_is_wrong_with_results_does_not_matter() -> None:
    async def handler(_: web.Request) -> web.Response:
        return sep(res.DERList(all=1, results=0, der=(res.DER(href="/der/0"),)))

    async with talking_to(handler) as transport:
        read = await transport.get_list("/der", res.DERList)
    assert (len(read.der), read.results) == (1, 1)


async def test_an_item_that_slips_between_two_pages_is_not_taken_for_gone() -> None:
    """The front leaves and the end grows between two pages: the length is as before."""
    server = ListServer(3, largest=1)
    async with talking_to(server.answer) as transport:
        await transport.get_list("/der", res.DERList)
        done = len(server.asked)

        def before(request: int) -> None:
            if request == done + 1:
                server.items = [*server.items[1:], res.DER(href="/der/new")]

        server.before = before
        read = await transport.get_list("/der", res.DERList)
        assert [item.href for item in read.der] == ["/der/1", "/der/2", "/der/new"]
        done, server.before = len(server.asked), lambda _: None
        await transport.get_list("/der", res.DERList)
        assert len(server.asked) == done + 3, "what is as it was is read once"
