"""A server's clock that is set, read over real HTTP: it is told once, and going wrong is not."""

from dataclasses import replace

import pytest
from aiohttp import web

from hems.clock import SystemClock
from hems.sep2.errors import MalformedError
from hems.sep2.noticed import Noticed, What
from hems.sep2.walk.clocks import Clocks
from tests.hems.sep2.serving import TIME, sep, talking_to


@pytest.mark.requirement("L2-EVENTS")
@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ((0, 0), []),
        ((0, 30), []),  # put right, or slow
        ((0, 3600), ["+3600 s"]),
        ((0, -3600), ["-3600 s"]),
        ((0, 3600, 3600), ["+3600 s"]),
        ((0, 3600, 0), ["+3600 s", "-3600 s"]),
    ],
)
async def test_a_clock_that_is_set_is_noticed(shown: tuple[int, ...], told: list[str]) -> None:
    left = list(shown)

    async def answer(request: web.Request) -> web.StreamResponse:
        del request
        return sep(replace(TIME, current_time=TIME.current_time + left.pop(0)))

    async def offset(offset_s: float) -> None:
        raise AssertionError(offset_s)

    def apart(clock: str, why: MalformedError | None) -> None:
        raise AssertionError(f"{clock}: {why}")

    noticed: list[Noticed] = []
    async with talking_to(answer) as transport:
        clocks = Clocks(transport, SystemClock(), (), offset, apart, notice=noticed.append)
        for _ in shown:
            await clocks.read("/tm")
    assert [(each.what, _rounded(each.why)) for each in noticed] == [
        (What.CLOCK, _rounded(why)) for why in told
    ]


def _rounded(why: str) -> int:
    """Return by how much, to the minute: what the machine itself takes does not count."""
    return round(int(why.removesuffix(" s")) / 60)
