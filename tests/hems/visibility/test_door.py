"""The door for recipients, over real TLS and a real store: who sees what, and what is written down.

Each access stands in the log before its answer is there, whether it was granted or not.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from certs.identity import IdentityFiles, lfdi
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki, issue_service, revoke
from certs.tls import client_context, server_context
from der.model import PhaseReading
from hems.clock import SystemClock
from hems.store.errors import StoreError
from hems.store.store import Store, open_store
from hems.store.visibility import Access, Interval
from hems.visibility import door as door_module
from hems.visibility import visibility as visibility_module
from hems.visibility.door import Door
from hems.visibility.grants import Data, Purpose
from hems.visibility.visibility import Visibility
from tests.hems.visibility.metering import read

pytestmark = [
    pytest.mark.requirement("BUC-13"),
    pytest.mark.requirement("PRV-TRANSIT"),
    pytest.mark.requirement("PRV-RBAC"),
    pytest.mark.requirement("LC-AUDIT"),
]

T0 = 1_800_000_000.0
PHASES = (
    PhaseReading(100.0, 229.0, 5.0),
    PhaseReading(200.0, 230.0, 6.0),
    PhaseReading(0.0, 231.0),
)


@dataclass
class Rig:
    """A door with a store behind it, and two who knock."""

    pki: Pki
    store: Store
    visibility: Visibility
    port: int
    operator: IdentityFiles
    stranger: IdentityFiles

    def lfdi(self, who: IdentityFiles) -> str:
        return lfdi(der(read_certificates(who.certificate)[0]))

    def session(self, who: IdentityFiles) -> aiohttp.ClientSession:
        context = client_context(who, self.pki.trust)
        return aiohttp.ClientSession(
            f"https://127.0.0.1:{self.port}", connector=aiohttp.TCPConnector(ssl=context)
        )

    async def ask(self, who: IdentityFiles, path: str) -> tuple[int, dict[str, object]]:
        async with self.session(who) as session, session.get(f"/visibility{path}") as answer:
            return answer.status, json.loads(await answer.text())

    async def grant(self, *data: Data, lasts_s: float = 3600.0) -> int:
        until = SystemClock().now() + lasts_s
        new = await self.visibility.grant(
            self.lfdi(self.operator), "Grid operator", Purpose.OPERATION, data, until
        )
        return new.id

    async def log(self) -> list[Access]:
        return list(await self.store.visibility.accesses(100))


@asynccontextmanager
async def _rig(tmp_path: Path) -> AsyncIterator[Rig]:
    pki = init_pki(tmp_path / "pki")
    operator = issue_service(pki, "operator", hosts=["localhost"])
    stranger = issue_service(pki, "stranger", hosts=["localhost"])
    clock = SystemClock()
    store = await open_store(tmp_path / "hub.db", clock)
    visibility = Visibility(store.visibility, clock, lambda _text: None)
    door = Door(visibility, server_context(pki.identity("utility"), pki.trust), clock, lambda: 0.02)
    opened: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(door.serve("127.0.0.1", 0, opened.set_result))
    writing = asyncio.create_task(visibility.run())
    try:
        yield Rig(pki, store, visibility, await opened, operator, stranger)
    finally:
        for task in (serving, writing):
            task.cancel()
        await asyncio.gather(serving, writing, return_exceptions=True)
        await store.close()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with _rig(tmp_path) as made:
        yield made


async def test_only_what_was_granted_is_shown_and_each_access_is_written_down(rig: Rig) -> None:
    rig.visibility.take_image(read(T0, 300.0, phases=PHASES))
    status, said = await rig.ask(rig.operator, "/now")
    assert status == 403
    assert "not granted live" in str(said["error"])

    await rig.grant(Data.LIVE)
    status, said = await rig.ask(rig.operator, "/now")
    assert status == 200
    assert (said["at"], said["quality"], said["clock_error_s"]) == (T0, "good", 0.02)
    phases = said["phases"]
    assert isinstance(phases, dict)
    assert phases["B"]["power_w"] == 200.0
    assert phases["B"]["reactive_var"] == 6.0

    assert (await rig.ask(rig.operator, "/events?start=0&end=1000"))[0] == 403
    assert (await rig.ask(rig.stranger, "/now"))[0] == 403
    log = [(a.recipient == rig.lfdi(rig.operator), a.allowed) for a in await rig.log()]
    assert log == [(False, False), (True, False), (True, True), (True, False)]


async def test_intervals_show_the_parts_that_were_granted(rig: Rig) -> None:
    for i in range(32):
        rig.visibility.take_image(read(T0 + 10 * i, 300.0, import_wh=float(i), phases=PHASES))
    await rig.grant(Data.ENERGY)
    span = f"start={T0}&end={T0 + 600}"
    rows: object = []
    async with asyncio.timeout(5):
        while not rows:
            status, said = await rig.ask(rig.operator, f"/intervals?{span}")
            rows = said["intervals"]
    assert status == 200
    assert isinstance(rows, list)
    assert [row["phase"] for row in rows] == ["all", "A", "B", "C"]
    assert rows[0]["import_wh"] == 30.0
    assert "power_w" not in rows[0]
    assert "voltage_v" not in rows[0]


async def test_a_stream_ends_when_its_grant_is_withdrawn(rig: Rig) -> None:
    grant = await rig.grant(Data.LIVE)

    async def measuring() -> None:
        for i in range(10_000):
            rig.visibility.take_image(read(T0 + i, float(i)))
            await asyncio.sleep(0.02)

    task = asyncio.create_task(measuring())
    try:
        async with rig.session(rig.operator) as session, session.get("/visibility/stream") as got:
            lines = [json.loads(await got.content.readline()) for _ in range(3)]
            await rig.visibility.withdraw(grant)
            async with asyncio.timeout(5):
                rest = [json.loads(line) async for line in got.content]
    finally:
        task.cancel()
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert rest[-1] == {"error": "the grant has ended"}
    async with asyncio.timeout(5):
        while "stream ended" not in (await rig.log())[0].asked:
            await rig.visibility.accesses(1)
    assert (await rig.ask(rig.operator, "/now"))[0] == 403


async def test_who_has_no_certificate_or_a_revoked_one_does_not_get_in(rig: Rig) -> None:
    plain = ssl.create_default_context()
    plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
    for context in (plain, None):
        async with aiohttp.ClientSession() as session:
            scheme = "https" if context else "http"
            place = f"{scheme}://127.0.0.1:{rig.port}/visibility"
            with pytest.raises(aiohttp.ClientError):
                await session.get(place, ssl=context or True)
    assert await rig.log() == []


async def test_without_a_log_nothing_is_shown(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.grant(Data.LIVE)
    rig.visibility.take_image(read(T0))

    async def full(_access: Access) -> None:
        raise StoreError("no room left on the disk")

    monkeypatch.setattr(rig.store.visibility, "note", full)
    status, said = await rig.ask(rig.operator, "/now")
    assert (status, "nothing is shown" in str(said["error"])) == (503, True)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("", "start and end are needed"),
        ("?start=a&end=b", "start and end are needed"),
        ("?start=nan&end=5", "end must be after start"),
        ("?start=5&end=5", "end must be after start"),
        ("?start=0&end=99999999", "at most 31 days"),
    ],
)
async def test_a_question_without_sense_is_answered_in_one_sentence(
    rig: Rig, query: str, why: str
) -> None:
    await rig.grant(Data.EVENTS)
    status, said = await rig.ask(rig.operator, f"/events{query}")
    assert status == 400
    assert why in str(said["error"])


async def test_who_asks_without_pause_is_slowed_down(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "MOST_A_MINUTE", 3)
    assert [(await rig.ask(rig.stranger, ""))[0] for _ in range(4)] == [200, 200, 200, 429]
    assert (await rig.ask(rig.operator, ""))[0] == 200


async def test_each_refusal_is_written_down_so_a_stranger_has_few(rig: Rig) -> None:
    asked = [(await rig.ask(rig.stranger, "/now"))[0] for _ in range(8)]
    assert asked == [403] * 6 + [429] * 2
    assert len(await rig.log()) == 6
    now = SystemClock().now()
    await rig.store.visibility.prune(0.0, refused_before=now + 1)
    assert await rig.log() == []


async def test_what_was_seen_stays_in_the_log(rig: Rig) -> None:
    await rig.grant(Data.LIVE)
    rig.visibility.take_image(read(T0))
    await rig.ask(rig.operator, "/now")
    await rig.store.visibility.prune(0.0, refused_before=SystemClock().now() + 1)
    assert [a.asked for a in await rig.log()] == ["now"]


async def test_a_long_time_is_told_in_parts_of_whole_intervals(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visibility_module, "MOST_ROWS", 6)
    rows = [Interval(int(T0) + 300 * i, 300, phase) for i in range(4) for phase in ("", "A", "B")]
    await rig.store.visibility.add(rows, [])
    await rig.grant(Data.POWER)
    start, told, more = T0, 0, True
    while more:
        status, said = await rig.ask(rig.operator, f"/intervals?start={start}&end={T0 + 9000}")
        assert status == 200
        found = said["intervals"]
        assert isinstance(found, list)
        assert len(found) == 6
        told, more, start = told + len(found), bool(said["more"]), found[-1]["start"] + 300
    assert told == 12


async def test_a_withdrawn_grant_is_marked_on_the_disk(rig: Rig) -> None:
    grant = await rig.grant(Data.LIVE)
    await rig.visibility.withdraw(grant)
    (row,) = await rig.store.visibility.grants()
    assert row.withdrawn_at is not None
    assert row.withdrawn_at == row.until


async def test_grants_made_at_once_are_all_there(rig: Rig) -> None:
    await asyncio.gather(*(rig.grant(data) for data in Data))
    assert len(await rig.visibility.grants()) == len(Data)


async def test_a_dip_outlives_the_hub_and_ends_after_it(tmp_path: Path) -> None:
    for at, volts in ((T0, 190.0), (T0 + 30, 230.0)):
        store = await open_store(tmp_path / "hub.db", SystemClock())
        visibility = Visibility(store.visibility, SystemClock(), lambda _text: None)
        await visibility.load()
        visibility.take_image(read(at, voltage_v=volts))
        writing = asyncio.create_task(visibility.run())
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        rows = await store.visibility.sightings(0, 2 * T0, 9)
        await store.close()
    assert [(row.began_at, row.ended_at) for row in rows] == [(T0, T0 + 30)]


async def test_grants_and_their_ends_outlive_a_restart(tmp_path: Path) -> None:
    async with _rig(tmp_path) as rig:
        kept, ended = await rig.grant(Data.LIVE), await rig.grant(Data.EVENTS)
        await rig.visibility.withdraw(ended)
        database = tmp_path / "hub.db"
    store = await open_store(database, SystemClock())
    try:
        after = Visibility(store.visibility, SystemClock(), lambda _text: None)
        assert [(g.id, g.holds) for g in await after.grants()] == [(kept, True), (ended, False)]
    finally:
        await store.close()


async def test_a_revoked_certificate_is_refused_at_the_handshake(tmp_path: Path) -> None:
    async with _rig(tmp_path) as rig:
        await rig.grant(Data.LIVE)
        revoke(rig.pki, read_certificates(rig.operator.certificate)[0])
        context = server_context(rig.pki.identity("utility"), rig.pki.trust)
        door = Door(rig.visibility, context, SystemClock())
        opened: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(door.serve("127.0.0.1", 0, opened.set_result))
        rig.port = await opened
        try:
            with pytest.raises(aiohttp.ClientError):
                await rig.ask(rig.operator, "/now")
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
