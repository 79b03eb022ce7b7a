"""Quantities as people write them."""

import pytest

from hems import units


@pytest.mark.parametrize(
    ("text", "value"),
    [("1500W", 1500.0), ("1.5 kW", 1500.0), ("-5kW", -5000.0), (" 0.002 MW ", 2000.0)],
)
def test_powers(text: str, value: float) -> None:
    assert units.power_w(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "value"), [("30s", 30.0), ("+5m", 300.0), ("10 min", 600.0), ("2h", 7200.0)]
)
def test_durations(text: str, value: float) -> None:
    assert units.duration_s(text) == value


@pytest.mark.requirement("LC-TEST")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("3 kWh", "'3 kWh' is of the kind energy, not power"),
        ("10", "'10' has no unit; a power is written with one of W, kW, MW"),
        (10, "10 has no unit"),
        ("10 horses", "has an unknown unit 'horses'"),
        ("ten W", "'ten W' is not a power"),
        ("", "'' is not a power"),
        ("1e999 W", "not a finite power"),
        ("nan W", "'nan W' is not a power"),
    ],
)
def test_a_wrong_quantity_is_one_sentence(text: str | float, reason: str) -> None:
    with pytest.raises(units.UnitError) as caught:
        units.power_w(text)
    assert reason in str(caught.value)
