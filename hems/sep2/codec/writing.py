"""Records to XML text, by a table for each class made at its first use."""

from collections.abc import Callable
from operator import attrgetter
from typing import Final

from hems.sep2.codec import scalar
from hems.sep2.errors import MalformedError
from hems.sep2.resources.layout import Slot, layout
from hems.sep2.resources.wire import CSIPAUS_NS, SEP_NS, Record

PREFIXES: Final = {SEP_NS: "", CSIPAUS_NS: "csipaus:"}

_Write = Callable[[object], str]
_Values = Callable[[object], tuple[object, ...]]


_writers: dict[type[Record], "Writer"] = {}


def writer(cls: type[Record]) -> "Writer":
    """Return the writer of a class, made at the first call."""
    made = _writers.get(cls)
    if made is None:
        made = _writers[cls] = Writer(cls)
    return made


class Writer:
    """How one record class is written."""

    __slots__ = ("_attributes", "_elements", "_flags", "_get_attributes", "_get_elements")

    def __init__(self, cls: type[Record]) -> None:
        form = layout(cls)
        self._get_attributes = _values(form.attributes)
        self._attributes = tuple(_attribute(slot) for slot in form.attributes)
        self._get_elements = _values(form.elements)
        self._elements = tuple(_element(slot) for slot in form.elements)
        self._flags = _flag_lengths(form.elements), form.flags

    def content(self, record: Record) -> str:
        """Return what follows the element's name: attributes, ">" and all children.

        Raises:
            MalformedError: If a value does not fit its type; its path starts below this element.
        """
        parts = [
            write(value)
            for value, write in zip(self._get_attributes(record), self._attributes, strict=True)
            if value is not None
        ]
        parts.append(">")
        lengths, flags = self._flags
        flagged: frozenset[str] = getattr(record, flags[0]) if flags else frozenset()
        if flags and flagged:
            values = zip(self._get_elements(record), self._elements, lengths, strict=True)
            for value, write, (attr, length) in values:
                if value is not None:
                    text = write(value)
                    if attr in flagged:
                        text = f'{text[:length]} {flags[1]}="true"{text[length:]}'
                    parts.append(text)
        else:
            parts += [
                write(value)
                for value, write in zip(self._get_elements(record), self._elements, strict=True)
                if value is not None
            ]
        parts += record.extensions
        return "".join(parts)


def _not_a(declared: type[Record], value: object) -> MalformedError:
    return MalformedError("", f"{value!r:.40} is not a {declared.__name__}")


def _flag_lengths(slots: tuple[Slot, ...]) -> tuple[tuple[str, int], ...]:
    """Return each field with the length of its start tag up to where attributes go."""
    return tuple((s.attr, len("<") + len(qualified(s.namespace, s.name))) for s in slots)


def qualified(namespace: str | None, name: str) -> str:
    """Return a name with the prefix that documents declare for its namespace."""
    return f"{PREFIXES[namespace]}{name}" if namespace else name


def _values(slots: tuple[Slot, ...]) -> _Values:
    names = [slot.attr for slot in slots]
    if not names:
        return lambda _: ()
    if len(names) == 1:
        (name,) = names
        return lambda record: (getattr(record, name),)
    return attrgetter(*names)


def _attribute(slot: Slot) -> _Write:
    if isinstance(slot.holds, type):
        raise TypeError(f"attribute {slot.name} cannot hold a {slot.holds.__name__}")
    text = scalar.writer(slot.holds)
    start = f' {slot.name}="'

    def write(value: object) -> str:
        try:
            return f'{start}{text(value)}"'
        except ValueError as error:
            raise MalformedError(slot.name, str(error)) from None

    return write


def _element(slot: Slot) -> _Write:
    name = qualified(slot.namespace, slot.name)
    one = (
        _record_element(slot.name, name, slot.holds)
        if isinstance(slot.holds, type)
        else _scalar_element(slot.name, name, scalar.writer(slot.holds))
    )
    if not slot.repeated:
        return one
    return lambda values: "".join([one(value) for value in _items(values, slot.name)])


def _items(values: object, name: str) -> tuple[object, ...]:
    if isinstance(values, tuple):
        return values
    raise MalformedError(name, f"{type(values).__name__} instead of a tuple")


def _scalar_element(local: str, name: str, text: _Write) -> _Write:
    start, end = f"<{name}>", f"</{name}>"

    def write(value: object) -> str:
        try:
            return start + text(value) + end
        except ValueError as error:
            raise MalformedError(local, str(error)) from None

    return write


def _record_element(local: str, name: str, declared: type[Record]) -> _Write:
    start, end = f"<{name}", f"</{name}>"
    content = writer(declared).content

    def write(value: object) -> str:
        try:
            if type(value) is declared:
                return start + content(value) + end
            if not isinstance(value, declared):
                raise _not_a(declared, value)
            cls = type(value)
            variant = qualified(cls.NAMESPACE, cls.__name__)
            if cls.NAMESPACE == CSIPAUS_NS:
                variant += "Type"  # that schema names its types apart from its elements
            return f'{start} xsi:type="{variant}"{writer(cls).content(value)}{end}'
        except MalformedError as error:
            place = f"{local}/{error.element}" if error.element else local
            raise MalformedError(place, error.reason) from None

    return write
