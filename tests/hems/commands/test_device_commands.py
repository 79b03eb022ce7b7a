"""`hems device ...` as a person uses it, against the simulated house; no file edited by hand."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from hems.settings.devices_file import tables
from tests.e2e.rig import Home
from tests.hems.commands.device_home import CAR, DeviceHome, device_home
from tests.waiting import until

pytestmark = [pytest.mark.timeout(240), pytest.mark.requirement("LC-COMMISSION")]


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[DeviceHome]:
    async with device_home(tmp_path) as running:
        yield running


async def test_from_nothing_to_a_controlled_home(home: DeviceHome) -> None:
    scanned = await home.run("scan", "--json", "--listen", "6s", *home.swept)
    assert scanned.code == 0, scanned.error
    found = {row["kind"]: row["number"] for row in json.loads(scanned.out)["found"]}
    assert {"meter", "pv", "battery", "evse"} <= set(found)

    meter = await home.run("add", "Grid meter", "--found", str(found["meter"]))
    assert meter.code == 0, meter.error
    assert "there is nothing to end" in meter.out, "its safeguard is said"
    battery = await home.run("add", "Battery", "--found", str(found["battery"]), "--move", "1s")
    assert battery.code == 0, battery.error
    assert "Simulated Home Battery inverter SIM-BAT-1" in battery.out, "who answers"
    assert "a timer in the device ends the last set-point" in battery.out
    assert "Battery did what it was told" in battery.out
    car = await home.run("add", "Car", "--found", str(found["evse"]), *CAR, "--move", "1s")
    assert car.code == 0, car.error
    assert "Car did what it was told" in car.out

    listed = json.loads((await home.run("list", "--json")).out)
    assert [row["id"] for row in listed] == ["grid_meter", "battery", "car"]
    assert {Path(row["file"]) for row in listed} == {home.devices}
    again = json.loads((await home.run("scan", "--json", "--listen", "1s", *home.swept)).out)
    marks = {row["kind"]: row["configured"] for row in again["found"]}
    assert (marks["meter"], marks["battery"], marks["pv"]) == ("grid_meter", "battery", "")

    await home.start_hub()
    await home.has("grid_meter", "battery", "car")

    def obeys(seen: Home) -> bool:
        tile = seen.tile("battery")
        return (
            tile.setpoint_w is not None
            and tile.power_w is not None
            and abs(tile.setpoint_w) > 500
            and abs(tile.power_w - tile.setpoint_w) < 200
        )

    await until(home.home, obeys, 30.0, "the battery does what the hub tells it")


@pytest.mark.deep
async def test_adding_testing_and_removing_while_the_hub_runs(home: DeviceHome) -> None:
    assert (await home.add("Grid meter", "meter", "--kind", "meter")).code == 0
    assert (await home.add("Battery", "battery")).code == 0
    await home.start_hub()
    await home.has("grid_meter", "battery")

    added = await home.add("Tank", "water_heater", "--kind", "water_heater", "--max", "3 kW")
    assert added.code == 0, added.error
    assert "Tank did what it was told" in added.out, "though the battery follows the meter"
    await home.has("grid_meter", "battery", "tank")

    scanned = json.loads((await home.run("scan", "--json", "--listen", "5s", *home.swept)).out)
    marks = {row["configured"]: row["how"] for row in scanned["found"] if row["configured"]}
    assert marks["battery"] == ["held by the hub"], "it is not called while the hub holds it"
    car = next(row for row in scanned["found"] if row["kind"] == "evse")
    added = await home.run("add", "Car", "--found", str(car["number"]), *CAR, "--move", "1s")
    assert added.code == 0, added.error
    assert "Car did what it was told" in added.out
    shown = await home.run("show", "tank")
    assert shown.code == 0, shown.error
    assert "3000 W" in shown.out
    assert "the device's own timer ends the last set-point" in shown.out
    tested = await home.run("test", "battery", "--move", "1s")
    assert tested.code == 0, tested.out + tested.error
    assert "the running hub moves Battery" in tested.error

    removed = await home.run("remove", "battery", "--yes")
    assert removed.code == 0, removed.error
    await home.has("grid_meter", "tank", "car")

    async def battery_w() -> object:
        return (await home.truth())["battery"]

    await until(
        battery_w,
        lambda now: "'power_w': -0" in str(now) or "'power_w': 0" in str(now),
        60.0,
        "the battery is given back",
    )
    assert not [line for line in home.hub.log_end(200).splitlines() if "Traceback" in line]


async def test_a_device_that_fails_its_test_does_not_join(home: DeviceHome) -> None:
    assert (await home.add("Grid meter", "meter", "--kind", "meter")).code == 0
    await home.fault("meter", "stuck")
    refused = await home.add("Battery", "battery")
    assert refused.code == 1
    assert "Battery FAILED its test move" in refused.out
    assert refused.error.strip().endswith("(--force adds it all the same)")
    assert len(tables(home.devices)) == 1
    forced = await home.add("Battery", "battery", "--force")
    assert forced.code == 0, forced.error
    assert len(tables(home.devices)) == 2
    assert (await home.run("test", "battery", "--move", "1s")).code == 1

    await home.fault("pv", "off")
    silent = await home.add("Roof", "pv", "--kind", "pv", "--min", "-4 kW")
    assert silent.code == 1
    assert silent.error.startswith("hems: roof: ")
    assert len(silent.error.splitlines()) == 1
    untested = await home.add("Roof", "pv", "--kind", "pv", "--min", "-4 kW", "--no-test")
    assert untested.code == 1, "without a test it must at least answer"
    assert len(tables(home.devices)) == 2


@pytest.mark.requirement("LC-TEST")
async def test_a_faulty_devices_file_leaves_the_running_home_as_it_is(home: DeviceHome) -> None:
    assert (await home.add("Grid meter", "meter", "--kind", "meter")).code == 0
    await home.start_hub()
    await home.has("grid_meter")
    good = home.devices.read_bytes()

    for faulty, said in (
        (b"\xff\x00", "is not UTF-8 text"),
        (b"[[device]", "is not TOML"),
        (good.replace(b'"sunspec"', b'"telepathy"'), "device[0].driver"),
        (good + good, "two devices are called 'grid_meter'"),
        (good.replace(b'host = "127.0.0.1"', b'host = ""'), "must not be empty"),
    ):
        home.devices.write_bytes(faulty)
        seen = await until(
            home.home,
            lambda now, said=said: any(said in alarm for alarm in now.alarms),  # type: ignore[misc]
            15.0,
            f"an alarm that says: {said}",
        )
        assert any("The change of devices is not taken" in alarm for alarm in seen.alarms)
        assert [d.id for d in seen.devices] == ["grid_meter"]
        before = (await home.home()).seq
        await until(home.home, lambda now, b=before: now.seq >= b + 2, 10.0, "cycles go on")  # type: ignore[misc]
    home.devices.write_bytes(good)
    await until(home.home, lambda now: not now.alarms, 15.0, "the alarm is over")
    seen_on_page: list[int] = []
    async with asyncio.timeout(60), aclosing(home.streamed()) as stream:
        async for now in stream:  # one stream, of one home after the other
            if seen_on_page[-1:] == [len(now.devices)]:
                continue
            seen_on_page.append(len(now.devices))
            if len(seen_on_page) == 1:
                home.devices.unlink()
            elif len(seen_on_page) == 2:
                home.devices.write_bytes(good)
            else:
                break
    assert seen_on_page == [1, 0, 1], "never a page without devices in between"
    await home.has("grid_meter")


async def test_one_command_at_a_time_changes_the_file(home: DeviceHome) -> None:
    first = asyncio.create_task(home.add("Grid meter", "meter", "--kind", "meter"))
    second = asyncio.create_task(home.add("Roof", "pv"))
    ended = sorted([(await first).code, (await second).code])
    assert ended[0] == 0
    ids = [str(table["id"]) for table in tables(home.devices) if isinstance(table, dict)]
    assert len(ids) == ended.count(0), "neither has overwritten the other's"
