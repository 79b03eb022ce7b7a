"""Redirects: followed on the server, remembered if they are for good, told if they lead away."""

from collections.abc import Mapping

import pytest
from aiohttp import web
from yarl import URL

from hems.sep2 import resources as res
from hems.sep2.errors import MovedError, NotFoundError, RedirectError
from hems.sep2.transport.moves import MOST, Moves
from tests.hems.sep2.serving import TIME, sep, talking_to

pytestmark = pytest.mark.requirement("PRO-2030.5")


class Mover:
    """A server that redirects by a table and counts what it was asked for."""

    def __init__(self, moves: Mapping[str, tuple[int, str]]) -> None:
        self.moves = dict(moves)
        self.gone: set[str] = set()
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        path = request.rel_url.path
        self.asked.append(f"{request.method} {path}")
        if path in self.gone:
            return web.Response(status=404)
        if path in self.moves:
            status, location = self.moves[path]
            return web.Response(status=status, headers={"Location": location})
        return sep(TIME)


@pytest.mark.parametrize(
    ("status", "for_good"), [(301, True), (308, True), (302, False), (307, False)]
)
async def test_a_move_for_good_is_remembered(status: int, for_good: bool) -> None:
    server = Mover({"/tm": (status, "/new")})
    async with talking_to(server.answer) as transport:
        for _ in range(3):
            assert await transport.get("/tm", res.Time) == TIME
    once, again = ["GET /tm", "GET /new"], ["GET /new"]
    assert server.asked == (once + again * 2 if for_good else once * 3)


async def test_a_move_in_two_steps_counts_as_far_as_it_is_for_good() -> None:
    server = Mover({"/tm": (301, "/b"), "/b": (302, "/c")})
    async with talking_to(server.answer) as transport:
        for _ in range(2):
            await transport.get("/tm", res.Time)
    assert server.asked == ["GET /tm", "GET /b", "GET /c", "GET /b", "GET /tm", "GET /b", "GET /c"]


async def test_a_place_that_went_away_again_is_looked_for_where_it_was() -> None:
    server = Mover({"/tm": (301, "/new")})
    async with talking_to(server.answer) as transport:
        await transport.get("/tm", res.Time)
        server.moves, server.gone = {"/tm": (301, "/newer")}, {"/new"}
        for _ in range(2):
            assert await transport.get("/tm", res.Time) == TIME
        assert server.asked[2:] == ["GET /new", "GET /tm", "GET /newer", "GET /newer"]
        server.gone |= {"/newer"}
        server.moves = {}
        assert await transport.get("/tm", res.Time) == TIME
        server.gone |= {"/tm"}
        with pytest.raises(NotFoundError):
            await transport.get("/tm", res.Time)


async def test_moves_in_a_circle_end() -> None:
    server = Mover({"/a": (301, "/b"), "/b": (301, "/a")})
    async with talking_to(server.answer) as transport:
        for _ in range(2):
            with pytest.raises(RedirectError, match="more than 5 redirects"):
                await transport.get("/a", res.Time)
    assert len(server.asked) == 12


async def test_what_is_posted_is_followed_but_not_remembered() -> None:
    server = Mover({"/rsp": (301, "/new")})
    async with talking_to(server.answer) as transport:
        for _ in range(2):
            await transport.post("/rsp", TIME)
    assert server.asked == ["POST /rsp", "POST /new"] * 2


async def test_a_redirect_to_another_server_is_told_and_not_followed() -> None:
    other = Mover({})
    async with talking_to(other.answer) as there:
        server = Mover({"/dcap": (301, f"http://{there.host}/dcap")})
        async with talking_to(server.answer) as transport:
            with pytest.raises(MovedError, match="leads away") as caught:
                await transport.get("/dcap", res.DeviceCapability)
            assert caught.value.url == f"http://{there.host}/dcap"
            server.moves = {"/dcap": (301, "ftp://a.example/dcap")}
            with pytest.raises(RedirectError) as refused:
                await transport.get("/dcap", res.DeviceCapability)
            assert not isinstance(refused.value, MovedError), "it leaves the protocol"
            with pytest.raises(RedirectError) as refused:
                await transport.get(f"http://{there.host}/dcap", res.DeviceCapability)
            assert not isinstance(refused.value, MovedError), "a link is no redirect"
    assert other.asked == []


def test_what_is_remembered_is_bounded() -> None:
    moves = Moves()
    urls = [URL(f"http://u/{n}") for n in range(MOST + 1)]
    for url in urls:
        moves.learn(url, url / "new")
    assert moves.where(urls[0]) == urls[0]
    assert moves.where(urls[1]) == urls[1] / "new"
    moves.learn(urls[1], urls[1])
    assert moves.where(urls[1]) == urls[1]
