"""Where a battery's power may be between two decisions: every limit holds there."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from hems.cem.allocator import allocate
from hems.cem.arbiter import arbitrate
from hems.cem.memory import Memory
from hems.cem.orders import Allocation
from hems.cem.policy import AllocatorPolicy
from hems.image import Image
from programs.proposal import HOME, Bounds, Proposal, Rank

NOW = 1000.0
METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, 0.0, 0.0)
BATTERY = DeviceSpec("battery", DeviceKind.BATTERY, "Battery", Control.TARGET, -5000.0, 5000.0)
OTHER = replace(BATTERY, id="other")
POLICY = AllocatorPolicy()


def decide(
    net_w: float,
    *wishes: Proposal,
    soc: float = 0.5,
    meter: Quality = Quality.GOOD,
    batteries: tuple[DeviceSpec, ...] = (BATTERY,),
    regulated_w: float = 0.0,
) -> Allocation:
    """Decide on a home whose batteries stand still, but for what a faster loop adds."""
    reading = Reading(NOW, regulated_w, soc=soc, capacity_wh=1e4, regulated_w=regulated_w)
    devices = {"meter": DeviceState(METER, Reading(NOW, net_w), meter)}
    devices |= {b.id: DeviceState(b, reading, Quality.GOOD) for b in batteries}
    image = Image(NOW, 1, devices)
    return allocate(image, arbitrate(wishes, NOW), NOW, Memory(), POLICY)


def wish(
    target: str, bounds: Bounds, rank: Rank = Rank.BINDING, preferred_w: float | None = None
) -> Proposal:
    return Proposal("test", rank, target, bounds, preferred_w, NOW + 60)


@pytest.mark.requirement("BUC-3")
def test_without_limits_it_is_what_the_battery_can() -> None:
    assert decide(500.0).rooms == {"battery": Bounds(-5000.0, 5000.0)}


@pytest.mark.requirement("BUC-3")
@given(
    st.floats(-4000, 4000),
    st.floats(0, 6000),
    st.floats(0, 6000),
    st.sampled_from([Rank.SAFETY, Rank.EMERGENCY, Rank.BINDING, Rank.ACCEPTED, Rank.ECONOMY]),
)
def test_anywhere_in_it_the_meter_keeps_to_its_limits(
    house_w: float, most_w: float, least_w: float, rank: Rank
) -> None:
    """The meter would show the house and the battery, wherever in its room that is.

    Unless the battery alone cannot bring the home inside: then its room is where it helps most.
    """
    found = decide(house_w, wish(HOME, Bounds(-least_w, most_w), rank))
    room = found.rooms["battery"]
    assert room.lower_w <= room.upper_w
    reachable = house_w - 5000 <= most_w - 150 and house_w + 5000 >= -least_w + 150
    if reachable and most_w + least_w > 400:
        assert house_w + room.upper_w <= most_w
        assert house_w + room.lower_w >= -least_w
    setpoint = found.orders["battery"].setpoint
    if setpoint is not None:
        assert room.lower_w - 1 <= setpoint.power_w <= room.upper_w + 1


def test_what_only_pays_leaves_it_free_and_an_event_does_not() -> None:
    narrow = Bounds(-100.0, 100.0)
    assert decide(0.0, wish("battery", narrow, Rank.ECONOMY)).rooms["battery"].upper_w == 5000
    assert decide(0.0, wish("battery", narrow, Rank.OWNER)).rooms["battery"].upper_w == 5000
    assert decide(0.0, wish("battery", narrow, Rank.ACCEPTED)).rooms["battery"] == narrow


def test_the_reserve_is_kept_and_a_full_battery_takes_nothing() -> None:
    assert decide(0.0, soc=0.1).rooms["battery"].lower_w == 0
    assert decide(0.0, soc=1.0).rooms["battery"].upper_w == 0


def test_nobody_swings_in_the_dark() -> None:
    assert decide(0.0, meter=Quality.LOST).rooms == {}


@pytest.mark.requirement("BUC-3")
def test_the_other_battery_counts_as_it_is_told() -> None:
    limit = wish(HOME, Bounds(upper_w=1000.0))
    told = wish("other", Bounds(), preferred_w=600.0)
    found = decide(0.0, limit, told, batteries=(BATTERY, OTHER))
    assert found.orders["other"].setpoint is not None
    assert found.rooms["battery"].upper_w <= 400
    assert found.rooms["other"].upper_w <= 1000


@pytest.mark.requirement("BUC-3")
@pytest.mark.parametrize("swing_w", [-2000.0, 0.0, 2000.0])
def test_the_swing_is_not_evened_out(swing_w: float) -> None:
    """Meter and battery both show it; what is left between the two is the house."""
    even = wish(HOME, Bounds(), Rank.ECONOMY, preferred_w=0.0)
    found = decide(500.0 + swing_w, even, regulated_w=swing_w)
    setpoint = found.orders["battery"].setpoint
    assert setpoint is not None
    assert setpoint.power_w == -500


def test_a_swing_is_no_weakness() -> None:
    """A battery that was told one power and shows another by its regulation is trusted on."""
    told = wish("battery", Bounds(), preferred_w=-1000.0)
    memory, image_at = Memory(), NOW
    for _ in range(20):
        image_at += 1.0
        reading = Reading(image_at, 500.0, soc=0.5, capacity_wh=1e4, regulated_w=1500.0)
        devices = {
            "meter": DeviceState(METER, Reading(image_at, 1000.0), Quality.GOOD),
            "battery": DeviceState(BATTERY, reading, Quality.GOOD),
        }
        image = Image(image_at, 1, devices)
        wishes = [replace(told, expires_at=image_at + 60)]
        found = allocate(image, arbitrate(wishes, image_at), image_at, memory, POLICY)
        memory = found.memory.confirmed("battery", found.orders["battery"].setpoint, image_at)
    setpoint = found.orders["battery"].setpoint
    assert setpoint is not None
    assert setpoint.power_w == -1000
