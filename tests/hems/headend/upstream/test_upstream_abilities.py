"""What a home is taken to be able to do, from what it has said of itself."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.headend.ability.rule import Rules
from hems.headend.ability.told import NOTHING, Der, Shed, Told
from hems.headend.modes import Edition
from hems.headend.sharing.model import Ability, Kind
from hems.headend.upstream.abilities import Assumed, Case, Judge

pytestmark = pytest.mark.requirement("PRO-2030.5")

NOW = 1_800_000_000.0
ASSUMED = Assumed(14_000, least_import_w=1000, least_export_w=500, shed_w=0)
BATTERY = Told(
    heard_at=NOW,
    der=Der(5000, 4000, 5000, 10_000, limits=0b1111, soc=0.25, status_at=NOW),
)


def able(kind: Kind, told: Told = NOTHING, **more: Any) -> Ability:
    edition, assumed = more.pop("edition", Edition.CSIP_AUS), more.pop("assumed", ASSUMED)
    if "net_w" in more:
        told = replace(told, net_w=more.pop("net_w"), net_at=NOW)
    told = replace(told, heard_at=NOW)
    return Judge(assumed, Rules()).ability(Case("H", edition, told, **more), kind, NOW)


def of(**fields: Any) -> Told:
    """Return what a home said just now of its DER."""
    return Told(der=Der(**fields, status_at=NOW, said_at=NOW))


def load(power_w: float, for_s: float | None = None) -> Told:
    return Told(sheds={0: Shed(power_w, None, for_s, NOW)})


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
    ("told", "expected"),
    [
        (load(2000), (2000, math.inf)),
        (load(2000, 1800), (2000, 1000.0)),
        (Told(sheds={0: Shed(2000, None, None, NOW), 77: Shed(900, None, None, NOW)}),
         (900, math.inf)),
        (load(0), (0, math.inf)),
    ],
)  # fmt: skip
def test_load_that_it_can_shed(told: Told, expected: tuple[int, float]) -> None:
    found = able(Kind.SHED, told, shed_programme=77)
    assert (found.most_w, found.energy_wh) == expected


def test_one_that_never_says_what_it_can_shed_can_be_taken_at_a_guess() -> None:
    guess = Assumed(14_000, shed_w=300)
    assert able(Kind.SHED, assumed=guess).most_w == 300
    assert able(Kind.SHED, load(0), assumed=guess).most_w == 0


@pytest.mark.parametrize(
    ("told", "kind", "most_w", "energy_wh", "rated_w"),
    [
        (BATTERY, Kind.GENERATE, 5000, 2500.0, 5000),
        (BATTERY, Kind.ABSORB, 4000, 7500.0, 4000),
        (of(rated_w=5000, give_w=800, give_s=3600), Kind.GENERATE, 800, 800.0, 5000),
        (of(rated_w=5000, give_w=800), Kind.GENERATE, 0, 0.0, 5000),
        (of(charge_w=4000, take_w=800, take_s=900), Kind.ABSORB, 800, 200.0, 4000),
        (of(rated_w=5000), Kind.GENERATE, 0, 0.0, 5000),
        (of(discharge_w=5000, capacity_wh=9000), Kind.GENERATE, 0, 0.0, 5000),
        (of(discharge_w=5000, capacity_wh=9000, soc=1.0, off=True), Kind.GENERATE, 0, 0.0, 5000),
    ],
)
def test_power_that_storage_gives_and_takes(
    told: Told, kind: Kind, most_w: int, energy_wh: float, rated_w: int
) -> None:
    found = able(kind, told)
    assert (found.most_w, found.energy_wh, found.rated_w) == (most_w, energy_wh, rated_w)


def test_a_state_of_charge_of_long_ago_tells_of_nothing_now() -> None:
    long_ago = Told(heard_at=NOW, der=Der(5000, 4000, 5000, 10_000, soc=0.5, status_at=NOW - 3601))
    assert able(Kind.GENERATE, long_ago).most_w == 0
    assert able(Kind.EXPORT, long_ago).most_w == 5000, "what it is rated for holds"


@pytest.mark.parametrize(
    ("heard_at", "served", "reachable"),
    [(NOW, True, True), (NOW - 901, True, False), (None, True, False), (NOW, False, False)],
)
def test_whom_nobody_can_tell_anything(
    heard_at: float | None, *, served: bool, reachable: bool
) -> None:
    case = Case("H", Edition.CSIP_AUS, Told(heard_at), served=served)
    assert Judge(ASSUMED, Rules()).ability(case, Kind.SHED, NOW).reachable is reachable


def test_its_contract_bounds_what_an_event_may_change() -> None:
    assert able(Kind.SHED, load(2000), largest_w=700).most_w == 700
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
    assert able(kind, of(limits=limits), edition=edition).reachable is reachable


amount = st.none() | st.floats(0, 1e6)
whole = st.none() | st.integers(0, 10**6)
ders = st.builds(
    Der,
    rated_w=amount,
    charge_w=amount,
    discharge_w=amount,
    capacity_wh=amount,
    limits=st.none() | st.integers(0, 15),
    soc=st.none() | st.floats(0, 1),
    off=st.booleans(),
    status_at=st.sampled_from((None, NOW, NOW - 3601)),
    give_w=amount,
    take_w=amount,
    give_s=amount,
    take_s=amount,
    said_at=st.sampled_from((None, NOW, NOW - 3601)),
)
loads = st.builds(Shed, amount, st.none() | st.floats(0, 1), amount, st.just(NOW))
tellings = st.builds(
    Told,
    heard_at=st.just(NOW),
    net_w=st.none() | st.floats(-1e6, 1e6),
    net_at=st.just(NOW),
    der=st.none() | ders,
    sheds=st.dictionaries(st.integers(0, 9), loads),
)
cases = st.builds(Case, st.just("H"), st.sampled_from(Edition), tellings, largest_w=whole)
guesses = st.builds(Assumed, st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))


@given(kind=st.sampled_from(Kind), case=cases, assumed=guesses)
def test_whatever_a_home_says_it_can_be_shared_over(
    kind: Kind, case: Case, assumed: Assumed
) -> None:
    # Which refuses what no home can be.
    found = Judge(assumed, Rules()).ability(case, kind, NOW)
    assert found.least_w <= found.needs_w <= found.most_w
    if case.largest_w is not None and not kind.limit:
        assert found.most_w <= case.largest_w
