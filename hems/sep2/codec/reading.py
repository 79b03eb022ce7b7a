"""Elements to records, by a table for each class made at its first use."""

import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, Final

from lxml import etree

from hems.sep2.codec import scalar
from hems.sep2.codec.building import draft
from hems.sep2.codec.foreign import (
    XSI_TYPE,
    Element,
    as_received,
    attributes_of,
    kept_attributes,
    kept_element,
)
from hems.sep2.errors import MalformedError
from hems.sep2.resources.base import List, SubscribableList
from hems.sep2.resources.layout import Slot, layout
from hems.sep2.resources.subscription import Notification
from hems.sep2.resources.wire import SEP_NS, Boolean, Kept, Record, by_name, subclasses

_MRID = re.compile(r"\s*([0-9A-Fa-f]{1,32})\s*")
_BITS8 = re.compile(r"\s*([0-9A-Fa-f]{1,2})\s*")
_BITS32 = re.compile(r"\s*([0-9A-Fa-f]{1,8})\s*")
_LONGEST_NAME: Final = 64
"""What errors tell of an element's name; those of the standard are shorter."""
_EDITION: Final = "schemaVer"
"""The attribute that tells of the document, not of the record in it."""


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
        device_category: Bits of the devices that it is meant for; 0 if it has no legible ones.
    """

    error: MalformedError
    kind: str
    mrid: str | None
    reply_to: str | None
    xml: str
    response_required: int = 0
    device_category: int = 0


OnBad = Callable[[BadItem], None]
_Read = Callable[[Element, OnBad | None], Record]
_Slot = tuple[int, Callable[[str], scalar.Value] | None, _Read, bool]
# Each value is of its field's type because it came through that field's own reader.
_Values = list[Any]


_readers: dict[type[Record], "Reader"] = {}
_read_flag = scalar.reader(Boolean())


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
        "_blank",
        "_cls",
        "_draft",
        "_elements",
        "_extensions",
        "_flags",
        "_is_list",
        "_names",
        "_order",
        "_repeated",
        "_required",
        "_variants",
    )

    def __init__(self, cls: type[Record]) -> None:
        form = layout(cls)
        # Mandatory fields come first, so that one look at the first values shows what is missing.
        ordered = sorted(fields(cls), key=lambda f: f.default is not MISSING)
        index = {f.name: n for n, f in enumerate(ordered)}
        self._cls = cls
        self._draft = draft(cls, tuple(index))
        self._blank: _Values = [None if f.default is MISSING else f.default for f in ordered]
        self._required = sum(f.default is MISSING for f in ordered)
        self._names = tuple(index)
        self._attributes = {s.tag: (index[s.attr], _text_of(s)) for s in form.attributes}
        # For each tag: the field, how its text is read or else its element, and if it repeats.
        self._elements: dict[str, _Slot] = {
            tag: (index[s.attr], None, reader(s.holds).read, s.repeated)
            if isinstance(s.holds, type)
            else (index[s.attr], scalar.reader(s.holds), _no_element, s.repeated)
            for s in form.elements
            for tag in s.tags
        }
        self._extensions = index["extensions"]
        self._order = {"": -1} | {s.attr: n for n, s in enumerate(form.elements)}
        self._repeated = [index[s.attr] for s in form.elements if s.repeated]
        self._flags = (index[form.flags[0]], form.flags[1]) if form.flags else None
        self._is_list = issubclass(cls, List | SubscribableList)
        self._variants = bool(subclasses(cls))

    # In one piece, though it is long: two calls less for each element are a tenth of the time.
    def read(  # noqa: C901, PLR0912, PLR0915
        self, element: Element, on_bad: OnBad | None
    ) -> Record:
        """Return the record.

        Args:
            element: The element of this class, or of a subclass that its xsi:type names.
            on_bad: Called for the items of a list that cannot be read; None to fail at the first.

        Raises:
            MalformedError: If something is missing, double, of a wrong form or out of range.
        """
        if self._variants and (variant := element.get(XSI_TYPE)) is not None:
            chosen = self._variant(element, variant)
            if chosen is not self:
                return chosen.read(element, on_bad)
        values = [*self._blank]
        kept: list[Kept] | None = None
        if present := attributes_of(element):
            known = self._attributes
            key, all_known = "", True
            try:
                for key, text in present:
                    try:
                        n, read_attribute = known[key]
                    except KeyError:
                        all_known = False
                    else:
                        values[n] = read_attribute(text)
            except ValueError as error:
                raise MalformedError(f"{path(element)}/@{key}", str(error)) from None
            if not all_known:
                kept = self._unknown_attributes(element)
        if len(element):
            elements = self._elements
            child = element
            n = -1
            try:
                for child in element:
                    try:
                        n, read_text, read, repeated = elements[child.tag]
                    except KeyError:
                        kept = [] if kept is None else kept
                        kept.append(kept_element(child, self._names[n] if n >= 0 else ""))
                        continue
                    if repeated:
                        self._read_item(child, read, n, values, on_bad)
                    elif values[n] is not None:
                        _refuse("given more than once")
                    elif read_text is not None:
                        values[n] = read_text(child.text or "")
                        if child.keys() or len(child):
                            kept = [*(kept or ()), *self._scalar_attributes(child, n, values)]
                    else:
                        values[n] = made = read(child, on_bad)
                        if self._flags and made.extensions:
                            values[n] = self._unflagged(child, n, made, values)
            except ValueError as error:
                raise MalformedError(path(child), str(error)) from None
            for n in self._repeated:
                if values[n] is not None:
                    values[n] = tuple(values[n])
        if kept:
            kept.sort(key=self._place)
            values[self._extensions] = tuple(kept)
        for value in values[: self._required]:
            if value is None:
                raise self._missing(element, values)
        made = self._draft(*values)
        made.__class__ = self._cls
        return made

    def _unknown_attributes(self, element: Element) -> list[Kept]:
        unknown = [
            (key, text)
            for key, text in attributes_of(element)
            if key not in self._attributes
            and key != _EDITION
            and not (key == XSI_TYPE and _named(text) is self._cls)
        ]
        try:
            return kept_attributes(element, unknown)
        except ValueError as error:
            raise MalformedError(path(element), str(error)) from None

    def _read_item(
        self, element: Element, read: _Read, n: int, values: _Values, on_bad: OnBad | None
    ) -> None:
        if not values[n]:
            values[n] = []
        try:
            values[n].append(read(element, on_bad))
        except MalformedError as error:
            if on_bad is None or not self._is_list:
                raise
            on_bad(_bad_item(element, error))

    def _scalar_attributes(self, element: Element, n: int, values: _Values) -> list[Kept]:
        """Return the attributes of an element that holds text only, its flag taken off."""
        if len(element):
            _refuse("holds an element where only text may be")
        flag = self._take_flag(element, n, values)
        unknown = [(key, text) for key, text in attributes_of(element) if key != flag]
        return kept_attributes(element, unknown, self._names[n])

    def _unflagged(self, element: Element, n: int, made: Record, values: _Values) -> Record:
        """Return a record without the flag on its element, which its own class does not know."""
        flag = f'{self._take_flag(element, n, values)}="'
        kept = [
            text
            for text in made.extensions
            if not (isinstance(text, Kept) and text.field == "" and text.startswith(flag))
        ]
        return replace(made, extensions=tuple(kept))

    def _take_flag(self, element: Element, n: int, values: _Values) -> str | None:
        """Note a field as flagged if its element is, and return the name of such flags."""
        if self._flags is None:
            return None
        where, attribute = self._flags
        text = element.get(attribute)
        if text is not None and _read_flag(text):
            values[where] |= {self._names[n]}
        return attribute

    def _place(self, kept: Kept) -> tuple[int, bool]:
        return self._order[kept.field], kept.startswith("<")

    def _variant(self, element: Element, variant: str) -> "Reader":
        """Return the reader for an xsi:type; this one if the type is none that we know."""
        cls = _named(variant)
        if cls is None or cls is self._cls:
            return self
        # A notification inside a notification has no meaning, but could nest without end.
        if not issubclass(cls, self._cls) or issubclass(cls, Notification):
            raise MalformedError(path(element), f"xsi:type {cls.__name__} has no place here")
        return reader(cls)

    def _missing(self, element: Element, values: _Values) -> MalformedError:
        attr = self._names[values.index(None)]
        form = layout(self._cls)
        (slot,) = (s for s in form.attributes + form.elements if s.attr == attr)
        what = "element" if slot.namespace else "attribute"
        return MalformedError(path(element), f"mandatory {what} {slot.name} is missing")


def path(element: Element) -> str:
    """Return the names from the root to an element, such as "DERControl/interval/start"."""
    names = [etree.QName(e).localname[:_LONGEST_NAME] for e in (element, *element.iterancestors())]
    return "/".join(reversed(names))


def _named(variant: str) -> type[Record] | None:
    """Return the class that an xsi:type names, None if we have none such."""
    name = variant.strip().rpartition(":")[2]
    return by_name(name) or by_name(name.removesuffix("Type"))


def _text_of(slot: Slot) -> Callable[[str], scalar.Value]:
    if isinstance(slot.holds, type):
        raise TypeError(f"attribute {slot.name} cannot hold a {slot.holds.__name__}")
    return scalar.reader(slot.holds)


def _no_element(element: Element, _: OnBad | None) -> Record:
    raise TypeError(f"{path(element)} holds text only")


def _bad_item(element: Element, error: MalformedError) -> BadItem:
    mrid = _MRID.fullmatch(element.findtext(f"{{{SEP_NS}}}mRID") or "")
    required = _BITS8.fullmatch(element.get("responseRequired", ""))
    category = _BITS32.fullmatch(element.findtext(f"{{{SEP_NS}}}deviceCategory") or "")
    return BadItem(
        error=error,
        kind=etree.QName(element).localname,
        mrid=mrid[1].upper() if mrid else None,
        reply_to=element.get("replyTo"),
        xml=as_received(element),
        response_required=int(required[1], 16) if required else 0,
        device_category=int(category[1], 16) if category else 0,
    )


def _refuse(reason: str) -> None:
    raise ValueError(reason)
