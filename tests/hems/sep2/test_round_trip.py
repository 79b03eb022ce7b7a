"""Every record in every edition that knows it: the schema takes what is written, and it is read."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from hems.sep2.resources import (
    DERControlBase,
    DERControlResponse,
    DERSettings,
    MirrorUsagePoint,
    TariffProfile,
    UnsignedActivePower,
)
from hems.sep2.resources.layout import layout
from hems.sep2.resources.wire import CSIPAUS_NS, SEP_NS, STORAGE_NS, Record
from hems.sep2.xml import parse, serialize
from tests.examples import examples
from tests.hems.sep2.schema import Edition, members, validator
from tests.hems.sep2.strategies import CLASSES, records

pytestmark = pytest.mark.requirement("PRO-2030.5")


def _extended(cls: type[Record], within: tuple[type[Record], ...] = ()) -> bool:
    """Whether a record of this class can hold anything of CSIP-AUS."""
    return cls.NAMESPACE != SEP_NS or any(
        slot.namespace != SEP_NS
        or (
            (isinstance(slot.holds, type) and slot.holds not in within)
            and _extended(slot.holds, (*within, slot.holds))
        )
        for slot in layout(cls).elements
    )


DOCUMENTS = [
    pytest.param(cls, edition, id=f"{cls.__name__}-{edition.name}")
    for edition in Edition
    for cls in CLASSES
    if members(edition, cls.__name__) is not None and (edition is edition.base or _extended(cls))
]


def _check(data: st.DataObject, cls: type[Record], edition: Edition) -> None:
    record = data.draw(records(cls, edition))
    body = serialize(
        record,
        schema_ver="2.2" if edition is Edition.OF_2023 else None,
        csipaus_ns=STORAGE_NS if edition is Edition.STORAGE else CSIPAUS_NS,
    )
    validator(edition).assertValid(etree.fromstring(body))
    assert parse(body, cls) == record


@pytest.mark.parametrize("edition", [Edition.OF_2018, Edition.CSIPAUS])
def test_what_only_2023_knows_is_not_valid_before(edition: Edition) -> None:
    base = DERControlBase(op_mod_max_lim_w_absorb=UnsignedActivePower.of(1500.0))
    body = etree.fromstring(serialize(base))
    assert validator(Edition.OF_2023).validate(body)
    assert not validator(edition).validate(body)


@pytest.mark.parametrize(
    "cls", [DERControlBase, DERControlResponse, DERSettings, MirrorUsagePoint, TariffProfile]
)
@given(data=st.data())
def test_a_record_drawn_for_2018_has_only_what_2018_knows(
    cls: type[Record], data: st.DataObject
) -> None:
    record = data.draw(records(cls, Edition.OF_2018))
    known = {member.name for member in members(Edition.OF_2018, cls.__name__) or ()}
    form = layout(cls)
    for slot in form.attributes + form.elements:
        assert slot.name in known or getattr(record, slot.attr) in (None, ())


@pytest.mark.parametrize(("cls", "edition"), DOCUMENTS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_written_is_valid_and_comes_back_equal(
    cls: type[Record], edition: Edition, data: st.DataObject
) -> None:
    _check(data, cls, edition)


@pytest.mark.deep
@pytest.mark.parametrize(("cls", "edition"), DOCUMENTS)
@settings(max_examples=examples(200), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_same_at_length(cls: type[Record], edition: Edition, data: st.DataObject) -> None:
    _check(data, cls, edition)
