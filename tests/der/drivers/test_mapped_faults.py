"""Described devices x faults: one clear error with device and point, and back without a restart."""

import logging
import re

import pytest

from der.drivers.mapped.files import load
from der.drivers.mapped.link import MappedLink
from der.errors import TransientError
from der.model import Reading, Setpoint
from der.service import Device, Handle, Mode
from der.sim.faults import FaultKind
from tests.der.drivers.mapped import KINDS, MAPS, Doors, doors, spec
from tests.waiting import until

pytestmark = [pytest.mark.requirement("SVC-READ", "SVC-WRITE", "SVC-CLOSE")]

SAID = {
    FaultKind.SILENCE: "no answer within 0.2 s",
    FaultKind.GARBAGE: "",
    FaultKind.EXCEPTION: "Modbus exception 4 .server device failure.",
    FaultKind.OFF: "",
    FaultKind.REBOOT: "",
    FaultKind.DELAY: "no answer within 0.2 s",
}


def device(at: Doors, name: str) -> Device:
    """Return a device that opens as the hub opens it."""

    async def connect() -> MappedLink:
        return await at.link(name, timeout_s=0.2)

    return Device(spec(name), connect)


@pytest.mark.parametrize("kind", SAID)
@pytest.mark.parametrize("name", MAPS)
async def test_a_fault_is_one_error_and_it_comes_back(name: str, kind: FaultKind) -> None:
    async with doors(name) as at:
        opened = device(at, name)
        handle = await opened.open(Mode.READ_WRITE)
        before = await handle.read()
        at.faults[name].set(kind, delay_s=0.4)
        said = await failure(handle)
        named = re.match(rf"{name}: (\w+)[ ,].*127\.0\.0\.1:", said)
        assert named is not None
        assert named[1] in load(MAPS[name]).points
        assert re.search(SAID[kind], said)
        assert "\n" not in said
        await handle.close()
        at.faults[name].set(FaultKind.NONE)
        again = await reopened(opened)
        assert (await again.read()).power_w == pytest.approx(before.power_w, abs=1)
        await again.close()


@pytest.mark.parametrize("name", [name for name in MAPS if name != "sg_ready"])
async def test_a_wrong_scale_factor_is_no_measurement(name: str) -> None:
    async with doors(name) as at:
        link = await at.link(name)
        if name in {"victron", "luna2000", "former"}:
            await link.write(Setpoint(2000, 60))
        if name == "heidelberg":
            await link.write(Setpoint(3680, 60))
        at.step(3)
        at.faults[name].set(FaultKind.SCALE)
        with pytest.raises(TransientError, match=rf"^{name}: power of -?\d.* W makes no sense"):
            await link.read()
        at.faults[name].set(FaultKind.NONE)
        found: Reading = await link.read()
        assert abs(found.power_w) <= KINDS[name][2] or abs(found.power_w) <= -KINDS[name][1]
        await link.close()


@pytest.mark.parametrize("name", MAPS)
async def test_a_stuck_device_reads_as_it_did_and_does_not_take_what_it_is_told(name: str) -> None:
    async with doors(name) as at:
        link = await at.link(name)
        at.faults[name].set(FaultKind.STUCK)
        before = await link.read()
        at.house.fixed_load_w = 2000.0
        at.house.fixed_pv_w = 1000.0
        at.step()
        assert await link.read() == before
        verified = {
            "victron": 1000.0,
            "luna2000": 1000.0,
            "heidelberg": 2000.0,
            "sg_ready": 0.0,
            "relay_board": 0.0,
        }
        if name in verified:
            with pytest.raises(TransientError, match=rf"^{name}: \w+ at .* did not change: "):
                await link.write(Setpoint(verified[name], 60))
        await link.close()


async def test_after_a_reboot_it_is_prepared_anew() -> None:
    async with doors("heidelberg") as at:
        opened = device(at, "heidelberg")
        handle = await opened.open(Mode.READ_WRITE)
        await handle.write(Setpoint(2300, 600))
        at.faults["heidelberg"].set(FaultKind.REBOOT)
        await failure(handle)
        await handle.close()
        at.faults["heidelberg"].set(FaultKind.NONE)
        done = len(at.written)
        again = await reopened(opened)
        await again.write(Setpoint(2300, 600))
        assert at.written[done:] == ["262=60", "258=4", "261=100"]
        await again.close()


async def test_a_watchdog_that_cannot_be_fed_is_said_once_and_costs_no_reading(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with doors("victron") as at:
        link = await at.link("victron")
        await link.write(Setpoint(1000, 600))
        at.home.devices["victron"].restart()
        at.faults["victron"].set(FaultKind.STUCK)
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                at.clock.seconds += 20
                await link.read()
        said = [record.getMessage() for record in caplog.records]
        assert len(said) == 1
        assert said[0].startswith("victron: setpoint at 127.0.0.1:")
        at.faults["victron"].set(FaultKind.NONE)
        at.clock.seconds += 20
        await link.read()
        at.step()
        assert at.house.now.battery.power_w == 1000
        await link.close()


async def failure(handle: Handle) -> str:
    """Read until that fails: a device that leaves the network does so in a moment."""
    for _ in range(50):
        try:
            await handle.read()
        except TransientError as error:
            return str(error)
    raise AssertionError("it goes on answering")


async def reopened(opened: Device) -> Handle:
    """Open a device anew, as soon as it is there."""

    async def attempt() -> Handle | None:
        try:
            return await opened.open(Mode.READ_WRITE)
        except TransientError:
            return None

    handle = await until(attempt, lambda found: found is not None, 10, "it comes back")
    assert handle is not None
    return handle
