"""What PV and storage do now, in the words of DERStatus; from what they were last read as.

A device that was not read lately says nothing here: neither that it runs nor that it is off. One
that is lost counts as a fault of the whole.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from der.model import Alarm, Control, DeviceKind, DeviceState, Quality, RunState
from hems.sep2 import resources as res
from hems.sep2.rules.dialect import Dialect

_CONNECTED, _AVAILABLE, _OPERATING, _FAULT = 1 << 0, 1 << 1, 1 << 2, 1 << 4
_ENERGISED: Final = 1 << 1
_UNKNOWN, _OFF, _OPERATIONAL = 0, 1, 2
_CHARGING, _DISCHARGING, _HOLDING = 0, 1, 2
_DEAD_BAND_W: Final = 20.0
"""Less than this is standstill: what an inverter itself uses."""
_WHOLE: Final = 10_000
"""100 % in hundredths of a per cent."""
_INV_OFF, _INV_READY, _INV_RUNS, _INV_LIMITED, _INV_FAULT, _INV_STANDBY = 1, 3, 4, 5, 7, 8
_INVERTER: Final[Mapping[RunState, int]] = {
    RunState.OFF: _INV_OFF,
    RunState.SLEEPING: 2,
    RunState.STARTING: _INV_READY,
    RunState.RUNNING: _INV_RUNS,
    RunState.THROTTLED: _INV_LIMITED,
    RunState.SHUTTING_DOWN: 6,
    RunState.FAULT: _INV_FAULT,
    RunState.STANDBY: _INV_STANDBY,
}
_TELLING: Final = (
    *(_INV_FAULT, _INV_LIMITED, _INV_RUNS, 6, _INV_READY, _INV_STANDBY, 2),
    *(_INV_OFF, 0),
)
"""Inverter states: of several inverters the first in this order is told."""
ALARM_BITS: Final[Mapping[Alarm, int]] = {
    Alarm.OVER_VOLTAGE: 1,
    Alarm.UNDER_VOLTAGE: 2,
    Alarm.OVER_FREQUENCY: 3,
    Alarm.UNDER_FREQUENCY: 4,
    Alarm.STOPPED: 7,
}
"""Bits of alarmStatus; the other alarms have none, and go to the log under our own codes."""


def status(
    devices: Sequence[DeviceState], at: int, dialect: Dialect, *, remote: bool = False
) -> res.DERStatus:
    """Return what PV and storage do.

    Args:
        devices: PV and storage that are one DER to the utility.
        at: When they were read, server's clock.
        dialect: What the server speaks; 2023 has one connection status in place of two.
        remote: Whether the utility has a control in force.
    """
    good = [d for d in devices if d.quality is Quality.GOOD and d.reading is not None]
    battery = [d for d in devices if d.spec.kind is DeviceKind.BATTERY]
    pv = [d for d in devices if d.spec.kind is DeviceKind.PV]
    soc = mean_soc(battery)
    old = dialect is not Dialect.V2023
    joint = _joint(good)
    storing = _storage_mode([d for d in good if d.spec.kind is DeviceKind.BATTERY])
    return res.DERStatus(
        alarm_status=_alarms(good),
        connect_status=None
        if old or joint is None
        else res.ConnectStatusType2(date_time=at, value=joint),
        gen_connect_status=_connect(pv, at) if old else None,
        inverter_status=res.InverterStatusType(date_time=at, value=_inverter(devices)),
        local_control_mode_status=res.LocalControlModeStatusType(date_time=at, value=int(remote)),
        operational_mode_status=res.OperationalModeStatusType(date_time=at, value=_operation(good)),
        reading_time=at,
        state_of_charge_status=None
        if soc is None
        else res.StateOfChargeStatusType(date_time=at, value=round(soc * _WHOLE)),
        storage_mode_status=None
        if storing is None
        else res.StorageModeStatusType(date_time=at, value=storing),
        stor_connect_status=_connect(battery, at) if old else None,
    )


def mean_soc(devices: Sequence[DeviceState]) -> float | None:
    """Return the state of charge of batteries together, 0 to 1; None if none is known now."""
    known = [
        (d.reading.soc, d.reading.capacity_wh or 1.0)
        for d in devices
        if d.quality is Quality.GOOD and d.reading is not None and d.reading.soc is not None
    ]
    whole = sum(wh for _, wh in known)
    return sum(soc * wh for soc, wh in known) / whole if known else None


def power_w(device: DeviceState) -> float:
    """Return the power that a device was last read at; 0 if it never was."""
    return device.reading.power_w if device.reading is not None else 0.0


def _on_grid(device: DeviceState) -> bool:
    return device.reading is not None and device.reading.connected is not False


def _works(device: DeviceState) -> bool:
    return _on_grid(device) and abs(power_w(device)) >= _DEAD_BAND_W


def _alarms(good: Sequence[DeviceState]) -> int | None:
    told = [d.reading.alarms for d in good if d.reading is not None]
    known = [alarms for alarms in told if alarms is not None]
    if not known:
        return None
    bits = {ALARM_BITS[a] for alarms in known for a in alarms if a in ALARM_BITS}
    return sum(1 << bit for bit in bits)


def _connect(devices: Sequence[DeviceState], at: int) -> res.ConnectStatusType | None:
    """Return the connection of a kind of devices; None if there are none or nothing is known."""
    good = [d for d in devices if d.quality is Quality.GOOD]
    lost = any(d.quality is Quality.LOST for d in devices)
    if not good and not lost:
        return None
    bits = _FAULT if lost or any(_faulty(d) for d in good) else 0
    if any(_on_grid(d) for d in good):
        bits |= _CONNECTED | _AVAILABLE
    if any(_works(d) for d in good):
        bits |= _OPERATING
    return res.ConnectStatusType(date_time=at, value=bits)


def _joint(good: Sequence[DeviceState]) -> int | None:
    """Return the connection status of 2023; None if nothing is known."""
    if not good:
        return None
    connected = any(_on_grid(d) for d in good)
    energised = any(
        _on_grid(d) and d.reading is not None and d.reading.voltage_v != 0.0 for d in good
    )
    return (_CONNECTED if connected else 0) | (_ENERGISED if energised else 0)


def _operation(good: Sequence[DeviceState]) -> int:
    if not good:
        return _UNKNOWN
    return _OPERATIONAL if any(_on_grid(d) for d in good) else _OFF


def _faulty(device: DeviceState) -> bool:
    reading = device.reading
    if reading is None:
        return False
    return reading.state is RunState.FAULT or Alarm.FAULT in (reading.alarms or ())


def _inverter(devices: Sequence[DeviceState]) -> int:
    """Return the inverter status that says most, of all devices."""
    found = {_inverter_of(d) for d in devices}
    return next((state for state in _TELLING if state in found), 0)


def _inverter_of(device: DeviceState) -> int:
    if device.quality is Quality.LOST:
        return _INV_FAULT
    reading = device.reading
    if device.quality is not Quality.GOOD or reading is None:
        return 0
    if _faulty(device):
        return _INV_FAULT
    if not _on_grid(device):
        return _INV_OFF
    if reading.state is not None and reading.state is not RunState.RUNNING:
        return _INVERTER[reading.state]
    if _held_back(device):
        return _INV_LIMITED
    if _works(device):
        return _INV_RUNS
    return _INV_READY if device.spec.kind is DeviceKind.PV else _INV_STANDBY


def _held_back(device: DeviceState) -> bool:
    """Whether a limit keeps PV from giving what it could: it runs right at one below its rating."""
    limit_w = device.setpoint.power_w if device.setpoint is not None else None
    if limit_w is None and device.reading is not None:
        limit_w = device.reading.limit_w
    if limit_w is None or device.spec.control is not Control.FLOOR:
        return False
    below_rating = limit_w > device.spec.min_w + _DEAD_BAND_W
    return below_rating and power_w(device) <= limit_w + _DEAD_BAND_W


def _storage_mode(good: Sequence[DeviceState]) -> int | None:
    if not good:
        return None
    total_w = sum(power_w(d) for d in good)
    if total_w > _DEAD_BAND_W:
        return _CHARGING
    return _DISCHARGING if total_w < -_DEAD_BAND_W else _HOLDING
