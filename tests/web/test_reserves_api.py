"""The reserve over HTTP and on the command line: all of it, and nothing where there is none."""

import asyncio
from dataclasses import dataclass

import aiohttp
import pytest

from hems.commands.reserves import show
from hems.reserves.surface import CallView, CommitmentView, OfferView, ReservesView
from tests.web.surface import ScriptedClock, ScriptedHome
from web.reserves_api import ReservesApi
from web.server import serving
from web.settings import WebSettings

RESERVE = ReservesView(
    (OfferView("R1", "day-ahead", 0.0, 14_400.0, 2_000.0, 2_000.0, "committed"),),
    (CommitmentView("C1", "day-ahead", "grid", 0.0, 7_200.0, 1_500.0, 800.0, 200.0, "called"),),
    (
        CallView("E1", "Reserve", 600.0, 1_200.0, 1_500.0, 250.0, 240.0, 3.0, over=True),
        CallView("E2", "Reserve", 1_300.0, 1_400.0, 1_500.0, 42.0, None, None, over=False),
    ),
    3_000.0,
    3_600.0,
    2_500.0,
    500.0,
)


@dataclass
class Home:
    view: ReservesView | None = None

    def reserves(self) -> ReservesView | None:
        return self.view


@pytest.mark.requirement("BUC-8")
async def test_the_reserve_is_told_whole(
    settings: WebSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    api = ReservesApi(Home(RESERVE), "UTC")
    async with (
        serving(ScriptedHome(), settings, ScriptedClock(), [api]) as url,
        aiohttp.ClientSession(url) as client,
        client.get("/api/reserves") as answer,
    ):
        assert answer.status == 200
        told = await answer.json()
        assert await asyncio.to_thread(show, url) == 0
    assert told["offers"][0]["state"] == "committed"
    assert told["commitments"][0]["short_w"] == 200.0
    assert [c["delivered_wh"] for c in told["calls"]] == [240.0, None]
    assert (told["able_w"], told["time_zone"]) == (3_000.0, "UTC")
    assert capsys.readouterr().out.splitlines() == [
        "able now   3.00 kW less for 1 h",
        "offer      Thu 00:00 - 04:00  2.00 kW, 2.00 kWh, day-ahead: committed",
        (
            "commitment Thu 00:00 - 02:00  1.50 kW, 0.80 kWh left, day-ahead for grid: called, "
            "lacks 0.20 kW"
        ),
        (
            "call       Thu 00:10 - 00:20  1.50 kW for Reserve: 0.24 of 0.25 kWh delivered, "
            "in full after 3 s, over"
        ),
        "call       Thu 00:21 - 00:23  1.50 kW for Reserve: nobody knows how much was delivered",
    ]


async def test_a_home_that_offers_none(
    settings: WebSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(
        ScriptedHome(), settings, ScriptedClock(), [ReservesApi(Home(), "UTC")]
    ) as url:
        assert await asyncio.to_thread(show, url) == 0
        assert await asyncio.to_thread(show, f"{url}/nowhere") == 1
    assert "offers no reserve" in capsys.readouterr().out


def test_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert show("http://127.0.0.1:1") == 1
    assert "no home answers" in capsys.readouterr().err
