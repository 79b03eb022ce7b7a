"""What the enterprise says of firmware reaches a running hub, and shuts a device until it ends."""

import asyncio
from pathlib import Path

import pytest

from certs.pki import init_pki, issue_signer
from certs.signed import Purpose
from hems.bulletin import LIST, Firmware, FirmwareList, State
from hems.commands.scene import Scene, quoted
from hems.commands.stage import Stage, free_port
from hems.headend.firmware.repository import FirmwareRepository
from tests.e2e.conftest import EVENING, POLLED
from tests.e2e.rig import Part, Rig
from tests.e2e.test_main_job import settled
from tests.e2e.test_trust import stands
from tests.waiting import until

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.requirement("L2-FEED", "L2-FIRMWARE", "L2-BLOCK"),
]

MAKER = "Simulated Home"
PV = "PV inverter"
BATTERY = "Battery inverter"


class _Entry(Part):
    id: str


class _Bulletin(Part):
    entries: list[_Entry]


def _scene(folder: Path) -> Scene:
    """Return a home whose enterprise has a bulletin and firmware lists."""
    pki = init_pki(folder / "pki")
    signer = issue_signer(pki, "bulletins", [Purpose.BULLETIN])
    port = free_port()
    lists = folder / "lists"
    return Scene(
        page_port=0,
        battery="hold",
        house=EVENING,
        headend=(
            *POLLED,
            f"port = {port}",
            "[bulletins]",
            f"certificate = {quoted(signer.certificate)}",
            f"key = {quoted(signer.key)}",
            "[firmware]",
            f"folder = {quoted(lists)}",
        ),
        economy=(
            "[feeds]",
            f'url = "https://127.0.0.1:{port}"',
            'every = "10 s"',
            "statistics = true",
            "[firmware]",
            f'url = "https://127.0.0.1:{port}/firmware"',
            f"root = {quoted(lists / 'root.json')}",
            'every = "10 s"',
        ),
    )


def _list(version: str, state: State) -> bytes:
    entry = Firmware(
        manufacturer=MAKER, model=BATTERY, version=version, state=state, advisory="it overheats"
    )
    return FirmwareList(vendor="sim", firmware=(entry,)).model_dump_json().encode()


async def test_firmware_that_must_not_run_shuts_a_device_until_it_is_taken_back(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "stage"
    folder.mkdir()
    scene = _scene(folder)
    lists = FirmwareRepository(folder / "lists")
    await asyncio.to_thread(lists.make, root_keys=2, threshold=2)
    async with Rig(Stage(folder, scene)) as rig:
        await settled(rig)
        assert (await stands(rig, "pv")).standing == "trusted"

        told = {"manufacturer": MAKER, "model": PV, "below": "99.0", "why": "it can be taken over"}
        await rig.operator_post("/bulletin/entries", {"firmware": told})
        await rig.operator_post("/bulletin/publish", {})
        found = await until(
            lambda: stands(rig, "pv"), lambda d: d.standing == "quarantined", 60.0, "shut"
        )
        assert "it can be taken over" in found.why
        home = await until(
            rig.home, lambda home: home.tile("pv").quality == "lost", 15.0, "it is shut"
        )
        assert any("Solar" in alarm and "quarantine" in alarm for alarm in home.alarms)
        assert home.tile("battery").quality == "good", "others go on"

        await rig.stage.hub.stop()
        await rig.stage.start_hub()
        assert (await stands(rig, "pv")).standing == "quarantined", "a restart changes nothing"

        found_there = _Bulletin.model_validate_json(await rig.operator_get("/bulletin"))
        await rig.operator_delete(f"/bulletin/entries/{found_there.entries[0].id}")
        await rig.operator_post("/bulletin/publish", {})
        await until(
            lambda: stands(rig, "pv"), lambda d: d.standing == "trusted", 60.0, "taken back"
        )
        await until(rig.home, lambda home: home.tile("pv").quality == "good", 30.0, "it is back")

        await asyncio.to_thread(lists.add_vendor, "sim", None)
        for state, wanted in ((State.UNTRUSTED, "quarantined"), (State.LATEST, "trusted")):
            await asyncio.to_thread(_publish, lists, state)
            await until(
                lambda: stands(rig, "battery"),
                lambda d, wanted=wanted: d.standing == wanted,  # type: ignore[misc]
                60.0,
                f"the lists' word: {wanted}",
            )


def _publish(lists: FirmwareRepository, state: State) -> None:
    lists.sign("sim", {LIST: _list("1.0", state)})
    lists.approve("sim")
    lists.publish()
