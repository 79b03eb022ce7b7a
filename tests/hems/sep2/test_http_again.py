"""Resources read again: conditional requests, equal bodies, and lists of several pages."""

import asyncio
from email.utils import formatdate

import pytest
from aiohttp import web

from hems.sep2 import resources as res
from hems.sep2.errors import PermanentError
from hems.sep2.transport.validated import MOST, Validated, conditions, digest
from hems.sep2.xml import MEDIA_TYPE, BadItem, serialize
from tests.hems.sep2.serving import TIME, sep, talking_to

pytestmark = pytest.mark.requirement("PRO-2030.5")

NOW = 1_700_000_000.0


class Shelf:
    """A server of one list, with the validators that a test wants.

    Attributes:
        tags: Offer ETags.
        modified: Offer this Last-Modified, in epoch seconds.
        answered: The status of each answer, with what it was asked for.
    """

    def __init__(self, count: int, *, tags: bool = True, modified: float | None = None) -> None:
        self.items = tuple(res.DER(href=f"/der/{n}") for n in range(count))
        self.tags = tags
        self.modified = modified
        self.answered: list[tuple[int, int]] = []

    async def answer(self, request: web.Request) -> web.Response:
        start, length = int(request.query.get("s", 0)), int(request.query.get("l", 1))
        page = self.items[start : start + length]
        body = serialize(res.DERList(all=len(self.items), results=len(page), der=page))
        headers = {"Date": formatdate(NOW, usegmt=True)}
        if self.tags:
            headers["ETag"] = f'"{digest(body).hex()}"'
        if self.modified is not None:
            headers["Last-Modified"] = formatdate(self.modified, usegmt=True)
        asked = request.headers
        same = (self.tags and asked.get("If-None-Match") == headers.get("ETag")) or (
            "If-Modified-Since" in asked
            and asked["If-Modified-Since"] == headers.get("Last-Modified")
        )
        self.answered.append((start, 304 if same else 200))
        if same:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type=MEDIA_TYPE, headers=headers)


@pytest.mark.parametrize(
    ("tags", "modified", "status"),
    [
        (True, None, 304),
        (False, NOW - 60, 304),
        (True, NOW - 60, 304),
        (False, NOW, 200),  # may change again within this second
        (False, None, 200),
    ],
)
async def test_what_has_not_changed_is_the_same_record(
    tags: bool, modified: float | None, status: int
) -> None:
    shelf = Shelf(3, tags=tags, modified=modified)
    async with talking_to(shelf.answer) as transport:
        first = await transport.get_list("/der", res.DERList)
        again = await transport.get_list("/der", res.DERList)
        single = await transport.get("/der?l=9", res.DERList)
        assert await transport.get("/der?l=9", res.DERList) is single
    assert again is first
    assert len(first.der) == 3
    assert [s for _, s in shelf.answered] == [200, status] * 2


async def test_a_list_of_several_pages_of_which_one_changed() -> None:
    shelf = Shelf(5)
    async with talking_to(shelf.answer) as transport:
        first = await transport.get_list("/der", res.DERList, page=2)
        assert await transport.get_list("/der", res.DERList, page=2) is first
        shelf.items = (*shelf.items[:3], res.DER(href="/der/new"), shelf.items[4])
        changed = await transport.get_list("/der", res.DERList, page=2)
        assert [d.href for d in changed.der] == [d.href for d in shelf.items]
        assert shelf.answered[-6:-3] == [(0, 304), (2, 200), (4, 304)]
        # That one is not there any more is believed when it is so once more.
        assert shelf.answered[-3:] == [(0, 304), (2, 304), (4, 304)]
        shelf.items = shelf.items[:4]
        shorter = await transport.get_list("/der", res.DERList, page=2)
        assert [d.href for d in shorter.der] == [d.href for d in shelf.items]
        shelf.items = ()
        assert (await transport.get_list("/der", res.DERList, page=2)).der == ()


async def test_a_clock_is_never_what_it_was() -> None:
    asked: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.headers.get("If-None-Match"))
        return sep(TIME, ETag='"1"')

    async with talking_to(handler) as transport:
        for _ in range(2):
            await transport.get("/tm", res.Time)
    assert asked == [None, None]


async def test_a_304_that_was_not_asked_for_is_an_error() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=304)

    async with talking_to(handler) as transport:
        with pytest.raises(PermanentError, match="304"):
            await transport.get("/derp", res.DERProgramList)


async def test_a_list_that_was_not_read_whole_is_read_again() -> None:
    """What could not be read is reported each time, and so must be sent each time."""
    sound = serialize(res.DERProgramList(all=1, results=1, der_program=()))
    spoilt = sound.replace(b"</DERProgramList>", b"").replace(b"/>", b">")
    spoilt += b"<DERProgram><mRID>ZZ</mRID></DERProgram></DERProgramList>"
    asked: list[str | None] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.headers.get("If-None-Match"))
        return web.Response(body=spoilt, content_type=MEDIA_TYPE, headers={"ETag": '"1"'})

    async with talking_to(handler) as transport:
        for _ in range(2):
            bad: list[BadItem] = []
            await transport.get_list("/derp", res.DERProgramList, on_bad=bad.append)
            assert len(bad) == 1
    assert asked == [None, None]


async def test_two_readers_at_once_each_get_the_record() -> None:
    shelf = Shelf(1)
    async with talking_to(shelf.answer) as transport:
        first = await transport.get_list("/der", res.DERList)
        both = await asyncio.gather(*(transport.get_list("/der", res.DERList) for _ in range(4)))
    assert all(one is first for one in both)


def test_what_is_kept_is_bounded_in_number_and_length() -> None:
    kept = Validated(most=MOST, most_octets=1000)
    for number in range(2 * MOST):
        kept.keep(f"/{number}", res.Time, TIME, b"x", {})
    assert kept.find("/0", res.Time) is None
    assert kept.find(f"/{2 * MOST - 1}", res.Time) is not None
    kept.keep("/long", res.Time, TIME, b"x" * 990, {})
    assert kept.find(f"/{2 * MOST - 11}", res.Time) is None
    assert kept.find(f"/{2 * MOST - 10}", res.Time) is not None
    kept.keep("/too long", res.Time, TIME, b"x" * 1001, {})
    assert kept.find("/too long", res.Time) is None
    kept.drop("/long", res.Time)
    kept.drop("/long", res.Time)
    for number in range(900):
        kept.keep(f"/again{number % 3}", res.Time, TIME, b"x" * 300, {})
    assert kept.find("/again0", res.Time) is not None


def test_the_etag_goes_before_the_date() -> None:
    date = {"Last-Modified": formatdate(NOW - 9, usegmt=True), "Date": formatdate(NOW, usegmt=True)}
    assert conditions({"ETag": 'W/"a"', **date}) == {"If-None-Match": 'W/"a"'}
    assert conditions(date) == {"If-Modified-Since": date["Last-Modified"]}
    assert conditions({"Last-Modified": date["Last-Modified"]}) == {}
    assert conditions({"Last-Modified": "yesterday", "Date": date["Date"]}) == {}
