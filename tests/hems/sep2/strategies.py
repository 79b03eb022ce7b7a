"""Random records of any class, with only what an edition of the schema knows."""

from typing import Any

from hypothesis import strategies as st

from hems.sep2 import resources
from hems.sep2.resources.layout import Slot, layout
from hems.sep2.resources.wire import Bits, HexId, Integer, Record, Scalar, Text
from tests.hems.sep2.schema import Edition, Member, members

CLASSES = tuple(
    cls
    for name in dir(resources)
    if isinstance(cls := getattr(resources, name), type)
    and issubclass(cls, Record)
    and cls not in (Record, resources.Scaled)
)
"""All records but the two that only serve to derive others from."""

VARIANTS: dict[type[Record], tuple[type[Record], ...]] = {
    resources.Resource: (
        resources.DERControl,
        resources.DERControlList,
        resources.DERProgram,
        resources.EndDeviceControlList,
        resources.TimeTariffInterval,
        resources.TextMessageList,
        resources.Time,
    ),
    resources.Response: (
        resources.Response,
        resources.DERControlResponse,
        resources.DrResponse,
        resources.PriceResponse,
    ),
}
"""Classes that stand in for a declared one, told apart by xsi:type."""

# What XML 1.0 can hold; tabs and line ends are among it and must survive.
_CHARACTERS = st.characters(blacklist_categories=["Cs", "Cc"]).filter(
    lambda c: c not in "\ufffe\uffff"
) | st.sampled_from("\t\n\r&<>\"'")
_URI = st.from_regex(r"/[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,3}(\?s=[0-9]&l=[0-9])?", fullmatch=True)


def scalars(kind: Scalar) -> st.SearchStrategy[Any]:
    match kind:
        case Integer(least, most):
            return st.integers(least, most)
        case Bits(octets):
            return st.integers(0, 2 ** (8 * octets) - 1)
        case HexId(octets):
            return st.binary(min_size=1, max_size=octets).map(lambda b: b.hex().upper())
        case Text(_, True):
            return _URI
        case Text(length, _):
            return st.text(_CHARACTERS, max_size=length)
        case _:
            return st.booleans()


@st.composite
def records(draw: st.DrawFn, cls: type[Record], edition: Edition, type_name: str = "") -> Record:
    """Draw a record of a class as the schema type (by default of its own name) allows it."""
    known = {(m.name, m.namespace): m for m in members(edition, type_name or cls.__name__) or ()}
    form = layout(cls)
    values: dict[str, Any] = {}
    flaggable: list[str] = []
    for slot in form.attributes + form.elements:
        member = known.get((slot.name, slot.namespace))
        if member is None or not (member.least or slot.required or draw(st.booleans())):
            continue
        values[slot.attr] = draw(_field(slot, member, edition))
        types = members(edition, member.type) or ()
        if form.flags and any(m.name == form.flags[1] for m in types):
            flaggable.append(slot.attr)
    if form.flags and flaggable:
        values[form.flags[0]] = draw(st.frozensets(st.sampled_from(flaggable)))
    return cls(**values)


def _field(slot: Slot, member: Member, edition: Edition) -> st.SearchStrategy[Any]:
    if not isinstance(slot.holds, type):
        return scalars(slot.holds)
    variants = VARIANTS.get(slot.holds)
    one = (
        st.one_of([records(variant, edition) for variant in variants])
        if variants
        else records(slot.holds, edition, member.type)
    )
    return st.lists(one, min_size=member.least, max_size=2).map(tuple) if member.many else one
