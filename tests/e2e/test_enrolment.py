"""A hub that knows nothing becomes one that its utility commands, and what comes after that."""

import time
from pathlib import Path

import aiohttp
import pytest

from certs.pki import Pki, init_pki
from hems.commands.stage import Stage
from tests.e2e.conftest import Opener
from tests.e2e.enrolling import (
    IMPORT_W,
    POLL_S,
    WITHIN_S,
    Life,
    lfdi_in,
    scene,
    state,
    with_devices,
)
from tests.e2e.rig import Rig
from tests.e2e.test_first_start import hems, new_hub
from tests.waiting import until

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.requirement("L1-AUTH", "L1-AGENT", "LC-COMMISSION", "PRO-2030.5"),
]


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


@pytest.fixture
def maker(tmp_path: Path) -> Pki:
    """A manufacturer's PKI, whose `hub` is a hub as it leaves the factory."""
    return init_pki(tmp_path / "maker", label="Maker")


@pytest.mark.deep
async def test_a_certificate_of_its_maker_and_a_pin_are_enough(tmp_path: Path, maker: Pki) -> None:
    stage = Stage(tmp_path / "stage", scene(maker, again_s=5))
    async with Rig(stage) as rig:
        await rig.stage.hub.stop()
        async with new_hub(tmp_path) as (_, url), aiohttp.ClientSession(url) as page:
            life = Life(rig, tmp_path / "home", page)
            await with_devices(rig, life.home / "hems.toml")
            began = time.monotonic()
            own = await life.enrolled_by_pin(maker, tmp_path / "hubs.csv")
            await life.connected()
            await life.dispatched(seconds=60)
            print(f"from the factory, by its PIN, to an event: {time.monotonic() - began:.1f} s")
            assert await life.listed(own)
            assert "issued" in await life.utility("enrolments")


@pytest.mark.deep
@pytest.mark.timeout(420)
@pytest.mark.requirement("L2-KEYS", "L3-ROOT")
async def test_its_utility_changes_its_root_and_no_event_is_let_go(
    opened: Opener, tmp_path: Path
) -> None:
    async with opened() as rig:
        await rig.stage.hub.stop()
        pki = Pki(rig.stage.folder / "pki")
        async with new_hub(tmp_path) as (_, url), aiohttp.ClientSession(url) as page:
            life = Life(rig, tmp_path / "home", page)
            await with_devices(rig, life.home / "hems.toml")
            code = (await life.utility("enrol-code")).splitlines()[0]
            first = lfdi_in(await hems("enrol", code, "--home", str(life.home)))
            await life.connected()
            await life.dispatched(seconds=900)
            roll_over = ("pki", "roll-over", str(pki.folder))
            assert "follows CN=HEMS test root" in await hems(*roll_over, "--days", "2")
            second = await life.renewed(first)
            assert life.roots() == 2, "it believes both"
            assert "utility.pem: hangs under the new root" in await hems(*roll_over, "--switch")
            await life.renewed(second)
            assert life.chain_ends_at() == "CN=HEMS test root 2"
            assert (await state(page)).limit_import_w == IMPORT_W


@pytest.mark.timeout(420)
@pytest.mark.requirement("L2-KEYS", "L3-IDENTITY", "L3-ROOT")
async def test_from_the_factory_to_operating_and_back_out_and_in_again(
    tmp_path: Path, maker: Pki
) -> None:
    stage = Stage(tmp_path / "stage", scene(maker, again_s=5))
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
