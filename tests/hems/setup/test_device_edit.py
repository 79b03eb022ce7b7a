"""What of a device may be changed, and to what."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.settings.device_section import DeviceSection
from hems.settings.devices_file import Value
from hems.setup.device_edit import Edit, EditError, choices, edited, free_id

BREAKER_W = 14_490.0
PUMP: dict[str, Value] = {
    "id": "pump",
    "kind": "heat_pump",
    "name": "Pump",
    "driver": "modbus",
    "map": "relay-board",
    "host": "192.168.1.5",
    "port": 502,
    "max": "3 kW",
    "comfort_low": 19.0,
    "comfort_high": 23.0,
    "keep": True,
}
METER: dict[str, Value] = {
    "id": "meter",
    "kind": "meter",
    "name": "Meter",
    "driver": "sunspec",
    "host": "192.168.1.6",
    "port": 502,
}
PV: dict[str, Value] = {**METER, "id": "pv", "kind": "pv", "name": "Roof", "min": "-5 kW"}
SECTIONS = {str(t["id"]): (t, DeviceSection.model_validate(t)) for t in (PUMP, METER, PV)}


def after(device: str, edit: Edit) -> dict[str, Value]:
    table, section = SECTIONS[device]
    return edited(table, section, edit, BREAKER_W)


def test_all_that_may_be_changed_is() -> None:
    edit = Edit(" Heat   pump ", 3, None, 2500.0, 18.5, 24.0)
    changed = after("pump", edit)
    expected = {
        **{k: v for k, v in PUMP.items() if k != "keep"},
        "name": "Heat pump",
        "essentiality": 3,
        "max": "2500 W",
        "comfort_low": 18.5,
        "comfort_high": 24.0,
    }
    assert changed == expected
    section = DeviceSection.model_validate(changed)
    assert (section.max, section.comfort_low) == (2500.0, 18.5)
    assert not section.keep


def test_nothing_asked_changes_nothing() -> None:
    for device, (table, _) in SECTIONS.items():
        assert after(device, Edit()) == table


@pytest.mark.parametrize(
    ("device", "edit", "said"),
    [
        ("meter", Edit(essentiality=3), "Meter does not have an essentiality."),
        ("meter", Edit(max_w=100.0), "Meter does not have such a limit."),
        ("pv", Edit(max_w=100.0), "Roof does not have such a limit."),
        ("pv", Edit(essentiality=1), "Roof does not have an essentiality."),
        ("pv", Edit(comfort_low_c=20.0), "Roof does not have a temperature to keep to."),
        ("pump", Edit(min_w=-1.0), "Pump does not have such a limit."),
        ("pump", Edit(name="  "), "A device needs a name that can be read."),
        ("pump", Edit(name="a\x00b"), "A device needs a name that can be read."),
        ("pump", Edit(name="a" * 61), "A name has at most 60 characters."),
        (
            "pump",
            Edit(max_w=20e3),
            "Pump: 20000 W is more than the main breaker carries, 14490 W.",
        ),
        (
            "pv",
            Edit(min_w=-math.inf),
            "Roof: -inf W is more than the main breaker carries, 14490 W.",
        ),
        (
            "pump",
            Edit(max_w=math.nan),
            "Pump: nan W is more than the main breaker carries, 14490 W.",
        ),
    ],
)
def test_what_cannot_be_is_said(device: str, edit: Edit, said: str) -> None:
    with pytest.raises(EditError) as refused:
        after(device, edit)
    assert str(refused.value) == said


def test_what_may_be_changed_is_known_before() -> None:
    found = {name: choices(section) for name, (_, section) in SECTIONS.items()}
    assert (found["pump"].takes, found["pump"].gives, found["pump"].comfort) == (True, False, True)
    assert (found["pv"].takes, found["pv"].gives, found["pv"].essentiality) == (False, True, False)
    assert not any((found["meter"].takes, found["meter"].gives, found["meter"].comfort))


@given(st.integers(0, 9), st.floats(-BREAKER_W, BREAKER_W).filter(lambda w: w > 0))
def test_whatever_is_in_range_is_read_back_as_it_was_given(rank: int, power_w: float) -> None:
    section = DeviceSection.model_validate(after("pump", Edit(essentiality=rank, max_w=power_w)))
    assert section.essentiality == rank
    assert section.max == pytest.approx(power_w, rel=1e-11)


@given(st.sets(st.integers(2, 40)), st.integers(4, 12))
def test_a_free_id_is_free_short_and_the_first(numbers: set[int], longest: int) -> None:
    taken = frozenset({"abcd", *(f"{'abcd'[: longest - len(str(n)) - 1]}_{n}" for n in numbers)})
    found = free_id("abcd", taken, longest)
    assert found not in taken
    assert len(found) <= longest
    assert free_id("car", taken, longest) == "car"
