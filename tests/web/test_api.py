"""The page's API on a real socket, asked by well-meaning and by hostile clients."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from hems.knocks import MOST
from tests.web.conftest import Served
from tests.web.script import BINDING, FINISHED, MIDNIGHT, PEAK, SCRIPT_START, ZONE, event, message
from tests.web.surface import ScriptedHome
from web.errors import AddressError, SettingsError
from web.server import serving
from web.settings import WebSettings


@pytest.mark.requirement("ROLE-UI")
@pytest.mark.requirement("BUC-13")
async def test_home_is_shown_in_passive_sign(served: Served) -> None:
    async with served.client.get("/api/home") as answer:
        assert answer.status == 200
        home = await answer.json()
    power = {d["id"]: d["power_w"] for d in home["devices"]}
    assert (home["seq"], home["net_w"], home["limit_import_w"]) == (1, 1410.0, 1500.0)
    assert (power["pv"], power["battery"], power["car"]) == (-3180.0, -1250.0, 2760.0)
    assert home["devices"][2]["reason"].startswith("Gives 1.3 kW")
    assert [e["id"] for e in home["events"]] == [PEAK, FINISHED]


async def test_what_is_unbounded_or_unknown_is_null(served: Served) -> None:
    endless = replace(event(PEAK), ends_at=float("inf"))
    await served.home.play(
        events=[endless], devices=[replace(served.home.device("car"), power_w=None)]
    )
    async with served.client.get("/api/home") as answer:
        home = await answer.json()
    assert home["events"][0]["ends_at"] is None
    assert home["devices"][0]["power_w"] is None


async def test_every_answer_carries_the_security_headers(served: Served) -> None:
    for path in ("/", "/api/home", "/api/nothing", "/api/stream"):
        async with served.client.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] in {"no-store", "no-cache"}
            assert "aiohttp" not in answer.headers["Server"]
            assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost:8080", "LOCALHOST", "[::1]:8080", "hub.local", "hub.local:80"]
)
async def test_own_names_are_served(served: Served, host: str) -> None:
    async with served.client.get("/api/home", headers={"Host": host}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.", 421),
        ("10.0.0.1:8080", 421),
        ("evil.example@127.0.0.1", 400),
        ("127.0.0.1:port", 400),
        ("[::1", 400),
        (":8080", 400),
    ],
)
async def test_foreign_names_are_refused(served: Served, host: str, status: int) -> None:
    for path in ("/", "/api/home", "/api/stream"):
        async with served.client.get(path, headers={"Host": host}) as answer:
            assert answer.status == status
            assert "host" in (await answer.json())["error"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1:99999999"},
        {"Origin": "file://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_foreign_page_cannot_opt_out(served: Served, headers: dict[str, str]) -> None:
    async with served.client.post(f"/api/events/{PEAK}/opt-out", headers=headers) as answer:
        assert answer.status == 403
        assert (await answer.json())["error"].endswith("this page.")
    assert served.home.wishes == []


async def test_a_foreign_page_cannot_read(served: Served) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with served.client.get("/api/home", headers=headers) as answer:
        assert answer.status == 403
    async with served.client.get("/", headers=headers) as answer:
        assert answer.status == 503, "a link from elsewhere may lead to the page itself"


@pytest.mark.requirement("ROLE-UI")
async def test_opting_out_and_in_reaches_the_home(served: Served) -> None:
    own = {"Origin": served.url, "Sec-Fetch-Site": "same-origin"}
    for wish in ("opt-out", "opt-in"):
        async with served.client.post(f"/api/events/{PEAK}/{wish}", headers=own) as answer:
            assert answer.status == 204
            assert await answer.read() == b""
    async with served.client.post(f"/api/events/{PEAK}/opt-out") as answer:
        assert answer.status == 204, "a program without Origin is no browser to be misused"
    assert served.home.wishes == [("opt-out", PEAK), ("opt-in", PEAK), ("opt-out", PEAK)]


@pytest.mark.parametrize("wish", ["opt-out", "opt-in"])
@pytest.mark.parametrize("unknown", ["FFFF", FINISHED, "..%2F..", "%00", "a" * 3000])
async def test_an_unknown_event_is_named_as_such(served: Served, unknown: str, wish: str) -> None:
    async with served.client.post(f"/api/events/{unknown}/{wish}") as answer:
        assert answer.status == 404
        assert await answer.json() == {"error": "This event is not known, or is over."}


async def test_a_message_is_shown_and_acknowledged(served: Served) -> None:
    await served.home.play(messages=[message(PEAK, "Works in your street on Friday.")])
    async with served.client.get("/api/home") as answer:
        (shown,) = (await answer.json())["messages"]
    assert (shown["text"], shown["acknowledged"]) == ("Works in your street on Friday.", False)
    async with served.client.post(f"/api/messages/{PEAK}/acknowledge") as answer:
        assert answer.status == 204
    assert served.home.wishes == [("acknowledge", PEAK)]
    async with served.client.post(f"/api/messages/{FINISHED}/acknowledge") as answer:
        assert answer.status == 404
        assert "not known" in (await answer.json())["error"]


async def test_a_binding_event_cannot_be_left(served: Served) -> None:
    await served.home.play(events=[event(BINDING, may_opt_out=False, program="Grid Guard")])
    async with served.client.post(f"/api/events/{BINDING}/opt-out") as answer:
        assert answer.status == 409
        error = (await answer.json())["error"]
    assert error == "Grid Guard does not allow opting out of this event."
    assert served.home.wishes == []


async def test_a_big_body_is_refused(served: Served) -> None:
    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 1024

    for body in (b"x" * 1_000_000, unannounced()):
        with contextlib.suppress(aiohttp.ClientOSError):  # the hub may hang up on the rest
            async with served.client.post(f"/api/events/{PEAK}/opt-out", data=body) as answer:
                assert answer.status == 413
                assert "too large" in (await answer.json())["error"]
    assert served.home.wishes == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/assets/../../pyproject.toml", 404),
        ("GET", "/..%2f..%2fsecret.txt", 404),
        ("GET", "/%00", 404),
        ("DELETE", "/api/home", 405),
        ("POST", "/", 405),
    ],
)
async def test_the_wrong_address_ends_in_one_sentence(
    served: Served, settings: WebSettings, method: str, path: str, status: int
) -> None:
    settings.static_dir.mkdir()
    (settings.static_dir.parent / "secret.txt").write_text("secret")
    async with served.client.request(method, path) as answer:
        assert answer.status == status
        body = await answer.json()
    assert list(body) == ["error"]
    assert body["error"].count(".") == 1


async def test_the_page_is_served_when_built_and_missed_in_words_when_not(
    served: Served, settings: WebSettings
) -> None:
    async with served.client.get("/") as answer:
        assert answer.status == 503
        assert "has not been built" in await answer.text()
    (settings.static_dir / "assets").mkdir(parents=True)
    (settings.static_dir / "index.html").write_text("<!doctype html><title>Home</title>")
    (settings.static_dir / "assets" / "page-1234.js").write_text("export {}")
    async with served.client.get("/") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        assert answer.headers["Cache-Control"] == "no-cache"
    async with served.client.get("/assets/page-1234.js") as answer:
        assert answer.status == 200
        assert answer.content_type.endswith("/javascript")
        assert "immutable" in answer.headers["Cache-Control"]


async def test_health_fails_when_the_cycle_stands_still(served: Served) -> None:
    async with served.client.get("/api/health") as answer:
        assert answer.status == 200
        assert await answer.json() == {"status": "ok", "seq": 1, "age_s": 0.0}
    for step_s in (86_400.0, -2 * 86_400.0):  # the clock is set; the cycle turns all the same
        served.clock.at += step_s
        async with served.client.get("/api/health") as answer:
            assert (answer.status, (await answer.json())["age_s"]) == (200, 0.0)
    served.home.idle = 11.0
    async with served.client.get("/api/health") as answer:
        assert answer.status == 503
        assert (await answer.json())["status"] == "stalled"
    for path in ("/health/live", "/health/ready"):
        async with served.client.get(path) as answer:
            assert answer.status == 503
            assert await answer.json() == {"status": "stalled"}


async def test_a_hub_that_has_not_begun_is_live_and_not_ready(served: Served) -> None:
    for path in ("/health/live", "/health/ready"):
        async with served.client.get(path) as answer:
            assert answer.status == 200
            assert await answer.json() == {"status": "ok"}
    served.home.now = replace(served.home.now, seq=0)
    async with served.client.get("/health/live") as answer:
        assert answer.status == 200
    async with served.client.get("/health/ready") as answer:
        assert answer.status == 503
        assert await answer.json() == {"status": "starting"}
    served.home.idle = 110.0  # the first cycle may take so long
    async with served.client.get("/health/live") as answer:
        assert answer.status == 200
    served.home.idle = 121.0
    async with served.client.get("/health/live") as answer:
        assert (answer.status, await answer.json()) == (503, {"status": "stalled"})


async def test_health_without_login_is_asked_so_often_and_no_more(served: Served) -> None:
    for path in ("/health/live", "/health/ready"):
        served.clock.at += 1
        for _ in range(MOST):
            async with served.client.get(path) as answer:
                assert answer.status == 200
        async with served.client.get(path) as answer:
            assert answer.status == 429
            assert (await answer.json())["error"]


@pytest.mark.requirement("ROLE-UI")
async def test_history_of_a_day_follows_the_homes_zone(served: Served) -> None:
    async with served.client.get("/api/history", params={"day": "2026-06-17"}) as answer:
        day = await answer.json()
    assert (day["start"], day["end"]) == (MIDNIGHT, MIDNIGHT + 86_400)
    assert (day["day"], day["today"], day["time_zone"]) == ("2026-06-17", "2026-06-17", ZONE)
    assert {s["device"] for s in day["series"]} >= {"meter", "pv", "battery", "car"}
    battery = next(s for s in day["series"] if s["device"] == "battery")
    assert len(battery["at"]) == len(battery["power_w"]) == len(battery["soc"])
    assert None in battery["power_w"], "the half hour without figures stays a gap"


@pytest.mark.parametrize(
    ("query", "question"),
    [
        ("", (MIDNIGHT, MIDNIGHT + 86_400, 300)),
        ("?day=2026-03-29", (1_774_738_800.0, 1_774_738_800.0 + 23 * 3600, 300)),
        ("?day=2026-10-25&step=60", (1_792_879_200.0, 1_792_879_200.0 + 25 * 3600, 60)),
        ("?start=1000&end=4600&step=60", (1000.0, 4600.0, 60)),
        ("?start=0&end=31536000&step=1", (0.0, 31_536_000.0, 6308)),
    ],
    ids=["today", "short day", "long day", "interval", "thinned"],
)
async def test_history_asks_the_home_for_the_right_interval(
    served: Served, query: str, question: tuple[float, float, int]
) -> None:
    async with served.client.get(f"/api/history{query}") as answer:
        assert answer.status == 200
    assert served.home.questions == [question]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("day=yesterday", "day"),
        ("day=9999-12-31", "day"),
        ("start=1000", "start and end"),
        ("start=2000&end=1000", "end must be after start"),
        ("start=nan&end=inf", "start"),
        ("start=0&end=1e300", "end"),
        ("day=2026-06-17&start=0&end=1", "not both"),
        ("step=0", "step"),
        ("step=1.5", "step"),
        ("from=1000", "from"),
    ],
)
async def test_a_senseless_history_query_is_named(served: Served, query: str, named: str) -> None:
    async with served.client.get(f"/api/history?{query}") as answer:
        assert answer.status == 400
        assert named in (await answer.json())["error"]
    assert served.home.questions == []


async def test_a_port_in_use_ends_in_one_clear_error(settings: WebSettings) -> None:
    async with serving(ScriptedHome(), settings) as url:
        taken = replace(settings, port=int(url.rpartition(":")[2]))
        with pytest.raises(AddressError, match=rf"port {taken.port}: another program is using it"):
            async with serving(ScriptedHome(), taken):
                pass


@pytest.mark.parametrize(
    ("field", "value"),
    [("time_zone", "Mars/Olympus"), ("time_zone", "../etc"), ("names", ("http://hub",))],
)
def test_a_senseless_setting_is_named(field: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=f"web.{field}"):
        WebSettings(**{field: value})


def test_the_script_begins_when_it_says() -> None:
    assert MIDNIGHT + 14 * 3600 + 20 * 60 == SCRIPT_START
