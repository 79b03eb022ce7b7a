"""What the owner's direct wish about a device means."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.model import Control, DeviceKind, DeviceSpec, Ownership
from programs.owner import LONGEST_S, WishError, wished
from programs.proposal import Bounds

NOW = 1_000_000.0
CAR = DeviceSpec("car", DeviceKind.EVSE, "The car", Control.CEILING, 0, 7360)
TANK = DeviceSpec("tank", DeviceKind.WATER_HEATER, "Tank", Control.SWITCH, 0, 2000)
SUN = DeviceSpec("sun", DeviceKind.PV, "Roof", Control.FLOOR, -4000, 0)
CELL = DeviceSpec("cell", DeviceKind.BATTERY, "Cell", Control.TARGET, -5000, 5000)
METER = DeviceSpec("meter", DeviceKind.METER, "Meter", Control.NONE, -9000, 9000)

pytestmark = pytest.mark.requirement("L1-OWNER")


@pytest.mark.parametrize(
    ("spec", "power_w", "bounds", "preferred_w", "words"),
    [
        (CAR, 3000, Bounds(upper_w=3000), None, "it to take at most 3 kW"),
        (CAR, 0, Bounds(upper_w=0), None, "it off"),
        (TANK, 0, Bounds(upper_w=0), None, "it off"),
        (TANK, 1999, Bounds(upper_w=0), None, "it off"),
        (TANK, 2000, Bounds(lower_w=2000), None, "it to run"),
        (SUN, -1500, Bounds(lower_w=-1500), None, "it to give at most 1.5 kW"),
        (CELL, 0, Bounds(0, 0), 0, "it to rest"),
        (CELL, 2500, Bounds(2500, 2500), 2500, "it to charge at 2.5 kW"),
        (CELL, -1000, Bounds(-1000, -1000), -1000, "it to discharge at 1 kW"),
    ],
)
def test_meanings(
    spec: DeviceSpec, power_w: float, bounds: Bounds, preferred_w: float | None, words: str
) -> None:
    wish = wished(spec, power_w, NOW + 60, NOW)
    assert (wish.power_w, wish.meant.device, wish.meant.until) == (power_w, spec.id, NOW + 60)
    assert (wish.meant.bounds, wish.meant.preferred_w) == (bounds, preferred_w)
    assert wish.meant.reason == f"The owner wants {words}"


@pytest.mark.parametrize(
    ("spec", "power_w", "until", "why"),
    [
        (METER, 0, NOW + 60, r"^Meter only measures"),
        (CAR, -1, NOW + 60, r"^The car runs between 0 W and 7360 W, not at -1 W\.$"),
        (CAR, math.nan, NOW + 60, r"not at nan W"),
        (CAR, 1e9, NOW + 60, r"not at 1e\+09 W"),
        (CAR, 0, NOW, r"^A wish needs a time in the future"),
        (CAR, 0, math.inf, r"^A wish needs a time"),
        (CAR, 0, NOW + LONGEST_S + 1, r"^A wish lasts for at most 7 days\.$"),
        (replace(CAR, ownership=Ownership.OTHER), 0, NOW + 60, r"is not the owner's"),
        (replace(CAR, ownership=Ownership.SERVICE_PROVIDER), 0, NOW + 60, r"is not the owner's"),
    ],
)
def test_what_makes_no_sense(spec: DeviceSpec, power_w: float, until: float, why: str) -> None:
    with pytest.raises(WishError, match=why):
        wished(spec, power_w, until, NOW)


@given(
    st.sampled_from([CAR, TANK, SUN, CELL, METER]),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(allow_nan=True, allow_infinity=True),
)
def test_whatever_is_wished_is_refused_or_within_the_range(
    spec: DeviceSpec, power_w: float, until: float
) -> None:
    try:
        meant = wished(spec, power_w, until, NOW).meant
    except WishError:
        return
    assert NOW < meant.until <= NOW + LONGEST_S
    clamped = meant.bounds.clamp(power_w)
    assert spec.min_w <= clamped <= spec.max_w
    assert math.isfinite(meant.bounds.lower_w) or math.isfinite(meant.bounds.upper_w)
