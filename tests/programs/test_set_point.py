"""Power set-points as a table: what is asked, what the home has, what each battery runs at."""

import math

import pytest

from der.model import Control, DeviceKind, DeviceSpec, DeviceState, Quality, Reading
from programs import disconnect, envelope, peak_shaving, set_point
from programs.inputs import Inputs
from programs.proposal import Bounds, Proposal, Rank
from programs.signal import Signal, SignalKind
from tests.hems.cem.plant import Loop, Plant

NOW = 1_000.0
STORAGE, DER = SignalKind.STORAGE_POWER, SignalKind.DER_POWER


def device(
    name: str,
    kind: DeviceKind,
    rating: tuple[float, float],
    power_w: float = 0.0,
    quality: Quality = Quality.GOOD,
    *,
    soc: float | None = None,
) -> DeviceState:
    control = Control.FLOOR if kind is DeviceKind.PV else Control.TARGET
    spec = DeviceSpec(name, kind, name, control, *rating)
    return DeviceState(spec, Reading(NOW, power_w, soc=soc), quality)


SUN = device("sun", DeviceKind.PV, (-5_000, 0), -2_000)
OLD_SUN = device("sun", DeviceKind.PV, (-5_000, 0), -2_000, Quality.STALE)
BIG = device("big", DeviceKind.BATTERY, (-6_000, 3_000))
SMALL = device("small", DeviceKind.BATTERY, (-2_000, 1_000))
FULL = device("full", DeviceKind.BATTERY, (-6_000, 3_000), soc=1.0)
EMPTY = device("empty", DeviceKind.BATTERY, (-2_000, 1_000), soc=0.0)
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
        (STORAGE, 1_000.0, (FULL, SMALL), {"small": 1_000.0}),
        (STORAGE, -4_000.0, (FULL, SMALL), {"full": -3_000.0, "small": -1_000.0}),
        (STORAGE, -1_000.0, (BIG, EMPTY), {"big": -1_000.0}),
        (STORAGE, 1_000.0, (FULL,), {"full": 1_000.0}),
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
    own = [p for p in told(kind, value_w, devices) if p.target != "sun"]
    assert {p.target: p.preferred_w for p in own} == parts
    assert all(p.bounds == Bounds() for p in own)  # limits may move it
    assert all(p.rank is Rank.BINDING and p.cause == "E1" for p in own)


@pytest.mark.requirement("BUC-12")
@pytest.mark.parametrize(
    ("value_w", "battery", "floors"),
    [
        (-500.0, BIG, [-3_500.0]),
        (800.0, BIG, [-2_200.0]),
        (-2_500.0, BIG, []),  # what the battery can take is all that the sun can give
        (-500.0, FULL, [-500.0]),
        (800.0, FULL, [0.0]),
        (-500.0, LOST, [-500.0]),
    ],
)
def test_the_sun_gives_way_where_the_battery_cannot_take_it(
    value_w: float, battery: DeviceState, floors: list[float]
) -> None:
    found = [p.bounds for p in told(DER, value_w, (SUN, battery)) if p.target == "sun"]
    assert [b.lower_w for b in found] == floors
    assert all(b.upper_w == math.inf for b in found)
    assert not [p for p in told(STORAGE, value_w, (SUN, battery)) if p.target == "sun"]


def test_a_set_point_ends_with_its_event() -> None:
    assert told(STORAGE, 1_000.0, (BIG,), ends_at=NOW) == ()


def asked(kind: SignalKind, value_w: float, *, binding: bool = False) -> Signal:
    return Signal(kind.value, "Grid", kind, value_w, -math.inf, math.inf, binding=binding)


def ends_at(plant: Plant, *signals: Signal) -> Plant:
    """Return a home after a minute of what is asked."""
    loop = Loop(plant)
    for _ in range(60):
        image = plant.image()
        inputs = Inputs(signals, image.devices, image.net_w, plant.at)
        loop.decide(
            *set_point.propose(inputs),
            *disconnect.propose(inputs, disconnect.DisconnectPolicy()),
            *envelope.propose(inputs, envelope.EnvelopePolicy()),
            *peak_shaving.propose(inputs, peak_shaving.PeakShavingPolicy()),
        )
        plant.step()
    return plant


@pytest.mark.requirement("BUC-12")
@pytest.mark.parametrize(
    ("value_w", "soc", "battery_w", "sun_w"),
    [
        (-3_000.0, 0.5, 1_000.0, -4_000.0),
        (-6_000.0, 0.5, -2_000.0, -4_000.0),
        (-6_000.0, 0.0, 0.0, -4_000.0),
        (-1_000.0, 1.0, 0.0, -1_000.0),
        (2_000.0, 0.5, 5_000.0, -3_000.0),
        (0.0, 1.0, 0.0, 0.0),
    ],
)
def test_the_battery_never_takes_the_place_of_the_sun(
    value_w: float, soc: float, battery_w: float, sun_w: float
) -> None:
    plant = ends_at(Plant(soc=soc, sun_w=4_000.0), asked(DER, value_w))
    assert (plant.power["battery"], plant.power["pv"]) == (battery_w, sun_w)


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize("binding", [False, True])
@pytest.mark.parametrize(
    ("value_w", "limit", "limit_w", "least_w", "most_w"),
    [
        (3_000.0, SignalKind.IMPORT_LIMIT, 2_000.0, 1_300.0, 1_500.0),
        (3_000.0, SignalKind.LOAD_LIMIT, 2_000.0, 1_300.0, 1_500.0),
        (-3_000.0, SignalKind.EXPORT_LIMIT, 1_000.0, -1_500.0, -1_300.0),
        (-3_000.0, SignalKind.GENERATION_LIMIT, 1_000.0, -1_000.0, -800.0),
        (-3_000.0, SignalKind.DISCONNECT, 0.0, 0.0, 0.0),
    ],
)
def test_a_set_point_keeps_to_the_limit_of_another_utility(
    value_w: float,
    limit: SignalKind,
    limit_w: float,
    least_w: float,
    most_w: float,
    *,
    binding: bool,
) -> None:
    stronger = asked(STORAGE, value_w, binding=binding)
    plant = ends_at(Plant(soc=0.5), stronger, asked(limit, limit_w))
    assert least_w <= plant.power["battery"] <= most_w
