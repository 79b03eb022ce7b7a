"""A device that does not take what it is told is said once, not counted on, and tried again."""

from itertools import pairwise

import pytest

from der.model import DeviceSpec, DeviceState, Quality, Reading, Setpoint
from hems.cem.allocator import allocate
from hems.cem.arbiter import arbitrate
from hems.cem.orders import Order
from hems.cem.refusals import Refusals
from hems.image import Image
from programs.proposal import Proposal
from tests.hems.cem.plant import CAR, METER, PV, Loop, Plant, limit

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
    refusals.settle({"ev": Order(LIMIT, write=True)}, 0.5)
    assert set(refusals.words) == {"ev", "battery"}
    refusals.settle({"ev": Order(LIMIT, write=False)}, 0.5)
    assert set(refusals.words) == {"battery"}


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("spec", "tight", "loose"),
    [(CAR, limit(2_500), limit(4_500)), (PV, limit(lower_w=-500), limit(lower_w=-3_000))],
    ids=["a charger", "an inverter"],
)
def test_one_that_keeps_what_it_has_and_refuses_more_is_tried_now_and_then(
    spec: DeviceSpec, tight: Proposal, loose: Proposal
) -> None:
    """Not at once again because it goes on taking what it had."""
    loop = Loop(Plant((METER, spec), base_w=750, sun_w=4_000, wants={spec.id: 7_000}))
    plant, refusals = loop.plant, Refusals()
    loop.run(100, tight)
    held_w, tried = plant.power[spec.id], []
    for second in range(200):
        image = refusals.without(plant.image(), second)
        out = image.devices[spec.id].quality is not Quality.GOOD
        made = allocate(image, arbitrate((loose,), plant.at), plant.at, loop.memory, loop.policy)
        loop.memory = made.memory
        refusals.settle(made.orders, second)
        order = made.orders[spec.id]
        assert order.setpoint is not None
        if order.write and abs(order.setpoint.power_w) > abs(held_w):
            assert not out
            refusals.refused(spec.id, "busy", second)
            tried.append(second)
        elif order.write:
            loop.memory = loop.memory.confirmed(spec.id, order.setpoint, plant.at)
            if not order.refresh:
                refusals.taken(spec.id)
        plant.step()
    assert tried[:2] == [tried[0], tried[0] + 1]
    assert [b - a for a, b in pairwise(tried[1:])] == [30] * (len(tried) - 2)
    assert refusals.words == {spec.id: "busy"}
