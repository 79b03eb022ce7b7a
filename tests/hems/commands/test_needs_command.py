"""`hems car` and `hems start`, against a page that serves a home's needs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hems.cli import main
from hems.store.store import open_store
from tests.hems.needs.home import NOW, SEVEN, Play
from tests.web.surface import ScriptedClock, ScriptedHome
from web.needs_api import NeedsApi
from web.server import serving
from web.settings import WebSettings

pytestmark = pytest.mark.requirement("ROLE-UI")


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    store = await open_store(tmp_path / "hems.db", ScriptedClock(NOW))
    yield Play.of(store.settings)
    await store.close()


@pytest.fixture
async def url(play: Play, tmp_path: Path) -> AsyncIterator[str]:
    settings = WebSettings(port=0, static_dir=tmp_path / "static")
    async with serving(
        ScriptedHome(), settings, play.clock, [NeedsApi(play.needs, play.clock, "Europe/Berlin")]
    ) as url:
        yield url


async def hems(*arguments: str) -> int:
    return await asyncio.to_thread(main, arguments)


async def test_a_car_is_asked_for_and_goes_back_to_its_habit(
    play: Play, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await hems("car", "ev", "--ready", "06:30", "--energy", "20 kWh", "--url", url) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("ev               cheapest, ready by Tue 06:30, "), "the home's clock"
    assert shown.endswith("needs 20.0 kWh, as asked\n")
    assert play.needs.cars(NOW)[0].ready_at == SEVEN - 1_800
    assert await hems("car", "ev", "--mode", "now", "--for", "2 h", "--url", url) == 0
    assert play.needs.needs().cars[0].until == NOW + 7_200
    assert await hems("car", "ev", "--usual", "--url", url) == 0
    assert await hems("car", "--url", url) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "guest            now"
    assert not play.needs.needs().cars[0].ordered


async def test_an_appliance_is_started_and_stopped(
    play: Play, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await hems("start", "dishwasher", "--ready", "07:00", "--url", url) == 0
    assert capsys.readouterr().out == "dishwasher       waits, ready by Tue 07:00\n"
    assert [run.ready_by for run in play.needs.runs()] == [SEVEN]
    assert await hems("start", "dishwasher", "--cancel", "--url", url) == 0
    assert capsys.readouterr().out == "dishwasher       nothing is asked of it\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("car", "boat", "--mode", "now"), "There is no charger 'boat'."),
        (("car", "--mode", "now"), "say which car is meant"),
        (("car", "ev", "--usual", "--mode", "now"), "goes with nothing else"),
        (("car", "ev", "--ready", "7"), "Ready by: "),
        (("car", "ev", "--energy", "-1 kWh"), "more than 0"),
        (("start", "--cancel"), "say which appliance is meant"),
        (("start", "dishwasher", "--cancel", "--ready", "07:00"), "goes with nothing else"),
        (("start", "ev"), "There is no appliance"),
    ],
)
async def test_a_mistake_is_one_sentence(
    url: str, arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await hems(*arguments, "--url", url) == 1
    assert words in capsys.readouterr().err


async def test_no_home_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert await hems("car", "--url", "http://127.0.0.1:9") == 1
    assert "no home answers" in capsys.readouterr().err


async def test_a_unit_is_needed(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await hems("car", "ev", "--energy", "20", "--url", url) == 2
    assert "has no unit" in capsys.readouterr().err
