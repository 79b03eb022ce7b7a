"""What a control centre sees of groups, of what homes told over TLS."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hems.headend.modes import ProgramKind
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings, ProgramSettings
from hems.headend.settle.baseline import Way
from hems.headend.settle.settings import BaselineSettings
from hems.sep2.resources import (
    ActivePower,
    DERCapability,
    DERStatus,
    EndDeviceList,
    StateOfChargeStatusType,
    Time,
    WattHour,
)
from tests.hems.headend.conftest import Home, Operator
from tests.hems.headend.settle.homes import (
    EVENING,
    STEP_S,
    SetClock,
    measure,
    point,
    respond,
    series,
)
from tests.hems.headend.telecontrol.centre import Centre

pytestmark = pytest.mark.requirement("PRO-GATEWAY")

GOOD, OLD, INVALID = 0, 0x40, 0x80
TABLE = """\
common;address;type;carries;scale
1;1;M_ME_TF_1;homes;
1;2;M_ME_TF_1;homes_reached;
1;3;M_ME_TF_1;could_shed_w;
1;4;M_ME_TF_1;could_generate_w;1000
1;5;M_ME_TF_1;could_absorb_w;1000
1;6;M_ME_TF_1;power_w;
1;7;M_ME_TF_1;delivered_w;
1;8;M_ME_TF_1;homes_answering;
1;9;M_SP_TB_1;event_running;
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "points.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


@pytest.fixture
def settings(settings: HeadEndSettings) -> HeadEndSettings:
    before = BaselineSettings(method=Way.BEFORE)
    programs = (
        ProgramSettings(name="Peak Saver", primacy=10, kind=ProgramKind.DER),
        ProgramSettings(name="Support", primacy=20, kind=ProgramKind.DRLC, baseline=before),
    )
    return settings.model_copy(update={"programs": programs})


@pytest.fixture
def clock() -> SetClock:
    return SetClock(EVENING)


@pytest.fixture
async def head_end(settings: HeadEndSettings, clock: SetClock) -> AsyncIterator[HeadEnd]:
    async with HeadEnd(settings, clock) as running:
        yield running


def watts(value: int) -> ActivePower:
    return ActivePower(multiplier=0, value=value)


async def test_what_homes_could_do_and_take_is_told(
    home: Home, other: Home, centre: Centre, clock: SetClock
) -> None:
    del other  # which is never heard of
    (device,) = (await home.get("/edev", EndDeviceList)).end_device
    ratings = DERCapability(
        modes_supported=0,
        rtg_max_w=watts(5000),
        rtg_max_charge_rate_w=watts(4000),
        rtg_max_discharge_rate_w=watts(5000),
        rtg_max_wh=WattHour(multiplier=0, value=10_000),
        type=82,
    )
    soc = StateOfChargeStatusType(date_time=EVENING, value=5000)
    status = DERStatus(reading_time=EVENING, state_of_charge_status=soc)
    for kind, body in (("dercap", ratings), ("ders", status)):
        assert (await home.ask("PUT", f"{device.href}/der/1/{kind}", body)).status == 204
    taken = series(lambda _: 2000.0, EVENING - STEP_S, EVENING)
    await measure(home, await point(home), taken)
    found = await centre.values(lambda told: told[4][1] == GOOD and told[6][0] != 0)
    assert found[1] == (2.0, GOOD)
    assert found[2] == (1.0, GOOD)
    assert found[3] == (0.0, INVALID)  # nobody said what they could shed
    assert found[4] == (5.0, GOOD)
    assert found[5] == (4.0, GOOD)
    assert found[6] == (2000.0, OLD)  # of one home in two nothing is known
    clock.at += 7200
    found = await centre.values(lambda told: told[4][1] == INVALID)
    assert found[6] == (0.0, INVALID)
    assert found[2] == (0.0, GOOD)


async def test_what_an_event_brings_is_told_while_it_is_under_way(
    home: Home, centre: Centre, operator: Operator, clock: SetClock
) -> None:
    place = await point(home)
    await measure(home, place, series(lambda _: 2000.0, EVENING - 4 * STEP_S, EVENING))
    event = await operator.event(program="Support", shed_w=1000, minutes=30)
    clock.at += 1
    for status in (1, 2):
        await respond(home, event["id"], status, clock.at, drlc=True)
    await home.get("/tm", Time)
    found = await centre.values(lambda told: told[8][0] == 1)
    assert found[9] is True
    assert found[7] == (0.0, INVALID)  # no meter has told of it yet
    await measure(home, place, series(lambda _: 1200.0, EVENING, EVENING + STEP_S))
    clock.at = EVENING + STEP_S + 10
    found = await centre.values(lambda told: told[7][1] == GOOD)
    assert found[7] == (800.0, GOOD)
    clock.at = EVENING + 3 * STEP_S + 10
    found = await centre.values(lambda told: told[7][1] == OLD)
    assert found[7] == (800.0, OLD)
    clock.at = EVENING + 3600
    found = await centre.values(lambda told: not told[9])
    assert (found[7], found[8]) == ((0.0, GOOD), (0.0, GOOD))
