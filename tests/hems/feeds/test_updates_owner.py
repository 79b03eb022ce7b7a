"""What an owner sees and asks of the hub's software: real lists, a real helper, real processes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hems.commands.enterprise_line import place_of
from hems.commands.updates import Updates
from hems.emg.firmware import tuf_client
from hems.emg.firmware.releases import Offered, software
from hems.security_event import SecurityEvent
from hems.settings.config import Config, load
from hems.software import launcher
from hems.software.surface import Stage, UpdatesView
from hems.store.store import Store, open_store
from hems.surface import SurfaceError
from tests.hems.money.homes import HeldClock
from tests.hems.software.test_helper import Shop
from tests.hems.software.test_helper import shop as shop  # noqa: PLC0414 - a fixture of theirs
from tests.waiting import until

pytestmark = [pytest.mark.requirement("LC-PATCH"), pytest.mark.timeout(400)]

NOON = datetime(2026, 6, 18, 12, 0, tzinfo=UTC).timestamp()
NIGHT = datetime(2026, 6, 18, 4, 0, tzinfo=UTC).timestamp()
"""Late enough in the hours for each hub of the street."""
WITHIN_S = 150.0


@dataclass
class Desk:
    """An owner before a hub whose lists lie in a folder.

    Attributes:
        shop: The vendor, the service provider, and the helper beside the hub.
        store: What the hub remembers.
        clock: Its clock.
        said: What was noted.
    """

    shop: Shop
    store: Store
    clock: HeldClock = field(default_factory=lambda: HeldClock(NOON))
    said: list[str] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.shop.helper.home / "hems.toml"

    def configure(self, more: str = "") -> None:
        """Write the home's configuration."""
        lists = self.shop.folder / "lists"
        text = f'[firmware]\nfolder = "{lists / "repository"}"\nroot = "{lists / "root.json"}"\n'
        self.path.write_text(text + more)

    def config(self) -> Config:
        return load(self.path)

    def offered(self) -> Offered:
        """Look at the lists, as the hub does once a day."""
        place = place_of(self.config())
        assert place is not None
        return Offered(software("0.1.0", tuf_client.refresh(place).lists, "hems"), NOON)

    def hub(self, *, sides: bool = True) -> Updates:
        """Return what the owner asks, as after a start."""
        return Updates(
            self.path,
            str(self.shop.helper.sides.root) if sides else None,
            config=self.config,
            offered=self.offered,
            settings=self.store.settings,
            clock=self.clock,
            note=self.note,
        )

    def note(self, event: SecurityEvent) -> None:
        self.said.append(event.text)

    def start(self) -> None:
        """Have the launcher run, as before each start of the hub."""
        sides = self.shop.helper.sides
        words = [str(each) for each in (sides.root, self.shop.helper.home, sides.package)]
        assert launcher.main(["settle", *words]) == 0 == launcher.main(["store", *words])


async def reached(updates: Updates, stage: Stage) -> UpdatesView:
    """Wait until a change is so far."""
    return await until(
        updates.updates, lambda seen: seen.stage is stage or bool(seen.error), WITHIN_S, stage.value
    )


@pytest.fixture
async def desk(shop: Shop, tmp_path: Path) -> AsyncIterator[Desk]:
    async def serve() -> None:
        """What systemd does: an order's coming starts the helper."""
        while True:
            await asyncio.to_thread(shop.helper.serve)
            await asyncio.sleep(0.1)

    store = await open_store(tmp_path / "seen.db", HeldClock(NOON))
    made = Desk(shop, store)
    made.configure()
    shop.offer("0.2.0")
    serving = asyncio.create_task(serve())
    try:
        yield made
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await store.close()


async def test_an_owner_installs_puts_off_and_goes_back(desk: Desk) -> None:
    hub = desk.hub()
    await hub.load()
    assert hub.ready == "Version 0.2.0 of the hub's software is ready to be installed."
    seen = await hub.updates()
    assert (seen.runs, seen.stage, seen.automatic) == ("0.1.0", Stage.IDLE, False)
    assert seen.offer is not None
    assert (seen.offer.version, seen.offer.fits, seen.offer.failed) == ("0.2.0", True, False)
    hub.look()
    assert (await hub.updates()).stage is Stage.IDLE, "nothing is installed unasked"
    with pytest.raises(SurfaceError, match=r"0\.3\.0 is not offered"):
        await hub.install("0.3.0", "now", "Ada")
    with pytest.raises(SurfaceError, match="no former version"):
        await hub.go_back("Ada")

    await hub.install("0.2.0", "window", "Ada")
    with pytest.raises(SurfaceError, match="under way"):
        await hub.install("0.2.0", "window", "Ada")
    assert hub.ready is None
    seen = await reached(hub, Stage.ARMED)
    assert (seen.error, seen.version, seen.hurried) == ("", "0.2.0", False)
    assert not hub.is_moment(hub.state), "it is noon"
    desk.clock.at = NIGHT
    assert hub.is_moment(hub.state)
    desk.clock.at = NOON

    await hub.put_off("0.2.0", "Ada")
    assert (await hub.updates()).stage is Stage.BESIDE
    again = desk.hub()
    await again.load()
    assert again.ready is None, "a restart does not ask anew"

    await again.install("0.2.0", "now", "Ada")
    seen = await reached(again, Stage.ARMED)
    assert (seen.error, seen.hurried) == ("", True), "what is there already is tried"
    assert again.is_moment(again.state)

    desk.start()
    seen = await again.updates()
    assert (seen.stage, seen.runs, seen.former) == (Stage.TRIAL, "0.2.0", "0.1.0")
    with pytest.raises(SurfaceError, match="on trial"):
        await again.install("0.2.0", "now", "Ada")
    with pytest.raises(SurfaceError, match="on trial"):
        await again.put_off("0.2.0", "Ada")
    await again.go_back("Ada")
    seen = await again.updates()
    assert (seen.stage, seen.runs, seen.returned) == (Stage.IDLE, "0.1.0", "")
    assert seen.offer is not None
    assert seen.offer.failed
    assert again.ready is None
    assert desk.said == [
        "Ada has version 0.2.0 of the hub's software installed.",
        "Ada has put off version 0.2.0 of the hub's software.",
        "Ada has version 0.2.0 of the hub's software installed.",
        "Ada has the hub's former software run again.",
    ]


async def test_a_hub_that_needs_not_ask_installs_in_its_hours(desk: Desk) -> None:
    desk.configure('[updates]\ninstall = "automatic"\nwindow = "02:00-05:00"\n')
    hub = desk.hub()
    assert hub.ready is None, "nobody needs to do anything"
    hub.look()
    assert (await hub.updates()).stage is Stage.IDLE, "it is noon"
    desk.clock.at = NIGHT
    hub.look()
    assert (await hub.updates()).stage is Stage.FETCHING
    assert "installed by itself" in desk.said[0]
    await hub.close()
    hub.look()
    assert (await hub.updates()).stage is Stage.IDLE, "it is tried once in a night"


@pytest.mark.deep
async def test_what_installs_itself_waits_for_nobody(desk: Desk) -> None:
    desk.configure('[updates]\ninstall = "automatic"\n')
    desk.clock.at = NIGHT
    hub = desk.hub()
    hub.look()
    seen = await reached(hub, Stage.ARMED)
    assert (seen.error, seen.version, seen.hurried) == ("", "0.2.0", False)
    assert hub.is_moment(hub.state)


@pytest.mark.deep
async def test_what_cannot_be_installed_says_why(desk: Desk) -> None:
    made = desk.shop.folder / "parts"
    made.mkdir(exist_ok=True)
    desk.shop.offer("0.3.0", b"no archive at all")
    hub = desk.hub()
    await hub.install("0.3.0", "now", "Ada")
    seen = await until(hub.updates, lambda seen: bool(seen.error), WITHIN_S, "an error")
    assert "no release" in seen.error
    assert seen.stage is Stage.IDLE
    assert "was not installed" in desk.said[-1]
    await hub.close()


async def test_a_hub_that_is_no_package_is_told_and_changes_nothing(desk: Desk) -> None:
    hub = desk.hub(sides=False)
    assert hub.ready is not None
    seen = await hub.updates()
    assert (seen.able, seen.stage) == (False, Stage.IDLE)
    for asked in (hub.install("0.2.0", "now", "Ada"), hub.go_back("Ada")):
        with pytest.raises(SurfaceError, match="not installed as a package"):
            await asked
