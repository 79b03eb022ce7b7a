"""A head-end on a clock that tests set, with programmes that pay and measure in several ways."""

from collections.abc import AsyncIterator

import pytest

from hems.headend.modes import ProgramKind
from hems.headend.server import HeadEnd
from hems.headend.settings import HeadEndSettings, ProgramSettings
from hems.headend.settle.baseline import Way
from hems.headend.settle.settings import BaselineSettings, SettlementSettings
from tests.hems.headend.settle.homes import EVENING, SetClock


@pytest.fixture
def settings(settings: HeadEndSettings) -> HeadEndSettings:
    programs = (
        ProgramSettings(name="Peak Saver", primacy=10, kind=ProgramKind.DER),
        ProgramSettings(name="Support", primacy=20, kind=ProgramKind.DRLC, pay_per_kwh=0.5),
        ProgramSettings(
            name="Quick",
            primacy=15,
            kind=ProgramKind.DRLC,
            baseline=BaselineSettings(method=Way.BETWEEN),
        ),
    )
    rules = SettlementSettings(currency="EUR")
    return settings.model_copy(
        update={"programs": programs, "settlement": rules, "readings_days": 60}
    )


@pytest.fixture
def clock() -> SetClock:
    return SetClock(EVENING)


@pytest.fixture
async def head_end(settings: HeadEndSettings, clock: SetClock) -> AsyncIterator[HeadEnd]:
    async with HeadEnd(settings, clock) as running:
        yield running
