"""A home that takes part in programmes and is seen by others, on a page in a real browser.

Participation, grants, the log of alarms and security are the hub's own, over a real store; its
devices and utility are scripted, at the time that participation's tests are set in.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiohttp import web
from playwright.async_api import Browser, Page, ViewportSize

from certs.pki import init_pki
from hems.access.access import Access, access
from hems.access.consent_rules import ConsentPurpose
from hems.access.consents import NewConsent
from hems.access.passwords import Hasher
from hems.access.people import NewPerson
from hems.access.rights import HERE, RIGHTS, Right, Role, Who
from hems.access.tokens import NewToken
from hems.alarm_history import AlarmHistory
from hems.device_surface import CallerView
from hems.emg.threats.log import SecurityLog
from hems.microgrid.surface import IslandView
from hems.participation.consequence import Pay
from hems.participation.participation import Terms
from hems.push.kept import PushStore
from hems.reserves.surface import CallView, CommitmentView, OfferView, ReservesView
from hems.security.security import Security
from hems.settings.config import Config, load
from hems.store.store import Store, open_store
from hems.surface import UtilityView
from hems.visibility.visibility import Visibility
from programs.performance import Performance
from tests.hems.money.homes import HeldClock
from tests.hems.participation.play import Play, T
from tests.web.guarded import ScriptedAgent
from tests.web.judged import TRUSTED, JudgedDevices
from tests.web.outlook import ScriptedOutlook
from tests.web.script import ZONE
from tests.web.showing import PHONE, RESULTS, page_settings
from tests.web.surface import ScriptedHome
from web.access_models import MeAnswer
from web.agent_api import AgentApi
from web.consents_api import ConsentsApi
from web.island_api import IslandApi
from web.operation import OpenDoor, Operation, Part
from web.people_api import PeopleApi
from web.programmes_api import ProgrammesApi
from web.reserves_api import ReservesApi
from web.security_api import SecurityApi
from web.security_log_api import SecurityLogApi
from web.server import serving
from web.visibility_api import VisibilityApi

DAY_S = 86_400.0
PASSWORD = "correct horse battery"
LINK = UtilityView("connected", "", "https://utility.example/dcap", "AB" * 20, T - 5.0, "grid")
PEAK = Performance(
    "peak-shaving",
    "0A",
    "Peak Saver",
    T - 3 * DAY_S,
    T - 3 * DAY_S + 7200.0,
    1500.0,
    "W",
    baseline_w=3200.0,
    baseline_by="the mean of comparable days",
    delivered_wh=3100.0,
    settled_s=2.0,
    inside_share=0.998,
    deviation=12.0,
    rebound_w=140.0,
    kind="import-limit",
)
RECORDS: Sequence[Performance] = (
    PEAK,
    replace(
        PEAK,
        event="0B",
        starts_at=T - 2 * DAY_S,
        ends_at=T - 2 * DAY_S + 3600.0,
        delivered_wh=400.0,
        opted_out=True,
        comfort_minutes=12.0,
        note="The owner was out of it for 40 min.",
    ),
    replace(PEAK, event="0C", starts_at=T - 40 * DAY_S, ends_at=T - 40 * DAY_S + 3600.0),
    Performance(
        "regulation", "R1", "Balance", T - DAY_S, T - DAY_S + 3600.0, 2000.0, "W", score=0.963
    ),
)


def reserve(at: float) -> ReservesView:
    """Return what of reserve there is at an instant."""
    return ReservesView(
        (OfferView("R1", "day-ahead", at + 36_000, at + 43_200, 2000.0, 4000.0, "offered"),),
        (CommitmentView("C1", "spinning", "grid", at, at + 7200, 1500, 3000, 0, "held ready"),),
        (CallView("E1", "Reserve", at - 900, at - 300, 1500.0, 250.0, 240.0, 3.0, over=True),),
        3000.0,
        7200.0,
        2500.0,
        500.0,
    )


ISLAND = IslandView(
    "grid",
    "",
    "Without its grid the home would be dark for some seconds, then an island",
    "scheduled",
    "Island 7",
    5000.0,
    5000.0,
    6400.0,
    14_400.0,
    asked_to_leave=False,
)
TOML = """
[utility]
name = "grid"
certificate = "pki/issued/gone.pem"
key = "pki/issued/gone.key"
trust = "pki/trust.pem"
crls = "pki/crls.pem"
pin = "111115"

[visibility]
certificate = "pki/issued/utility.pem"
key = "pki/issued/utility.key"
trust = "pki/trust.pem"
crls = "pki/crls.pem"

[planner]
weather = "http://weather.example/forecast.json"

[[device]]
id = "meter"
kind = "meter"
name = "Grid meter"
driver = "sunspec"
host = "192.168.1.9"
port = 502

[[device]]
id = "car"
kind = "evse"
name = "Wallbox"
driver = "ocpp16"
station = "WB1"
password = "0123456789abcdef"
max = "11 kW"
ownership = "service-provider"
"""


@dataclass
class Tied:
    """A reserve that is offered and an island that can be asked for."""

    at: float = T
    view: IslandView = ISLAND

    def reserves(self) -> ReservesView | None:
        return reserve(self.at)

    def island(self) -> IslandView | None:
        return self.view

    async def ask_island(self, *, leave: bool) -> None:
        self.view = replace(self.view, asked_to_leave=leave, words="Parting" if leave else "")


@dataclass
class Agreement:
    """What the page of such a home is served with."""

    play: Play
    alarms: AlarmHistory
    visibility: Visibility
    tied: Tied
    rights: Access
    log: SecurityLog
    agent: ScriptedAgent
    parts: Sequence[Part]


@dataclass
class Agreed:
    """A page on such a home, and what is behind it."""

    page: Page
    url: str
    play: Play
    alarms: AlarmHistory
    visibility: Visibility
    tied: Tied
    rights: Access
    log: SecurityLog
    agent: ScriptedAgent
    complaints: list[str] = field(default_factory=list)
    judged: JudgedDevices = field(default_factory=JudgedDevices)

    async def picture(self, name: str) -> None:
        """Keep a picture of the whole page for people to look at."""
        await self.page.screenshot(path=RESULTS / f"page-{name}.png", full_page=True)

    async def go(self, path: str) -> None:
        """Open a page."""
        await self.page.goto(self.url + path)


class OneRole(OpenDoor):
    """The doorkeeper of a test, and what it tells the page of who asks."""

    def __init__(self, role: Role) -> None:
        self._who = Who("Ada", role)

    async def who(self, _request: web.Request) -> Who:
        """Return who asks."""
        return self._who

    @classmethod
    def operations(cls) -> Sequence[Operation]:
        """Return what it does."""
        return [Operation("GET", "/api/me", cls.me, Right.ANYBODY)]

    async def me(self) -> MeAnswer:
        """Tell who asks, and what they may do."""
        rights = [right for right in Right if right in RIGHTS[self._who.role]]
        return MeAnswer(
            name=self._who.name,
            role=self._who.role,
            rights=rights,
            accounts=True,
            code_needed=False,
            set_up=True,
        )


def configured(folder: Path) -> Config:
    """Return a configuration that lets a few things leave the home."""
    init_pki(folder / "pki")
    path = folder / "hems.toml"
    path.write_text(TOML, encoding="utf-8")
    return load(path)


async def parties(store: Store, folder: Path, clock: HeldClock) -> Access:
    """Let somebody from outside into a home, and a program."""
    rights = access(store.people, store.trail, folder / ".setup-code", clock, Hasher(1, 64))
    await rights.ready()
    await rights.people.first(NewPerson("Ada", Role.OWNER, PASSWORD))
    company = await rights.people.add(NewPerson("Sunny Energy", Role.PROVIDER, PASSWORD))
    await rights.people.add(NewPerson("Ivo", Role.INSTALLER, PASSWORD, until=clock.at + 86_400.0))
    allowed = frozenset({Right.HISTORY, Right.STEER})
    until = clock.at + 90 * 86_400.0
    consent = NewConsent(company.id, ConsentPurpose.ENERGY_MANAGEMENT, allowed, until)
    await rights.grant(consent, HERE)
    only = frozenset({Right.SEE})
    await rights.tokens.make(NewToken("Kitchen display", Role.HOUSEHOLD, rights=only), HERE)
    return rights


@asynccontextmanager
async def agreement(folder: Path, clock: HeldClock) -> AsyncIterator[Agreement]:
    """Give a home the programmes, the grants and the alarms that it has at the clock's time."""
    at = clock.now()
    store = await open_store(folder / "hems.db", clock)
    for record in RECORDS:
        starts_at, ends_at = record.starts_at + at - T, record.ends_at + at - T
        await store.performances.put(replace(record, starts_at=starts_at, ends_at=ends_at))
    play = Play(store, clock, Terms(pay={"peak-shaving": Pay(0.25, "EUR")}))
    alarms = AlarmHistory(store.settings, clock)
    visibility = Visibility(store.visibility, clock, lambda _text: None)
    tied = Tied(at)
    security = Security(
        configured(folder),
        clock,
        alarms,
        visibility,
        utilities=lambda: [replace(LINK, last_contact=at - 5.0)],
        offsets=lambda: {"grid": 0.4},
        servers=dict,
        callers=lambda: [CallerView("WB9", "192.168.1.77", "ocpp1.6")],
        pushed=PushStore(store.settings).subscriptions,
    )
    rights = await parties(store, folder, clock)
    log, agent = SecurityLog(store.security_log, None, clock), ScriptedAgent()
    parts = (
        PeopleApi(rights, clock),
        ConsentsApi(rights, clock),
        SecurityLogApi(lambda: log, ZONE),
        AgentApi(agent),
        ProgrammesApi(lambda: play.part, clock, ZONE),
        ReservesApi(tied, ZONE),
        IslandApi(tied),
        VisibilityApi(lambda: visibility),
        SecurityApi(lambda: security, ZONE),
    )
    try:
        yield Agreement(play, alarms, visibility, tied, rights, log, agent, parts)
    finally:
        await store.close()


@asynccontextmanager
async def agreed(
    browser: Browser,
    folder: Path,
    viewport: ViewportSize = PHONE,
    *,
    dark: bool = False,
    role: Role = Role.OWNER,
    locale: str = "en-GB",
) -> AsyncIterator[Agreed]:
    """Serve such a home and open a browser; at the end it must have had nothing to complain of."""
    clock, home, door = HeldClock(T), ScriptedHome(), OneRole(role)
    outlook = ScriptedOutlook(judged=JudgedDevices({"meter": TRUSTED, "car": TRUSTED}))
    home.now = replace(home.now, at=T)
    async with (
        agreement(folder, clock) as made,
        serving(home, page_settings(), clock, (*outlook.parts(), door, *made.parts), door) as url,
    ):
        context = await browser.new_context(
            viewport=viewport,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale=locale,
            accept_downloads=True,
        )
        page = await context.new_page()
        found = Agreed(
            page,
            url,
            made.play,
            made.alarms,
            made.visibility,
            made.tied,
            made.rights,
            made.log,
            made.agent,
        )
        found.judged = outlook.judged
        found.page.on(
            "console",
            lambda m: found.complaints.append(m.text) if m.type in {"error", "warning"} else None,
        )
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        yield found
        await context.close()
    assert found.complaints == []
