"""Meter values of both versions, as tables and against a slow and obvious oracle."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from der.drivers.ocpp.meter import (
    CURRENT,
    ENERGY,
    POWER,
    SOC,
    VOLTAGE,
    Measured,
    MeterSample,
    Nominal,
    number,
    sample,
)
from der.drivers.ocpp.v16.meter import measured as measured16
from der.drivers.ocpp.v201.meter import measured as measured201
from der.model import PhaseReading

NOMINAL = Nominal(230.0, 11_040.0)
T = 5.0


def taken(**at: float) -> dict[str, float]:
    return {"energy_wh": T, "soc": T, "voltage_v": T, **at}


def one(
    value: object, measurand: str = "", phase: str = "", unit: str = "", multiplier: int = 0
) -> dict[str, Any]:
    """A value in words that both versions can be written from."""
    return {
        "value": value,
        "measurand": measurand,
        "phase": phase,
        "unit": unit,
        "multiplier": multiplier,
    }


def of16(values: list[dict[str, Any]]) -> tuple[Measured, ...]:
    sampled = [
        {k: str(v) for k, v in value.items() if k == "value" or (v != "" and k != "multiplier")}
        for value in values
    ]
    return measured16([{"timestamp": "", "sampled_value": sampled}])  # type: ignore[typeddict-item]


def of201(values: list[dict[str, Any]]) -> tuple[Measured, ...]:
    sampled = []
    for value in values:
        made = {k: v for k, v in value.items() if v != "" and k not in {"unit", "multiplier"}}
        unit = {"unit": value["unit"]} if value["unit"] else {}
        made["unit_of_measure"] = unit | {"multiplier": value["multiplier"]}
        sampled.append(made)
    return measured201([{"timestamp": "", "sampled_value": sampled}])  # type: ignore[typeddict-item]


@pytest.mark.requirement("SVC-READ")
@pytest.mark.parametrize("read", [of16, of201], ids=["1.6", "2.0.1"])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([one(7.2, POWER, unit="kW")], {"power_w": 7200}),
        (
            [one(100, POWER, "L1"), one(50, POWER, "L2")],
            {"power_w": 150, "phases": (PhaseReading(100), PhaseReading(50))},
        ),
        (
            [one(160, POWER), one(50, POWER, "L2")],
            {"power_w": 160, "phases": (PhaseReading(), PhaseReading(50))},
        ),
        ([one(10, CURRENT, "L1"), one(6, CURRENT, "L2"), one(3, CURRENT, "N")], {"power_w": 3680}),
        (
            [one(10, CURRENT), one(220, VOLTAGE, "L1-N"), one(222, VOLTAGE, "L2-N")],
            {"power_w": 2210, "voltage_v": 221},
        ),
        ([one(10, CURRENT), one(9, VOLTAGE)], {"power_w": 2300, "suspect": {"voltage_v"}}),
        ([one(0, POWER), one(1234)], {"power_w": 0, "energy_wh": 1234}),
        ([one(0, POWER), one(1.5, unit="kWh")], {"power_w": 0, "energy_wh": 1500}),
        ([one(0, POWER), one(55, SOC)], {"power_w": 0, "soc": 0.55}),
        ([one(0, POWER), one(55, SOC, unit="Percent")], {"power_w": 0, "soc": 0.55}),
        ([one(0, POWER), one(155, SOC)], {"power_w": 0, "suspect": {"soc"}}),
        ([one(0, POWER), one(400, VOLTAGE, "L1-L2")], {"power_w": 0}),
        ([one(-20, POWER)], {"power_w": 0}),  # a meter's noise
        ([one(-300, POWER)], {"suspect": {"power_w"}}),
        ([one(7_360_000, POWER)], {"suspect": {"power_w"}}),
        ([one(1e300, POWER)], {"suspect": {"power_w"}}),
        ([one(0, POWER), one(-5, ENERGY)], {"power_w": 0, "suspect": {"energy_wh"}}),
    ],
)
def test_values(read: Any, values: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    found = sample(read(values), T, NOMINAL)
    assert found is not None
    for name in ("power_w", "energy_wh", "soc", "voltage_v"):
        assert getattr(found, name) == pytest.approx(expected.get(name)), name
    assert found.suspect == expected.get("suspect", set())
    assert found.phases == expected.get("phases", ())


@pytest.mark.parametrize("value", ["inf", "NaN", "3PHABF==", "1e999", "", "0x10"])
def test_what_is_no_number_is_left_out_in_1_6(value: str) -> None:
    assert of16([one(value, POWER)]) == ()
    assert sample((), T, NOMINAL) is None


@pytest.mark.parametrize(
    ("value", "multiplier", "found"),
    [(7, 3, [7000.0]), (7000, -3, [7.0]), (7, 10, []), (7, -10, []), (1e15, 9, [1e24])],
)
def test_powers_of_ten_in_2_0_1(value: float, multiplier: int, found: list[float]) -> None:
    values = of201([one(value, POWER, multiplier=multiplier)])
    assert [value.value for value in values] == pytest.approx(found)


@pytest.mark.parametrize("value", [True, None, [], "True", math.nan, math.inf])
def test_no_numbers(value: object) -> None:
    assert number(value) is None


def test_values_from_within_the_car_are_not_the_chargers() -> None:
    assert sample([Measured(5, POWER, location="Cable")], T, NOMINAL) is None


def test_what_a_message_leaves_out_stays_with_its_time() -> None:
    before = sample([Measured(10, POWER), Measured(0.5, SOC), Measured(20)], 1, NOMINAL)
    after = sample([Measured(0.6, SOC)], T, NOMINAL, before)
    assert after is not None
    assert (after.at, after.power_w, after.soc, after.energy_wh) == (1, 10, 0.6, 20)
    assert (after.taken["soc"], after.taken["energy_wh"]) == (T, 1)
    last = sample([Measured(11, POWER)], 9, NOMINAL, after)
    assert last is not None
    assert (last.at, last.power_w, last.taken["soc"]) == (9, 11, T)


def test_an_old_message_changes_nothing() -> None:
    before = sample([Measured(10, POWER)], T, NOMINAL)
    assert sample([Measured(99, POWER)], T - 1, NOMINAL, before) is before


def test_a_value_that_cannot_be_leaves_the_one_before() -> None:
    before = sample([Measured(10, POWER)], 1, NOMINAL)
    after = sample([Measured(1e9, POWER)], T, NOMINAL, before)
    assert after is not None
    assert (after.at, after.power_w, set(after.suspect)) == (1, 10, {"power_w"})
    well = sample([Measured(11, POWER)], 6, NOMINAL, after)
    assert well is not None
    assert (well.power_w, well.suspect) == (11, frozenset())


def test_the_last_of_several_times_counts() -> None:
    values = [
        {"timestamp": "", "sampled_value": [{"value": str(n), "measurand": POWER}]}
        for n in range(3)
    ]
    found = sample(measured16(values), T, NOMINAL)  # type: ignore[arg-type]
    assert found == MeterSample(T, power_w=2, taken=taken())


def _last(values: list[Measured], measurand: str, phase: str) -> float | None:
    found = [v.value for v in values if (v.measurand, v.phase) == (measurand, phase)]
    return found[-1] if found else None


def _lines(values: list[Measured], measurand: str) -> list[float]:
    """Of a line and the same line to neutral, what is named later for the first time counts."""
    found = []
    for line in ("L1", "L2", "L3"):
        names = [v.phase for v in values if v.measurand == measurand]
        named = sorted({line, f"{line}-N"} & set(names), key=names.index)
        if named:
            found.append(_last(values, measurand, named[-1]) or 0.0)
    return found


def _oracle(values: list[Measured]) -> tuple[float | None, float | None]:
    """Power and voltage, looked for one by one."""
    volts = _last(values, VOLTAGE, "")
    if volts is None and (lines := _lines(values, VOLTAGE)):
        volts = sum(lines) / len(lines)
    if volts is not None and not 50 <= volts <= 500:
        volts = None
    found = []
    for measurand, factor in ((POWER, 1.0), (CURRENT, 230.0 if volts is None else volts)):
        total = _last(values, measurand, "")
        if total is None and (lines := _lines(values, measurand)):
            total = sum(lines)
        if total is not None:
            found.append(total * factor)
    power = found[0] if found else None
    if power is not None and not -50 <= power <= 1.5 * 11_040:
        power = None
    return None if power is None else max(0.0, power), volts


@given(
    st.lists(
        st.builds(
            Measured,
            st.floats(-1e5, 1e5) | st.sampled_from([0.0, 230.0, 16.0, 1e300, -1e300]),
            st.sampled_from([POWER, CURRENT, VOLTAGE, SOC, ENERGY, "Temperature"]),
            st.sampled_from(["", "L1", "L2", "L3", "L1-N", "N", "L1-L2"]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_values_are_read_as_the_oracle_reads_them(values: list[Measured]) -> None:
    found = sample(values, T, NOMINAL)
    power, volts = _oracle(values)
    assert found is not None
    assert found.power_w == pytest.approx(power)
    assert found.voltage_v == pytest.approx(volts)
    assert found.soc is None or 0 <= found.soc <= 1
    assert found.energy_wh is None or 0 <= found.energy_wh < 1e12


@given(
    st.lists(
        st.builds(
            one,
            st.integers(-10_000, 10_000) | st.floats(-1e4, 1e4),
            st.sampled_from(["", POWER, CURRENT, VOLTAGE, SOC]),
            st.sampled_from(["", "L1", "L2", "N", "L1-L2"]),
            st.sampled_from(["", "W", "kW", "Percent", "?"]),
        )
    )
)
def test_both_versions_read_the_same(values: list[dict[str, Any]]) -> None:
    old, new = of16(values), of201(values)
    assert [(o.measurand, o.phase) for o in old] == [(n.measurand, n.phase) for n in new]
    assert [o.value for o in old] == pytest.approx([n.value for n in new])
