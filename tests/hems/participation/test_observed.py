"""When a device is seen to obey, as a table; and that the ledger is told once."""

import math

import pytest

from der.model import Quality, Reading
from hems.cem.effects import Effect as Written
from hems.image import Image
from hems.participation.observed import LOOKED_FOR_S, Observed, obeys
from hems.store.effects import Effect
from tests.hems.money.homes import T, image, state

pytestmark = pytest.mark.requirement("L1-OWNER")


def written(setpoint_w: float | None, *, event: str = "E", at: float | None = T + 1.0) -> Written:
    return Written(event, "peak-shaving", "battery", T, at, setpoint_w)


@pytest.mark.parametrize(
    ("device", "setpoint_w", "power_w", "expected"),
    [
        ("battery", -2000.0, -1850.0, True),  # within 5 % of its 4 kW
        ("battery", -2000.0, -1700.0, False),
        ("battery", -2000.0, -2300.0, False),
        ("car", 1400.0, 0.0, True),  # a ceiling
        ("car", 1400.0, 1690.0, True),
        ("car", 1400.0, 1800.0, False),
        ("tank", 0.0, 1900.0, False),
        ("tank", 0.0, 5.0, True),
        ("pv", -1000.0, -900.0, True),  # a floor
        ("pv", -1000.0, -2000.0, False),
        ("meter", 0.0, 0.0, False),  # takes no orders
        ("battery", -2000.0, math.nan, False),
    ],
)
def test_obeys(device: str, setpoint_w: float, power_w: float, *, expected: bool) -> None:
    assert obeys(state(device, Reading(T, power_w)), setpoint_w, power_w) is expected


def test_it_is_noted_once_when_it_is_first_seen() -> None:
    observed = Observed()
    observed.told(written(-2000.0))
    assert observed.look(image(T + 1.0, {"battery": -2000.0})) == []  # read before it was told
    assert observed.look(image(T + 2.0, {"battery": 0.0})) == []
    expected = Effect("E", "peak-shaving", "battery", observed_w=-1990.0, observed_at=T + 3.0)
    assert observed.look(image(T + 3.0, {"battery": -1990.0})) == [expected]
    assert observed.look(image(T + 4.0, {"battery": -1990.0})) == []


def test_only_good_readings_count_and_not_for_ever() -> None:
    observed = Observed()
    observed.told(written(-2000.0))
    stale = {"battery": state("battery", Reading(T + 3.0, -2000.0), Quality.STALE)}
    assert observed.look(Image(T + 3.0, 3, stale)) == []
    assert observed.look(image(T + 2.0 + LOOKED_FOR_S, {"battery": 0.0})) == []
    assert observed.look(image(T + 3.0 + LOOKED_FOR_S, {"battery": -2000.0})) == []


@pytest.mark.parametrize(
    "after",
    [written(500.0, event=""), written(None), written(1000.0, event="F")],
    ids=["the plan's", "its own control", "another event's"],
)
def test_the_last_word_counts(after: Written) -> None:
    observed = Observed()
    observed.told(written(-2000.0))
    observed.told(after)
    assert observed.look(image(T + 3.0, {"battery": -2000.0})) == []


def test_what_was_not_confirmed_is_not_looked_for() -> None:
    observed = Observed()
    observed.told(written(-2000.0, at=None))
    assert observed.look(image(T + 3.0, {"battery": -2000.0})) == []
