"""`hems money` against a page on this machine."""

import asyncio
from dataclasses import replace

import pytest

from hems.cli import main
from tests.web.surface import ScriptedClock, ScriptedHome
from tests.web.test_money_api import DAY, Books
from web.money_api import MoneyApi
from web.server import serving
from web.settings import WebSettings

SETTINGS = WebSettings(port=0, time_zone="Europe/Berlin")


@pytest.mark.requirement("ROLE-UI")
async def test_a_line_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    books = Books()
    async with serving(
        ScriptedHome(), SETTINGS, ScriptedClock(), [MoneyApi(books, SETTINGS.time_zone)]
    ) as url:
        assert await asyncio.to_thread(main, ["money", "--days", "3", "--url", url]) == 0
    assert books.asked == [(3,)]
    head, line, foot = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["day", "cost", "saved", "on"]
    assert line.split() == (
        ["1970-01-01", "2.67", "0.50", "?", "EUR", "8.0", "kWh", "1.0", "kWh", "80%", "-"]
    )
    assert foot.startswith("saved: against this home without control")


async def test_a_day_with_gaps_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    books = Books(told=[replace(DAY, measured=0.42, carbon_kg=3.1)])
    async with serving(
        ScriptedHome(), SETTINGS, ScriptedClock(), [MoneyApi(books, SETTINGS.time_zone)]
    ) as url:
        assert await asyncio.to_thread(main, ["money", "--days", "1", "--url", url]) == 0
    assert capsys.readouterr().out.splitlines()[1].endswith("3.1 kg  42% metered")


def test_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["money", "--url", "http://127.0.0.1:1"]) == 1
    assert "no home answers at http://127.0.0.1:1" in capsys.readouterr().err


@pytest.mark.parametrize("days", ["0", "400", "many"])
def test_no_number_of_days(days: str) -> None:
    with pytest.raises(SystemExit):
        main(["money", "--days", days])


async def test_no_accounts_yet(capsys: pytest.CaptureFixture[str]) -> None:
    books = Books(told=[])
    async with serving(
        ScriptedHome(), SETTINGS, ScriptedClock(), [MoneyApi(books, SETTINGS.time_zone)]
    ) as url:
        assert await asyncio.to_thread(main, ["money", "--url", url]) == 0
    assert capsys.readouterr().out == "there are no accounts of these days\n"


async def test_a_page_without_accounts(capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(ScriptedHome(), SETTINGS, ScriptedClock()) as url:
        assert await asyncio.to_thread(main, ["money", "--url", url]) == 1
    assert "404" in capsys.readouterr().err
