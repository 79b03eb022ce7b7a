"""Frozen records to XML and back, by the annotations of their fields.

`name: Annotated[str | None, At("name")] = None` is an element that may be left out; without a
default it must be there; a tuple is an element that may be repeated. What a record does not know
is refused: half of an order that is understood is another order.
"""

from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum, auto
from types import NoneType, UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from lxml import etree

from hems.headend.cim.errors import CimError, Fault
from hems.headend.cim.scalars import MOST_CHARACTERS, Instant, Read, Write, form_of
from hems.sep2.codec.foreign import Element, attributes_of
from hems.sep2.codec.reading import path
from hems.sep2.codec.scalar import shown

MOST_ITEMS: Final = 20_000
"""Elements of one name beside one another."""
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"


class Place(Enum):
    """How a field stands in its element."""

    ELEMENT = auto()
    ATTRIBUTE = auto()
    TEXT = auto()


@dataclass(frozen=True, slots=True)
class At:
    """Where a field stands on the wire.

    Attributes:
        name: Of the element or attribute; empty for the element's own text.
        place: Which of these.
    """

    name: str = ""
    place: Place = Place.ELEMENT


R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Slot:
    attr: str
    at: At
    record: type[Any] | None
    read: Read
    write: Write
    many: bool
    required: bool


def read(cls: type[R], element: Element, namespace: str) -> R:
    """Read a record.

    Args:
        cls: Its class.
        element: Where it stands.
        namespace: That of its elements.

    Raises:
        CimError: It is not of this form; the first thing that is wrong is named.
    """
    found: dict[str, Any] = {}
    slots = _slots(cls)
    _read_attributes(slots, element, found)
    text = _own_text(element)
    own = next((slot for slot in slots if slot.at.place is Place.TEXT), None)
    if own is not None:
        found[own.attr] = _scalar(own, text, path(element))
    elif text:
        raise CimError(Fault.FORM, f"it has text of its own: {shown(text)}", path(element))
    by_name = {slot.at.name: slot for slot in slots if slot.at.place is Place.ELEMENT}
    for child in element:
        name = etree.QName(child)
        slot = by_name.get(name.localname)
        if slot is None or name.namespace != namespace:
            raise CimError(Fault.FORM, "there is no such element here", path(child))
        value = _value(slot, child, namespace)
        if slot.many:
            items = found.setdefault(slot.attr, [])
            items.append(value)
            if len(items) > MOST_ITEMS:
                raise CimError(Fault.TOO_MANY, f"more than {MOST_ITEMS} of them", path(child))
        elif slot.attr in found:
            raise CimError(Fault.FORM, "it is there twice", path(child))
        else:
            found[slot.attr] = value
    for slot in slots:
        if slot.required and slot.attr not in found:
            where = slot.at.name or "text"
            raise CimError(Fault.FORM, f"{where} is missing", path(element))
    return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in found.items()})


def write(record: object, element: Element, namespace: str) -> None:
    """Write a record's parts into an element.

    Raises:
        CimError: A value cannot stand in XML.
    """
    for slot in _slots(type(record)):
        value = getattr(record, slot.attr)
        if value is None:
            continue
        for each in value if slot.many else (value,):
            _write_value(slot, each, element, namespace)


def _write_value(slot: _Slot, value: object, element: Element, namespace: str) -> None:
    try:
        match slot.at.place:
            case Place.ATTRIBUTE:
                element.set(slot.at.name, slot.write(value))
            case Place.TEXT:
                element.text = slot.write(value)
            case Place.ELEMENT:
                child = etree.SubElement(element, f"{{{namespace}}}{slot.at.name}")
                if slot.record is None:
                    child.text = slot.write(value)
                else:
                    write(value, child, namespace)
    except (ValueError, OverflowError) as error:
        reason = f"{slot.at.name or 'text'} cannot be written: {error}"
        raise CimError(Fault.FORM, reason, path(element)) from error


def _read_attributes(slots: tuple[_Slot, ...], element: Element, found: dict[str, Any]) -> None:
    by_name = {slot.at.name: slot for slot in slots if slot.at.place is Place.ATTRIBUTE}
    for name, value in attributes_of(element):
        if name.startswith(_XSI):
            if name.removeprefix(_XSI) != "schemaLocation":
                raise CimError(Fault.FORM, "xsi:type and xsi:nil are not taken", path(element))
            continue
        slot = by_name.get(name)
        if slot is None:
            raise CimError(Fault.FORM, f"there is no attribute {shown(name)}", path(element))
        found[slot.attr] = _scalar(slot, value, f"{path(element)}/@{slot.at.name}")


def _value(slot: _Slot, element: Element, namespace: str) -> object:
    if slot.record is not None:
        return read(slot.record, element, namespace)
    if len(element) or attributes_of(element):
        raise CimError(Fault.FORM, "it must hold text only", path(element))
    return _scalar(slot, _own_text(element), path(element))


def _own_text(element: Element) -> str:
    parts = [element.text or "", *(child.tail or "" for child in element)]
    return "".join(parts).strip()


def _scalar(slot: _Slot, text: str, where: str) -> object:
    if not text:
        raise CimError(Fault.FORM, "it is empty", where)
    if len(text) > MOST_CHARACTERS:
        raise CimError(Fault.FORM, f"it is longer than {MOST_CHARACTERS} characters", where)
    try:
        return slot.read(text.strip())
    except (ValueError, OverflowError) as error:
        raise CimError(Fault.FORM, str(error), where) from error


_known: dict[type[Any], tuple[_Slot, ...]] = {}


def _slots(cls: type[Any]) -> tuple[_Slot, ...]:
    found = _known.get(cls)
    if found is None:
        hints = get_type_hints(cls, include_extras=True)
        found = _known[cls] = tuple(
            _slot(each.name, hints[each.name], each.default is MISSING) for each in fields(cls)
        )
    return found


def _slot(attr: str, hint: object, required: bool) -> _Slot:
    if get_origin(hint) is not Annotated:
        raise TypeError(f"{attr} does not say where it stands")
    inner, *notes = get_args(hint)
    at = next(note for note in notes if isinstance(note, At))
    if get_origin(inner) in {Union, UnionType}:
        inner = next(part for part in get_args(inner) if part is not NoneType)
    many = get_origin(inner) is tuple
    if many:
        inner = get_args(inner)[0]
    if is_dataclass(inner) and isinstance(inner, type):
        return _Slot(attr, at, inner, str, str, many, required)
    kind = Instant if Instant() in notes else inner
    read_, write_ = form_of(kind)
    return _Slot(attr, at, None, read_, write_, many, required)
