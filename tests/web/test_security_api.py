"""Privacy and security over the API: what leaves the home, who is believed, what was wrong."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from certs.identity import lfdi
from certs.pem import der, read_certificates
from certs.pki import Pki, init_pki, issue_service
from hems.access.rights import Role, Who
from hems.alarm_history import AlarmHistory
from hems.device_surface import CallerView
from hems.push.kept import PushStore
from hems.security.security import Security
from hems.settings.config import load
from hems.store.store import open_store
from hems.surface import UtilityView
from hems.visibility.grants import Data, Purpose
from hems.visibility.visibility import Visibility
from tests.hems.money.homes import HeldClock
from tests.web.surface import ScriptedHome
from web.asked import Asked
from web.operation import OpenDoor
from web.security_api import SecurityApi
from web.server import serving
from web.settings import WebSettings

pytestmark = pytest.mark.requirement("ROLE-UI", "PRV-TRANSIT")

T = 1_800_000_000.0
LINK = UtilityView("connected", "", "https://utility.example/dcap", "AB" * 20, T - 5.0, "grid")
TOML = """
[utility]
name = "grid"
certificate = "pki/issued/hub.pem"
key = "pki/issued/hub.key"
trust = "pki/trust.pem"
crls = "pki/crls.pem"
pin = "111115"

[visibility]
certificate = "pki/issued/gone.pem"
key = "pki/issued/gone.key"
trust = "pki/trust.pem"
crls = "pki/crls.pem"

[[device]]
id = "meter"
kind = "meter"
name = "Grid meter"
driver = "sunspec"
port = 5020
"""


@dataclass
class Guarded(OpenDoor):
    """A home whose security is asked for, and by whom."""

    client: aiohttp.ClientSession
    alarms: AlarmHistory
    visibility: Visibility
    clock: HeldClock
    pki: Pki
    role: Role = Role.OWNER
    link: UtilityView = LINK
    servers: dict[str, bytes] = field(default_factory=dict)

    async def who(self, _request: web.Request) -> Who:
        return Who("Ada", self.role)

    async def leave(self, _request: web.Request, _asked: Asked, _status: int) -> None:
        pass


@pytest.fixture
async def home(tmp_path: Path, settings: WebSettings) -> AsyncIterator[Guarded]:
    pki = init_pki(tmp_path / "pki")
    path = tmp_path / "hems.toml"
    path.write_text(TOML, encoding="utf-8")
    clock = HeldClock(T)
    store = await open_store(tmp_path / "hems.db", clock)
    alarms = AlarmHistory(store.settings, clock)
    visibility = Visibility(store.visibility, clock, lambda _text: None)
    guarded = Guarded(aiohttp.ClientSession(), alarms, visibility, clock, pki)
    security = Security(
        load(path),
        clock,
        alarms,
        visibility,
        utilities=lambda: [guarded.link],
        offsets=lambda: {"grid": 2.5},
        servers=lambda: guarded.servers,
        callers=lambda: [CallerView("WB9", "192.168.1.77", "ocpp1.6")],
        pushed=PushStore(store.settings).subscriptions,
    )
    parts = [SecurityApi(lambda: security)]
    await guarded.client.close()
    async with (
        serving(ScriptedHome(), settings, clock, parts, guarded) as url,
        aiohttp.ClientSession(url) as client,
    ):
        guarded.client = client
        yield guarded
    await store.close()


async def test_everything_is_told_as_it_is_configured_and_stands(home: Guarded) -> None:
    await home.visibility.grant("CD" * 20, "Grid Ltd", Purpose.LOSSES, [Data.ENERGY], T + 86_400)
    async with home.client.get("/api/security") as answer:
        told = await answer.json()
    (connection,) = told["connections"]
    assert (connection["name"], connection["edition"]) == ("grid", "csip-aus")
    assert (connection["clock_error_s"], connection["last_contact"]) == (-2.5, T - 5.0)
    assert [(c["use"], c["standing"]) for c in told["certificates"]] == [
        ("recipients", "unreadable"),  # its file is gone: said first
        ("utility", "good"),
        ("utility-root", "good"),
        ("recipients-root", "good"),
    ]
    (device,) = told["devices"]
    assert (device["guard"], device["proof"], device["reach"]) == ("none", "address", "machine")
    assert told["strangers"] == [{"identity": "WB9", "address": "192.168.1.77"}]
    flows = {row["flow"]: row for row in told["outflows"]}
    assert flows["grant"]["to"] == "Grid Ltd"
    assert flows["readings"]["host"] == "utility.example"


async def test_what_a_utilitys_server_shows_stands_among_the_certificates(home: Guarded) -> None:
    shown = issue_service(home.pki, "grid-server", hosts=["utility.example"])
    first, *_ = read_certificates(shown.certificate)
    home.servers["grid"] = der(first)
    async with home.client.get("/api/security") as answer:
        told = await answer.json()
    (row,) = (c for c in told["certificates"] if c["use"] == "utility-server")
    assert (row["of"], row["renewal"], row["key"]) == ("grid", "others", "")
    assert row["lfdi"] == lfdi(der(first))


async def test_a_server_that_never_answered_has_no_clock(home: Guarded) -> None:
    home.link = replace(LINK, last_contact=None, server="")
    async with home.client.get("/api/security") as answer:
        (connection,) = (await answer.json())["connections"]
    assert connection["clock_error_s"] is None


async def test_a_grant_that_ended_leaves_the_list(home: Guarded) -> None:
    await home.visibility.grant("CD" * 20, "Grid Ltd", Purpose.LOSSES, [Data.ENERGY], T + 60)
    home.clock.at += 61
    async with home.client.get("/api/security") as answer:
        assert "grant" not in {row["flow"] for row in (await answer.json())["outflows"]}


async def test_alarms_with_their_times(home: Guarded) -> None:
    home.alarms.began("device meter", "Grid meter does not answer")
    home.clock.at += 10
    home.alarms.ended("device meter")
    home.alarms.happened("A certificate ends soon")
    async with home.client.get("/api/alarms") as answer:
        told = (await answer.json())["alarms"]
    assert told == [
        {"source": "", "text": "A certificate ends soon", "began_at": T + 10, "ended_at": T + 10},
        {
            "source": "device meter",
            "text": "Grid meter does not answer",
            "began_at": T,
            "ended_at": T + 10,
        },
    ]


@pytest.mark.requirement("PRV-RBAC")
@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.OWNER, 200),
        (Role.AUDITOR, 200),
        (Role.HOUSEHOLD, 403),
        (Role.INSTALLER, 403),
        (Role.AGGREGATOR, 403),
    ],
)
async def test_who_may_look_at_it(home: Guarded, role: Role, status: int) -> None:
    home.role = role
    async with home.client.get("/api/security") as answer:
        assert answer.status == status
    async with home.client.get("/api/alarms") as answer:
        assert answer.status == 200
