"""What the owner is told of lost devices and of limits that are not met."""

import pytest

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems.image import Image
from hems.watch import Watch

CAR = DeviceSpec("ev", DeviceKind.EVSE, "Car", Control.CEILING, 0.0, 7360.0)


def image(at: float, quality: Quality = Quality.GOOD) -> Image:
    return Image(at, int(at), {"ev": DeviceState(CAR, Reading(at, 0.0), quality)})


@pytest.mark.parametrize(
    ("quality", "said"),
    [(Quality.GOOD, None), (Quality.STALE, None), (Quality.LOST, "Car does not answer")],
)
def test_a_lost_device_is_said_by_its_name(quality: Quality, said: str | None) -> None:
    _, alarms = Watch().look(image(1.0, quality), 0.0)
    assert alarms["device ev"] == said


def test_a_device_that_answers_nonsense_is_said_to_do_that() -> None:
    state = DeviceState(CAR, Reading(1.0, 0.0), Quality.LOST, "ev: read gave nan W", nonsense=True)
    _, alarms = Watch().look(Image(1.0, 1, {"ev": state}), 0.0)
    assert alarms["device ev"] == "Car answers, but what it says cannot be"


def test_a_limit_that_stays_unmet_is_said_with_its_size_and_taken_back() -> None:
    watch, said = Watch(), []
    for second in range(10):
        watch, alarms = watch.look(image(100.0 + second), 1900.0 if second < 8 else 0.0)
        said.append(alarms["limit"])
    assert said[:5] == [None] * 5
    assert said[5] is not None
    assert "1.9 kW beyond its limit" in said[5]
    assert said[8:] == [None, None]


def test_what_is_missing_is_told_anew_only_where_it_has_moved_much() -> None:
    watch, said = Watch(), []
    for second, unmet_w in enumerate([1000.0] * 6 + [1100.0, 800.0, 1490.0, 1600.0, 1500.0, 500.0]):
        watch, alarms = watch.look(image(100.0 + second), unmet_w)
        said.append(alarms["limit"])
    assert said[5:9] == [said[5]] * 4
    assert said[9] is not None
    assert "1.6 kW" in said[9]
    assert said[10] == said[9]
    assert said[11] is not None
    assert "500 W" in said[11]


def test_a_moment_over_the_limit_is_not_worth_a_word() -> None:
    watch = Watch()
    for second in range(20):
        watch, alarms = watch.look(image(float(second)), 500.0 if second % 3 == 0 else 50.0)
        assert alarms["limit"] is None
