"""Several workers on one database: each sees at once what another changes, nobody is told twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import update

from certs.pki import Pki, issue_device
from hems.headend import subscriptions as subscriptions_module
from hems.headend.db import changes as changes_module
from hems.headend.models import SubscriptionRow
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import DERControlList, EndDeviceList, Subscription
from hems.sep2.xml import serialize
from tests.hems.headend.conftest import Home, Listen, Operator
from tests.postgres import Postgres
from tests.waiting import until

pytestmark = pytest.mark.requirement("PRO-2030.5")
WAIT_S = 15.0
STORES = ("sqlite", "postgresql")


@pytest.fixture(params=STORES, name="database")
def _database(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    if request.param == "sqlite":
        return tmp_path / "headend.sqlite"
    running: Postgres = request.getfixturevalue("postgres")
    return running.database()


@dataclass
class Worker:
    head_end: HeadEnd
    operator: Operator

    def home(self, pki: Pki, name: str) -> Home:
        return Home(pki.identity(name), pki, self.head_end.addresses.base_url)


class Workers:
    """Workers that come and go."""

    def __init__(self, settings: HeadEndSettings) -> None:
        self.settings = settings
        self._stacks: dict[int, AsyncExitStack] = {}

    async def start(self) -> Worker:
        stack = AsyncExitStack()
        head_end = await stack.enter_async_context(HeadEnd(self.settings))
        worker = Worker(head_end, Operator(head_end))
        stack.push_async_callback(worker.operator.aclose)
        self._stacks[id(worker)] = stack
        return worker

    async def end(self, worker: Worker) -> None:
        await self._stacks.pop(id(worker)).aclose()

    async def end_all(self) -> None:
        for stack in self._stacks.values():
            await stack.aclose()


@pytest.fixture
async def workers(settings: HeadEndSettings) -> AsyncIterator[Workers]:
    made = Workers(settings.model_copy(update={"busy_timeout_s": 5.0}))
    yield made
    await made.end_all()


async def listed(home: Home) -> list[tuple[str, int | None]]:
    found = await home.get("/derp/1/derc?l=50", DERControlList)
    return [(c.mrid, c.event_status.current_status) for c in found.der_control]


async def subscribe(home: Home, uri: str, resource: str = "/derp/1/derc") -> None:
    link = (await home.get("/edev", EndDeviceList)).end_device[0].subscription_list_link
    assert link is not None
    wish = Subscription(
        subscribed_resource=resource, encoding=0, level="+S1", limit=10, notification_uri=uri
    )
    assert (await home.ask("POST", link.href, serialize(wish))).status == 201


async def test_what_one_worker_takes_every_worker_shows(workers: Workers, pki: Pki) -> None:
    first, second = await workers.start(), await workers.start()
    home = first.home(pki, "home-a")
    await first.operator.enter(home)
    there = second.home(pki, "home-a")
    found = await until(
        lambda: there.ask("GET", "/derp/1/derc"), lambda a: a.status == 200, WAIT_S, "known there"
    )
    assert found.status == 200

    event = await first.operator.event(limit_import_w=1500, minutes=10)
    await until(
        lambda: listed(there), lambda seen: seen == [(event["id"], 1)], WAIT_S, "listed there"
    )
    await second.operator.ask("POST", f"/events/{event['id']}/cancel")
    await until(lambda: listed(home), lambda seen: seen == [(event["id"], 2)], WAIT_S, "cancelled")
    third = await workers.start()
    _, known = await third.operator.ask("GET", f"/events/{event['id']}")
    assert known["state"] == "cancelled"
    for each in (home, there):
        await each.aclose()


async def test_two_who_cancel_at_once_cancel_once(workers: Workers) -> None:
    first, second = await workers.start(), await workers.start()
    for _ in range(5):
        event = await first.operator.event(limit_import_w=1500, minutes=10)
        place = f"/events/{event['id']}"
        await until(
            lambda place=place: second.operator.ask("GET", place),  # type: ignore[misc]
            lambda answer: answer[0] == 200,
            WAIT_S,
            "known there",
        )
        answers = await asyncio.gather(
            *(each.operator.ask("POST", f"{place}/cancel") for each in (first, second))
        )
        assert sorted(status for status, _ in answers) == [200, 409]


async def test_a_home_is_entered_once(workers: Workers) -> None:
    first, second = await workers.start(), await workers.start()
    wish = {"lfdi": "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5", "pin": "123455"}
    answers = await asyncio.gather(
        *(each.operator.ask("POST", "/homes", wish) for each in (first, second))
    )
    assert sorted(status for status, _ in answers) == [201, 409]


@pytest.fixture(scope="module")
def crowd(pki: Pki) -> list[str]:
    names = [f"crowd-{number}" for number in range(12)]
    for name in names:
        issue_device(pki, name)
    return names


async def test_each_subscriber_is_told_once_by_one_of_them(
    workers: Workers, pki: Pki, crowd: list[str], listen: Listen
) -> None:
    both = [await workers.start(), await workers.start()]
    told: Counter[tuple[str, bytes]] = Counter()
    homes = []
    for number, name in enumerate(crowd):
        worker = both[number % 2]
        home = worker.home(pki, name)
        homes.append(home)
        await worker.operator.enter(home)

        def hook(body: bytes, name: str = name) -> int:
            told[name, body] += 1
            return 204

        await subscribe(home, await listen(home.server_tls, hook))

    async def heard() -> int:
        return len({name for name, _ in told})

    for asked in (1500, 900):
        told.clear()
        event = await both[0].operator.event(limit_import_w=asked, minutes=10)
        await until(heard, lambda count: count == len(crowd), WAIT_S, "all are told")
        await asyncio.sleep(1.0)  # whoever is told twice is told by now
        assert set(told.values()) == {1}
        assert all(event["id"].encode() in body for _, body in told)
        assert len(told) == len(crowd)

        async def noted(place: str = f"/events/{event['id']}") -> int:
            _, seen = await both[1].operator.ask("GET", place)
            return sum(home["notified_at"] is not None for home in seen["homes"])

        await until(noted, lambda count: count == len(crowd), WAIT_S, "it is noted by when")
    for home in homes:
        await home.aclose()


async def test_a_restart_tells_nothing_twice_and_what_it_missed_once(
    workers: Workers, pki: Pki, listen: Listen
) -> None:
    worker = await workers.start()
    home = worker.home(pki, "home-a")
    await worker.operator.enter(home)
    told: list[bytes] = []

    def hook(body: bytes) -> int:
        told.append(body)
        return 204

    async def count() -> int:
        return len(told)

    await subscribe(home, await listen(home.server_tls, hook))
    await worker.operator.event(limit_import_w=1500, minutes=10)
    await until(count, lambda n: n == 1, WAIT_S, "it is told")
    await asyncio.sleep(0.3)  # until it is noted
    await workers.end(worker)
    again = await workers.start()
    later = await again.operator.event(limit_import_w=900, minutes=10)
    await until(count, lambda n: n == 2, WAIT_S, "the next is told")
    assert later["id"].encode() in told[-1]
    await asyncio.sleep(0.5)
    assert len(told) == 2
    await home.aclose()


async def test_what_a_killed_worker_had_claimed_another_one_tells(
    workers: Workers, pki: Pki, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await workers.start()
    home = worker.home(pki, "home-a")
    await worker.operator.enter(home)
    told = asyncio.Event()

    def hook(_body: bytes) -> int:
        told.set()
        return 204

    await subscribe(home, await listen(home.server_tls, hook))
    await worker.operator.event(limit_import_w=1500, minutes=10)
    await asyncio.wait_for(told.wait(), WAIT_S)
    await asyncio.sleep(0.3)
    await workers.end(worker)
    told.clear()
    monkeypatch.setattr(subscriptions_module, "PATIENCE_S", 0.5)
    looking = await workers.start()
    await asyncio.sleep(0.5)
    assert not told.is_set()
    async with looking.head_end.store.writing() as connection:
        await connection.execute(update(SubscriptionRow).values(taken=False, told_at=1.0))
    await workers.start()  # whoever looks next finds what nobody has seen through
    await asyncio.wait_for(told.wait(), WAIT_S)
    await home.aclose()


async def test_who_is_far_behind_reads_everything_anew(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_module, "KEPT", 2)
    first, second = await workers.start(), await workers.start()
    events = [await first.operator.event(limit_import_w=n, minutes=10) for n in range(1, 9)]

    async def known() -> set[str]:
        _, seen = await second.operator.ask("GET", "/events")
        return {event["id"] for event in seen["events"]}

    await until(known, lambda ids: ids == {e["id"] for e in events}, WAIT_S, "all are known")
    assert (await second.operator.event(limit_import_w=99, minutes=10))["id"] not in events


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    with Postgres() as running:
        yield running


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite dies with its worker
async def test_a_database_that_dies_loses_nothing_that_was_acknowledged(
    settings: HeadEndSettings, pki: Pki, own_postgres: Postgres
) -> None:
    workers = Workers(settings.model_copy(update={"database": own_postgres.database()}))
    first, second = await workers.start(), await workers.start()
    home = first.home(pki, "home-a")
    await first.operator.enter(home)
    event = await first.operator.event(limit_import_w=1500, minutes=10)
    await asyncio.to_thread(own_postgres.kill)
    status, refused = await first.operator.ask(
        "POST", "/events", {"limit_import_w": 1, "minutes": 1}
    )
    assert status == 503, refused
    assert "database cannot serve" in refused["error"]
    assert await listed(home) == [(event["id"], 1)], "what is in memory is shown meanwhile"
    await asyncio.to_thread(own_postgres.start)
    _, known = await until(
        lambda: first.operator.ask("GET", f"/events/{event['id']}"),
        lambda answer: answer[0] == 200,
        WAIT_S,
        "it serves again",
    )
    assert known["state"] == "active"
    later = await first.operator.event(limit_import_w=900, minutes=10)
    await until(
        lambda: second.operator.ask("GET", f"/events/{later['id']}"),
        lambda answer: answer[0] == 200,
        WAIT_S,
        "the other worker follows again",
    )
    await home.aclose()
    await workers.end_all()
