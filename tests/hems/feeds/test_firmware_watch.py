"""Devices shut for what they run, with the real list of trusted devices and a real store."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from certs.identity import lfdi, sfdi
from der.model import Connection
from der.service import Device, Mode
from hems.bulletin import Bulletin, Firmware, FirmwareList, State
from hems.clock import SystemClock
from hems.emg.feeds.warnings import Hands, Warnings, named
from hems.emg.firmware.keeper import ListKeeper
from hems.emg.firmware.lists import Refreshed, RefusedList
from hems.emg.firmware.watch import FirmwareWatch, Said
from hems.emg.trust.standing import Blocker, Cause, TrustStanding
from hems.emg.trust.trust import Trust, TrustEvents
from hems.security_event import EventKind, SecurityEvent
from hems.store.store import Store, open_store
from tests.der.shelf import METER, SPEC
from tests.hems.emg.trust.test_trust import Named
from tests.web.surface import ScriptedClock

NOW = 1_800_000_000.0
RUNS = Connection("192.0.2.1:502", "Acme", "Sun 5", "7", "1.2", host="192.0.2.1")
BAD = Firmware(
    manufacturer="Acme", model="Sun 5", version="1.2", state=State.UNTRUSTED, advisory="it burns"
)


class House:
    """A battery and a meter, what is said of them, and what was noted."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.shelf = Named(is_=RUNS)
        self.listed: list[Firmware] = []
        self.bulletin: Bulletin | None = None
        self.identities: frozenset[str] = frozenset()
        self.noted: list[SecurityEvent] = []

    async def start(self, *, quarantine_unknown: bool = False) -> None:
        """Start anew, as the hub does."""
        self.shelf.answers.set()

        async def link() -> Named:
            return self.shelf

        self.device = Device(SPEC, link)
        meter = Device(replace(METER), link)
        tell = TrustEvents(lambda _source, _text: None, lambda work: work.close(), lambda: None)
        self.trust = Trust(
            self.store.settings,
            {"bat": self.device, "meter": meter},
            SystemClock(),
            tell,
            mac=lambda _host: "",
        )
        await self.trust.load()
        self.watch = FirmwareWatch(
            self.store.settings,
            lambda: self.trust,
            Said(lambda: self.listed, lambda: self.bulletin, lambda: self.identities),
            quarantine_unknown=quarantine_unknown,
            name=lambda device: device.title(),
            note=self.noted.append,
        )
        await self.watch.load()

    async def connect(self) -> None:
        """Have the battery read once."""
        handle = await self.device.open(Mode.READ_WRITE)
        await handle.close()

    def stands(self) -> TrustStanding:
        return self.trust.standings["bat"].standing

    @property
    def kinds(self) -> list[EventKind]:
        return [event.kind for event in self.noted]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = await open_store(tmp_path / "home.sqlite", SystemClock())
    made = House(store)
    await made.start()
    yield made
    await store.close()


@pytest.mark.requirement("L2-FIRMWARE")
async def test_firmware_that_must_not_run_shuts_its_device(house: House) -> None:
    await house.watch.look()  # nobody has answered yet
    assert house.watch.verdicts == {}
    await house.connect()
    await house.watch.look()
    assert house.stands() is TrustStanding.TRUSTED
    house.listed = [BAD]
    await house.watch.look()
    await house.watch.look()
    assert house.stands() is TrustStanding.QUARANTINED
    assert house.trust.standings["bat"].doubts == {
        Cause.FIRMWARE: "its firmware 1.2 must not run: it burns"
    }
    assert house.trust.standings["meter"].standing is TrustStanding.TRUSTED
    assert house.kinds == [EventKind.FIRMWARE_UNTRUSTED]
    house.listed = [BAD.model_copy(update={"state": State.LATEST})]
    await house.watch.look()
    assert house.stands() is TrustStanding.TRUSTED


async def test_a_restart_lets_nothing_back_in(house: House) -> None:
    await house.connect()
    house.listed = [BAD]
    await house.watch.look()
    await house.start()
    await house.watch.look()  # it has not answered since, for it is shut
    assert house.stands() is TrustStanding.QUARANTINED


async def test_somebody_lifts_it_and_the_new_firmware_is_read(house: House) -> None:
    await house.connect()
    house.listed = [BAD]
    await house.watch.look()
    await house.trust.lift("bat")
    await house.watch.look()
    assert house.stands() is TrustStanding.TRUSTED, "until it answers, it has its chance"
    await house.connect()
    house.shelf.is_ = replace(RUNS)  # the same again, in another answer
    await house.connect()
    await house.watch.look()
    assert house.stands() is TrustStanding.QUARANTINED
    await house.trust.lift("bat")
    house.shelf.is_ = replace(RUNS, firmware="1.3")
    await house.connect()
    await house.watch.look()
    assert house.stands() is TrustStanding.TRUSTED
    assert house.kinds[-1] is EventKind.FIRMWARE_CHANGED
    assert house.noted[-1].text == "Bat runs firmware 1.3 now; before, it ran 1.2."


async def test_unknown_firmware_changes_nothing_unless_it_is_wanted(house: House) -> None:
    await house.connect()
    await house.watch.look()
    assert house.stands() is TrustStanding.TRUSTED
    await house.start(quarantine_unknown=True)
    await house.watch.look()
    assert house.stands() is TrustStanding.QUARANTINED
    house.listed = [BAD.model_copy(update={"state": State.ALLOWED})]
    await house.watch.look()
    assert house.stands() is TrustStanding.TRUSTED


def _bulletin(**more: object) -> Bulletin:
    first: dict[str, object] = {
        "enterprise": "Utility",
        "number": 1,
        "issued": NOW,
        "expires": NOW + 3600.0,
    }
    return Bulletin.model_validate(first | more)


@pytest.mark.requirement("L2-FEED")
async def test_a_distrusted_device_is_blocked_until_that_is_taken_back(house: House) -> None:
    await house.connect()
    word = {"trusted": False, "manufacturer": "acme", "why": "it listens in"}
    house.bulletin = _bulletin(devices=[word])
    await house.watch.look()
    assert house.trust.standings["bat"].blocks == {Blocker.ENTERPRISE: "it listens in"}
    house.bulletin = None
    await house.watch.look()
    assert house.stands() is TrustStanding.TRUSTED


async def test_a_key_that_a_warning_names_is_blocked(house: House) -> None:
    house.shelf.is_ = replace(RUNS, key="a" * 64)
    await house.connect()
    house.identities = frozenset({"a" * 64})
    await house.watch.look()
    assert house.stands() is TrustStanding.BLOCKED


def test_warnings_come_and_go() -> None:
    clock = ScriptedClock(NOW)
    alarms: dict[str, str | None] = {}
    networks: list[frozenset[str]] = []
    present: list[Bulletin | None] = [
        _bulletin(
            alerts=[
                {"id": "worm", "severity": "critical", "text": "Pull the plug."},
                {"id": "note", "severity": "info", "text": "All is well."},
                {
                    "id": "scan",
                    "severity": "warning",
                    "text": "Somebody scans.",
                    "networks": ["203.0.113.7/24", "2001:db8::/32"],
                    "lfdis": ["AB" * 20],
                    "until": NOW + 60.0,
                },
            ]
        )
    ]
    warnings = Warnings(lambda: present[0], clock, Hands(alarms.__setitem__, networks.append))
    warnings.look()
    warnings.look()
    assert alarms == {
        "feed worm": "Utility warns: Pull the plug.",
        "feed scan": "Utility warns: Somebody scans.",
    }
    assert networks == [frozenset({"203.0.113.0/24", "2001:db8::/32"})]
    assert warnings.identities == {"AB" * 20}
    clock.at += 60.0
    warnings.look()
    assert alarms["feed scan"] is None
    assert networks[-1] == frozenset()
    present[0] = None
    warnings.look()
    assert alarms == {"feed worm": None, "feed scan": None}


def test_a_certificate_is_known_by_any_of_its_names() -> None:
    certificate = b"a certificate"
    own = lfdi(certificate)
    digest = hashlib.sha256(certificate).hexdigest()
    for name in (own, str(sfdi(own)), digest):
        assert named(certificate, frozenset({name, "another"}))
    assert not named(certificate, frozenset({"another", digest[:40]}))
    assert not named(certificate, frozenset())


async def test_lists_are_kept_over_failures_and_restarts(house: House) -> None:
    good = FirmwareList(vendor="acme", firmware=(BAD,))
    answers = [
        Refreshed(lists=(good,)),
        Refreshed(error="roll-back", hostile=True),
        Refreshed(error="roll-back", hostile=True),
        Refreshed(error="away"),
        Refreshed(refused=(RefusedList(vendor="acme", why="one signature"),)),
    ]
    noted: list[SecurityEvent] = []

    async def look() -> Refreshed:
        return answers.pop(0)

    def keeper() -> ListKeeper:
        return ListKeeper(house.store.settings, look, ScriptedClock(NOW), 3600.0, note=noted.append)

    lists = keeper()
    while answers:
        await lists.look()
        assert list(lists.known.firmware) == [BAD]
    assert [event.kind for event in noted] == [EventKind.FIRMWARE_REFUSED] * 2
    again = keeper()
    await again.load()
    assert again.known == lists.known


@pytest.mark.requirement("L2-FIRMWARE")
async def test_the_owner_learns_that_lists_are_kept_from_the_hub(house: House) -> None:
    """A freeze: whoever holds back the newest lists has the hub run by the old ones."""
    clock = ScriptedClock(NOW)
    found = Refreshed(lists=(FirmwareList(vendor="acme", firmware=(BAD,)),))

    async def look() -> Refreshed:
        return found

    lists = ListKeeper(house.store.settings, look, clock, 3600.0)
    await lists.look()
    found = Refreshed(error="away")
    for _ in range(3):
        clock.at += 86_400.0
        await lists.look()
        assert lists.overdue is None
    clock.at += 7200.0
    assert "3 days" in (lists.overdue or "")
    again = ListKeeper(house.store.settings, look, clock, 3600.0)
    await again.load()
    assert again.overdue == lists.overdue
    found = Refreshed(lists=(FirmwareList(vendor="acme", firmware=(BAD,)),))
    await again.look()
    assert again.overdue is None
