"""From descriptions to devices."""

import time
from dataclasses import replace

import pytest

from der.addresses import MappedAddress, ModbusAddress, StationAddress
from der.description import DeviceDescription
from der.drivers.ocpp.central import CentralSystem
from der.errors import PermanentError, TransientError
from der.model import Control, DeviceKind
from der.registry import build
from der.service import Mode
from tests.der.described import described
from tests.der.drivers.ocpp.chargers import calling
from tests.der.drivers.servers import BASE, serve_board, serve_registers, sunspec_map
from tests.der.drivers.test_sunspec import METERED

NOWHERE = ModbusAddress("127.0.0.1", 9)
BOARD = "relay-board"


METER = described("meter", DeviceKind.METER, "sunspec", NOWHERE)
TANK = described("tank", DeviceKind.WATER_HEATER, "modbus", MappedAddress(NOWHERE, BOARD), 2000)
EV = described("ev", DeviceKind.EVSE, "ocpp16", StationAddress("CP1"), 7360)


def named(description: DeviceDescription, device: str) -> DeviceDescription:
    return replace(description, spec=replace(description.spec, id=device))


@pytest.mark.parametrize(
    ("descriptions", "fault"),
    [
        ([replace(METER, driver="knx")], "meter: unknown driver 'knx' .known: sunspec, modbus"),
        ([METER, named(TANK, "meter")], "meter: two devices have this id"),
        ([replace(METER, at=None)], "meter: driver sunspec needs a ModbusAddress"),
        ([replace(EV, at=NOWHERE)], "ev: driver ocpp16 needs a StationAddress"),
        ([replace(METER, driver="ocpp16")], "meter: driver ocpp16 cannot drive a meter"),
        ([replace(TANK, spec=replace(TANK.spec, max_w=0))], "tank: range 0 to 0 W is empty"),
        ([named(METER, "")], "a meter has no id"),
        ([replace(TANK, at=MappedAddress(NOWHERE, "nothing"))], "tank: nothing: no such file, and"),
        ([EV, named(EV, "ev2")], "two chargers have the OCPP identity 'CP1'"),
    ],
)
def test_bad_descriptions(descriptions: list[DeviceDescription], fault: str) -> None:
    with pytest.raises(PermanentError, match=f"^{fault}"):
        build(descriptions, now=time.time)


def test_specs_and_order() -> None:
    registry = build([EV, METER, TANK], now=time.time)
    assert list(registry.devices) == ["ev", "meter", "tank"]
    controls = [device.spec.control for device in registry.devices.values()]
    assert controls == [Control.CEILING, Control.NONE, Control.SWITCH]
    assert registry.devices["tank"].spec is TANK.spec


async def test_a_home_without_chargers_listens_to_nothing() -> None:
    registry = build([METER], now=time.time)
    await registry.start()
    assert not any(isinstance(s, CentralSystem) for s in registry.services.values())
    await registry.stop()


@pytest.mark.requirement("SVC-OPEN", "SVC-READ")
async def test_devices_of_all_drivers_open_and_read() -> None:
    async with (
        serve_registers(BASE, sunspec_map(METERED)) as meter,
        serve_board([0, 1500, 500, 0b111]) as board,
    ):
        tank = replace(TANK, at=MappedAddress(board.address, BOARD))
        registry = build([replace(METER, at=meter.address), tank, EV], now=time.time)
        await registry.start()
        await registry.start()
        try:
            (central,) = (s for s in registry.services.values() if isinstance(s, CentralSystem))
            async with calling(central.port, "ocpp1.6") as ev:
                await ev.plug("Available")
                powers = {}
                for name, device in registry.devices.items():
                    handle = await device.open(Mode.READ_ONLY)
                    powers[name] = (await handle.read()).power_w
                    await handle.close()
                assert powers == {"meter": -1520, "tank": 1500, "ev": 0}
        finally:
            await registry.stop()
            await registry.stop()


async def test_one_lost_device_is_one_error() -> None:
    registry = build([replace(EV, deadline_s=1.0), METER], now=time.time)
    await registry.start()
    with pytest.raises(TransientError, match=r"^ev: charger has not called in$"):
        await registry.devices["ev"].open(Mode.READ_WRITE)
    with pytest.raises(TransientError, match=r"^meter: no Modbus connection to 127\.0\.0\.1:9"):
        await registry.devices["meter"].open(Mode.READ_ONLY)
    await registry.stop()
