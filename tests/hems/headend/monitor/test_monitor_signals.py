"""Signals of a running fleet: found by any worker, told by each, over when it is over."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import Connection, update

from certs.pki import Pki
from certs.tls import client_context
from hems.cli import main
from hems.headend.est.attempts import source_of
from hems.headend.models import HomeRow
from hems.headend.monitor.facts import Kind
from hems.headend.monitor.settings import MonitorSettings
from hems.headend.monitor.signals import Rule
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings
from hems.sep2.resources import DERControlList, EndDeviceList, Response
from tests.hems.headend.conftest import Home, Operator
from tests.hems.headend.monitor.conftest import START, HandClock
from tests.postgres import Postgres

pytestmark = pytest.mark.requirement("L3-MONITOR")
BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
MINUTE_S = 60.0
WITHIN_S = 20.0


@pytest.fixture(name="database")
def _database(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    if getattr(request, "param", "sqlite") == "sqlite":
        return tmp_path / "headend.sqlite"
    running: Postgres = request.getfixturevalue("postgres")
    return running.database()


@dataclass
class Fleet:
    """Two workers, one clock, and the minutes as a test has them pass."""

    workers: tuple[HeadEnd, HeadEnd]
    operators: tuple[Operator, Operator]
    clock: HandClock
    pki: Pki
    stack: AsyncExitStack

    def home(self, name: str, worker: int = 0) -> Home:
        made = Home(self.pki.identity(name), self.pki, self.workers[worker].addresses.base_url)
        self.stack.push_async_callback(made.aclose)
        return made

    def caller(self, name: str, address: str) -> aiohttp.ClientSession:
        """Return a session with a home's certificate that calls from an address of this machine."""
        tls = client_context(self.pki.identity(name), self.pki.trust)
        connector = aiohttp.TCPConnector(ssl=tls, local_addr=(address, 0))
        return aiohttp.ClientSession(connector=connector)

    async def minute(self, *, first: int = 0) -> None:
        """Let a minute pass, at the end of which both workers have told and one has judged."""
        self.clock.at += MINUTE_S
        for worker in (self.workers[first], self.workers[1 - first]):
            await worker.book.contacts.save()
            await worker.monitor.round()

    async def enter(self, *lfdis: str) -> None:
        for lfdi in lfdis:
            entry = {"lfdi": lfdi, "pin": "123455"}
            assert (await self.operators[0].ask("POST", "/homes", entry))[0] == 201
        for worker in self.workers:
            await worker.store.catch_up()

    async def heard(self, *lfdis: str) -> None:
        """Have homes heard of now, without asking for each of a hundred."""

        def work(connection: Connection) -> None:
            of_these = HomeRow.lfdi.in_(lfdis)
            connection.execute(update(HomeRow).where(of_these).values(last_contact=self.clock.at))

        await self.workers[0].store.transact(work)

    async def signals(self, worker: int = 1, *, since: float | None = None) -> list[dict[str, Any]]:
        path = "/signals" if since is None else f"/signals?since={since}"
        status, found = await self.operators[worker].ask("GET", path)
        assert status == 200, found
        return list(found["signals"])

    async def rules(self, worker: int = 1) -> set[tuple[str, str]]:
        return {(each["rule"], each["subject"]) for each in await self.signals(worker)}


async def begin(settings: HeadEndSettings, pki: Pki, stack: AsyncExitStack) -> Fleet:
    clock = HandClock()
    one = await stack.enter_async_context(HeadEnd(settings, clock))
    two = await stack.enter_async_context(HeadEnd(settings, clock))
    operators = Operator(one), Operator(two)
    for each in operators:
        stack.push_async_callback(each.aclose)
    return Fleet((one, two), operators, clock, pki, stack)


@pytest.fixture
async def fleet(settings: HeadEndSettings, pki: Pki) -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:
        patient = settings.model_copy(update={"busy_timeout_s": 10.0})
        yield await begin(patient, pki, stack)


async def test_a_quiet_fleet_has_no_signals(fleet: Fleet) -> None:
    home = fleet.home("home-a")
    await fleet.enter(home.lfdi)
    for _ in range(30):
        await home.ask("GET", "/tm")
        await fleet.minute()
    assert await fleet.signals() == []
    _, health = await fleet.operators[1].ask("GET", "/fleet/health")
    assert health["state"] == "good"
    assert (health["homes"], health["heard"]) == (1, {"5m": 1, "1h": 1})
    assert health["workers"] == 2
    assert health["outages"] == []


@BOTH
async def test_a_home_that_is_silent_and_comes_back_may_be_so_again(fleet: Fleet) -> None:
    home = fleet.home("home-a")
    await fleet.enter(home.lfdi)

    async def sleep(minutes: int) -> set[tuple[str, str]]:
        await home.ask("GET", "/tm")
        for _ in range(minutes):
            await fleet.minute()
        found = await fleet.rules()
        await home.ask("GET", "/tm")
        for _ in range(6):
            await fleet.minute()
        assert await fleet.rules() == set()
        return found

    silent = ("silent", home.lfdi)
    assert await sleep(14) == set()
    assert await sleep(24) == {silent}
    (over,) = await fleet.signals(since=START)
    assert over["count"] in {23, 24}
    assert over["since"] < over["seen"] < over["ended"]
    assert await sleep(27) == set()
    assert await sleep(36) == {silent}


async def test_nobody_was_silent_while_nobody_listened(fleet: Fleet) -> None:
    home = fleet.home("home-a")
    await fleet.enter(home.lfdi)
    await home.ask("GET", "/tm")
    await fleet.minute()
    fleet.clock.at += 3600.0
    await fleet.minute()
    assert await fleet.rules() == set()
    for _ in range(15):
        await fleet.minute()
    assert await fleet.rules() == {("silent", home.lfdi)}


@BOTH
async def test_a_feeder_that_goes_dark_is_one_signal(fleet: Fleet) -> None:
    lfdis = [f"{n:040X}" for n in range(1, 17)]
    operator = fleet.operators[0]
    groups = [{"id": "sub", "name": "Sub", "kind": "substation"}]
    groups += [{"id": f, "name": f, "kind": "feeder", "parent": "sub"} for f in ("f-1", "f-2")]
    status, told = await operator.ask("POST", "/fleet/groups", {"groups": groups})
    assert status in {200, 201}, told
    for number, lfdi in enumerate(lfdis):
        feeder = "f-1" if number < 6 else "f-2"
        site = {"name": lfdi[-4:], "group": feeder}
        status, told = await operator.ask("PUT", f"/fleet/sites/s-{number}", site)
        assert status in {200, 201}, told
        hub = {"lfdi": lfdi, "site": f"s-{number}"}
        status, told = await operator.ask("POST", "/fleet/hubs", hub)
        assert status == 201, told
    await fleet.enter(*lfdis)
    for minute in range(22):
        await fleet.heard(*(lfdis if minute < 4 else lfdis[6:]))
        await fleet.minute(first=minute % 2)
    assert await fleet.rules(0) == await fleet.rules(1) == {("outage", "f-1")}
    (signal,) = await fleet.signals()
    assert (signal["severity"], signal["count"], signal["about"]) == ("alarm", 6, "group")
    _, health = await operator.ask("GET", "/fleet/health")
    assert (health["state"], health["outages"]) == ("alarm", ["f-1"])
    for _ in range(7):
        await fleet.heard(*lfdis)
        await fleet.minute()
    assert await fleet.rules() == set()


async def test_who_has_no_home_here_and_who_looks_around(fleet: Fleet) -> None:
    home, stranger = fleet.home("home-a"), fleet.home("home-b", 1)
    await fleet.enter(home.lfdi)
    for number in range(12):
        assert (await home.ask("GET", f"/edev/{number + 900}")).status == 403
        assert (await home.ask("GET", f"/secret/{number}")).status == 404
    for _ in range(6):
        assert (await stranger.ask("GET", "/mup")).status == 403
    await fleet.minute()
    await fleet.minute()
    assert await fleet.rules(0) == {("scan", home.lfdi), ("stranger", stranger.lfdi)}
    for _ in range(16):
        await home.ask("GET", "/tm")
        await fleet.minute()
    assert await fleet.rules(0) == set()


@BOTH
async def test_one_key_in_two_places_at_once(fleet: Fleet) -> None:
    """From two addresses of this machine, by two workers, none of which sees both."""
    first, second = fleet.home("home-a", 0), fleet.home("home-a", 1)
    await fleet.enter(first.lfdi)
    async with fleet.caller("home-a", "127.0.0.9") as copied:
        for minute in range(6):
            await first.ask("GET", "/tm")
            async with copied.get(second.base_url + "/tm") as answer:
                assert answer.status == 200
            await fleet.minute()
            assert minute > 2 or not await fleet.rules()
    assert await fleet.rules() == {("clone", first.lfdi)}
    assert source_of("127.0.0.9") == "127.0.0.9"
    for _ in range(20):
        await first.ask("GET", "/tm")
        await fleet.minute()
    assert await fleet.rules() == set()


async def test_a_home_that_moves_is_not_copied(fleet: Fleet) -> None:
    home = fleet.home("home-a", 0)
    await fleet.enter(home.lfdi)
    for address in ("127.0.0.1", "127.0.0.9", "127.0.0.10"):
        async with fleet.caller("home-a", address) as moved:
            for _ in range(4):
                async with moved.get(home.base_url + "/tm") as answer:
                    assert answer.status == 200
                await fleet.minute()
    assert await fleet.rules() == set()


async def test_handshakes_that_fail_are_known_by_their_source(fleet: Fleet) -> None:
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname, bare.verify_mode = False, ssl.CERT_NONE
    connector = aiohttp.TCPConnector(ssl=bare, local_addr=("127.0.0.9", 0), force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        for number in range(24):
            url = fleet.workers[number % 2].addresses.base_url
            with pytest.raises((aiohttp.ClientError, OSError)):
                await session.get(url + "/tm")
    async with asyncio.timeout(WITHIN_S):
        while not await fleet.rules():
            await fleet.minute()
            await asyncio.sleep(0.05)
    assert await fleet.rules() == {("handshakes", "127.0.0.9")}


async def test_answers_that_cannot_be(fleet: Fleet) -> None:
    home = fleet.home("home-a")
    await fleet.enter(home.lfdi)
    begin_at = int(fleet.clock.at) + 3600
    for _ in range(2):
        await fleet.operators[0].event(limit_import_w=1000, minutes=10, start=begin_at)
        begin_at += 1200
    await fleet.workers[0].store.catch_up()
    found = await home.get("/derp/1/derc?l=10", DERControlList)
    for control in found.der_control:
        assert control.reply_to is not None
        for status, ahead in ((1, 0), (3, 0), (1, 200)):
            answer = Response(
                end_device_lfdi=home.lfdi,
                status=status,
                subject=control.mrid,
                created_date_time=int(fleet.clock.at) + ahead,
            )
            assert (await home.ask("POST", control.reply_to, answer)).status == 201
    await fleet.minute()
    assert await fleet.rules() == {("contradiction", home.lfdi)}
    more = Response(
        end_device_lfdi=home.lfdi,
        status=7,
        subject=found.der_control[0].mrid,
        created_date_time=int(fleet.clock.at) + 500,
    )
    reply = found.der_control[0].reply_to
    assert reply is not None
    assert (await home.ask("POST", reply, more)).status == 201
    await fleet.minute()
    assert ("clock", home.lfdi) in await fleet.rules()


@BOTH
async def test_a_worker_that_dies_leaves_its_signals_to_the_other(
    fleet: Fleet, settings: HeadEndSettings
) -> None:
    stranger = fleet.home("home-b", 0)
    for _ in range(6):
        await stranger.ask("GET", "/mup")
    fleet.clock.at += MINUTE_S
    await fleet.workers[0].monitor.telling.tell(fleet.clock.at)
    await fleet.workers[1].monitor.round()
    assert await fleet.rules() == {("stranger", stranger.lfdi)}
    # Each minute is judged once, whoever does it; a third worker knows what lasts.
    assert await fleet.workers[0].monitor.rounds.judge(fleet.clock.at) is None
    async with HeadEnd(settings, fleet.clock) as third:
        operator = Operator(third)
        _, found = await operator.ask("GET", "/signals")
        await operator.aclose()
    assert [each["subject"] for each in found["signals"]] == [stranger.lfdi]


async def test_by_the_settings_a_hub_goes_into_quarantine(
    settings: HeadEndSettings, pki: Pki
) -> None:
    shut = settings.model_copy(
        update={"monitor": MonitorSettings(quarantine=(Rule.SCAN,)), "busy_timeout_s": 10.0}
    )
    async with AsyncExitStack() as stack:
        fleet = await begin(shut, pki, stack)
        hub, plain = fleet.home("home-a"), fleet.home("home-b")
        status, told = await fleet.operators[0].ask("POST", "/fleet/hubs", {"lfdi": hub.lfdi})
        assert status == 201, told
        await fleet.enter(hub.lfdi, plain.lfdi)
        for number in range(25):
            await hub.ask("GET", f"/secret/{number}")
            await plain.ask("GET", f"/secret/{number}")
        await fleet.minute()
        assert await fleet.rules() == {("scan", hub.lfdi), ("scan", plain.lfdi)}
        _, found = await fleet.operators[1].ask("GET", f"/fleet/hubs/{hub.lfdi}")
        assert found["state"] == "quarantined"
        _, history = await fleet.operators[1].ask("GET", f"/fleet/hubs/{hub.lfdi}/history")
        assert history["changes"][0]["who"] == "monitor"
        assert "signal scan" in history["changes"][0]["why"]
        assert (await plain.get("/edev", EndDeviceList)).all == 1


@pytest.mark.parametrize("rule", ["silent", "outage", "undelivered", "nonsense"])
def test_what_befalls_a_home_shuts_nobody_out(rule: str) -> None:
    with pytest.raises(ValueError, match="quarantine"):
        MonitorSettings.model_validate({"quarantine": [rule]})


async def test_at_the_terminal(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    door = tmp_path / "operator.json"
    one = fleet.workers[0]
    door.write_text(json.dumps({"url": one.addresses.operator_url, "token": one.token}))

    async def run(*words: str) -> str:
        code = await asyncio.to_thread(main, ["headend", *words, "--operator", str(door)])
        said = capsys.readouterr()
        assert code == 0, said
        return said.out

    assert await run("signals") == "no signals\n"
    assert "the fleet is good: 0 homes" in await run("health")
    one.monitor.telling.gathering.note(Kind.FROZEN, "A" * 40, value=150.0)
    await fleet.minute()
    said = await run("signals")
    assert "notice   frozen: home AAAAAAAA" in said
    assert "for 150 minutes" in said
    assert "the fleet is notice" in await run("health")
    fleet.clock.at += 7200.0
    await fleet.minute()
    assert await run("signals") == "no signals\n"
    assert " until " in await run("signals", "--since", "1")
