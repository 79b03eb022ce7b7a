"""Small rules of the client: the server's clock, waiting, places."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.sep2 import resources as res
from hems.sep2.book.controls import mode_bits
from hems.sep2.book.kinds import modes_of
from hems.sep2.errors import BusyError, UnreachableError
from hems.sep2.rules.events import DISABLED, Program
from hems.sep2.rules.servertime import follow
from hems.sep2.transport.address import same_place
from hems.sep2.transport.backoff import after_failure, until_next_poll
from tests.hems.sep2.controls_made import control, shed

RNG = random.Random(3)  # noqa: S311 - jitter, not secrets


@pytest.mark.requirement("TIME-SERVER")
@given(
    offset=st.floats(-1e6, 1e6),
    previous=st.floats(-1e6, 1e6),
    sent=st.floats(1e9, 2e9),
    out_s=st.floats(0, 5),
    back_s=st.floats(0, 5),
)
def test_the_followed_offset_is_within_the_answers_second(
    offset: float, previous: float, sent: float, out_s: float, back_s: float
) -> None:
    told = int(sent + out_s + offset)
    followed = follow(previous, told, sent, sent + out_s + back_s)
    assert abs(followed - offset) <= 1 + out_s + back_s + 1e-6
    assert follow(followed, told, sent, sent + out_s + back_s) == followed


@pytest.mark.requirement("TIME-SERVER")
def test_two_clocks_that_agree_stay_at_no_offset() -> None:
    assert follow(0.0, 1000, 1000.97, 1000.99) == 0.0
    assert follow(0.0, 1001, 1000.97, 1001.01) == 0.0


@given(st.integers(1, 100))
def test_backs_off_with_full_jitter_under_a_bound(failures: int) -> None:
    wait_s = after_failure(failures, UnreachableError("x"), RNG, first_s=1, longest_s=60)
    assert 0 <= wait_s <= min(60, 2 ** (failures - 1))


def test_waits_as_long_as_the_server_asks() -> None:
    assert after_failure(1, BusyError("x", retry_after_s=30), RNG, first_s=1) >= 30


def test_never_polls_sooner_than_asked() -> None:
    waits = [until_next_poll(10, RNG) for _ in range(100)]
    assert all(10 <= w <= 11 for w in waits)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("/derp/1", "https://u:8443/derp/1", True),
        ("/derp/1", "derp/1/", True),
        ("/derp/1", "/derp/2", False),
        ("/y?z=1", "/y", False),
    ],
)
def test_places(a: str, b: str, same: bool) -> None:
    assert same_place(a, b) is same


def test_modes_in_neutral_words() -> None:
    base = res.DERControlBase(
        op_mod_connect=False,
        op_mod_max_lim_w=9500,
        op_mod_target_w=res.ActivePower(multiplier=1, value=-150),
        op_mod_volt_var=res.Link(href="/curve/1"),
        op_mod_fixed_pf_inject_w=res.PowerFactorWithExcitation(
            displacement=95, excitation=False, multiplier=-2
        ),
        op_mod_fixed_var=res.FixedVar(ref_type=1, value=-2500),
        op_mod_exp_lim_w=res.ActivePower(multiplier=0, value=5000),
        ramp_tms=100,
    )
    assert modes_of(control("E1", 1, 1, base=base), Program("A1")) == {
        "opModConnect": 0.0,
        "opModMaxLimW": 95.0,
        "opModTargetW": -1500.0,
        "opModVoltVar": "/curve/1",
        "opModFixedPFInjectW": pytest.approx(-0.95),
        "opModFixedVar": (1.0, -25.0),
        "opModExpLimW": 5000.0,
    }


def test_a_disabled_mode_keeps_its_place() -> None:
    base = res.DERControlBase(op_mod_max_lim_w=9500, disabled=frozenset({"op_mod_max_lim_w"}))
    assert modes_of(control("E1", 1, 1, base=base), Program("A1")) == {"opModMaxLimW": DISABLED}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (0, 3, {"TargetReduction.Wh": 3000.0}),
        (1, 2, {"TargetReduction.W": 2000.0}),
        (2, 1500, {"TargetReduction.W": 1500.0}),
        (3, 7, {"TargetReduction.3": 7.0}),
    ],
)
def test_reductions_in_base_units(kind: int, value: int, expected: dict[str, float]) -> None:
    made = shed("E1", 1, 1, 1)
    event = res.EndDeviceControl(
        mrid="E1",
        creation_time=1,
        event_status=made.event_status,
        interval=made.interval,
        device_category=1,
        dr_program_mandatory=True,
        load_shift_forward=False,
        target_reduction=res.TargetReduction(type=kind, value=value),
    )
    assert modes_of(event, Program("A1")) == expected


def test_mode_bitmaps() -> None:
    assert mode_bits(frozenset({"opModConnect", "opModTargetW", "opModImpLimW"})) == (
        1 << 2 | 1 << 22,
        0,
    )
    assert mode_bits(frozenset({"opModIslandPermit", "opModTargetV", "opModMaxLimWAbsorb"})) == (
        1 << 31,
        1 << 9 | 1 << 7,
    )
