"""The records against the schemas' facts, and the arithmetic of quantities."""

import re
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hems.sep2 import resources as res
from hems.sep2.resources import ActivePower, UnsignedActivePower, WattHour
from hems.sep2.resources.layout import Slot, layout
from hems.sep2.resources.wire import Bits, HexId, Integer, Record, Scalar, Text, by_name
from tests.hems.sep2.schema import Edition, Member, base, members, simple, types
from tests.hems.sep2.strategies import CLASSES

_INTEGERS = {"xs:byte": 8, "xs:short": 16, "xs:int": 32, "xs:long": 64}
_NAMED_APART = {
    "ActivePowerDeltaControlType": "ActivePowerDelta",
    "ReactivePowerDeltaControlType": "ReactivePowerDelta",
    "ConnectionPointType": "ConnectionPoint",
}
"""Types whose record has lost the tail of the name."""

_UNDECLARED = {
    "FixedPointType": "no type has a member of it",
    "UnsignedFixedPointType": "no type has a member of it",
    "Revision2_3Type": "what later revisions add is kept as `extensions`",
}


def _schema_name(cls: type[Record]) -> str:
    # Our one Link stands for all link types, the widest of which is ListLink.
    if cls is res.Link:
        return "ListLink"
    return {ours: theirs for theirs, ours in _NAMED_APART.items()}.get(cls.__name__, cls.__name__)


KNOWN = [
    pytest.param(cls, edition, id=f"{cls.__name__}-{edition.name}")
    for cls in CLASSES
    for edition in Edition
    if members(edition, _schema_name(cls)) is not None
]


def _slots(cls: type[Record]) -> tuple[Slot, ...]:
    form = layout(cls)
    return form.attributes + form.elements


def _ours(edition: Edition, type_name: str) -> str | None:
    """Return the name of the record that carries a complex type, None if it is a simple one."""
    name = type_name.removeprefix("bs:")
    if name not in types(edition):
        return None
    if name in _NAMED_APART:
        return _NAMED_APART[name]
    if name.endswith("Link"):
        return "Link"
    # A ControlType is what it derives from, with a flag (see test_a_control_type_...).
    return base(edition, name) if name.endswith("ControlType") else name


def _wanted(edition: Edition, type_name: str) -> Scalar | None:
    """Return the scalar of ours that carries a simple type; None for a boolean."""
    root, facets = simple(edition, type_name)
    most = int(facets.get("maxInclusive", 0))
    if root == "xs:hexBinary":
        octets = int(facets["maxLength"])
        return HexId(octets) if octets >= 16 else Bits(octets)
    if root.startswith("xs:unsigned"):
        bits = {"Byte": 8, "Short": 16, "Int": 32, "Long": 64}[root.removeprefix("xs:unsigned")]
        return Integer(0, most or 2**bits - 1)
    if root in _INTEGERS:
        half = 2 ** (_INTEGERS[root] - 1)
        return Integer(int(facets.get("minInclusive", -half)), most or half - 1)
    if root == "xs:string":
        return Text(int(facets["maxLength"]) if "maxLength" in facets else None)
    return Text(collapse=True) if root == "xs:anyURI" else None


def test_every_class_is_of_a_schema() -> None:
    assert {cls for param in KNOWN for cls in param.values[:1]} == set(CLASSES)


def test_every_class_is_gathered_under_its_name() -> None:
    assert set(CLASSES) == {by_name(cls.__name__) for cls in CLASSES}
    assert {cls.__name__ for cls in CLASSES} | {"Record", "Scaled"} == {
        name for name in dir(res) if isinstance(getattr(res, name), type)
    }


@pytest.mark.requirement("PRO-2030.5")
@pytest.mark.parametrize("edition", Edition)
def test_every_type_is_declared(edition: Edition) -> None:
    lacking = {
        name for name in types(edition) if by_name(_ours(edition, name) or "") not in CLASSES
    }
    assert lacking == types(edition) & _UNDECLARED.keys()
    used = {m.type for name in types(edition) for m in members(edition, name) or ()}
    assert lacking.isdisjoint(used), "and no member of any type is of one that we lack"


@pytest.mark.parametrize("edition", Edition)
def test_a_link_type_adds_nothing_to_our_link(edition: Edition) -> None:
    links = [name for name in types(edition) if name.endswith("Link")]
    for name in links:
        added = {(m.name, m.namespace) for m in members(edition, name) or ()}
        assert added <= {("href", None), ("all", None), ("disabled", None)}, name


def test_a_control_type_adds_but_a_flag_to_what_it_controls() -> None:
    control_types = [name for name in types(Edition.OF_2023) if name.endswith("ControlType")]
    for name in set(control_types) - _NAMED_APART.keys():
        parent = base(Edition.OF_2023, name)
        assert parent is not None
        flagged = [m.name for m in members(Edition.OF_2023, name) or ()]
        plain = [m.name for m in members(Edition.OF_2023, parent) or ()]
        assert flagged == [*plain, "disabled"]


@pytest.mark.requirement("PRO-2030.5")
@pytest.mark.parametrize(("cls", "edition"), KNOWN)
def test_a_class_agrees_with_its_type_member_by_member(cls: type[Record], edition: Edition) -> None:
    theirs = {(m.name, m.namespace): m for m in members(edition, _schema_name(cls)) or ()}
    ours = {(s.name, s.namespace): s for s in _slots(cls)}
    order = [key for key in theirs if key[1] and key in ours]
    assert [key for key in ours if key[1] and key in theirs] == order
    lacking = {name for name, _ in theirs.keys() - ours.keys()}
    assert lacking <= {"disabled"}, "every element and attribute of the schema has a field"
    for key in ours.keys() & theirs.keys():
        _check(edition, ours[key], theirs[key])


def _check(edition: Edition, slot: Slot, member: Member) -> None:
    assert slot.repeated == member.many, member
    if isinstance(slot.holds, type):
        assert slot.holds.__name__ == _ours(edition, member.type), member
    else:
        assert _ours(edition, member.type) is None
        wanted = _wanted(edition, member.type)
        assert wanted is None or slot.holds == wanted, member


@pytest.mark.requirement("PRO-2030.5")
@pytest.mark.parametrize("cls", CLASSES)
def test_every_field_is_of_some_edition(cls: type[Record]) -> None:
    known = {(m.name, m.namespace) for e in Edition for m in members(e, _schema_name(cls)) or ()}
    assert {(s.name, s.namespace) for s in _slots(cls)} <= known


_LENIENT: dict[str, set[tuple[str, str | None]]] = {
    # Clients post it, and some do not count what they post.
    "MirrorMeterReadingList": {("all", None), ("results", None)},
}


@pytest.mark.requirement("PRO-2030.5")
@pytest.mark.parametrize("cls", CLASSES)
def test_we_demand_what_every_edition_demands(cls: type[Record]) -> None:
    demanded = {(s.name, s.namespace) for s in _slots(cls) if s.required}
    each = [members(edition, _schema_name(cls)) for edition in Edition]
    by_all = [{(m.name, m.namespace) for m in known if m.least} for known in each if known]
    lenient = _LENIENT.get(cls.__name__, set())
    assert not demanded & lenient
    assert demanded | lenient == set.intersection(*by_all)


def test_a_record_is_a_frozen_value() -> None:
    power = ActivePower(multiplier=0, value=1)
    assert power == ActivePower(value=1, multiplier=0)
    assert hash(power) == hash(ActivePower(value=1, multiplier=0))
    assert power != ActivePower(multiplier=0, value=2)
    assert power != UnsignedActivePower(multiplier=0, value=1), "another class is another value"
    assert replace(power, value=2) == ActivePower(multiplier=0, value=2)
    assert repr(power) == "ActivePower(extensions=(), multiplier=0, value=1)"
    with pytest.raises(FrozenInstanceError, match="value"):
        power.value = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="value"):
        del power.value
    assert not hasattr(power, "__dict__")


def test_a_record_takes_its_fields_and_no_other() -> None:
    assert res.Link(href="/a") == res.Link(href="/a", all=None, extensions=())
    with pytest.raises(TypeError, match="Link needs 'href'"):
        res.Link(all=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Link has no some, more"):
        res.Link(href="/a", some=1, more=2)  # type: ignore[call-arg]


def test_no_class_has_generated_methods() -> None:
    # Importing two hundred of them is quick because nothing is compiled for each.
    shared = {"__init__", "__eq__", "__hash__", "__repr__", "__setattr__", "__delattr__"}
    for cls in CLASSES:
        assert shared.isdisjoint(vars(cls)), cls


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
            assert re.sub("_", "", slot.attr) == re.sub("_", "", slot.name).lower()


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
