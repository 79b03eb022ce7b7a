"""Elements to records, by a table for each class made at its first use."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from hems.sep2.codec import scalar
from hems.sep2.errors import MalformedError
from hems.sep2.resources.base import List, SubscribableList
from hems.sep2.resources.layout import Slot, layout
from hems.sep2.resources.subscription import Notification
from hems.sep2.resources.wire import SEP_NS, Record, by_name, subclasses

XSI_NS: Final = "http://www.w3.org/2001/XMLSchema-instance"
_XSI_TYPE: Final = f"{{{XSI_NS}}}type"
_MRID = re.compile(r"\s*([0-9A-Fa-f]{1,32})\s*")
_BITS8 = re.compile(r"\s*([0-9A-Fa-f]{1,2})\s*")


@dataclass(frozen=True, slots=True)
class BadItem:
    """An item of a list that could not be read, with what of it is still legible.

    Attributes:
        error: What is wrong with it.
        kind: Name of its element, such as "DERControl".
        mrid: Its mRID in upper case, None if it has no legible one.
        reply_to: Where an answer to it goes, None if it wants none.
        response_required: Its responseRequired bitmap; 0 if it has no legible one.
        xml: The item as received.
    """

    error: MalformedError
    kind: str
    mrid: str | None
    reply_to: str | None
    xml: str
    response_required: int = 0


OnBad = Callable[[BadItem], None]
_Element = etree._Element  # noqa: SLF001 - lxml has no public name for it
_Read = Callable[[_Element, OnBad | None], Record]


_readers: dict[type[Record], "Reader"] = {}


def reader(cls: type[Record]) -> "Reader":
    """Return the reader of a class, made at the first call."""
    made = _readers.get(cls)
    if made is None:
        made = _readers[cls] = Reader(cls)
    return made


class Reader:
    """How one record class is read."""

    __slots__ = (
        "_attributes",
        "_cls",
        "_elements",
        "_flags",
        "_is_list",
        "_repeated",
        "_required",
        "_variants",
    )

    def __init__(self, cls: type[Record]) -> None:
        form = layout(cls)
        self._cls = cls
        self._attributes = {s.tag: (s.attr, _text_of(s)) for s in form.attributes}
        # For each tag: the field, how its text is read or else its element, and if it repeats.
        self._elements = {
            s.tag: (s.attr, None, reader(s.holds).read, s.repeated)
            if isinstance(s.holds, type)
            else (s.attr, scalar.reader(s.holds), _no_element, s.repeated)
            for s in form.elements
        }
        self._required = [s for s in form.attributes + form.elements if s.required]
        self._repeated = [s.attr for s in form.elements if s.repeated]
        self._flags = form.flags
        self._is_list = issubclass(cls, List | SubscribableList)
        self._variants = bool(subclasses(cls))

    def read(self, element: _Element, on_bad: OnBad | None) -> Record:
        """Return the record.

        Args:
            element: The element of this class, or of a subclass that its xsi:type names.
            on_bad: Called for the items of a list that cannot be read; None to fail at the first.

        Raises:
            MalformedError: If something is missing, double, of a wrong form or out of range.
        """
        if self._variants and (variant := element.get(_XSI_TYPE)) is not None:
            chosen = self._variant(element, variant)
            if chosen is not self:
                return chosen.read(element, on_bad)
        # The values are of the fields' types because each came through its own slot's reader.
        values: dict[str, Any] = {}
        if self._attributes:
            self._read_attributes(element, values)
        self._read_children(element, values, on_bad)
        if self._flags is not None:
            self._read_flags(element, values)
        try:
            return self._cls(**values)
        except TypeError as error:
            raise self._missing(element, values) or error from None

    def _read_attributes(self, element: _Element, values: dict[str, Any]) -> None:
        for key, text in element.items():
            if key in self._attributes:
                attr, read_text = self._attributes[key]
                try:
                    values[attr] = read_text(str(text))
                except ValueError as error:
                    raise MalformedError(f"{path(element)}/@{key}", str(error)) from None

    def _read_children(
        self, element: _Element, values: dict[str, Any], on_bad: OnBad | None
    ) -> None:
        elements = self._elements
        unknown: list[str] = []
        child = element
        try:
            for child in element:
                slot = elements.get(child.tag)
                if slot is None:
                    unknown.append(_raw(child))
                    continue
                attr, read_text, read, repeated = slot
                if repeated:
                    self._read_item(child, read, values.setdefault(attr, []), on_bad)
                elif attr in values:
                    _refuse("given more than once")
                elif read_text is not None:
                    values[attr] = read_text(child.text or "")
                else:
                    values[attr] = read(child, on_bad)
        except ValueError as error:
            raise MalformedError(path(child), str(error)) from None
        for attr in self._repeated:
            if attr in values:
                values[attr] = tuple(values[attr])
        if unknown:
            values["extensions"] = tuple(unknown)

    def _read_item(
        self, element: _Element, read: _Read, items: list[Record], on_bad: OnBad | None
    ) -> None:
        try:
            items.append(read(element, on_bad))
        except MalformedError as error:
            if on_bad is None or not self._is_list:
                raise
            on_bad(_bad_item(element, error))

    def _read_flags(self, element: _Element, values: dict[str, Any]) -> None:
        field, attribute = self._flags or ("", "")
        marked = [child for child in element if child.get(attribute) is not None]
        if not marked:
            return
        flagged = frozenset(
            self._elements[child.tag][0]
            for child in marked
            if child.get(attribute, "").strip() in ("true", "1") and child.tag in self._elements
        )
        if flagged:
            values[field] = flagged

    def _variant(self, element: _Element, variant: str) -> "Reader":
        """Return the reader for an xsi:type; this one if the type is none that we know."""
        name = variant.strip().rpartition(":")[2]
        cls = by_name(name) or by_name(name.removesuffix("Type"))
        if cls is None or cls is self._cls:
            return self
        # A notification inside a notification has no meaning, but could nest without end.
        if not issubclass(cls, self._cls) or issubclass(cls, Notification):
            raise MalformedError(path(element), f"xsi:type {name} has no place here")
        return reader(cls)

    def _missing(self, element: _Element, values: dict[str, Any]) -> MalformedError | None:
        for slot in self._required:
            if slot.attr not in values:
                what = "element" if slot.namespace else "attribute"
                return MalformedError(path(element), f"mandatory {what} {slot.name} is missing")
        return None


def path(element: _Element) -> str:
    """Return the names from the root to an element, such as "DERControl/interval/start"."""
    names = [etree.QName(e).localname for e in (element, *element.iterancestors())]
    return "/".join(reversed(names))


def _text_of(slot: Slot) -> Callable[[str], scalar.Value]:
    if isinstance(slot.holds, type):
        raise TypeError(f"attribute {slot.name} cannot hold a {slot.holds.__name__}")
    return scalar.reader(slot.holds)


def _no_element(element: _Element, _: OnBad | None) -> Record:
    raise TypeError(f"{path(element)} holds text only")


def _bad_item(element: _Element, error: MalformedError) -> BadItem:
    mrid = _MRID.fullmatch(element.findtext(f"{{{SEP_NS}}}mRID") or "")
    required = _BITS8.fullmatch(element.get("responseRequired", ""))
    return BadItem(
        error=error,
        kind=etree.QName(element).localname,
        mrid=mrid[1].upper() if mrid else None,
        reply_to=element.get("replyTo"),
        xml=_raw(element),
        response_required=int(required[1], 16) if required else 0,
    )


def _refuse(reason: str) -> None:
    raise ValueError(reason)


def _raw(element: _Element) -> str:
    # Canonical form carries its own namespaces and comes out the same each time it is read.
    raw: bytes = etree.tostring(element, method="c14n", exclusive=True, with_tail=False)
    return raw.decode()
