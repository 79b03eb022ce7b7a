"""What a home is taken to be able to do, from what it has said of itself."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.modes import Edition
from hems.headend.sharing.model import Ability, Kind
from hems.headend.upstream.abilities import Assumed, Case, ability
from hems.headend.upstream.told import NOTHING, Shed, Told, told_by
from hems.sep2.resources import (
    ActivePower,
    DERAvailability,
    DERCapability,
    DERSettings,
    DERStatus,
    LoadShedAvailability,
    Resource,
    WattHour,
)
from hems.sep2.resources.der_device import OperationalModeStatusType, StateOfChargeStatusType

pytestmark = pytest.mark.requirement("PRO-2030.5")

ASSUMED = Assumed(14_000, least_import_w=1000, least_export_w=500, shed_w=0)
BATTERY = Told(
    max_w=5000, charge_w=4000, discharge_w=5000, storage_wh=10_000, soc=0.25, limits=0b1111
)


def able(kind: Kind, told: Told = NOTHING, **more: Any) -> Ability:
    return ability(Case("H", more.pop("edition", Edition.CSIP_AUS), told, **more), kind, ASSUMED)


@pytest.mark.parametrize("kind", [Kind.SHED, Kind.GENERATE, Kind.ABSORB])
def test_who_never_said_that_it_can_does_nothing(kind: Kind) -> None:
    found = able(kind, net_w=9000.0)
    assert (found.most_w, found.takes_part) == (0, True)


@pytest.mark.parametrize(
    ("kind", "most_w", "least_w", "need_w"),
    [
        (Kind.IMPORT, 14_000, 1000, None),
        (Kind.EXPORT, 14_000, 500, None),
        (Kind.GENERATION, 14_000, 500, None),
        (Kind.LOAD, 14_000, 1000, None),
    ],
)
def test_who_said_nothing_counts_with_its_connection(
    kind: Kind, most_w: int, least_w: int, need_w: int | None
) -> None:
    found = able(kind)
    assert (found.most_w, found.least_w, found.need_w) == (most_w, least_w, need_w)


@pytest.mark.parametrize(
    ("kind", "net_w", "most_w", "need_w"),
    [
        (Kind.IMPORT, 2500.4, 14_000, 2500),
        (Kind.IMPORT, -3000.0, 14_000, 0),
        (Kind.IMPORT, 99_000.0, 14_000, 14_000),
        (Kind.EXPORT, -3000.0, 5000, 3000),
        (Kind.EXPORT, 3000.0, 5000, 0),
        (Kind.GENERATION, -3000.0, 5000, None),
        (Kind.LOAD, 3000.0, 19_000, None),
    ],
)
def test_what_it_needs_is_what_its_meter_says(
    kind: Kind, net_w: float, most_w: int, need_w: int | None
) -> None:
    found = able(kind, BATTERY, net_w=net_w)
    assert (found.most_w, found.need_w) == (most_w, need_w)


@pytest.mark.parametrize(
    ("sheds", "expected"),
    [
        ({0: Shed(2000, None)}, (2000, math.inf)),
        ({0: Shed(2000, 1800)}, (2000, 1000.0)),
        ({0: Shed(2000, None), 77: Shed(900, None)}, (900, math.inf)),
        ({3: Shed(2000, None), 4: Shed(1200, None)}, (1200, math.inf)),
        ({0: Shed(0, None)}, (0, math.inf)),
    ],
)
def test_load_that_it_can_shed(sheds: dict[int, Shed], expected: tuple[int, float]) -> None:
    found = able(Kind.SHED, Told(sheds=sheds), shed_programme=77)
    assert (found.most_w, found.energy_wh) == expected


def test_one_that_never_says_what_it_can_shed_can_be_taken_at_a_guess() -> None:
    guess = Assumed(14_000, shed_w=300)
    case = Case("H", Edition.CSIP_AUS, NOTHING)
    assert ability(case, Kind.SHED, guess).most_w == 300
    case = Case("H", Edition.CSIP_AUS, Told(sheds={0: Shed(0, None)}))
    assert ability(case, Kind.SHED, guess).most_w == 0


@pytest.mark.parametrize(
    ("told", "kind", "most_w", "energy_wh", "rated_w"),
    [
        (BATTERY, Kind.GENERATE, 5000, 2500.0, 5000),
        (BATTERY, Kind.ABSORB, 4000, 7500.0, 4000),
        (Told(max_w=5000, give_w=800, give_s=3600), Kind.GENERATE, 800, 800.0, 5000),
        (Told(max_w=5000, give_w=800), Kind.GENERATE, 0, 0.0, 5000),
        (Told(charge_w=4000, take_w=800, take_s=900), Kind.ABSORB, 800, 200.0, 4000),
        (Told(max_w=5000), Kind.GENERATE, 0, 0.0, 5000),
        (Told(discharge_w=5000, storage_wh=9000), Kind.GENERATE, 0, 0.0, 5000),
    ],
)
def test_power_that_storage_gives_and_takes(
    told: Told, kind: Kind, most_w: int, energy_wh: float, rated_w: int
) -> None:
    found = able(kind, told)
    assert (found.most_w, found.energy_wh, found.rated_w) == (most_w, energy_wh, rated_w)


def test_what_is_switched_off_gives_nothing() -> None:
    off = Told(discharge_w=5000, storage_wh=9000, soc=1.0, off=True)
    assert able(Kind.GENERATE, off).most_w == 0


def test_its_contract_bounds_what_an_event_may_change() -> None:
    assert able(Kind.SHED, Told(sheds={0: Shed(2000, None)}), largest_w=700).most_w == 700
    found = able(Kind.IMPORT, net_w=5000.0, largest_w=1500)
    assert (found.least_w, found.need_w) == (3500, 5000)


@pytest.mark.parametrize(
    ("edition", "limits", "kind", "reachable"),
    [
        (Edition.CSIP_AUS, None, Kind.IMPORT, True),
        (Edition.CSIP_AUS, 0b0001, Kind.IMPORT, False),
        (Edition.CSIP_AUS, 0b0010, Kind.IMPORT, True),
        (Edition.Y2018, None, Kind.IMPORT, False),
        (Edition.Y2018, None, Kind.SHED, True),
        (Edition.Y2023, 0, Kind.IMPORT, True),
        (Edition.Y2023, None, Kind.LOAD, False),
    ],
)
def test_whom_a_limit_cannot_be_told(
    edition: Edition, limits: int | None, kind: Kind, *, reachable: bool
) -> None:
    assert able(kind, Told(limits=limits), edition=edition).reachable is reachable


def test_what_it_has_said_is_read_from_its_documents() -> None:
    of = ActivePower.of
    records: dict[str, Resource] = {
        "dercap": DERCapability(
            modes_supported=0,
            rtg_max_w=of(6000),
            rtg_max_charge_rate_w=of(4000),
            rtg_max_discharge_rate_w=of(5000),
            rtg_max_wh=WattHour.of(10_000),
            type=4,
            doe_modes_supported=0b0011,
        ),
        "derg": DERSettings(set_grad_w=0, set_max_w=of(4600), updated_time=0),
        "ders": DERStatus(
            reading_time=0,
            operational_mode_status=OperationalModeStatusType(date_time=0, value=1),
            state_of_charge_status=StateOfChargeStatusType(date_time=0, value=4200),
        ),
        "dera": DERAvailability(reading_time=0, stat_w_avail=of(-5), availability_duration=60),
        "lsa0": LoadShedAvailability(sheddable_power=of(1500), availability_duration=600),
        "lsa7": LoadShedAvailability(sheddable_percent=1000),
    }
    assert told_by(records) == Told(
        max_w=4600,
        charge_w=4000,
        discharge_w=5000,
        storage_wh=10_000,
        soc=0.42,
        off=True,
        give_w=0,
        give_s=60,
        limits=3,
        sheds={0: Shed(1500, 600), 7: Shed(0, None)},
    )
    assert told_by({}) == NOTHING


amount = st.none() | st.floats(0, 1e6)
whole = st.none() | st.integers(0, 10**6)


tellings = st.builds(
    Told,
    max_w=amount,
    charge_w=amount,
    discharge_w=amount,
    storage_wh=amount,
    soc=st.none() | st.floats(0, 1),
    off=st.booleans(),
    give_w=amount,
    take_w=amount,
    give_s=amount,
    take_s=amount,
    limits=st.none() | st.integers(0, 15),
    sheds=st.none()
    | st.dictionaries(st.integers(0, 9), st.builds(Shed, st.floats(0, 1e6), amount), min_size=1),
)
cases = st.builds(
    Case,
    st.just("H"),
    st.sampled_from(Edition),
    tellings,
    net_w=st.none() | st.floats(-1e6, 1e6),
    largest_w=whole,
)
guesses = st.builds(Assumed, st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))


@given(kind=st.sampled_from(Kind), case=cases, assumed=guesses)
def test_whatever_a_home_says_it_can_be_shared_over(
    kind: Kind, case: Case, assumed: Assumed
) -> None:
    found = ability(case, kind, assumed)  # which refuses what no home can be
    assert found.least_w <= found.needs_w <= found.most_w
    if case.largest_w is not None and not kind.limit:
        assert found.most_w <= case.largest_w
