"""/api/history/energy and /api/history/export, over sockets, from a store on the disk."""

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from hems.cem.civil import day_start
from tests.web.past import BERLIN, Past, past
from tests.web.surface import ScriptedHome
from web.server import serving
from web.settings import WebSettings

pytestmark = pytest.mark.requirement("ROLE-UI")

LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
KOLKATA = ZoneInfo("Asia/Kolkata")


def midnight(day: str, zone: ZoneInfo = BERLIN) -> float:
    return day_start(date.fromisoformat(day), zone)


@asynccontextmanager
async def asking(
    tmp_path: Path, zone: ZoneInfo = BERLIN, at: str = "2026-12-01"
) -> AsyncIterator[tuple[Past, aiohttp.ClientSession]]:
    settings = WebSettings(port=0, time_zone=zone.key, static_dir=tmp_path / "static")
    async with (
        past(tmp_path, midnight(at, zone), zone) as made,
        serving(ScriptedHome(), settings, made.clock, made.parts()) as url,
        aiohttp.ClientSession(url) as session,
    ):
        yield made, session


async def get(session: aiohttp.ClientSession, query: str) -> dict[str, Any]:
    async with session.get(f"/api/history/energy?{query}") as response:
        assert response.status == 200, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def test_a_house_s_day(tmp_path: Path) -> None:
    async with asking(tmp_path) as (made, session):
        start = midnight("2026-06-14")
        await made.measured("meter", start, start + 43_200, 500.0)
        await made.measured("meter", start + 43_200, start + 86_400, -1000.0)
        await made.measured("pv", start + 43_200, start + 86_400, -1500.0)
        await made.measured("battery", start, start + 86_400, 0.0)
        await made.measured("gone", start, start + 60, 1000.0)
        answer = await get(session, "from=2026-06-14&to=2026-06-15")
    assert (answer["starts"], answer["ends"]) == ([start], [start + 86_400])
    assert (answer["today"], answer["time_zone"]) == ("2026-12-01", "Europe/Berlin")
    whole = {"taken_kwh": 6.0, "given_kwh": 12.0, "sun_kwh": 18.0, "own_kwh": 6.0, "used_kwh": 12.0}
    assert answer["whole"] == whole
    assert answer["totals"] == [whole]
    devices = {each["id"]: each for each in answer["devices"]}
    assert devices["meter"] == {
        "id": "meter",
        "name": "Grid meter",
        "kind": "meter",
        "taken_kwh": [6.0],
        "given_kwh": [12.0],
        "mean_w": [-250.0],
        "low_w": [-1000.0],
        "high_w": [500.0],
        "soc_low": [None],
        "soc_high": [None],
        "measured": [1.0],
    }
    assert devices["pv"]["measured"] == [0.5]
    assert (devices["gone"]["name"], devices["gone"]["kind"]) == ("gone", "")


async def test_what_was_not_measured_is_null(tmp_path: Path) -> None:
    async with asking(tmp_path) as (made, session):
        start = midnight("2026-06-14")
        await made.measured("meter", start, start + 86_400, 500.0)
        answer = await get(session, "from=2026-06-14&to=2026-06-16")
    (meter,) = answer["devices"]
    assert (meter["taken_kwh"], meter["measured"]) == ([12.0, None], [1.0, 0.0])
    assert answer["totals"][1]["taken_kwh"] is None
    assert answer["totals"][0]["sun_kwh"] is None, "there is none"


@pytest.mark.parametrize(
    ("zone", "day", "hours", "periods"),
    [
        (BERLIN, "2026-03-29", 23.0, 23),
        (BERLIN, "2026-10-25", 25.0, 25),
        (LORD_HOWE, "2026-04-05", 24.5, 25),
        (LORD_HOWE, "2026-10-04", 23.5, 24),
        (KOLKATA, "2026-06-14", 24.0, 24),
    ],
)
async def test_days_of_23_and_25_hours(
    tmp_path: Path, zone: ZoneInfo, day: str, hours: float, periods: int
) -> None:
    after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    async with asking(tmp_path, zone) as (made, session):
        start, end = midnight(day, zone), midnight(after, zone)
        await made.measured("car", start - 7200, end + 7200, 1000.0)
        whole = await get(session, f"from={day}&to={after}")
        parts = await get(session, f"from={day}&to={after}&step=hour")
    (car,) = whole["devices"]
    assert car["taken_kwh"] == [hours]
    (car,) = parts["devices"]
    assert len(car["taken_kwh"]) == periods
    assert sum(car["taken_kwh"]) == pytest.approx(hours)
    assert (parts["starts"][0], parts["ends"][-1]) == (start, end)


async def test_compared_with_the_time_before_and_a_year_ago(tmp_path: Path) -> None:
    async with asking(tmp_path) as (made, session):
        for day, power_w in (("2026-06-14", 100.0), ("2026-06-13", 200.0), ("2025-06-14", 300.0)):
            await made.measured("car", midnight(day), midnight(day) + 86_400, power_w)
        before = await get(session, "from=2026-06-14&to=2026-06-15&compare=before")
        year = await get(session, "from=2026-06-14&to=2026-06-15&compare=year")
        hour = await get(
            session, "from=2026-06-14T13:00&to=2026-06-14T14:00&step=minute&compare=before"
        )
        plain = await get(session, "from=2026-06-14&to=2026-06-15")
    assert before["compared"]["devices"][0]["taken_kwh"] == [4.8]
    assert year["compared"]["devices"][0]["taken_kwh"] == [7.2]
    assert hour["compared"]["ends"][-1] == hour["starts"][0]
    assert len(hour["starts"]) == 60
    assert plain["compared"] is None


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "from"),
        ("from=2026-06-14", "to"),
        ("from=never&to=2026-06-15", "from"),
        ("from=2026-06-15&to=2026-06-14", "must come after"),
        ("from=2026-06-14&to=2026-06-14", "must come after"),
        ("from=0001-01-01&to=2026-06-14", "between the years"),
        ("from=2026-01-01&to=9999-12-31", "between the years"),
        ("from=2026-01-01&to=2026-12-31&step=quarter-hour", "more than"),
        ("from=2026-01-01&to=2026-01-02&step=week", "step"),
        ("from=2026-01-01&to=2026-01-02&compare=never", "compare"),
        ("from=nan&to=2026-01-02", "from"),
        ("from=2026-01-01&to=2026-01-02&more=1", "more"),
    ],
)
async def test_nonsense_is_refused_in_words(tmp_path: Path, query: str, reason: str) -> None:
    async with (
        asking(tmp_path) as (_, session),
        session.get(f"/api/history/energy?{query}") as response,
    ):
        assert response.status == 400
        assert reason in (await response.json())["error"]


async def test_a_file_of_comma_separated_values(tmp_path: Path) -> None:
    async with asking(tmp_path) as (made, session):
        start = midnight("2026-10-25")
        await made.measured("car", start, start + 25 * 3600, 1000.0)
        query = "from=2026-10-25&to=2026-10-26&step=hour"
        async with session.get(f"/api/history/export?{query}") as response:
            assert response.status == 200
            assert response.content_type == "text/csv"
            name = "hems-history-2026-10-25-2026-10-26-hour.csv"
            assert name in response.headers["Content-Disposition"]
            rows = list(csv.DictReader(io.StringIO(await response.text())))
    assert len(rows) == 25
    assert [r["start_local (Europe/Berlin)"] for r in rows[1:4]] == [
        "2026-10-25T01:00:00+02:00",
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
    ]
    assert (rows[0]["start_utc"], rows[0]["end_utc"]) == (
        "2026-10-24T22:00:00Z",
        "2026-10-24T23:00:00Z",
    )
    assert {(r["taken_kwh"], r["given_kwh"], r["measured_share"]) for r in rows} == {
        ("1", "0", "1")
    }
    assert {r["name"] for r in rows} == {"'=Wallbox"}, "no spreadsheet takes it for a formula"
    assert {r["lowest_charge"] for r in rows} == {""}


async def test_a_parquet_file(tmp_path: Path) -> None:
    async with asking(tmp_path) as (made, session):
        start = midnight("2026-06-14")
        await made.lived(start, start + 86_400)
        query = "from=2026-06-14&to=2026-06-15&step=quarter-hour&format=parquet"
        async with session.get(f"/api/history/export?{query}") as response:
            assert response.status == 200
            content = await response.read()
    table = pq.read_table(io.BytesIO(content))
    assert table.num_rows == 4 * 96
    assert table.schema.metadata[b"zone"] == b"Europe/Berlin"
    assert table.schema.field("taken_kwh").metadata == {b"unit": b"kWh"}
    first = table.slice(0, 1).to_pylist()[0]
    assert first["start_utc"].timestamp() == start
    assert first["start_local"] == datetime(2026, 6, 14)  # noqa: DTZ001 - as the clock shows it
    assert {row["name"] for row in table.to_pylist()} == {
        "Grid meter",
        "Roof",
        "Battery",
        "=Wallbox",
    }


async def test_a_file_that_cannot_be_made_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The child sees an environment in which nothing but the standard parts are found.
    monkeypatch.setenv("PYTHONPATH", str(without_pyarrow(tmp_path)))
    async with asking(tmp_path) as (_, session):
        query = "from=2026-06-14&to=2026-06-15&format=parquet"
        async with session.get(f"/api/history/export?{query}") as response:
            assert response.status == 503
            assert "pyarrow, which is not installed" in (await response.json())["error"]
        async with session.get(f"/api/history/export?{query}&lang=fr") as response:
            assert "pas installé" in (await response.json())["error"]
        async with session.get("/api/history/export?from=2026-06-14&to=2026-06-15") as response:
            assert response.status == 200, "the next one is made"


def without_pyarrow(folder: Path) -> Path:
    """Return a folder that hides pyarrow from programs that look there first."""
    hiding = folder / "hiding"
    hiding.mkdir()
    (hiding / "sitecustomize.py").write_text(
        "import importlib.machinery, sys\n"
        "class Hide:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'pyarrow':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hide())\n"
    )
    return hiding


async def test_one_file_at_a_time_and_the_hub_goes_on(tmp_path: Path) -> None:
    async with asking(tmp_path) as (made, session):
        start = midnight("2026-01-01")
        await made.lived(start, start + 10 * 86_400)
        query = "from=2026-01-01&to=2026-01-11&step=quarter-hour"
        async with session.get(f"/api/history/export?{query}") as response:
            assert response.status == 200
            async with session.get(f"/api/history/export?{query}") as second:
                assert second.status == 409
                assert "Another file" in (await second.json())["error"]
            answer = await get(session, "from=2026-01-01&to=2026-01-02")
            assert len(answer["devices"]) == 4
            assert len((await response.read()).splitlines()) == 1 + 4 * 960
        async with session.get(f"/api/history/export?{query}") as response:
            assert response.status == 200
            await response.read()
