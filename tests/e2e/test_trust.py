"""A device that is exchanged, and one that is blocked, at a running hub: told nothing, kept out."""

import asyncio
import time
import tomllib

import pytest
from pydantic import TypeAdapter

from hems.commands.stage import HouseReady
from hems.settings.devices_file import tables, write
from tests.e2e.conftest import Opener
from tests.e2e.rig import Home, Part, Rig
from tests.e2e.test_devices_change import device
from tests.e2e.test_main_job import settled
from tests.waiting import until

pytestmark = [pytest.mark.timeout(150), pytest.mark.requirement("L2-TRUST", "L2-BLOCK")]

LIMIT_W = 2000.0
"""Loads alone can keep to it."""
WHY = {"why": "tried by a test"}


class Doubted(Part):
    """A device on the list."""

    id: str
    standing: str
    why: str
    doubts: dict[str, str]


class _Trust(Part):
    devices: list[Doubted]


async def stands(rig: Rig, device: str) -> Doubted:
    """Return how a device stands."""
    found = _Trust.model_validate_json(await rig.get_page("/api/trust")).devices
    return next(each for each in found if each.id == device)


async def written(rig: Rig, device: str, after: int) -> list[str]:
    """Return what a device was told since a write."""
    return [w.what for w in await rig.writes(after) if w.device == device]


async def last_write(rig: Rig) -> int:
    """Return the number of the last write."""
    return max((write.number for write in await rig.writes()), default=0)


@pytest.mark.requirement("L1-TAMPER")
async def test_an_exchanged_battery_is_told_nothing_until_it_is_approved(opened: Opener) -> None:
    async with opened() as rig:
        await settled(rig)
        event = await rig.dispatch(limit_import_w=LIMIT_W, seconds=90)
        await until(rig.home, lambda home: (home.net_w or 1e9) <= LIMIT_W, 30.0, "under")
        assert await written(rig, "battery", 0), "it helps to keep the limit"

        await rig.fault("battery", "exchanged")
        mark = await last_write(rig)
        found = await until(
            lambda: stands(rig, "battery"), lambda d: d.standing == "quarantined", 20.0, "noticed"
        )
        assert list(found.doubts) == ["identity"]
        assert "SIM-OTHER-1, not SIM-BAT-1" in found.why
        home = await until(
            rig.home, lambda home: home.tile("battery").quality == "lost", 5.0, "it is gone"
        )
        assert any("in quarantine" in alarm for alarm in home.alarms)
        assert not any("does not answer" in alarm for alarm in home.alarms)
        await until(
            rig.home, lambda home: (home.net_w or 1e9) <= LIMIT_W, 30.0, "others keep the limit"
        )
        assert await written(rig, "battery", mark) == [], "what answers now was told nothing"

        assert await rig.post_page("/api/trust/battery/approve", WHY) == 409
        assert await rig.post_page("/api/trust/battery/lift", {**WHY, "accept": True}) == 204
        assert (await stands(rig, "battery")).standing == "trusted"
        await until(
            rig.home, lambda home: home.tile("battery").quality == "good", 20.0, "it is back"
        )

        async def told() -> list[str]:
            return await written(rig, "battery", mark)

        await until(told, bool, 30.0, "control goes on")
        assert time.time() < event.start + event.duration_s, "within the event"


@pytest.mark.deep
async def test_a_blocked_charger_cannot_connect(opened: Opener) -> None:
    async with opened() as rig:
        await settled(rig)
        charger = _charger(await rig.home())
        assert await rig.post_page(f"/api/trust/{charger}/block", {"why": ""}) == 400
        assert await rig.post_page(f"/api/trust/{charger}/block", {"why": "it was stolen"}) == 204
        await until(rig.home, lambda home: home.tile(charger).quality == "lost", 10.0, "it is off")
        assert (await rig.home()).tile(charger).error == "it was stolen"
        mark = await last_write(rig)
        await asyncio.sleep(8.0)  # it calls again and again meanwhile
        assert await written(rig, charger, mark) == []
        assert await rig.post_page(f"/api/trust/{charger}/allow", WHY) == 204
        await until(
            rig.home, lambda home: home.tile(charger).quality == "good", 40.0, "it is let in again"
        )


def _charger(home: Home) -> str:
    names = TypeAdapter(list[str]).validate_python([d.id for d in home.devices])
    return next(name for name in names if name.startswith(("ev", "charger")))


@pytest.mark.deep
@pytest.mark.requirement("LC-COMMISSION")
async def test_what_is_written_into_the_file_waits_and_what_is_commissioned_does_not(
    opened: Opener,
) -> None:
    async with opened() as rig:
        await settled(rig)
        ready = HouseReady.model_validate_json(rig.stage.house.ready.read_text())
        port = ready.ports()["meter"]
        sunspec = ("--driver", "sunspec", "--host", "127.0.0.1", "--port", str(port))
        await device(rig, "add", "Cellar", "--kind", "submeter", *sunspec)
        assert (await stands(rig, "cellar")).standing == "trusted"

        file = rig.stage.folder / "hub" / "devices.toml"
        more = file.read_text().replace('"cellar"', '"attic"').replace('"Cellar"', '"Attic"')
        devices = [*tables(file), *tomllib.loads(more)["device"]]
        write(file, [each for each in devices if isinstance(each, dict)])
        home = await until(
            rig.home,
            lambda home: any(d.id == "attic" and d.quality == "good" for d in home.devices),
            20.0,
            "it is read",
        )
        assert "Attic is new: the home steers it once you have approved it." in home.alarms
        assert (await stands(rig, "attic")).standing == "new"
        assert (await stands(rig, "cellar")).standing == "trusted", "over the change of homes"
        assert "new" in await device(rig, "trust")
        assert "trusted" in await device(rig, "approve", "attic", "--why", "it is ours")
        assert not (await rig.home()).alarms
        await device(rig, "block", "attic", "--why", "it hums")
        assert (await stands(rig, "attic")).why == "it hums"
        await device(rig, "allow", "attic")
        assert (await stands(rig, "attic")).standing == "trusted"
