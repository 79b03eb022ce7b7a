"""Power set-points as a table: what is asked, what the home has, what each battery runs at."""

import math

import pytest

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from programs import set_point
from programs.inputs import Inputs
from programs.proposal import GENERATION, Proposal, Rank
from programs.signal import Signal, SignalKind

NOW = 1_000.0
STORAGE, DER = SignalKind.STORAGE_POWER, SignalKind.DER_POWER


def device(
    name: str,
    kind: DeviceKind,
    rating: tuple[float, float],
    power_w: float = 0.0,
    quality: Quality = Quality.GOOD,
) -> DeviceState:
    control = Control.FLOOR if kind is DeviceKind.PV else Control.TARGET
    spec = DeviceSpec(name, kind, name, control, *rating)
    return DeviceState(spec, Reading(NOW, power_w), quality)


SUN = device("sun", DeviceKind.PV, (-5_000, 0), -2_000)
OLD_SUN = device("sun", DeviceKind.PV, (-5_000, 0), -2_000, Quality.STALE)
BIG = device("big", DeviceKind.BATTERY, (-6_000, 3_000))
SMALL = device("small", DeviceKind.BATTERY, (-2_000, 1_000))
LOST = device("lost", DeviceKind.BATTERY, (-2_000, 1_000), quality=Quality.LOST)


def told(
    kind: SignalKind, value_w: float, devices: tuple[DeviceState, ...], *, ends_at: float = NOW + 60
) -> tuple[Proposal, ...]:
    signal = Signal("E1", "Grid", kind, value_w, NOW - 60, ends_at, binding=True)
    return set_point.propose(Inputs([signal], {d.spec.id: d for d in devices}, 0.0, NOW))


@pytest.mark.requirement("BUC-12")
@pytest.mark.parametrize(
    ("kind", "value_w", "devices", "parts"),
    [
        (STORAGE, 2_000.0, (BIG, SMALL), {"big": 1_500.0, "small": 500.0}),
        (STORAGE, -4_000.0, (BIG, SMALL), {"big": -3_000.0, "small": -1_000.0}),
        (STORAGE, -99_000.0, (BIG, SMALL), {"big": -6_000.0, "small": -2_000.0}),
        (STORAGE, 0.0, (BIG,), {"big": 0.0}),
        (STORAGE, 1_000.0, (BIG, LOST), {"big": 1_000.0}),
        (STORAGE, 1_000.0, (SUN,), {}),
        # The sun gives 2 kW: for 5 kW in all the battery gives 3, for 500 W it takes 1.5.
        (DER, -5_000.0, (SUN, BIG), {"big": -3_000.0}),
        (DER, -500.0, (SUN, BIG), {"big": 1_500.0}),
        (DER, 1_000.0, (SUN, BIG), {"big": 3_000.0}),
        # What the sun gives is not known: the battery carries it alone.
        (DER, -1_000.0, (OLD_SUN, BIG), {"big": -1_000.0}),
    ],
)
def test_batteries_share_what_is_asked_by_their_rating(
    kind: SignalKind, value_w: float, devices: tuple[DeviceState, ...], parts: dict[str, float]
) -> None:
    own = {p.target: p for p in told(kind, value_w, devices) if p.target != GENERATION}
    assert {name: p.bounds.lower_w for name, p in own.items()} == parts
    assert all(p.bounds.lower_w == p.bounds.upper_w for p in own.values())
    assert all(p.rank is Rank.BINDING and p.cause == "E1" for p in own.values())


@pytest.mark.requirement("BUC-12")
@pytest.mark.parametrize(("value_w", "floor_w"), [(-500.0, -500.0), (0.0, 0.0), (800.0, 0.0)])
def test_the_sun_gives_way_where_the_battery_cannot_take_it(value_w: float, floor_w: float) -> None:
    (floor,) = [p for p in told(DER, value_w, (SUN, BIG)) if p.target == GENERATION]
    assert (floor.bounds.lower_w, floor.bounds.upper_w) == (floor_w, math.inf)
    assert not [p for p in told(STORAGE, value_w, (SUN, BIG)) if p.target == GENERATION]


def test_a_set_point_ends_with_its_event() -> None:
    assert told(STORAGE, 1_000.0, (BIG,), ends_at=NOW) == ()
