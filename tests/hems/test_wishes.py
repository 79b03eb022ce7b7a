"""The owner's wishes: taken, ended, kept over a restart."""

from pathlib import Path

import pytest

from der.model import Control, DeviceKind, DeviceSpec
from hems.device_surface import UnknownDeviceError
from hems.store.store import open_store
from hems.surface import ImpossibleWishError
from hems.wishes import Wishes
from programs.proposal import Bounds
from tests.web.surface import ScriptedClock

CAR = DeviceSpec("car", DeviceKind.EVSE, "Car", Control.CEILING, 0, 7360)
TANK = DeviceSpec("tank", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0, 2000)

pytestmark = pytest.mark.requirement("L1-OWNER")


async def test_kept_over_a_restart_until_they_end(tmp_path: Path) -> None:
    clock = ScriptedClock(1000.0)
    store = await open_store(tmp_path / "hems.db", clock)
    try:
        wishes = Wishes(store.settings, [CAR, TANK], clock)
        await wishes.wish("car", 3000.0, 1600.0)
        await wishes.wish("tank", 0.0, 1300.0)
        await wishes.wish("car", 2000.0, 1600.0)
        assert {name: w.power_w for name, w in wishes.present.items()} == {"car": 2000, "tank": 0}
        clock.at = 1400.0
        assert set(wishes.present) == {"car"}
        again = Wishes(store.settings, [CAR, TANK], clock)
        await again.load()
        (kept,) = again.policy.wishes
        assert (kept.device, kept.until, kept.bounds) == ("car", 1600, Bounds(upper_w=2000))
        await again.end("car")
        await again.end("car")
        assert again.policy.wishes == ()
        last = Wishes(store.settings, [CAR, TANK], clock)
        await last.load()
        assert not last.present
    finally:
        await store.close()


async def test_what_cannot_be_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    clock = ScriptedClock(1000.0)
    store = await open_store(tmp_path / "hems.db", clock)
    try:
        wishes = Wishes(store.settings, [CAR], clock)
        await wishes.wish("car", 3000.0, 1600.0)
        with pytest.raises(UnknownDeviceError):
            await wishes.wish("boat", 0.0, 1600.0)
        with pytest.raises(UnknownDeviceError):
            await wishes.end("boat")
        with pytest.raises(ImpossibleWishError):
            await wishes.wish("car", 9e9, 1600.0)
        assert wishes.present["car"].power_w == 3000
    finally:
        await store.close()


@pytest.mark.parametrize(
    "text", ["", "{", "null", '{"power_w": NaN, "until": 1600}', '{"power_w": 1e9, "until": 1600}']
)
async def test_what_is_damaged_is_left(tmp_path: Path, text: str) -> None:
    clock = ScriptedClock(1000.0)
    store = await open_store(tmp_path / "hems.db", clock)
    try:
        await store.settings.put("wish car", text)
        await store.settings.put("wish gone", '{"power_w": 0, "until": 1600}')
        wishes = Wishes(store.settings, [CAR], clock)
        await wishes.load()
        assert not wishes.present
    finally:
        await store.close()


async def test_without_a_disk_a_wish_still_holds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ScriptedClock(1000.0)
    store = await open_store(tmp_path / "hems.db", clock)
    wishes = Wishes(store.settings, [CAR], clock)
    await store.close()
    (tmp_path / "hems.db").write_bytes(b"no database" * 100)
    await wishes.load()
    await wishes.wish("car", 0.0, 1600.0)
    assert wishes.present["car"].power_w == 0
    assert "will not outlive a restart" in caplog.text
