"""DERStatus is what PV and storage were read as, and says nothing of what was not read."""

import pytest

from der.model import Alarm, DeviceState, Quality, RunState, Setpoint
from hems.emg import der_status
from hems.sep2 import resources as res
from hems.sep2.rules.dialect import Dialect
from tests.hems.emg.home import BATTERY, PV, lost, state

pytestmark = [pytest.mark.requirement("ROLE-EMG"), pytest.mark.requirement("PRO-2030.5")]

CONNECTED, OPERATING, FAULT = 0b011, 0b111, 0b10000


def status(*devices: DeviceState, dialect: Dialect = Dialect.CSIP_AUS) -> res.DERStatus:
    return der_status.status(devices, 140, dialect)


def stale(device: DeviceState) -> DeviceState:
    return DeviceState(device.spec, device.reading, Quality.STALE)


@pytest.mark.parametrize(
    ("devices", "gen", "stor", "operation", "inverter"),
    [
        # PV alone: producing, dark, disconnected, held back, lost, stale
        ([state(PV, -2000.0)], OPERATING, None, 2, 4),
        ([state(PV, 0.0)], CONNECTED, None, 2, 3),
        ([state(PV, 0.0, connected=False)], 0, None, 1, 1),
        ([state(PV, -1000.0, limit_w=-1000.0)], OPERATING, None, 2, 5),
        ([state(PV, -500.0, limit_w=-1000.0)], OPERATING, None, 2, 4),
        ([lost(PV)], FAULT, None, 0, 7),
        ([stale(state(PV, -2000.0))], None, None, 0, 0),
        # a battery: charging, holding, disconnected, lost
        ([state(BATTERY, 3000.0)], None, OPERATING, 2, 4),
        ([state(BATTERY, 5.0)], None, CONNECTED, 2, 8),
        ([state(BATTERY, 0.0, connected=False)], None, 0, 1, 1),
        ([lost(BATTERY)], None, FAULT, 0, 7),
        # both: one of them says most
        ([state(PV, -2000.0), state(BATTERY, 0.0)], OPERATING, CONNECTED, 2, 4),
        ([state(PV, -2000.0), lost(BATTERY)], OPERATING, FAULT, 2, 7),
        ([state(PV, 0.0, connected=False), state(BATTERY, 900.0)], 0, OPERATING, 2, 4),
        ([state(PV, -2000.0), stale(state(BATTERY, 9.0))], OPERATING, None, 2, 4),
        # what the inverter says itself goes first
        ([state(PV, 0.0, state=RunState.SLEEPING)], CONNECTED, None, 2, 2),
        ([state(PV, -900.0, state=RunState.THROTTLED)], OPERATING, None, 2, 5),
        ([state(PV, -900.0, state=RunState.FAULT)], OPERATING | FAULT, None, 2, 7),
        ([state(PV, -900.0, alarms=frozenset({Alarm.FAULT}))], OPERATING | FAULT, None, 2, 7),
    ],
)
def test_the_state_is_what_was_read(
    devices: list[DeviceState], gen: int | None, stor: int | None, operation: int, inverter: int
) -> None:
    told = status(*devices)
    assert (told.gen_connect_status and told.gen_connect_status.value) == gen
    assert (told.stor_connect_status and told.stor_connect_status.value) == stor
    assert told.operational_mode_status is not None
    assert told.operational_mode_status.value == operation
    assert told.inverter_status is not None
    assert told.inverter_status.value == inverter
    assert told.connect_status is None
    assert told.reading_time == 140


def test_a_set_point_of_ours_that_holds_pv_back_is_a_derating() -> None:
    held = DeviceState(PV, state(PV, -1500.0).reading, Quality.GOOD, None, Setpoint(-1500.0, 60))
    told = status(held)
    assert told.inverter_status is not None
    assert told.inverter_status.value == 5


@pytest.mark.parametrize(("power_w", "mode"), [(1000.0, 0), (-1000.0, 1), (5.0, 2)])
def test_storage_charges_discharges_or_holds(power_w: float, mode: int) -> None:
    told = status(state(BATTERY, power_w, soc=0.5, capacity_wh=6400.0))
    assert told.storage_mode_status is not None
    assert told.storage_mode_status.value == mode
    assert told.state_of_charge_status is not None
    assert told.state_of_charge_status.value == 5000


def test_a_lost_battery_is_not_reported_from_memory() -> None:
    told = status(lost(BATTERY, soc=0.5))
    assert told.storage_mode_status is None
    assert told.state_of_charge_status is None


@pytest.mark.parametrize(
    ("devices", "value"),
    [
        ([state(PV, -900.0)], 0b11),
        ([state(PV, 0.0, connected=False)], 0),
        ([state(PV, 0.0, voltage_v=0.0)], 0b01),
        ([lost(PV)], None),
    ],
)
def test_2023_has_one_connection_status(devices: list[DeviceState], value: int | None) -> None:
    told = status(*devices, dialect=Dialect.V2023)
    assert (told.connect_status and told.connect_status.value) == value
    assert told.gen_connect_status is None
    assert told.stor_connect_status is None


def test_alarms_have_the_standards_bits_and_unknown_ones_are_not_told() -> None:
    assert status(state(PV, 0.0)).alarm_status is None
    alarms = frozenset({Alarm.OVER_VOLTAGE, Alarm.STOPPED, Alarm.OPENED})
    told = status(state(PV, 0.0, alarms=alarms), state(BATTERY, 0.0, alarms=frozenset()))
    assert told.alarm_status == 1 << 1 | 1 << 7


@pytest.mark.parametrize("remote", [True, False])
def test_a_control_in_force_is_remote_control(remote: bool) -> None:
    told = der_status.status([state(PV, 0.0)], 1, Dialect.V2018, remote=remote)
    assert told.local_control_mode_status is not None
    assert told.local_control_mode_status.value == int(remote)
