"""The utility's log: standard codes for DER alarms, our own for the rest, begin and end."""

import pytest

from der.model import Alarm, DeviceState
from hems.emg.alarm_log import GRACE_S, AlarmLog, Code
from hems.sep2.enddevice.logevents import DER, GENERAL, SECURITY, STANDARD, STANDARD_PEN, VENDOR
from tests.hems.emg.home import BATTERY, METER, PV, image, lost, state

pytestmark = [pytest.mark.requirement("PRO-2030.5"), pytest.mark.requirement("ROLE-EMG")]


def pv(*alarms: Alarm) -> DeviceState:
    return state(PV, -100.0, alarms=frozenset(alarms))


def seen(log: AlarmLog, *devices: DeviceState, at: float = 100.0) -> list[tuple[int, int, int]]:
    return [(h.function_set, h.code, h.profile) for h in log.look(image(*devices, at=at))]


@pytest.mark.parametrize(
    ("alarm", "begin"),
    [
        (Alarm.OVER_VOLTAGE, 2),
        (Alarm.UNDER_VOLTAGE, 4),
        (Alarm.OVER_FREQUENCY, 6),
        (Alarm.UNDER_FREQUENCY, 8),
        (Alarm.STOPPED, 14),
    ],
)
def test_a_der_alarm_and_its_return_to_normal_have_the_standards_codes(
    alarm: Alarm, begin: int
) -> None:
    log = AlarmLog(pen=99)
    assert seen(log, pv()) == []
    (happening,) = log.look(image(pv(alarm), at=120.0))
    assert (happening.at, happening.pen) == (120.0, STANDARD_PEN)
    assert (happening.function_set, happening.code, happening.profile) == (DER, begin, STANDARD)
    assert seen(log, pv(alarm)) == []
    assert seen(log, pv()) == [(DER, begin + 1, STANDARD)]


def test_der_together_have_one_alarm_as_their_status_has() -> None:
    log = AlarmLog()
    trouble = frozenset({Alarm.OVER_VOLTAGE})
    assert len(seen(log, pv(Alarm.OVER_VOLTAGE), state(BATTERY, 0.0, alarms=trouble))) == 1
    assert seen(log, pv(), state(BATTERY, 0.0, alarms=trouble)) == []
    assert seen(log, pv(), state(BATTERY, 0.0, alarms=frozenset())) == [(DER, 3, STANDARD)]


def test_a_device_that_does_not_answer_is_lost_until_it_does() -> None:
    log = AlarmLog(pen=99)
    assert seen(log, state(METER, 1.0)) == []
    (gone,) = log.look(image(lost(METER)))
    assert (gone.function_set, gone.code) == (GENERAL, Code.DEVICE_LOST)
    assert (gone.profile, gone.pen, gone.details) == (VENDOR, 99, "Meter")
    assert seen(log, lost(METER)) == []
    assert seen(log, state(METER, 1.0)) == [(GENERAL, Code.DEVICE_BACK, VENDOR)]


def test_a_start_is_no_loss_but_a_device_that_never_comes_is() -> None:
    log = AlarmLog()
    assert seen(log, lost(METER), at=100.0) == []
    assert seen(log, lost(METER), at=101.0) == []
    assert len(seen(log, lost(METER), at=101.0 + GRACE_S)) == 1


def test_tampering_and_faults_have_codes_of_our_own() -> None:
    log = AlarmLog()
    assert seen(log, pv(Alarm.OPENED, Alarm.FAULT)) == [
        (SECURITY, Code.TAMPER, VENDOR),
        (DER, Code.FAULT, VENDOR),
    ]
    assert seen(log, lost(PV))[1:] == [], "an alarm is not over because nobody answers"
    assert seen(log, pv()) == [
        (DER, Code.DEVICE_BACK, VENDOR),
        (SECURITY, Code.TAMPER_OVER, VENDOR),
        (DER, Code.FAULT_OVER, VENDOR),
    ]


def test_certificate_troubles_are_told() -> None:
    told = AlarmLog().certificate(5.0, "expired")
    assert (told.at, told.function_set, told.code) == (5.0, SECURITY, Code.CERTIFICATE)
