"""Asking for messages over the API: what a browser may wish, and whose wishes one sees."""

from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from aiohttp import web

from hems.access.rights import Role, Who
from hems.clock import SystemClock
from hems.push.push import Manner, Push, open_push
from hems.store.store import open_store
from tests.hems.push.service import Browser
from tests.hems.push.test_push import Shown
from tests.web.surface import ScriptedClock, ScriptedHome
from web.operation import OpenDoor
from web.push_api import PushApi
from web.server import serving
from web.settings import WebSettings
from web.words import tell

pytestmark = pytest.mark.requirement("ROLE-UI")
ANNA = Who("anna", Role.HOUSEHOLD)
BEN = Who("ben", Role.HOUSEHOLD)
OWNER = Who("olga", Role.OWNER)
PATH = "/api/push/subscriptions"


class Somebody(OpenDoor):
    """A doorkeeper that takes whoever asks for one person."""

    def __init__(self) -> None:
        self.is_now: Who | None = ANNA

    async def who(self, request: web.Request) -> Who | None:
        assert request.path
        return self.is_now


@pytest.fixture
def somebody() -> Somebody:
    return Somebody()


@pytest.fixture
async def push(tmp_path: Path) -> AsyncIterator[Push]:
    store = await open_store(tmp_path / "hems.db", SystemClock())
    manner = Manner(ZoneInfo("UTC"), tell, "mailto:owner@example.com")
    made = await open_push(Shown(), store.settings, SystemClock(), manner)
    yield made
    await made.close()
    await store.close()


@pytest.fixture
async def client(
    push: Push, somebody: Somebody, tmp_path: Path
) -> AsyncIterator[aiohttp.ClientSession]:
    settings = WebSettings(port=0, static_dir=tmp_path)
    parts = [PushApi(push)]
    async with (
        serving(ScriptedHome(), settings, ScriptedClock(), parts, somebody) as url,
        aiohttp.ClientSession(url) as client,
    ):
        yield client


def order(**changes: object) -> dict[str, object]:
    browser = Browser("https://push.example.com/a")
    return {"endpoint": browser.endpoint, "keys": browser.keys, "called": " Phone ", **changes}


async def test_a_wish_is_taken_shown_and_taken_back(client: aiohttp.ClientSession) -> None:
    quiet = {"start": 1320, "end": 420}
    async with client.put(PATH, json=order(quiet=quiet, subjects=["car"])) as answer:
        assert answer.status == 200
        made = await answer.json()
    assert (made["called"], made["subjects"], made["quiet"]) == ("Phone", ["car"], quiet)
    assert "endpoint" not in made, "nobody else needs to know where it is reached"
    async with client.get("/api/push") as answer:
        told = await answer.json()
    assert told["enabled"]
    assert len(told["key"]) == 87
    assert [each["id"] for each in told["subscriptions"]] == [made["id"]]
    async with client.delete(f"{PATH}/{made['id']}") as answer:
        assert answer.status == 204
    async with client.delete(f"{PATH}/{made['id']}") as answer:
        assert answer.status == 404


async def test_one_sees_and_ends_one_s_own_wishes_and_the_owner_all(
    client: aiohttp.ClientSession, somebody: Somebody
) -> None:
    async with client.put(PATH, json=order()) as answer:
        made = await answer.json()
    somebody.is_now = BEN
    async with client.get("/api/push") as answer:
        assert (await answer.json())["subscriptions"] == []
    for method, path in (("DELETE", made["id"]), ("POST", f"{made['id']}/test")):
        async with client.request(method, f"{PATH}/{path}") as answer:
            assert answer.status == 404
    somebody.is_now = OWNER
    async with client.delete(f"{PATH}/{made['id']}") as answer:
        assert answer.status == 204


async def test_who_has_not_logged_in_is_told_nothing(
    client: aiohttp.ClientSession, somebody: Somebody
) -> None:
    somebody.is_now = None
    async with client.put(PATH, json=order()) as answer:
        assert answer.status == 401


async def test_a_browser_whose_push_service_moved_it_is_told_as_before(
    client: aiohttp.ClientSession, push: Push, somebody: Somebody
) -> None:
    wanted = order(subjects=["car"], quiet={"start": 1320, "end": 420})
    async with client.put(PATH, json=wanted) as answer:
        assert answer.status == 200
    after = Browser("https://push.example.com/b")
    moved = {"before": wanted["endpoint"], "endpoint": after.endpoint, "keys": after.keys}
    somebody.is_now = BEN
    async with client.post("/api/push/moved", json=moved) as answer:
        assert answer.status == 404, "it is somebody else's"
    somebody.is_now = OWNER
    hostile = {**moved, "endpoint": "https://192.168.1.1/x"}
    async with client.post("/api/push/moved", json=hostile) as answer:
        assert answer.status == 400
    async with client.post("/api/push/moved", json=moved) as answer:
        assert answer.status == 204
    (kept,) = push.all()
    assert (kept.endpoint, kept.called) == (after.endpoint, "Phone")
    assert kept.subjects == {"car"}
    assert kept.quiet is not None
    async with client.post("/api/push/moved", json=moved) as answer:
        assert answer.status == 404, "the old one is not known any more"


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": "https://192.168.1.1/x"},
        {"endpoint": "http://push.example.com/x"},
        {"keys": {"p256dh": "AAAA", "auth": "AAAA"}},
        {"keys": {}},
        {"subjects": ["gossip"]},
        {"language": "tlh"},
        {"quiet": {"start": 1440, "end": 0}},
        {"quiet": {"start": "22:00", "end": 0}},
        {"called": "x" * 61},
        {"more": 1},
    ],
)
async def test_a_wish_that_makes_no_sense_is_refused_and_nothing_is_kept(
    client: aiohttp.ClientSession, push: Push, changes: dict[str, object]
) -> None:
    async with client.put(PATH, json=order(**changes)) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]
    assert push.all() == []


async def test_a_hub_that_pushes_nothing_says_so(tmp_path: Path) -> None:
    settings = WebSettings(port=0, static_dir=tmp_path)
    async with (
        serving(ScriptedHome(), settings, ScriptedClock(), [PushApi(None)]) as url,
        aiohttp.ClientSession(url) as client,
    ):
        async with client.get("/api/push") as answer:
            assert (await answer.json())["enabled"] is False
        async with client.put(PATH, json=order()) as answer:
            assert answer.status == 409
