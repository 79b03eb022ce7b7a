"""What is wanted of cars and appliances, over the API."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from hems.store.store import open_store
from tests.hems.needs.home import NOW, SEVEN, Play
from tests.web.surface import ScriptedClock, ScriptedHome
from web.needs_api import NeedsApi
from web.server import serving
from web.settings import WebSettings

pytestmark = pytest.mark.requirement("L1-OWNER", "ROLE-UI")


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    store = await open_store(tmp_path / "hems.db", ScriptedClock(NOW))
    yield Play.of(store.settings)
    await store.close()


@pytest.fixture
async def client(play: Play, settings: WebSettings) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        serving(
            ScriptedHome(),
            settings,
            play.clock,
            [NeedsApi(play.needs, play.clock, "Europe/Berlin")],
        ) as url,
        aiohttp.ClientSession(url) as client,
    ):
        yield client


async def test_a_car_s_order_is_taken_shown_and_ended(
    play: Play, client: aiohttp.ClientSession
) -> None:
    body = {"mode": "cheapest", "ready": "06:30", "energy_wh": 20e3}
    async with client.post("/api/cars/ev/order", json=body) as answer:
        assert answer.status == 204
    async with client.get("/api/needs") as answer:
        told = await answer.json()
    assert told["time_zone"] == "Europe/Berlin"
    shown = {car["device"]: car for car in told["cars"]}
    assert shown["ev"] == {
        "device": "ev",
        "mode": "cheapest",
        "ready_at": SEVEN - 1_800,
        "energy_wh": 20e3,
        "taken_wh": None,
        "usual_wh": None,
        "ordered": True,
        "until": None,
        "plugged": None,
        "habit_mode": "cheapest",
        "habit_ready": "07:00",
        "habit_days": [0, 1, 2, 3, 4, 5, 6],
        "habit_wh": 12_000,
        "habit_told": False,
        "leaves_at": None,
    }
    async with client.post("/api/cars/ev/order", json={"mode": "now", "seconds": 60}) as answer:
        assert answer.status == 204
    assert play.needs.needs().cars[0].until == NOW + 60
    async with client.delete("/api/cars/ev/order") as answer:
        assert answer.status == 204
    assert not play.needs.needs().cars[0].ordered


async def test_a_habit_is_told_and_taken_back(play: Play, client: aiohttp.ClientSession) -> None:
    habit = "/api/cars/ev/habit"
    usual = {"mode": "solar", "ready": "06:30", "days": [0, 4], "energy_wh": 20e3}
    async with client.put(habit, json=usual) as answer:
        assert answer.status == 204
    async with client.get("/api/needs") as answer:
        car = (await answer.json())["cars"][0]
    assert (car["habit_mode"], car["habit_ready"], car["habit_days"]) == ("solar", "06:30", [0, 4])
    assert (car["habit_wh"], car["habit_told"]) == (20e3, True)
    for wrong in ({}, {**usual, "days": [7]}, {**usual, "days": []}, {**usual, "energy_wh": 1e9}):
        async with client.put(habit, json=wrong) as answer:
            assert answer.status == 400
    async with client.put("/api/cars/boat/habit", json=usual) as answer:
        assert answer.status == 404
    assert play.needs.needs().cars[0].habit_ready == "06:30"
    async with client.delete(habit) as answer:
        assert answer.status == 204
    assert play.needs.needs().cars[0].habit_ready == "07:00"


async def test_a_run_is_asked_for_and_cancelled(play: Play, client: aiohttp.ClientSession) -> None:
    async with client.post("/api/appliances/dishwasher/run") as answer:
        assert answer.status == 204
    async with client.post("/api/appliances/dishwasher/run", json={"ready": "07:00"}) as answer:
        assert answer.status == 204
    async with client.get("/api/needs") as answer:
        (run,) = (await answer.json())["runs"]
    assert run == {
        "device": "dishwasher",
        "length_s": 1_800,
        "asked": True,
        "earliest": NOW,
        "ready_by": SEVEN,
        "ends_at": None,
    }
    async with client.delete("/api/appliances/dishwasher/run") as answer:
        assert answer.status == 204
    assert play.needs.runs() == ()


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        ("cars/boat/order", b'{"mode": "now"}', (404, "no charger 'boat'")),
        ("appliances/ev/run", b"{}", (404, "no appliance")),
        ("cars/ev/order", b"{}", (400, "Say what is asked")),
        ("cars/ev/order", b'{"mode": "fast"}', (400, "mode: ")),
        ("cars/ev/order", b'{"ready": "7"}', (400, "Ready by: this must be a time")),
        ("cars/ev/order", b'{"ready": "25:00"}', (400, "Ready by: this must be a time")),
        ("cars/ev/order", b'{"ready": "07:00", "ready_at": 9}', (400, "either ready or ready_at")),
        ("cars/ev/order", b'{"ready_at": 9}', (400, "in the future")),
        ("cars/ev/order", b'{"ready_at": "9"}', (400, "ready_at: ")),
        ("cars/ev/order", b'{"energy_wh": NaN}', (400, "Energy wanted: ")),
        ("cars/ev/order", b'{"energy_wh": -1}', (400, "more than 0")),
        ("cars/ev/order", b'{"mode": "now", "seconds": 1e9}', (400, "7 days")),
        ("cars/ev/order", b'{"mode": "now", "seconds": 1, "until": 9}', (400, "until or seconds")),
        ("cars/ev/order", b'{"speed": 1}', (400, "speed: ")),
        ("cars/ev/order", b"", (400, "nvalid JSON")),
        ("appliances/dishwasher/run", b'{"ready_at": 9}', (400, "in the future")),
        ("appliances/dishwasher/run", b"[]", (400, "The request: this must be an object")),
    ],
)
async def test_what_makes_no_sense_is_one_sentence(
    play: Play, client: aiohttp.ClientSession, path: str, body: bytes, refusal: tuple[int, str]
) -> None:
    status, words = refusal
    before = play.needs.needs()
    async with client.post(f"/api/{path}", data=body) as answer:
        assert answer.status == status
        assert words in (await answer.json())["error"]
    assert play.needs.needs() == before


async def test_without_needs_there_is_nothing(settings: WebSettings) -> None:
    async with (
        serving(ScriptedHome(), settings, ScriptedClock()) as url,
        aiohttp.ClientSession(url) as client,
        client.get("/api/needs") as answer,
    ):
        assert answer.status == 404
