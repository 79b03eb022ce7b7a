"""The list of trusted devices with real devices of the service model and a real store."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from der.commands import Disconnect
from der.errors import RejectedError
from der.model import Connection, Setpoint
from der.service import Device, Mode
from hems.clock import SystemClock
from hems.emg.trust import kept
from hems.emg.trust.standing import Blocker, Cause, TrustError, TrustStanding, UnknownDeviceError
from hems.emg.trust.trust import Trust, TrustEvents
from hems.security_event import EventKind, SecurityEvent
from hems.store.errors import StoreError
from hems.store.store import Store, open_store
from tests.der.shelf import METER, SPEC, Shelf

pytestmark = pytest.mark.requirement("L2-TRUST", "L2-BLOCK", "L1-TAMPER")

OLD = Connection("192.168.1.40:502", "Maker", "Box", "1", "1.0", host="192.168.1.40")
OTHER = replace(OLD, serial="2")
KEYED = replace(OLD, key="a" * 64)
MAC = "aa:bb:cc:dd:ee:01"


@dataclass(slots=True)
class Named(Shelf):
    """A device that says who it is."""

    is_: Connection = OLD

    @property
    def connection(self) -> Connection:
        return self.is_


@dataclass
class House:
    """A battery and a meter, a store, and all that was told."""

    store: Store
    battery: Named = field(default_factory=Named)
    notes: list[SecurityEvent] = field(default_factory=list)
    alarms: dict[str, str] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    mac: str = ""
    changes: int = 0

    async def made(self, *others: str) -> tuple[Trust, Device]:
        """Start anew; `others` are further devices."""
        self.battery.answers.set()
        meter = Named()
        meter.answers.set()

        async def battery_link() -> Shelf:
            return self.battery

        async def meter_link() -> Shelf:
            return meter

        devices = {"bat": Device(SPEC, battery_link), "meter": Device(METER, meter_link)}
        for name in others:
            devices[name] = Device(replace(SPEC, id=name, name=name.title()), meter_link)
        trust = Trust(
            self.store.settings,
            devices,
            SystemClock(),
            TrustEvents(self._alarm, self._spawn, self._changed, self.notes.append),
            mac=lambda host: self.mac if host else "",
        )
        await trust.load()
        return trust, devices["bat"]

    async def settled(self) -> None:
        """Wait for what was begun beside."""
        await asyncio.gather(*self.tasks)

    @property
    def kinds(self) -> list[EventKind]:
        return [each.kind for each in self.notes]

    def _alarm(self, source: str, text: str | None) -> None:
        if text is None:
            self.alarms.pop(source, None)
        else:
            self.alarms[source] = text

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = await open_store(tmp_path / "home.sqlite", SystemClock())
    yield House(store)
    await store.close()


async def told(device: Device) -> None:
    """Open a device, tell it something, and close it."""
    handle = await device.open(Mode.READ_WRITE)
    try:
        await handle.write(Setpoint(100, 10))
    finally:
        await handle.close()


async def test_a_home_that_had_its_devices_before_trusts_them(house: House) -> None:
    trust, battery = await house.made()
    await told(battery)
    await house.settled()
    view = trust.standings["bat"]
    assert view.standing is TrustStanding.TRUSTED
    assert view.identity is not None
    assert (view.identity.manufacturer, view.identity.serial) == ("Maker", "1")
    assert (house.notes, house.alarms) == ([], {})


async def test_another_device_at_the_same_address_is_told_nothing(house: House) -> None:
    trust, battery = await house.made()
    await told(battery)
    house.battery.is_ = OTHER
    with pytest.raises(RejectedError, match="its serial number is 2, not 1"):
        await told(battery)
    await house.settled()
    assert len(house.battery.setpoints) == 1
    assert house.battery.commands == [], "not even that it is to go off"
    view = trust.standings["bat"]
    assert view.standing is TrustStanding.QUARANTINED
    assert house.kinds == [EventKind.DEVICE_CHANGED]
    assert house.notes[0].source == "192.168.1.40"
    assert "in quarantine" in house.alarms["trust bat"]
    with pytest.raises(RejectedError):
        await battery.open(Mode.READ_ONLY)
    assert house.changes == 1


async def test_a_device_that_changes_under_an_open_handle_is_told_nothing(house: House) -> None:
    _, battery = await house.made()
    handle = await battery.open(Mode.READ_WRITE)
    house.battery.is_ = OTHER
    with pytest.raises(RejectedError, match="serial number"):
        await handle.write(Setpoint(100, 10))
    await house.settled()
    assert (house.battery.setpoints, handle.closed) == ([], True)


async def test_the_owner_takes_the_new_one(house: House) -> None:
    trust, battery = await house.made()
    await told(battery)
    house.battery.is_ = OTHER
    with pytest.raises(RejectedError):
        await told(battery)
    await house.settled()
    await trust.approve("bat", "Ann: the old one broke")
    await told(battery)
    assert trust.standings["bat"].standing is TrustStanding.TRUSTED
    assert house.alarms == {}
    assert house.notes[-1].kind is EventKind.DEVICE_ADMITTED
    assert house.notes[-1].text.endswith("On the word of Ann: the old one broke.")


async def test_the_owner_puts_the_old_one_back(house: House) -> None:
    trust, battery = await house.made()
    await told(battery)
    house.battery.is_ = OTHER
    with pytest.raises(RejectedError):
        await told(battery)
    await house.settled()
    await trust.lift("bat")
    with pytest.raises(RejectedError, match="serial number"):
        await told(battery)
    await house.settled()
    house.battery.is_ = OLD
    await trust.lift("bat")
    await told(battery)
    assert trust.standings["bat"].standing is TrustStanding.TRUSTED


@pytest.mark.requirement("L2-EVENTS")
async def test_what_a_rule_shuts_goes_back_to_its_own_control_and_waits(house: House) -> None:
    trust, battery = await house.made()
    held = await battery.open(Mode.READ_WRITE)
    await held.write(Setpoint(500, 30))
    await trust.quarantine("bat", Cause.THREAT, "it floods the hub")
    assert house.battery.setpoints[-1] is None, "it is not left as it was driven"
    assert house.battery.commands == [], "nor taken off: a rule can err"
    with pytest.raises(RejectedError, match="it floods the hub"):
        await held.write(Setpoint(500, 30))
    trust, battery = await house.made()
    with pytest.raises(RejectedError, match="it floods the hub"):
        await told(battery)
    await trust.lift("bat", "owner")
    await told(battery)
    assert trust.standings["bat"].standing is TrustStanding.TRUSTED


async def test_a_graver_reason_beside_a_rule_takes_it_off(house: House) -> None:
    trust, battery = await house.made()
    await battery.open(Mode.READ_WRITE)
    await trust.quarantine("bat", Cause.FIRMWARE, "it runs what must not run")
    await trust.quarantine("bat", Cause.THREAT, "it floods the hub")
    assert house.battery.commands == [Disconnect()]


async def test_all_of_it_outlives_a_restart(house: House) -> None:
    trust, battery = await house.made()
    await told(battery)
    await house.settled()
    await trust.block("bat", "it was stolen")
    assert house.battery.commands == [Disconnect()]
    trust, battery = await house.made()
    assert trust.standings["bat"].blocks == {Blocker.OWNER: "it was stolen"}
    with pytest.raises(RejectedError, match="it was stolen"):
        await battery.open(Mode.READ_WRITE)
    await trust.allow("bat")
    house.battery.is_ = OTHER
    with pytest.raises(RejectedError, match="serial number"):
        await told(battery)


async def test_a_device_that_is_added_later_is_new(house: House) -> None:
    await house.made()
    trust, _ = await house.made("heater")
    view = trust.standings["heater"]
    assert view.standing is TrustStanding.NEW
    assert house.kinds == [EventKind.DEVICE_NEW]
    assert "once you have approved it" in house.alarms["trust heater"]
    await trust.approve("heater")
    assert trust.standings["heater"].standing is TrustStanding.TRUSTED
    assert house.alarms == {}


async def test_a_block_outlives_that_the_device_is_taken_out(house: House) -> None:
    trust, _ = await house.made("heater")
    await trust.block("heater", "it hums")
    await house.made()
    trust, _ = await house.made("heater")
    assert trust.standings["heater"].standing is TrustStanding.BLOCKED


async def test_the_lists_block_is_not_the_owners_to_take_back(house: House) -> None:
    trust, _ = await house.made()
    await trust.block("bat", "recalled by its maker", Blocker.ENTERPRISE)
    assert "service provider has blocked Battery" in house.alarms["trust bat"]
    with pytest.raises(TrustError, match="only the list"):
        await trust.allow("bat")
    await trust.allow("bat", Blocker.ENTERPRISE)
    assert trust.standings["bat"].standing is TrustStanding.TRUSTED


async def test_a_doubt_comes_and_goes(house: House) -> None:
    trust, battery = await house.made()
    await told(battery)
    await trust.quarantine("bat", Cause.FIRMWARE, "it runs firmware that must not run")
    await trust.quarantine("bat", Cause.FIRMWARE, "it runs firmware that must not run")
    assert house.battery.commands == [Disconnect()], "once"
    assert house.kinds == [EventKind.DEVICE_QUARANTINED]
    await trust.clear("bat", Cause.UNRELIABLE)
    assert trust.standings["bat"].standing is TrustStanding.QUARANTINED
    await trust.clear("bat", Cause.FIRMWARE)
    await told(battery)
    assert house.kinds[-1] is EventKind.RELIABLE_AGAIN


async def test_a_device_that_cannot_be_taken_off_is_shut_all_the_same(house: House) -> None:
    trust, battery = await house.made()
    await told(battery)
    house.battery.fails = True
    await trust.block("bat", "it was stolen")
    assert battery.shut_because == "it was stolen"


@pytest.mark.requirement("L2-KEYS")
async def test_a_key_that_was_given_up_is_refused_wherever_it_shows(house: House) -> None:
    house.battery.is_ = KEYED
    trust, battery = await house.made("heater")
    await told(battery)
    house.battery.is_ = replace(KEYED, key="b" * 64)
    with pytest.raises(RejectedError, match="another key"):
        await told(battery)
    await house.settled()
    await trust.approve("bat")
    assert [each.key for each in trust.standings["bat"].revoked] == [KEYED.key]
    house.battery.is_ = KEYED
    with pytest.raises(RejectedError, match="given up"):
        await told(battery)
    await house.settled()
    with pytest.raises(TrustError, match="given up"):
        await trust.approve("bat")


async def test_its_network_address_counts_where_it_is_seen(house: House) -> None:
    house.mac = MAC
    trust, battery = await house.made()
    await told(battery)
    house.mac = ""  # not in the table just now
    await told(battery)
    house.mac = "aa:bb:cc:dd:ee:02"
    with pytest.raises(RejectedError, match="MAC"):
        await told(battery)
    identity = trust.standings["bat"].identity
    assert identity is not None
    assert identity.mac == MAC


async def test_a_list_that_cannot_be_read_is_said_and_stops_nobody(house: House) -> None:
    await house.store.settings.put(kept.KEY, "nonsense")
    trust, battery = await house.made()
    assert "cannot be read" in house.alarms["trust"]
    assert house.kinds == [EventKind.STORE_DAMAGED]
    await told(battery)
    assert trust.standings["bat"].standing is TrustStanding.TRUSTED


async def test_a_list_that_is_read_late_is_not_written_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust, _ = await house.made("heater")
    await trust.block("bat", "it was stolen")

    async def full() -> dict[str, str]:
        raise StoreError("the disk is full")

    with monkeypatch.context() as held:
        held.setattr(house.store.settings, "all", full)
        trust, battery = await house.made("heater")
        assert "cannot be read" in house.alarms["trust"]
        await told(battery)
        await trust.block("heater", "it hums")
        assert "cannot be kept" in house.alarms["trust kept"]
    await trust.allow("heater")
    assert house.alarms == {}
    with pytest.raises(RejectedError, match="it was stolen"):
        await battery.open(Mode.READ_ONLY)
    trust, _ = await house.made("heater")
    assert trust.standings["bat"].blocks == {Blocker.OWNER: "it was stolen"}
    assert trust.standings["heater"].standing is TrustStanding.TRUSTED


async def test_no_such_device(house: House) -> None:
    trust, _ = await house.made()
    for asked in (
        trust.block("x", "why"),
        trust.allow("x"),
        trust.approve("x"),
        trust.lift("x"),
        trust.quarantine("x", Cause.FIRMWARE, "why"),
        trust.clear("x", Cause.FIRMWARE),
    ):
        with pytest.raises(UnknownDeviceError, match="no device 'x'"):
            await asked
