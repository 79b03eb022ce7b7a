"""What SunSpec devices say of themselves: inverter state, alarms, phases."""

import pytest

from der.model import Alarm, PhaseReading, RunState
from tests.der.drivers.test_sunspec import INVERTER, METER, METERED, PV, changed, linked

pytestmark = [pytest.mark.requirement("SVC-READ")]


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (0, RunState.OFF),
        (3, RunState.RUNNING),
        (4, RunState.THROTTLED),
        (6, RunState.FAULT),
        (7, RunState.STANDBY),
        (8, None),
        (None, None),
    ],
)
async def test_an_inverter_says_what_it_does(said: int | None, state: RunState | None) -> None:
    async with linked(PV, changed(INVERTER, 701, InvSt=said)) as (link, _):
        assert (await link.read()).state is state


@pytest.mark.parametrize(
    ("said", "alarms"),
    [
        (None, None),
        (0, set()),
        (1 << 10, {Alarm.OVER_VOLTAGE}),
        (1 << 11 | 1 << 9, {Alarm.UNDER_VOLTAGE, Alarm.UNDER_FREQUENCY}),
        (1 << 5 | 1 << 6, {Alarm.OPENED, Alarm.STOPPED}),
        (1 << 0 | 1 << 7 | 1 << 31, {Alarm.FAULT}),
    ],
)
async def test_an_inverter_says_what_it_complains_of(
    said: int | None, alarms: set[Alarm] | None
) -> None:
    async with linked(PV, changed(INVERTER, 701, Alrm=said)) as (link, served):
        reading = await link.read()
        assert reading.alarms == alarms
        assert len(served.frames) <= 3, "it costs no further frame"


async def test_a_meter_of_three_phases_tells_them_apart() -> None:
    three = {"WphA": 10, "WphB": -20, "WphC": 5, "PhVphA": 2300, "PhVphB": 2310, "PhVphC": 2320}
    async with linked(METER, changed(METERED, 203, **three)) as (link, _):
        assert (await link.read()).phases == (
            PhaseReading(100.0, 230.0),
            PhaseReading(-200.0, 231.0),
            PhaseReading(50.0, 232.0),
        )
    async with linked(METER, changed(METERED, 203, **three), inverted=True) as (link, _):
        assert (await link.read()).phases[0] == PhaseReading(-100.0, 230.0)


async def test_a_meter_of_one_phase_has_no_others() -> None:
    async with linked(METER, changed(METERED, 203, WphA=10, PhVphA=2300)) as (link, _):
        reading = await link.read()
        assert reading.phases == (PhaseReading(100.0, 230.0),)
        assert reading.alarms is None
        assert reading.state is None
