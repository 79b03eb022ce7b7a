"""How far an image lies outside what is asked, as a table."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from der.commands import DeviceOptions
from der.curves import Curve, GridFunction, ShareOf
from der.model import DeviceState, Quality, Reading
from hems.image import Image
from hems.participation.bounds import der_power, outside, running
from programs.following import along
from programs.signal import Signal, SignalKind
from tests.hems.money.homes import SPECS, state

NOW = 1_800_000_000.0
K = SignalKind


def image(powers: Mapping[str, float], **readings: Reading) -> Image:
    known = {name: Reading(NOW, power_w) for name, power_w in powers.items()} | readings
    return Image(NOW, 1, {name: state(name, reading) for name, reading in known.items()})


def asked(kind: SignalKind, value: float, baseline_w: float | None = None) -> Signal:
    return Signal(
        "0A", "Grid", kind, value, NOW - 60, NOW + 60, binding=False, baseline_w=baseline_w
    )


HOUSE = {"meter": 1800.0, "pv": -1000.0, "battery": -500.0, "car": 0.0, "tank": 2000.0}


@pytest.mark.parametrize(
    ("kind", "value", "baseline_w", "expected"),
    [
        (K.IMPORT_LIMIT, 1500.0, None, 300.0),
        (K.IMPORT_LIMIT, 1800.0, None, 0.0),
        (K.IMPORT_LIMIT, 1799.5, None, 0.0),  # meters tell whole watts
        (K.EXPORT_LIMIT, 0.0, None, 0.0),
        (K.LOAD_LIMIT, 3000.0, None, 300.0),  # 1800 + 1000 + 500 are drawn
        (K.GENERATION_LIMIT, 1200.0, None, 300.0),
        (K.SHED, 1000.0, 2500.0, 300.0),
        (K.SHED, 1000.0, None, None),
        (K.DISCONNECT, 0.0, None, 1500.0),
        (K.STORAGE_POWER, -600.0, None, 0.0),  # within 5 % of 4 kW
        (K.STORAGE_POWER, -1000.0, None, 300.0),
        (K.STORAGE_POWER, 1000.0, None, 1300.0),
        (K.DER_POWER, -2200.0, None, 100.0),  # 5 % of 12 kW
        (K.ENERGY, 100.0, 2000.0, None),
        (K.DUTY_CYCLE, 50.0, None, None),
        (K.FREQUENCY_DROOP, 0.0, None, None),
        (K.REACTIVE_POWER, 1000.0, None, None),  # nobody measures it here
    ],
)
def test_outside(
    kind: SignalKind, value: float, baseline_w: float | None, expected: float | None
) -> None:
    assert outside(asked(kind, value, baseline_w), image(HOUSE), ()) == expected


def test_what_is_given_is_no_import() -> None:
    assert outside(asked(K.EXPORT_LIMIT, 500.0), image({"meter": -800.0}), ()) == 300.0
    assert outside(asked(K.IMPORT_LIMIT, 0.0), image({"meter": -800.0}), ()) == 0.0


def test_what_cannot_be_read_is_not_judged() -> None:
    lost = DeviceState(SPECS["meter"], Reading(NOW, 0.0), Quality.STALE)
    dark = Image(NOW, 1, {"meter": lost, "battery": state("battery", None, Quality.LOST)})
    for kind in SignalKind:
        if kind is not K.DISCONNECT:
            assert outside(asked(kind, 0.5, 100.0), dark, ()) is None, kind
    assert outside(asked(K.DISCONNECT, 0.0), dark, ()) is None
    assert der_power(asked(K.STORAGE_POWER, 0.0), dark) is None


def test_reactive_power_is_judged_in_the_sign_of_the_house() -> None:
    absorbs = image({}, pv=Reading(NOW, -4000.0, reactive_var=1000.0))
    assert outside(asked(K.REACTIVE_POWER, 1000.0), absorbs, ()) == 0.0
    assert outside(asked(K.REACTIVE_POWER, -1000.0), absorbs, ()) == pytest.approx(1600.0)
    # A factor of 0.97 at 4 kW is 1002 var, absorbed where positive.
    assert outside(asked(K.POWER_FACTOR, 0.97), absorbs, ()) == 0.0
    assert outside(asked(K.POWER_FACTOR, -0.97), absorbs, ()) == pytest.approx(1602.5, abs=0.5)
    # That of charging says nothing of what gives.
    assert outside(asked(K.CHARGING_FACTOR, -0.97), absorbs, ()) is None


@pytest.mark.requirement("BUC-4")
def test_a_volt_var_curve_about_its_own_reference() -> None:
    points = ((0.92, -0.44), (0.98, 0.0), (1.02, 0.0), (1.08, 0.44))
    about = Curve(GridFunction.VOLT_VAR, points, v_ref=1.05)
    follows = replace(about, v_ref_follows_s=300.0)
    here = image({}, pv=Reading(NOW, -4000.0, 0.0, 241.5))  # 1.05 of 230 V: right at the reference

    def beside(curve: Curve) -> float | None:
        signal = asked(K.VOLT_VAR, 0.0)
        return outside(replace(signal, settings=curve), here, ())

    assert beside(about) == 0.0
    assert (beside(replace(about, v_ref=None)) or 0.0) > 0.1  # as if it were about 230 V
    assert beside(follows) is None


@pytest.mark.requirement("BUC-4")
def test_a_volt_var_curve() -> None:
    points = ((0.92, -0.44), (0.98, 0.0), (1.02, 0.0), (1.08, 0.44))
    curve = Curve(GridFunction.VOLT_VAR, points)
    signal = Signal("0A", "Grid", K.VOLT_VAR, 0.0, NOW - 60, NOW + 60, binding=True, settings=curve)

    def reads(voltage_v: float, reactive_var: float | None) -> Image:
        return image({}, pv=Reading(NOW, -4000.0, reactive_var, voltage_v))

    assert outside(signal, reads(230.0, 0.0), ()) == 0.0
    assert outside(signal, reads(248.4, 0.44 * 8000), ()) == pytest.approx(0.0)
    assert outside(signal, reads(248.4, 0.0), ()) == pytest.approx(0.39)
    assert outside(signal, reads(248.4, None), ()) is None
    assert [along(points, x) for x in (0.5, 0.95, 1.0, 1.05, 2.0)] == pytest.approx(
        [-0.44, -0.22, 0.0, 0.22, 0.44]
    )


@pytest.mark.requirement("BUC-4")
def test_a_curve_in_shares_of_the_most_vars_is_judged_by_what_the_inverter_can() -> None:
    points = ((0.92, -1.0), (0.98, 0.0), (1.02, 0.0), (1.08, 1.0))
    curve = Curve(GridFunction.VOLT_VAR, points, ShareOf.MAX_VAR)
    signal = replace(asked(K.VOLT_VAR, 0.0), settings=curve)
    can = {"pv": DeviceOptions(frozenset(), absorbed_var=3000.0, injected_var=2000.0)}

    def reads(voltage_v: float, reactive_var: float) -> Image:
        return image({}, pv=Reading(NOW, -4000.0, reactive_var, voltage_v))

    assert outside(signal, reads(248.4, 3000.0), (), can) == pytest.approx(0.0)
    assert outside(signal, reads(248.4, 0.0), (), can) == pytest.approx(3000 / 8000 - 0.05)
    assert outside(signal, reads(211.6, -2000.0), (), can) == pytest.approx(0.0)
    assert outside(signal, reads(248.4, 0.0), ()) is None  # nobody knows what it can


@pytest.mark.requirement("BUC-2")
def test_a_slope_is_that_of_the_last_minute() -> None:
    past = [(NOW - s, 1000.0 - 10.0 * s) for s in range(60, -1, -1)]
    assert outside(asked(K.SLOPE, 500.0), image({}), past) == pytest.approx(100.0)
    assert outside(asked(K.SLOPE, 700.0), image({}), past) == 0.0
    assert outside(asked(K.SLOPE, 700.0), image({}), past[-5:]) is None


def test_which_loads_run() -> None:
    assert running(asked(K.DUTY_CYCLE, 50.0), image(HOUSE)) == {"tank"}
