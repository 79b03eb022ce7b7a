"""Reads the annotations of a record class once, into the layout that the XML codec follows."""

from dataclasses import MISSING, Field, dataclass, fields
from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin, get_type_hints

from hems.sep2.resources.wire import (
    ALIASES,
    SEP_NS,
    Attribute,
    Boolean,
    Extension,
    Flagged,
    Record,
    Scalar,
)


@dataclass(frozen=True, slots=True)
class Slot:
    """One field on the wire.

    Attributes:
        attr: Name of the Python field.
        name: Local name on the wire.
        namespace: Namespace of the element, None for an XML attribute.
        holds: The range and form of a scalar, or the record class.
        repeated: Whether the element may occur more than once (the field is a tuple).
        required: Whether it must occur.
    """

    attr: str
    name: str
    namespace: str | None
    holds: Scalar | type[Record]
    repeated: bool
    required: bool

    @property
    def tag(self) -> str:
        """The qualified name as lxml gives it."""
        return f"{{{self.namespace}}}{self.name}" if self.namespace else self.name

    @property
    def tags(self) -> tuple[str, ...]:
        """All qualified names that it is read from."""
        aliases = ALIASES.get(self.namespace or "", ())
        return (self.tag, *(f"{{{alias}}}{self.name}" for alias in aliases))


@dataclass(frozen=True, slots=True)
class Layout:
    """A record class on the wire, in the schema's order.

    Attributes:
        attributes: Its XML attributes.
        elements: Its child elements.
        flags: The field that collects flagged elements, and the XML attribute that flags them.
    """

    attributes: tuple[Slot, ...]
    elements: tuple[Slot, ...]
    flags: tuple[str, str] | None

    @property
    def items(self) -> Slot | None:
        """The repeated element of a list, None if there is not exactly one."""
        repeated = [slot for slot in self.elements if slot.repeated]
        return repeated[0] if len(repeated) == 1 else None


_layouts: dict[type[Record], Layout] = {}


def layout(cls: type[Record]) -> Layout:
    """Return the layout of a record class, worked out at the first call.

    Raises:
        TypeError: If a field's annotation does not say how it goes on the wire.
    """
    if cls not in _layouts:
        _layouts[cls] = _layout(cls)
    return _layouts[cls]


def _layout(cls: type[Record]) -> Layout:
    hints = get_type_hints(cls, include_extras=True)
    attributes: list[Slot] = []
    elements: list[Slot] = []
    flags: tuple[str, str] | None = None
    for field in fields(cls):
        if field.name == "extensions":
            continue
        *_, marker = get_args(hints[field.name])
        if isinstance(marker, Flagged):
            flags = (field.name, marker.attribute)
        elif isinstance(marker, Attribute):
            attributes.append(_slot(cls, field, hints[field.name], marker.name, None))
        elif isinstance(marker, Extension):
            elements.append(_slot(cls, field, hints[field.name], marker.name, marker.namespace))
        else:
            elements.append(_slot(cls, field, hints[field.name], str(marker), SEP_NS))
    return Layout(tuple(attributes), tuple(elements), flags)


def _slot(
    cls: type[Record], field: Field[object], hint: object, name: str, namespace: str | None
) -> Slot:
    holds, repeated = _holds(hint)
    if holds is None:
        raise TypeError(f"{cls.__name__}.{field.name}: no wire form in {hint}")
    required = field.default is MISSING and field.default_factory is MISSING
    return Slot(field.name, name, namespace, holds, repeated, required)


def _holds(hint: object) -> tuple[Scalar | type[Record] | None, bool]:
    """Return what a (possibly optional, repeated, annotated) type holds on the wire."""
    origin = get_origin(hint)
    if origin is Annotated:
        base, *metadata = get_args(hint)
        for form in metadata:
            if isinstance(form, Scalar):
                return form, False
        return _holds(base)
    if origin in (Union, UnionType):
        (inner,) = (arg for arg in get_args(hint) if arg is not NoneType)
        return _holds(inner)
    if origin is tuple:
        return _holds(get_args(hint)[0])[0], True
    if hint is bool:
        return Boolean(), False
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint, False
    return None, False
