"""From descriptions to devices."""

from dataclasses import replace

import pytest

from der.drivers.modbus import ModbusAddress
from der.drivers.ocpp16_station import StationConfig
from der.errors import PermanentError, TransientError
from der.model import Control, DeviceKind
from der.registry import DeviceDescription, build
from der.service import Mode
from tests.der.drivers.charger import charger
from tests.der.drivers.servers import BASE, serve_board, serve_registers, sunspec_map
from tests.der.drivers.test_sunspec import METERED

NOWHERE = ModbusAddress("127.0.0.1", 9)
METER = DeviceDescription("meter", DeviceKind.METER, "Meter", "sunspec", modbus=NOWHERE)
TANK = DeviceDescription(
    "tank", DeviceKind.WATER_HEATER, "Tank", "relay", modbus=NOWHERE, max_w=2000
)
EV = DeviceDescription(
    "ev", DeviceKind.EVSE, "Car", "ocpp16", station=StationConfig("CP1"), max_w=7360
)


@pytest.mark.parametrize(
    ("descriptions", "fault"),
    [
        ([replace(METER, driver="knx")], "meter: unknown driver 'knx' .known: sunspec, relay"),
        ([METER, replace(TANK, id="meter")], "meter: two devices have this id"),
        ([replace(METER, modbus=None)], "meter: driver sunspec needs a Modbus address"),
        ([replace(EV, station=None)], "ev: driver ocpp16 needs the charger's identity"),
        ([replace(METER, driver="relay")], "meter: driver relay cannot drive a meter"),
        ([replace(TANK, max_w=0)], "tank: range 0 to 0 W is empty"),
        ([replace(METER, id="")], "a meter has no id"),
        ([EV, replace(EV, id="ev2")], "two chargers have the OCPP identity 'CP1'"),
    ],
)
def test_bad_descriptions(descriptions: list[DeviceDescription], fault: str) -> None:
    with pytest.raises(PermanentError, match=f"^{fault}"):
        build(descriptions)


def test_specs_and_order() -> None:
    registry = build([EV, replace(METER, max_age_s=3), replace(TANK, essentiality=2)])
    assert list(registry.devices) == ["ev", "meter", "tank"]
    controls = [device.spec.control for device in registry.devices.values()]
    assert controls == [Control.CEILING, Control.NONE, Control.SWITCH]
    assert registry.devices["meter"].spec.max_age_s == 3
    assert registry.devices["tank"].spec.essentiality == 2


async def test_a_home_without_chargers_listens_to_nothing() -> None:
    registry = build([METER])
    await registry.start()
    assert registry.central is None
    await registry.stop()


@pytest.mark.requirement("SVC-OPEN", "SVC-READ")
async def test_devices_of_all_drivers_open_and_read() -> None:
    async with (
        serve_registers(BASE, sunspec_map(METERED)) as meter,
        serve_board([0, 1500, 500, 0b111]) as board,
    ):
        registry = build(
            [replace(METER, modbus=meter.address), replace(TANK, modbus=board.address), EV]
        )
        await registry.start()
        await registry.start()
        try:
            assert registry.central is not None
            async with charger(registry.central.port, "CP1") as ev:
                await ev.status("Available")
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
    registry = build([replace(EV, deadline_s=0.1), METER])
    await registry.start()
    with pytest.raises(TransientError, match=r"^ev: charger has not called in$"):
        await registry.devices["ev"].open(Mode.READ_WRITE)
    with pytest.raises(TransientError, match=r"^meter: no Modbus connection to 127\.0\.0\.1:9"):
        await registry.devices["meter"].open(Mode.READ_ONLY)
    await registry.stop()
