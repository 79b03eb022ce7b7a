"""A hub that knows nothing becomes one that its utility commands, and what comes after that."""

import asyncio
import json
import time
from pathlib import Path

import aiohttp
import pytest

from certs.pki import Pki, init_pki
from hems.commands.scene import Scene
from hems.commands.stage import HouseReady, Stage
from tests.e2e.conftest import EVENING, Opener
from tests.e2e.rig import Home, Rig
from tests.e2e.test_first_start import hems, new_hub
from tests.waiting import until

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.requirement("L1-AUTH", "L1-AGENT", "LC-COMMISSION", "PRO-2030.5"),
]

WITHIN_S = 60.0
POLL_S = 10.0
IMPORT_W = 1500.0
SLACK_W = 150.0
FAST = (f"list_poll_s = {POLL_S:.0f}", f"dcap_poll_s = {POLL_S:.0f}", "post_rate_s = 10")


async def state(session: aiohttp.ClientSession) -> Home:
    async with session.get("/api/home") as answer:
        return Home.model_validate_json(await answer.read())


async def test_one_code_makes_a_hub_that_answers_its_utility(
    opened: Opener, tmp_path: Path
) -> None:
    async with opened() as rig:
        await rig.stage.hub.stop()
        operator = ("--operator", str(rig.stage.folder / "headend" / "operator.json"))
        async with new_hub(tmp_path) as (_, url), aiohttp.ClientSession(url) as session:
            await with_devices(rig, tmp_path / "home" / "hems.toml")
            before = await state(session)
            assert before.utility.state != "connected"
            began = time.monotonic()
            code, *_ = (await hems("headend", "enrol-code", *operator)).splitlines()
            said = await hems("enrol", code, "--home", str(tmp_path / "home"))
            await until(
                lambda: state(session),
                lambda home: home.utility.state == "connected",
                WITHIN_S,
                "it is connected",
            )
            took_s = time.monotonic() - began
            print(f"from the code to a connected hub: {took_s:.1f} s")
            assert took_s < WITHIN_S
            listed = await hems("headend", "enrolments", *operator)
            own = said.partition("LFDI ")[2][:40]
            assert f"issued  {own}" in listed
            event = await rig.dispatch(limit_import_w=1500.0, seconds=30)
            await until(
                lambda: rig.statuses(event.id), lambda found: 2 in found, 30.0, "it is obeyed"
            )


async def with_devices(rig: Rig, config: Path) -> None:
    """Have the hub take up a meter and a battery of the simulated house."""
    ready = HouseReady.model_validate_json(rig.stage.house.ready.read_text())
    sunspec = ("--driver", "sunspec", "--host", "127.0.0.1", "--config", str(config))
    for name in ("meter", "battery"):
        port = str(ready.ports()[name])
        await hems("device", "add", name, "--kind", name, *sunspec, "--port", port)


@pytest.fixture
def maker(tmp_path: Path) -> Pki:
    """A manufacturer's PKI, whose `hub` is a hub as it leaves the factory."""
    return init_pki(tmp_path / "maker", label="Maker")


def scene(maker: Pki) -> Scene:
    believed = (f"manufacturers = {json.dumps(str(maker.trust.roots))}", "again_s = 5")
    return Scene(page_port=0, battery="hold", house=EVENING, headend=FAST, est=believed)


class Life:
    """A hub of the factory's, its utility and its owner.

    Args:
        rig: The stage, of which the own hub is stopped.
        home: The new hub's folder.
        page: The new hub's page.
    """

    def __init__(self, rig: Rig, home: Path, page: aiohttp.ClientSession) -> None:
        self.rig = rig
        self.home = home
        self.page = page
        self._operator = ("--operator", str(rig.stage.folder / "headend" / "operator.json"))

    async def utility(self, *words: str) -> str:
        return await hems("headend", *words, *self._operator)

    async def enrolled_by_its_maker(self, maker: Pki) -> str:
        """Enrol with the manufacturer's certificate; the utility approves by the hub's PIN."""
        code = (await self.utility("enrol-code", "--manufacturer")).splitlines()[0]
        shown = maker.identity("hub")
        files = ("--certificate", str(shown.certificate), "--key", str(shown.key))
        asked = asyncio.create_task(hems("enrol", code, "--home", str(self.home), *files))
        waiting = await until(
            lambda: self.utility("enrolments"), lambda said: " waiting " in said, 30.0, "it asks"
        )
        pin = (self.home / "identity" / "pin").read_text().strip()
        await self.utility("approve", waiting.split()[0], "--pin", pin)
        said = await asked
        assert pin in said
        return lfdi_in(said)

    async def connected(self) -> None:
        await until(
            lambda: state(self.page),
            lambda home: home.utility.state == "connected",
            WITHIN_S,
            "it is connected",
        )

    async def dispatched(self, seconds: int) -> str:
        """Dispatch a limit; returns the event once the home carries it out."""
        event = await self.rig.dispatch(limit_import_w=IMPORT_W, seconds=seconds)
        await until(
            lambda: self.rig.statuses(event.id), lambda found: 2 in found, 30.0, "it is obeyed"
        )
        assert (await state(self.page)).limit_import_w == IMPORT_W
        return event.id

    async def renewed(self, before: str) -> str:
        """Renew the certificate while an event is in force, which goes on."""
        own = lfdi_in(await hems("renew", "--home", str(self.home)))
        assert own != before
        held: list[bool] = []

        async def look() -> str:
            home = await state(self.page)
            held.append(home.limit_import_w == IMPORT_W)
            return home.utility.state if await self.listed(own) else "not yet"

        await until(look, lambda found: found == "connected", 90.0, "the new one is in use")
        assert all(held), "the event was never let go"
        return own

    async def listed(self, own: str) -> bool:
        """Return whether the utility has heard of a home of this LFDI."""
        found = json.loads(await self.rig.operator_get(f"/homes/{own}"))
        return found["last_contact"] is not None

    async def told_of_it(self) -> None:
        """Look whether the hub's page and its log of security say that it was revoked."""
        async with self.page.get("/api/security") as answer:
            found = json.loads(await answer.read())["certificates"]
        assert [c["standing"] for c in found if c["use"] == "utility"] == ["revoked"]
        async with self.page.get("/api/security/log?most=200") as answer:
            rows = json.loads(await answer.read())["rows"]
        noted = [row["text"] for row in rows if row["kind"] == "certificate"]
        assert any("was revoked by the utility" in text for text in noted), noted

    def keys(self) -> set[Path]:
        return set(self.home.glob("identity/utility-*/hub.key"))


def lfdi_in(said: str) -> str:
    return said.partition("LFDI ")[2][:40]


@pytest.mark.timeout(420)
@pytest.mark.requirement("L2-KEYS", "L3-IDENTITY", "L3-ROOT")
async def test_from_the_factory_to_operating_and_back_out_and_in_again(
    tmp_path: Path, maker: Pki
) -> None:
    stage = Stage(tmp_path / "stage", scene(maker))
    async with Rig(stage) as rig:
        await rig.stage.hub.stop()
        async with new_hub(tmp_path) as (_, url), aiohttp.ClientSession(url) as page:
            life = Life(rig, tmp_path / "home", page)
            await with_devices(rig, life.home / "hems.toml")
            began = time.monotonic()
            first = await life.enrolled_by_its_maker(maker)
            await life.connected()
            event = await life.dispatched(seconds=600)
            took_s = time.monotonic() - began
            print(f"from the factory to its first event carried out: {took_s:.1f} s")

            second = await life.renewed(first)
            before = life.keys()
            began = time.monotonic()
            assert f"revoked  {second}" in await life.utility("revoke", second)
            gone = await until(
                lambda: state(page),
                lambda home: home.limit_import_w is None,
                2 * POLL_S,
                "control stops within a poll",
            )
            print(f"from revocation to the home's default: {time.monotonic() - began:.1f} s")
            assert gone.utility.state == "refused"
            assert any("was revoked by the utility" in text for text in gone.alarms), gone.alarms
            await life.told_of_it()
            code = (await life.utility("enrol-code")).splitlines()[0]
            third = lfdi_in(await hems("enrol", code, "--home", str(life.home)))
            assert third not in {first, second}
            await life.connected()
            assert not before & life.keys(), "the revoked key is erased"
            await rig.cancel(event)
            await life.dispatched(seconds=60)
