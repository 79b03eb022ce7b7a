"""The hub's own software under /api: who may see it, who decides, and what is refused."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from hems.access.rights import Role
from hems.bulletin import FirmwareList, Package, Release, State
from hems.commands.updates import Updates
from hems.emg.firmware.releases import Offered, software
from hems.security_event import SecurityEvent
from hems.settings.config import Config
from hems.software.sides import Sides
from hems.software.switch import State as Record
from hems.software.switch import armed, installed, packaged, started
from hems.store.store import open_store
from tests.hems.money.homes import HeldClock
from tests.web.visitor import Visitor
from web.answers import errors_in_words
from web.operation import DOOR, routes
from web.updates_api import UpdatesAnswer, UpdatesApi
from web.words import use_language

pytestmark = pytest.mark.requirement("LC-PATCH", "PRV-RBAC")

RUNS = packaged(Record(), "0.1.0")
BESIDE = installed(RUNS, "0.2.0", migrates=False)


def listed(*versions: str, machine: str = "any") -> FirmwareList:
    """Return a list that names these versions, the last as the latest."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    releases = tuple(
        Release(
            version=each,
            file=f"hems-{each}.tar",
            state=State.LATEST if each == versions[-1] else State.ALLOWED,
            advisory="It is quicker at night.",
            packages=(
                Package(
                    file=f"hems-{each}.tar",
                    version=each,
                    python=python,
                    machine=machine,
                    least="0.1.0",
                    form="0001",
                    needs=1,
                ),
            ),
        )
        for each in versions
    )
    return FirmwareList(vendor="hems", releases=releases)


@dataclass
class Hub:
    """A hub whose record and lists a test writes; nothing carries its orders out."""

    folder: Path
    lists: Sequence[FirmwareList] = field(default_factory=lambda: [listed("0.2.0")])
    said: list[str] = field(default_factory=list)

    @property
    def sides(self) -> Sides:
        return Sides(self.folder / "sides", self.folder / "package")

    def note(self, event: SecurityEvent) -> None:
        self.said.append(event.text)

    @asynccontextmanager
    async def asked(
        self, role: Role = Role.OWNER
    ) -> "AsyncIterator[TestClient[web.Request, web.Application]]":
        self.sides.root.mkdir(exist_ok=True)
        clock = HeldClock()
        store = await open_store(self.folder / "hems.db", clock)
        updates = Updates(
            self.folder / "hems.toml",
            str(self.sides.root),
            config=Config,
            offered=lambda: Offered(software("0.1.0", self.lists, "hems"), clock.at),
            settings=store.settings,
            clock=clock,
            note=self.note,
        )
        await updates.load()
        app = web.Application(middlewares=[errors_in_words, use_language])
        app[DOOR] = Visitor(role)
        app.add_routes(routes(UpdatesApi(updates)))
        try:
            async with TestClient(TestServer(app)) as client:
                yield client
        finally:
            await updates.close()
            await store.close()


async def seen(client: "TestClient[web.Request, web.Application]") -> UpdatesAnswer:
    async with client.get("/api/updates") as answer:
        assert answer.status == 200
        return UpdatesAnswer.model_validate_json(await answer.read())


@pytest.mark.parametrize(
    ("role", "looks", "decides"),
    [
        (Role.OWNER, 200, 204),
        (Role.INSTALLER, 200, 403),
        (Role.PROVIDER, 200, 403),
        (Role.HOUSEHOLD, 403, 403),
        (Role.AGGREGATOR, 403, 403),
        (Role.AUDITOR, 403, 403),
    ],
)
async def test_who_may_what(tmp_path: Path, role: Role, looks: int, decides: int) -> None:
    hub = Hub(tmp_path)
    async with hub.asked(role) as client:
        assert (await client.get("/api/updates")).status == looks
        order = {"version": "0.2.0"}
        assert (await client.post("/api/updates/put-off", json=order)).status == decides
        refused = 409 if decides == 204 else 403
        other = {"version": "9.9.9", "when": "now"}
        assert (await client.post("/api/updates/install", json=other)).status == refused
    assert len(hub.said) == (decides == 204)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"version": ""},
        {"version": 2},
        {"version": "x" * 129},
        {"version": "0.2.0", "when": "tomorrow"},
        {"version": "0.2.0", "who": "Eve"},
        ["0.2.0"],
    ],
)
async def test_what_makes_no_sense_changes_nothing(tmp_path: Path, body: object) -> None:
    hub = Hub(tmp_path)
    async with hub.asked() as client:
        for path in ("install", "put-off"):
            if path == "put-off" and isinstance(body, dict) and "when" in body:
                continue
            async with client.post(f"/api/updates/{path}", json=body) as answer:
                assert answer.status == 400, await answer.text()
        assert (await seen(client)).stage == "idle"
    assert hub.said == []


async def test_each_stage_is_shown_as_the_record_has_it(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    async with hub.asked() as client:
        hub.sides.write(RUNS)
        found = await seen(client)
        assert (found.runs, found.stage, found.former) == ("0.1.0", "idle", "")
        assert found.offer is not None
        assert (found.offer.version, found.offer.words) == ("0.2.0", "It is quicker at night.")
        hub.sides.write(BESIDE)
        assert (await seen(client)).stage == "beside"
        hub.sides.write(armed(BESIDE))
        found = await seen(client)
        assert (found.stage, found.version, found.window) == ("armed", "0.2.0", "02:00-05:00")
        async with client.post(
            "/api/updates/install", json={"version": "0.2.0", "when": "now"}
        ) as answer:
            assert answer.status == 204
        assert (await seen(client)).hurried
        hub.sides.write(started(armed(BESIDE)))
        found = await seen(client)
        assert (found.stage, found.runs, found.former) == ("trial", "0.2.0", "0.1.0")
        for path in ("install", "put-off"):
            async with client.post(
                f"/api/updates/{path}", json={"version": "0.2.0"}, params={"lang": "de"}
            ) as answer:
                assert answer.status == 409
                assert "auf Probe" in (await answer.json())["error"]


async def test_a_version_without_an_archive_for_this_machine_is_shown_as_such(
    tmp_path: Path,
) -> None:
    hub = Hub(tmp_path, [listed("0.2.0", machine="pdp11")])
    async with hub.asked() as client:
        offer = (await seen(client)).offer
        assert offer is not None
        assert not offer.fits


async def test_a_damaged_record_is_no_end(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    async with hub.asked() as client:
        (hub.sides.root / "switch.json").write_text("{")
        assert (await seen(client)).stage == "idle"
