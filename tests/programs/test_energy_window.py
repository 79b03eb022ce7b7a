"""What an amount of energy within a time leaves now: table, and a home that takes all it may."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from programs import envelope, peak_shaving
from programs.energy_window import EnergyWindow
from programs.envelope import EnvelopePolicy
from programs.inputs import Inputs
from programs.peak_shaving import PeakShavingPolicy
from programs.proposal import HOME, PHASES, Bounds, Rank
from tests.examples import examples

T0 = 1_800_000_000.0


@pytest.mark.requirement("BUC-11")
@pytest.mark.parametrize(
    ("limit_wh", "used_wh", "lasts_s", "since_s", "left_w"),
    [
        (1_000, 0, 900, 0, 4_000),  # a quarter-hour: its mean
        (1_000, 500, 900, 450, 4_000),
        (1_000, 0, 900, 450, 8_000),  # little so far: more now
        (1_000, 900, 900, 450, 800),
        (1_000, 1_000, 900, 450, 0),
        (1_000, 2_000, 900, 450, 0),  # too much so far: never less than nothing
        (1_000, 900, 900, 899, 36_000),  # the last second: spread over ten
        (24_000, 0, 86_400, 0, (24_000 - 0.5 * 23_750) * 4),  # a day: half is kept at its pace
        (24_000, 14_000, 86_400, 43_200, (10_000 - 0.5 * 11_750) * 4),
        (24_000, 22_000, 86_400, 43_200, 2_000 / 12),  # what was to be kept is touched
        (0, 0, 900, 0, 0),
    ],
)
def test_what_is_left(
    limit_wh: float, used_wh: float, lasts_s: float, since_s: float, left_w: float
) -> None:
    window = EnergyWindow(limit_wh, used_wh, T0, T0 + lasts_s)
    assert window.left_w(T0 + since_s) == pytest.approx(left_w)


@pytest.mark.requirement("BUC-11", "BUC-1")
@given(
    limit_wh=st.floats(0, 50_000),
    lasts_s=st.sampled_from([900.0, 1_800.0, 3_600.0, 86_400.0]),
    wants=st.lists(st.floats(0, 20_000), min_size=1, max_size=40),
)
@settings(max_examples=examples(100), deadline=None)
def test_who_never_takes_more_than_is_left_never_takes_more_than_the_amount(
    limit_wh: float, lasts_s: float, wants: list[float]
) -> None:
    used_wh, at, step_s = 0.0, 0.0, lasts_s / 900
    while at < lasts_s:
        window = EnergyWindow(limit_wh, used_wh, T0, T0 + lasts_s)
        left_w = window.left_w(T0 + at)
        assert left_w >= 0
        used_wh += min(wants[int(at) % len(wants)], left_w) * step_s / 3600
        at += step_s
    assert used_wh <= limit_wh * (1 + 1e-9) + 1e-9


@pytest.mark.requirement("BUC-11")
def test_the_agreement_binds_the_connection_each_phase_and_the_energy() -> None:
    policy = EnvelopePolicy(
        fixed_export_w=5_000,
        fixed_import_w=11_000,
        phase_export_w=1_700,
        phase_import_w=4_600,
        phases=3,
        import_energy=(EnergyWindow(2_000, 1_000, T0 - 450, T0 + 450),),
        export_energy=(EnergyWindow(1_000, 0, T0 - 900, T0),),  # over: says nothing
    )
    found = envelope.propose(Inputs((), {}, 0.0, T0), policy)
    bounds = {(p.target, p.bounds) for p in found}
    assert {p.rank for p in found} == {Rank.BINDING}
    assert bounds == {
        (HOME, Bounds(lower_w=-5_000)),
        (HOME, Bounds(upper_w=11_000)),
        (HOME, Bounds(upper_w=8_000)),
        *((target, Bounds(lower_w=-1_700)) for target in PHASES.values()),
        *((target, Bounds(upper_w=4_600)) for target in PHASES.values()),
    }
    assert any("1 kWh are left" in p.reason for p in found)


@pytest.mark.requirement("BUC-1")
def test_the_own_peak_is_a_mean_of_the_quarter_hour_where_somebody_counts() -> None:
    counted = PeakShavingPolicy(4_000, EnergyWindow(1_000, 250, T0 - 450, T0 + 450))
    (own,) = peak_shaving.propose(Inputs((), {}, 0.0, T0), counted)
    assert own.bounds == Bounds(upper_w=6_000)
    assert own.rank is Rank.ECONOMY
    (flat,) = peak_shaving.propose(Inputs((), {}, 0.0, T0 + 500), counted)
    assert flat.bounds == Bounds(upper_w=4_000)  # the count is of a quarter-hour that is over
