"""Records to XML text, by a table for each class made at its first use."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Final

from hems.sep2.codec import scalar
from hems.sep2.errors import MalformedError
from hems.sep2.resources.layout import Slot, layout
from hems.sep2.resources.wire import CSIPAUS_NS, SEP_NS, STORAGE_NS, Kept, Record

PREFIXES: Final = {SEP_NS: "", CSIPAUS_NS: "csipaus:", STORAGE_NS: "storage:"}

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

    __slots__ = ("_attributes", "_elements", "_flags", "_form", "_get_attributes", "_get_elements")

    def __init__(self, cls: type[Record]) -> None:
        self._form = layout(cls)
        self._get_attributes = _values(self._form.attributes)
        self._attributes = tuple(_attribute(slot) for slot in self._form.attributes)
        self._get_elements = _values(self._form.elements)
        self._elements = tuple(_element(slot) for slot in self._form.elements)
        self._flags = self._form.flags

    def content(self, record: Record) -> str:
        """Return what follows the element's name: attributes, ">" and all children.

        Raises:
            MalformedError: If a value does not fit its type; its path starts below this element.
        """
        flagged: frozenset[str] = getattr(record, self._flags[0]) if self._flags else frozenset()
        try:
            attributes = [
                write(value)
                for value, write in zip(self._get_attributes(record), self._attributes, strict=True)
                if value is not None
            ]
            if flagged or record.extensions:
                return "".join(attributes) + self._marked(record, flagged)
            elements = [
                write(value)
                for value, write in zip(self._get_elements(record), self._elements, strict=True)
                if value is not None
            ]
        except ValueError as error:
            raise self._misfit(record) or error from None
        return f"{''.join(attributes)}>{''.join(elements)}"

    def _marked(self, record: Record, flagged: frozenset[str]) -> str:
        """Return the same, but the attributes known, with flags and with what is not known."""
        marks: dict[str, list[str]] = {}
        behind: dict[str, list[str]] = {}
        last: list[str] = []
        if self._flags:
            marks = {attr: [f' {self._flags[1]}="true"'] for attr in flagged}
        for text in record.extensions:
            if not isinstance(text, Kept):
                last.append(text)
            elif text.startswith("<"):
                behind.setdefault(text.field, []).append(text)
            else:
                marks.setdefault(text.field, []).append(f" {text}")
        parts = [*marks.get("", ()), ">", *behind.get("", ())]
        values = zip(self._form.elements, self._elements, self._get_elements(record), strict=True)
        for slot, write, value in values:
            if value is not None:
                parts.append(_with_attributes(slot, write(value), marks.get(slot.attr, ())))
            parts += behind.get(slot.attr, ())
        return "".join(parts + last)

    def _misfit(self, record: Record) -> MalformedError | None:
        """Return what is wrong with a record of which some value could not be written."""
        slots = self._form.attributes + self._form.elements
        writes = self._attributes + self._elements
        for slot, write in zip(slots, writes, strict=True):
            value = getattr(record, slot.attr)
            try:
                if value is not None:
                    write(value)
            except ValueError as error:
                return MalformedError(slot.name, str(error))
        return None


def qualified(namespace: str | None, name: str) -> str:
    """Return a name with the prefix that documents declare for its namespace."""
    return f"{PREFIXES[namespace]}{name}" if namespace else name


def _values(slots: Sequence[Slot]) -> _Values:
    names = [slot.attr for slot in slots]
    if not names:
        return lambda _: ()
    if len(names) == 1:
        (name,) = names
        return lambda record: (getattr(record, name),)
    return attrgetter(*names)


def _with_attributes(slot: Slot, element: str, attributes: Sequence[str]) -> str:
    name = len("<") + len(qualified(slot.namespace, slot.name))
    return f"{element[:name]}{''.join(attributes)}{element[name:]}"


def _attribute(slot: Slot) -> _Write:
    if isinstance(slot.holds, type):
        raise TypeError(f"attribute {slot.name} cannot hold a {slot.holds.__name__}")
    return scalar.writer(slot.holds, f' {slot.name}="', '"')


def _element(slot: Slot) -> _Write:
    name = qualified(slot.namespace, slot.name)
    one = (
        _record_element(slot.name, name, slot.holds)
        if isinstance(slot.holds, type)
        else scalar.writer(slot.holds, f"<{name}>", f"</{name}>")
    )
    if not slot.repeated:
        return one
    return lambda values: "".join([one(value) for value in _items(values)])


def _items(values: object) -> tuple[object, ...]:
    if isinstance(values, tuple):
        return values
    raise ValueError(f"{type(values).__name__} instead of a tuple")


def _record_element(local: str, name: str, declared: type[Record]) -> _Write:
    start, end = f"<{name}", f"</{name}>"
    content = writer(declared).content

    def write(value: object) -> str:
        try:
            if type(value) is declared:
                return start + content(value) + end
            if not isinstance(value, declared):
                raise ValueError(f"{value!r:.40} is not a {declared.__name__}")  # noqa: TRY004 - same
            cls = type(value)
            variant = qualified(cls.NAMESPACE, cls.__name__)
            if cls.NAMESPACE == CSIPAUS_NS:
                variant += "Type"  # that schema names its types apart from its elements
            return f'{start} xsi:type="{variant}"{writer(cls).content(value)}{end}'
        except MalformedError as error:
            raise MalformedError(f"{local}/{error.element}", error.reason) from None

    return write
