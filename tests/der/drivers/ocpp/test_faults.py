"""Each fault of a simulated charger, over each version of OCPP: named once, over by itself."""

import logging
from dataclasses import dataclass

import pytest

from der.drivers.ocpp.station import Version
from der.errors import DeviceError
from der.model import Setpoint
from der.sim.faults import FaultKind
from tests.der.drivers.ocpp.bench import VERSIONS
from tests.der.drivers.ocpp.home import Ev, charging

pytestmark = [
    pytest.mark.requirement("LC-TEST"),
    pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name),
]

NO_ANSWER = "ev: limit of its power: no answer within 1.5 s"


@dataclass(frozen=True)
class Case:
    """A fault.

    Attributes:
        kind: What goes wrong.
        write: What a write ends in meanwhile; "" if it goes well.
        read: What a read ends in meanwhile; "" if there is a reading, however old.
        logged: What is logged once; "" for nothing.
    """

    kind: FaultKind
    write: str = ""
    read: str = ""
    logged: str = ""


AWAY = "ev: the charger is not connected"
CASES = [
    Case(FaultKind.SILENCE, NO_ANSWER),
    Case(FaultKind.GARBAGE, NO_ANSWER, logged="ev: ignored a frame from the charger: "),
    Case(FaultKind.EXCEPTION, "ev: limit of its power: simulated fault"),
    Case(FaultKind.OFF, "ev: limit of its power: the charger is not connected", AWAY),
    Case(FaultKind.DELAY, NO_ANSWER),
    Case(FaultKind.SCALE, read="ev: Power.Active.Import: not what a charger of 7360 W can draw"),
    Case(FaultKind.STUCK),
    Case(FaultKind.REBOOT, "ev: limit of its power: the charger is not connected", AWAY),
    Case(FaultKind.CLOCK, logged="ev: clock: the charger's is 60 min ahead"),
]
SLOW = {FaultKind.CLOCK, FaultKind.GARBAGE, FaultKind.SILENCE}
"""What takes more than 5 s to be over: calls under way, or a clock that was set back."""


@pytest.mark.requirement("SVC-READ", "SVC-WRITE")
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.kind, marks=[pytest.mark.deep] if case.kind in SLOW else [])
        for case in CASES
    ],
)
async def test_a_fault(version: Version, case: Case, caplog: pytest.LogCaptureFixture) -> None:
    async with charging(version) as ev:
        await ev.handle.write(Setpoint(2300, 600))
        await ev.reads(lambda reading: reading.power_w == 2300)
        caplog.clear()
        caplog.set_level(logging.WARNING, "der.drivers")
        ev.fault.set(case.kind)
        if case.read:
            assert await ev.fails(case.read) == case.read
        if case.write:
            await _refuses(ev, case.write)
        else:
            await ev.handle.write(Setpoint(1840, 600))
            await ev.draws(1800, 1850)
        said = _said(caplog)
        assert len(said) == len(set(said)) <= 3, said  # the same is not said twice
        assert len([line for line in said if "ignored a frame" in line]) <= 2, said
        if case.logged:
            assert [line for line in said if line.startswith(case.logged)], said
        ev.fault.set(FaultKind.NONE)
        # What it was last told, or is told now, holds in the end.
        await _takes(ev, 3000)
        await ev.draws(2950, 3050)
        reading = await ev.reads(lambda reading: abs(reading.power_w - 3000) < 60)
        assert reading.limit_w == 3000


async def test_late_answers_are_no_news(version: Version, caplog: pytest.LogCaptureFixture) -> None:
    async with charging(version) as ev:
        await ev.handle.write(Setpoint(2300, 600))
        caplog.clear()
        ev.fault.set(FaultKind.DELAY, delay_s=2.0)
        for power_w in (2000, 2100):
            with pytest.raises(DeviceError) as caught:
                await ev.handle.write(Setpoint(power_w, 600))
            assert str(caught.value) == NO_ANSWER
        ev.fault.set(FaultKind.NONE)
        await _takes(ev, 3000)
        assert not [line for line in _said(caplog) if "frame" in line]


async def test_a_restarted_charger_is_told_its_limit_again(version: Version) -> None:
    async with charging(version) as ev:
        await ev.handle.write(Setpoint(2300, 600))
        await ev.reads(lambda reading: reading.power_w == 2300)
        ev.fault.set(FaultKind.REBOOT, seconds=1.0)
        await ev.fails(AWAY)
        await ev.reads(lambda reading: reading.limit_w == 2300)
        await ev.draws(2290, 2310)


async def _refuses(ev: Ev, message: str) -> None:
    with pytest.raises(DeviceError) as caught:
        await ev.handle.write(Setpoint(1840, 600))
    assert str(caught.value) == message


async def _takes(ev: Ev, power_w: float) -> None:
    """Write until it is taken; calls that were under way may use up the time of the first."""
    for _ in range(20):
        try:
            await ev.handle.write(Setpoint(power_w, 600))
        except DeviceError:
            await ev.reads(lambda _: True)
        else:
            return
    pytest.fail("it takes nothing any more")


def _said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and record.name.startswith("der.drivers")
    ]
