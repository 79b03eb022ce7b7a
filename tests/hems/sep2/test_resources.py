"""The records against the schemas' facts, and the arithmetic of quantities."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.sep2 import resources
from hems.sep2.resources import ActivePower, UnsignedActivePower, WattHour
from hems.sep2.resources.layout import Slot, layout
from hems.sep2.resources.quantities import Scaled
from hems.sep2.resources.wire import (
    Bits,
    HexId,
    Integer,
    Record,
    Scalar,
    Text,
)
from tests.hems.sep2.schema import Edition, members, simple

CLASSES = [
    cls
    for name in resources.__all__
    if isinstance(cls := getattr(resources, name), type)
    and issubclass(cls, Record)
    and cls not in (Record, Scaled)
]
_INTEGERS = {"xs:byte": 8, "xs:short": 16, "xs:int": 32, "xs:long": 64}


def _schema_name(cls: type[Record]) -> str:
    # Our one Link stands for all link types, the widest of which is ListLink; the deltas have
    # lost the long tail of their names.
    if cls is resources.Link:
        return "ListLink"
    return cls.__name__ + ("ControlType" if cls.__name__.endswith("Delta") else "")


KNOWN = [
    pytest.param(cls, edition, id=f"{cls.__name__}-{edition.name}")
    for cls in CLASSES
    for edition in (Edition.OF_2023, Edition.CSIPAUS)
    if members(edition, _schema_name(cls)) is not None
]


def test_every_class_is_of_a_schema() -> None:
    assert {cls for param in KNOWN for cls in param.values[:1]} == set(CLASSES)


def _slots(cls: type[Record]) -> tuple[Slot, ...]:
    form = layout(cls)
    return form.attributes + form.elements


def _wanted(edition: Edition, type_name: str) -> Scalar | None:
    """Return the scalar of ours that carries a simple type; None for a boolean."""
    base, facets = simple(edition, type_name)
    most = int(facets.get("maxInclusive", 0))
    if base == "xs:hexBinary":
        octets = int(facets["maxLength"])
        return HexId(octets) if octets >= 16 else Bits(octets)
    if base.startswith("xs:unsigned"):
        bits = {"Byte": 8, "Short": 16, "Int": 32, "Long": 64}[base.removeprefix("xs:unsigned")]
        return Integer(0, most or 2**bits - 1)
    if base in _INTEGERS:
        half = 2 ** (_INTEGERS[base] - 1)
        return Integer(int(facets.get("minInclusive", -half)), most or half - 1)
    if base == "xs:string":
        return Text(int(facets["maxLength"]))
    return Text(collapse=True) if base == "xs:anyURI" else None


@pytest.mark.requirement("PRO-2030.5")
@pytest.mark.parametrize(("cls", "edition"), KNOWN)
def test_fields_stand_in_the_schemas_order_with_its_ranges(
    cls: type[Record], edition: Edition
) -> None:
    known = members(edition, _schema_name(cls)) or ()
    ours = {(s.name, s.namespace): s for s in _slots(cls)}
    theirs = {(m.name, m.namespace): m for m in known}
    order = [key for key in theirs if key[1] and key in ours]
    assert [key for key in ours if key[1] and key in theirs] == order
    lacking = {name for name, _ in theirs.keys() - ours.keys()}
    assert lacking <= {"disabled"}, "every element and attribute of the schema has a field"
    for key, slot in ours.items():
        if key not in theirs:
            continue
        member = theirs[key]
        assert slot.repeated == member.many, key
        if not isinstance(slot.holds, type):
            wanted = _wanted(edition, member.type)
            assert wanted is None or slot.holds == wanted, key


@pytest.mark.requirement("PRO-2030.5")
@pytest.mark.parametrize("cls", CLASSES)
def test_what_we_demand_each_edition_demands(cls: type[Record]) -> None:
    demanded = {(s.name, s.namespace) for s in _slots(cls) if s.required}
    for edition in Edition:
        known = members(edition, cls.__name__)
        if known is not None:
            assert demanded <= {(m.name, m.namespace) for m in known if m.least}


@pytest.mark.parametrize(
    ("wire", "attr"),
    [
        ("mRID", "mrid"),
        ("lFDI", "lfdi"),
        ("pIN", "pin"),
        ("opModImpLimW", "op_mod_imp_lim_w"),
        ("DERControlBase", "der_control_base"),
        ("rtgMaxW", "rtg_max_w"),
        ("replyTo", "reply_to"),
        ("EventStatus", "event_status"),
        ("opModLVRTMayTrip", "op_mod_lvrt_may_trip"),
    ],
)
def test_names_follow_one_rule(wire: str, attr: str) -> None:
    names = {s.name: s.attr for cls in CLASSES for s in _slots(cls)}
    assert names[wire] == attr


def test_no_name_differs_from_its_wire_name_but_in_case() -> None:
    for cls in CLASSES:
        for slot in _slots(cls):
            assert re.sub("_", "", slot.attr) == slot.name.lower()


@pytest.mark.parametrize(
    ("watts", "multiplier", "value"),
    [
        (0.0, 0, 0),
        (1500.0, 0, 1500),
        (-1500.0, 0, -1500),
        (32767.0, 0, 32767),
        (-32768.0, 0, -32768),
        (32768.0, 1, 3277),
        (70_000.0, 1, 7000),
        (0.5, -1, 5),
        (1234.5, -1, 12345),
        (-0.125, -3, -125),
        (1e6, 2, 10000),
    ],
)
def test_active_power_from_watts(watts: float, multiplier: int, value: int) -> None:
    power = ActivePower.of(watts)
    assert (power.multiplier, power.value) == (multiplier, value)


@given(st.floats(-1e9, 1e9))
def test_a_quantity_comes_back_within_its_resolution(watts: float) -> None:
    power = ActivePower.of(watts)
    assert power.watts == pytest.approx(watts, rel=0.5 / 3276, abs=0.5e-3)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_quantity_is_finite(bad: float) -> None:
    with pytest.raises(ValueError, match="ActivePower cannot be"):
        ActivePower.of(bad)


def test_a_magnitude_is_not_negative() -> None:
    assert UnsignedActivePower.of(65_535).watts == 65_535
    with pytest.raises(ValueError, match="UnsignedActivePower cannot be -1"):
        UnsignedActivePower.of(-1)


def test_a_negative_multiplier_rounds_once() -> None:
    assert WattHour(multiplier=-1, value=3).watt_hours == 0.3
