"""A device that does not take what it is told is said once, not counted on, and tried again."""

import pytest

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading, Setpoint
from hems.cem.orders import Order
from hems.cem.refusals import Refusals
from hems.image import Image

CAR = DeviceSpec("ev", DeviceKind.EVSE, "Car", Control.CEILING, 0.0, 7360.0, 1380.0)
IMAGE = Image(0.0, 1, {"ev": DeviceState(CAR, Reading(0.0, 3680.0), Quality.GOOD)})
LIMIT = Setpoint(0.0, 60.0)


def quality(refusals: Refusals, now: float) -> Quality:
    return refusals.without(IMAGE, now).devices["ev"].quality


@pytest.mark.requirement("LC-TEST")
def test_one_failure_is_none_two_are_and_after_a_while_it_is_tried_again() -> None:
    refusals = Refusals()
    assert not refusals.refused("ev", "busy", 0.0)
    assert quality(refusals, 0.5) is Quality.GOOD
    assert refusals.refused("ev", "busy", 1.0)
    assert quality(refusals, 1.5) is Quality.STALE
    assert refusals.words == {"ev": "busy"}
    assert not refusals.refused("ev", "broken", 2.0)
    assert quality(refusals, 31.9) is Quality.STALE
    assert quality(refusals, 32.0) is Quality.GOOD
    assert refusals.refused("ev", "broken", 32.0)  # still: one attempt is enough to know
    assert quality(refusals, 33.0) is Quality.STALE
    refusals.taken("ev")
    assert quality(refusals, 33.0) is Quality.GOOD
    assert refusals.words == {}


@pytest.mark.requirement("LC-TEST")
def test_who_has_what_it_is_to_have_refuses_nothing() -> None:
    refusals = Refusals()
    refusals.refused("ev", "busy", 0.0)
    refusals.refused("battery", "busy", 0.0)
    refusals.settle({"ev": Order(LIMIT, write=True)})
    assert set(refusals.words) == {"ev", "battery"}
    refusals.settle({"ev": Order(LIMIT, write=False)})
    assert set(refusals.words) == {"battery"}
