"""`hems programme` against a page on this machine."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hems.cli import main
from hems.store.store import open_store
from programs.performance import Performance
from programs.registry import ALL, BY_ID
from tests.hems.money.homes import HeldClock
from tests.hems.participation.play import Play, T
from tests.web.surface import ScriptedHome
from web.programmes_api import ProgrammesApi
from web.server import serving
from web.settings import WebSettings

pytestmark = pytest.mark.requirement("ROLE-UI")

SETTINGS = WebSettings(port=0, time_zone="Europe/Berlin")
PEAK = "peak-shaving"
RECORD = Performance(
    programme="energy-support",
    event="0A",
    asked_by="Evening",
    starts_at=T,
    ends_at=T + 600.0,
    asked=500.0,
    unit="Wh",
    promised_wh=500.0,
    delivered_wh=480.0,
    inside_share=0.995,
    settled_s=2.0,
    rebound_w=120.0,
    opted_out=True,
    note="The owner was out of it for 1 min.",
)


class Terminal:
    """A home's page, and the commands that are given to it."""

    def __init__(self, play: Play, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.play = play
        self._url = url
        self._capsys = capsys

    async def __call__(self, *words: str, code: int = 0) -> str:
        given = ["programme", *words, "--url", self._url]
        assert await asyncio.to_thread(main, given) == code
        said = self._capsys.readouterr()
        return said.err if code else said.out


@pytest.fixture
async def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Terminal]:
    clock = HeldClock(T)
    store = await open_store(tmp_path / "hems.db", clock)
    play = Play(store, clock)
    parts = [ProgrammesApi(lambda: play.part, clock)]
    async with serving(ScriptedHome(), SETTINGS, clock, parts) as url:
        yield Terminal(play, url, capsys)
    await store.close()


async def test_a_line_a_programme(terminal: Terminal) -> None:
    lines = (await terminal()).splitlines()
    assert [line.split()[0] for line in lines] == [programme.id for programme in ALL]
    assert next(line for line in lines if line.startswith(PEAK)).split()[1:3] == ["BUC-1", "joined"]


async def test_all_that_is_to_know_of_one(terminal: Terminal) -> None:
    about = BY_ID[PEAK].about
    text = await terminal("show", PEAK)
    assert about.asks in text
    assert about.leaving in text
    assert "'warp'" in await terminal("show", "warp", code=1)
    assert "say which programme" in await terminal("show", code=1)


async def test_it_is_not_left_unless_somebody_says_yes(terminal: Terminal) -> None:
    assert "--yes" in await terminal("leave", PEAK, code=1)
    assert terminal.play.part.takes_part(PEAK)
    out = await terminal("leave", PEAK, "--yes", "--by", "Ada")
    assert BY_ID[PEAK].about.leaving in out
    assert not terminal.play.part.takes_part(PEAK)
    await terminal("join", PEAK)
    assert terminal.play.part.takes_part(PEAK)


async def test_what_cannot_be_left_says_why(terminal: Terminal) -> None:
    assert BY_ID["main-breaker"].about.leaving in await terminal("leave", "main-breaker", code=1)


async def test_records_and_an_export(terminal: Terminal) -> None:
    await terminal.play.store.performances.put(RECORD)
    assert (await terminal("records")).strip() == (
        "2027-01-15T08:00Z energy-support   Evening: 500 Wh; delivered 0.48 of 0.50 kWh; "
        "inside 99.5%; after 2.0 s; rebound 120 W; left by the owner; "
        "The owner was out of it for 1 min."
    )
    assert await terminal("records", PEAK) == (
        "nothing that was asked of the home in these days is over\n"
    )
    rows = list(csv.DictReader(io.StringIO(await terminal("export", "--days", "7"))))
    assert [row["row"] for row in rows] == ["event", "end"]
    assert '"row":"end"' in await terminal("export", "--form", "jsonl")


def test_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["programme", "--url", "http://127.0.0.1:1"]) == 1
    assert "no home answers at http://127.0.0.1:1" in capsys.readouterr().err
