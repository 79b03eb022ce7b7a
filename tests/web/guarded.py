"""What watches over the hub of a scripted page, its software, and rows for its log."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from der.sentence import say
from hems.agent.surface import AgentView, InventoryView, PartView
from hems.emg.threats.entry import Entry, Words
from hems.emg.threats.folding import Draft
from hems.emg.threats.rules.finding import Threat
from hems.emg.threats.severity import Severity, severity
from hems.security_event import EventKind, SecurityEvent
from hems.software.surface import OfferView, Stage, UpdatesView, When
from hems.surface import SurfaceError
from tests.hems.participation.play import T

DAY_S = 86_400.0
WELL = AgentView(
    watched=True,
    heard_at=T - 12.0,
    checked=True,
    publisher="Example Energy",
    version="1.4.0",
    number=7,
    until=T + 200 * DAY_S,
    registers={"0": "AB" * 32, "7": "CD" * 32},
)
STARTED_ANEW = say(
    "This hub's machine has started another way than before (registers {registers} of its "
    "security chip).",
    registers="0, 7",
)
CONSISTS = InventoryView(
    "1.4.0",
    ("mqtt", "parquet"),
    "Example Machines",
    "Box 3",
    "rev B",
    "EM-0042",
    "Debian GNU/Linux 12",
    "Linux 6.1.0",
    "3.11.2",
    "OpenSSL 3.0.15",
    (
        PartView("meter", "Grid meter"),
        PartView("battery", "Battery", "Sonne", "Box 5", "A-1001", "2.7.1"),
    ),
)


@dataclass
class ScriptedAgent:
    """The agent of a hub, as `web.agent_api.AgentHub` asks it.

    Attributes:
        view: How it stands.
        measured: How often it was told to measure.
    """

    view: AgentView = field(default_factory=AgentView)
    measured: int = 0

    def agent(self) -> AgentView:
        return self.view

    def measure(self) -> None:
        self.measured += 1

    async def accept_boot(self) -> None:
        if not self.view.registers:
            raise SurfaceError(say("How this hub's machine has started is not known."))
        self.view = replace(self.view, troubles=(), excluded=False)

    async def inventory(self) -> InventoryView:
        return CONSISTS


OFFERED = UpdatesView(
    runs="0.1.0",
    able=True,
    looks=True,
    looked_at=T - 3600.0,
    offer=OfferView(
        version="0.2.0",
        words="",
        vendor="Example Machines",
        provider="utility.example",
        fits=True,
        failed=False,
        put_off=False,
    ),
    window="02:00-05:00",
)


@dataclass
class ScriptedUpdates:
    """The hub's own software, as `web.updates_api` asks it.

    Attributes:
        view: How it stands.
        asked: What was asked of it, and by whom.
    """

    view: UpdatesView = OFFERED
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    async def updates(self) -> UpdatesView:
        return self.view

    async def install(self, version: str, when: When, who: str) -> None:
        if self.view.stage is Stage.TRIAL:
            raise SurfaceError(say("A new version is on trial: wait for its end, or go back."))
        self.asked.append((f"install {when}", version, who))
        hurried = when == "now"
        self.view = replace(self.view, stage=Stage.ARMED, version=version, hurried=hurried)

    async def put_off(self, version: str, who: str) -> None:
        self.asked.append(("put off", version, who))
        offer = self.view.offer
        self.view = replace(
            self.view, stage=Stage.IDLE, offer=offer and replace(offer, put_off=True)
        )

    async def go_back(self, who: str) -> None:
        self.asked.append(("back", "", who))
        self.view = replace(
            self.view, stage=Stage.IDLE, runs=self.view.former, former="", until=None
        )


def failed_login(at: float) -> Draft:
    """Return the row of a password that was wrong."""
    event = SecurityEvent(
        EventKind.LOGIN_FAILED,
        say("A wrong password was tried."),
        "Ada",
        "192.168.1.66",
    )
    return Draft(at, Entry.of(event, severity(event.kind), times=3, since=at - 60.0))


def logged_in(at: float) -> Draft:
    """Return the row of somebody who has come in."""
    event = SecurityEvent(
        EventKind.LOGGED_IN, say("{name} logged in.", name="Ada"), "Ada", "192.168.1.5"
    )
    return Draft(at, Entry.of(event, severity(event.kind)))


def guessing(at: float, evidence: Sequence[int]) -> Draft:
    """Return the row of what several wrong passwords come to."""
    entry = Entry(
        kind=EventKind.THREAT,
        severity=Severity.ALARM,
        about="",
        source="192.168.1.66",
        text=Words.of(
            say(
                "Somebody at {who} tries passwords: {count} were wrong within 10 minutes.",
                who="192.168.1.66",
                count=12,
            )
        ),
        threat=Threat.GUESSING,
        evidence=tuple(evidence),
        advice=Words.of(
            say("If that is none of you, find out which machine that is and disconnect it.")
        ),
        done=Words.of(
            say(
                "Nothing is answered to it for {minutes} min, unless somebody has logged in there.",
                minutes=15,
            )
        ),
    )
    return Draft(at, entry)
