"""Programmes over the API: listed, joined and left with the text's version, records, settlement."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from hems.participation.consent import text_version
from hems.participation.consequence import Pay
from hems.participation.participation import Terms
from hems.store.store import open_store
from programs.performance import Performance
from programs.registry import ALL, BY_ID
from tests.hems.money.homes import HeldClock
from tests.hems.participation.play import EVENT, Play, T, signal_of
from tests.web.surface import ScriptedHome
from web.programmes_api import ProgrammesApi
from web.server import serving
from web.settings import WebSettings

pytestmark = pytest.mark.requirement("ROLE-UI", "L1-OWNER")

PEAK = "peak-shaving"
RECORD = Performance(PEAK, "0A", "Peak", T, T + 600.0, 1500.0, "W", inside_share=1.0)


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    clock = HeldClock(T)
    store = await open_store(tmp_path / "hems.db", clock)
    yield Play(store, clock)
    await store.close()


@pytest.fixture
async def client(play: Play, settings: WebSettings) -> AsyncIterator[aiohttp.ClientSession]:
    parts = [ProgrammesApi(lambda: play.part, play.clock)]
    async with (
        serving(ScriptedHome(), settings, play.clock, parts) as url,
        aiohttp.ClientSession(url) as client,
    ):
        yield client


async def test_all_programmes_are_listed_with_what_a_person_must_know(
    client: aiohttp.ClientSession,
) -> None:
    async with client.get("/api/programmes") as answer:
        told = (await answer.json())["programmes"]
    assert [each["id"] for each in told] == [programme.id for programme in ALL]
    for each in told:
        assert each["about"]["title"]
        assert each["about"]["asks"]
        assert each["bound"] or each["consequence"]
        assert each["version"] == text_version(BY_ID[each["id"]])


async def test_left_and_joined_again(play: Play, client: aiohttp.ClientSession) -> None:
    order = {"by": "Ada", "version": text_version(BY_ID[PEAK])}
    async with client.post(f"/api/programmes/{PEAK}/leave", json=order) as answer:
        assert answer.status == 204
    assert not play.part.takes_part(PEAK)
    until = {**order, "until": T + 60.0}
    async with client.post(f"/api/programmes/{PEAK}/join", json=until) as answer:
        assert answer.status == 204
    assert play.part.takes_part(PEAK)


@pytest.mark.parametrize(
    ("programme", "order", "status", "words"),
    [
        ("warp", {"by": "Ada", "version": "x"}, 404, "no programme 'warp'"),
        ("main-breaker", {"by": "Ada", "version": "x"}, 409, "main breaker"),
        (PEAK, {"by": "Ada", "version": "x"}, 400, "read it again"),
        (PEAK, {"by": "Ada"}, 400, "version: this is missing"),
        (PEAK, {"by": "x" * 101, "version": "x"}, 400, "by: "),
        (PEAK, {"by": "Ada", "version": "x", "until": "soon"}, 400, "Until: "),
        (PEAK, {"by": "Ada", "version": "x", "until": 1.0}, 400, "read it again"),
        (PEAK, {"by": "Ada", "version": "x", "warp": 9}, 400, "warp: "),
    ],
)
async def test_what_makes_no_sense_is_one_sentence(
    play: Play,
    client: aiohttp.ClientSession,
    programme: str,
    order: dict[str, object],
    *,
    status: int,
    words: str,
) -> None:
    async with client.post(f"/api/programmes/{programme}/leave", json=order) as answer:
        assert answer.status == status
        assert words in (await answer.json())["error"]
    assert play.part.left == frozenset(p.id for p in ALL if not p.joined)


async def test_a_decision_is_kept_with_who_made_it_and_what_was_read(
    client: aiohttp.ClientSession,
) -> None:
    version = text_version(BY_ID[PEAK])
    for order in ({"version": version, "until": T + 60.0}, {"by": " Ada ", "version": version}):
        async with client.post(f"/api/programmes/{PEAK}/join", json=order) as answer:
            assert answer.status == 204, await answer.text()
    async with client.get("/api/programmes") as answer:
        told = (await answer.json())["programmes"]
    peak = next(each for each in told if each["id"] == PEAK)
    last, first = peak["decisions"]
    assert (first["by"], first["until"]) == ("this machine", T + 60.0)  # nobody gave a name
    assert (last["by"], last["until"], last["version"]) == ("Ada", None, version)
    assert peak["decided_by"] == "Ada"
    assert not peak["changed"]
    assert peak["pays"] is None  # only the contract knows


async def test_what_it_pays_is_told_where_it_is_known(
    play: Play, client: aiohttp.ClientSession
) -> None:
    play.terms = Terms(pay={PEAK: Pay(0.25, "EUR")})
    play.anew()
    async with client.get("/api/programmes") as answer:
        told = (await answer.json())["programmes"]
    assert {p["id"]: p["pays"] for p in told if p["pays"]} == {
        PEAK: {"per_kwh": 0.25, "currency": "EUR"}
    }


async def test_another_site_cannot_leave_for_the_owner(
    play: Play, client: aiohttp.ClientSession
) -> None:
    order = {"by": "Eve", "version": text_version(BY_ID[PEAK])}
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    path = f"/api/programmes/{PEAK}/leave"
    async with client.post(path, json=order, headers=headers) as answer:
        assert answer.status == 403
    assert play.part.takes_part(PEAK)


async def test_records_and_settlement(play: Play, client: aiohttp.ClientSession) -> None:
    await play.store.performances.put(RECORD)
    async with client.get("/api/programmes/records", params={"days": 1}) as answer:
        (told,) = (await answer.json())["records"]
    assert (told["programme"], told["inside_share"], told["score"]) == (PEAK, 1.0, None)
    asked: dict[str, str | float] = {"start": T - 900, "end": T + 900, "programme": PEAK}
    async with client.get("/api/settlement.csv", params=asked) as answer:
        assert answer.content_type == "text/csv"
        assert 'filename="settlement.csv"' in answer.headers["Content-Disposition"]
        rows = list(csv.DictReader(io.StringIO(await answer.text())))
    assert [row["row"] for row in rows] == ["event", "end"]
    async with client.get("/api/settlement.jsonl", params=asked) as answer:
        assert len((await answer.text()).splitlines()) == 2
    other = {**asked, "programme": "envelope"}
    async with client.get("/api/settlement.csv", params=other) as answer:
        assert len((await answer.text()).splitlines()) == 2


@pytest.mark.parametrize(
    "query",
    ["start=1", "start=2&end=1", "days=0", "days=1&start=1&end=2", "warp=1", "start=nan&end=2"],
)
async def test_a_time_that_makes_no_sense(client: aiohttp.ClientSession, query: str) -> None:
    for path in ("/api/programmes/records", "/api/settlement.csv"):
        async with client.get(f"{path}?{query}") as answer:
            assert answer.status == 400
    async with client.get("/api/programmes/records?programme=warp") as answer:
        assert answer.status == 404


async def test_what_leaving_means_is_told_while_an_event_runs(
    play: Play, client: aiohttp.ClientSession
) -> None:
    play.events, play.signals = [EVENT], [signal_of(EVENT)]
    play.live(0, 60, 1400.0)
    async with client.get("/api/programmes") as answer:
        told = (await answer.json())["programmes"]
    peak = next(each for each in told if each["id"] == PEAK)
    assert peak["consequence"][1] == (
        "Peak Saver: Leaving it now, it is answered as partly completed (code 8), "
        "after 1 of 10 min."
    )
