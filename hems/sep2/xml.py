"""IEEE 2030.5 XML to records and back.

Reading trusts nothing: a body is bounded in size and depth, has no DTD and hence no entities, is
UTF-8, and each value is checked against the range of its type. What a class does not know is no
error: unknown attributes are ignored, unknown elements kept as text and written back. In a list
one bad item need not spoil the others: give `on_bad` and it is reported, the rest is read.

The work is laid out once for each class, at its first use, from the field annotations
(`resources.layout`), and then follows tables.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, TypeVar, cast

from lxml import etree

from hems.sep2.errors import MalformedError, OversizedError
from hems.sep2.resources.base import List, Resource, SubscribableList
from hems.sep2.resources.layout import Kind, Slot, layout
from hems.sep2.resources.subscription import Notification
from hems.sep2.resources.wire import CSIPAUS_NS, SEP_NS, Record, by_name, subclasses
from hems.sep2.xmlscalar import Scalar, reader, writer

MAX_BODY: Final = 1 << 20
"""Greatest length of a body in octets."""

MEDIA_TYPE: Final = "application/sep+xml"

_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_XSI_TYPE: Final = f"{{{_XSI}}}type"
_DECLARED = re.compile(rb"""^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)""")
# libxml2 itself stops at 256 levels while huge_tree is off; a sound body has about ten.
_PARSER: Final = etree.XMLParser(
    encoding="utf-8",
    resolve_entities=False,
    load_dtd=False,
    no_network=True,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
    collect_ids=False,
)

T = TypeVar("T", bound=Record)


@dataclass(frozen=True, slots=True)
class BadItem:
    """An item of a list that could not be read, with what of it is still legible.

    Attributes:
        error: What is wrong with it.
        kind: Name of its element, such as "DERControl".
        mrid: Its mRID in upper case, None if it has none.
        reply_to: Where an answer to it goes, None if it wants none.
        xml: The item as received.
    """

    error: MalformedError
    kind: str
    mrid: str | None
    reply_to: str | None
    xml: str


OnBad = Callable[[BadItem], None]


def parse(data: bytes, expected: type[T], *, on_bad: OnBad | None = None) -> T:
    """Read a body that must be an `expected` or one of its subclasses.

    Args:
        data: The body.
        expected: Record class; its name is that of the root element.
        on_bad: Called for each item of a list that cannot be read; without it the whole fails.

    Raises:
        OversizedError: If the body is longer than `MAX_BODY`.
        MalformedError: If it is anything else than a sound `expected`; names element and reason.
    """
    root = _root(data)
    name = etree.QName(root)
    cls = by_name(name.localname)
    if cls is None or not issubclass(cls, expected):
        raise MalformedError(name.localname, f"the root element must be {expected.__name__}")
    if name.namespace != cls.NAMESPACE:
        raise MalformedError(
            name.localname, f"its namespace is {name.namespace!r}, not {cls.NAMESPACE!r}"
        )
    return cast("T", _reader(cls).read(root, on_bad))


def parse_any(data: bytes, *, on_bad: OnBad | None = None) -> Resource:
    """Read a body that may be any resource; see `parse`."""
    return parse(data, Resource, on_bad=on_bad)


def serialize(record: Record, *, schema_ver: str | None = None) -> bytes:
    """Write a record as an XML document.

    Args:
        record: Resource or other record; the class's name becomes the root element.
        schema_ver: Value of the root's schemaVer, which the 2023 edition wants ("2.2") and the
            2018 edition does not know.

    Raises:
        MalformedError: If a value does not fit its type; names element and reason.
    """
    cls = type(record)
    name = cls.__name__ if cls.NAMESPACE == SEP_NS else f"csipaus:{cls.__name__}"
    try:
        body = _writer(cls).content(record)
    except _UnfitError as error:
        raise MalformedError("/".join((cls.__name__, *error.path)), error.reason) from None
    # The prefixes occur in a value at worst; then their declaration is merely not needed.
    spaces = f' xmlns="{SEP_NS}"'
    if "csipaus:" in body or name is not cls.__name__:
        spaces += f' xmlns:csipaus="{CSIPAUS_NS}"'
    if "xsi:type" in body:
        spaces += f' xmlns:xsi="{_XSI}"'
    if schema_ver is not None:
        spaces += f' schemaVer="{schema_ver}"'
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}{spaces}{body}</{name}>'
    return text.encode()


def _root(data: bytes) -> etree._Element:
    if len(data) > MAX_BODY:
        raise OversizedError(f"document: {len(data)} octets, at most {MAX_BODY} are read")
    declared = _DECLARED.match(data)
    if declared and declared[1].lower() not in (b"utf-8", b"us-ascii"):
        encoding = declared[1].decode("ascii", "replace")
        raise MalformedError("", f"its encoding is {encoding!r}, not UTF-8")
    if b"<!DOCTYPE" in data:
        raise MalformedError("", "a DOCTYPE is not allowed")
    try:
        return etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        raise MalformedError("", f"not well-formed XML: {error.msg or 'empty'}") from None


def _path(element: etree._Element) -> str:
    names = [etree.QName(e).localname for e in (element, *element.iterancestors())]
    return "/".join(reversed(names))


class _Reader:
    """How one record class is read."""

    __slots__ = ("_attributes", "_cls", "_elements", "_flags", "_is_list", "_required", "_variants")

    def __init__(self, cls: type[Record]) -> None:
        form = layout(cls)
        self._cls = cls
        self._attributes = {s.tag: (s.attr, reader(_scalar(s.kind))) for s in form.attributes}
        self._elements = {s.tag: (s.attr, _element(s.kind), s.repeated) for s in form.elements}
        self._required = {s.attr: s for s in form.attributes + form.elements if s.required}
        self._flags = form.flags
        self._is_list = issubclass(cls, List | SubscribableList)
        self._variants = bool(subclasses(cls))

    def read(self, element: etree._Element, on_bad: OnBad | None) -> Record:
        """Return the record, or raise `MalformedError`."""
        if self._variants and (variant := element.get(_XSI_TYPE)) is not None:
            chosen = self._variant(element, variant)
            if chosen is not self:
                return chosen.read(element, on_bad)
        values: dict[str, object] = {}
        repeated: dict[str, list[object]] = {}
        unknown: list[str] = []
        here = element
        try:
            if self._attributes:
                for key, text in element.items():
                    if key in self._attributes:
                        attr, scalar = self._attributes[key]
                        values[attr] = scalar(text)
            for here in element:
                entry = self._elements.get(here.tag)
                if entry is None:
                    unknown.append(_raw(here))
                    continue
                attr, read, many = entry
                if many:
                    items = repeated.setdefault(attr, [])
                    if on_bad is None or not self._is_list:
                        items.append(read(here, on_bad))
                    else:
                        _read_item(here, read, on_bad, items)
                elif attr in values:
                    raise ValueError("given more than once")  # noqa: TRY301 - one place adds the path
                else:
                    values[attr] = read(here, on_bad)
        except ValueError as error:
            raise MalformedError(_path(here), str(error)) from None
        for attr, items in repeated.items():
            values[attr] = tuple(items)
        if unknown:
            values["extensions"] = tuple(unknown)
        if self._flags is not None:
            self._collect_flags(element, values)
        if not self._required.keys() <= values.keys():
            missing = next(s for a, s in self._required.items() if a not in values)
            what = "element" if missing.namespace else "attribute"
            raise MalformedError(_path(element), f"mandatory {what} {missing.name} is missing")
        return self._cls(**values)  # type: ignore[arg-type]  # each is read by its field's kind

    def _variant(self, element: etree._Element, variant: str) -> "_Reader":
        """Return the reader for an xsi:type; this one if the type is none that we know."""
        name = variant.strip().rpartition(":")[2]
        cls = by_name(name) or by_name(name.removesuffix("Type"))
        if cls is None or cls is self._cls:
            return self
        if not issubclass(cls, self._cls) or issubclass(cls, Notification):
            # A notification in a notification has no meaning, but could nest without end.
            raise MalformedError(_path(element), f"xsi:type {name} has no place here")
        return _reader(cls)

    def _collect_flags(self, element: etree._Element, values: dict[str, object]) -> None:
        field, attribute = self._flags or ("", "")
        flagged = frozenset(
            self._elements[child.tag][0]
            for child in element
            if child.tag in self._elements and child.get(attribute, "").strip() in ("true", "1")
        )
        if flagged:
            values[field] = flagged


_ReadElement = Callable[[etree._Element, OnBad | None], object]


def _read_item(
    element: etree._Element, read: _ReadElement, on_bad: OnBad, items: list[object]
) -> None:
    try:
        items.append(read(element, on_bad))
    except MalformedError as error:
        namespace = f"{{{SEP_NS}}}"
        mrid = element.findtext(f"{namespace}mRID")
        on_bad(
            BadItem(
                error=error,
                kind=etree.QName(element).localname,
                mrid=mrid.strip().upper() if mrid else None,
                reply_to=element.get("replyTo"),
                xml=_raw(element),
            )
        )


def _raw(element: etree._Element) -> str:
    # Canonical form carries its own namespaces and comes out the same each time it is read.
    raw: bytes = etree.tostring(element, method="c14n", exclusive=True, with_tail=False)
    return raw.decode()


def _scalar(kind: Kind) -> "Integer | Bits | HexId | Text | type[bool]":
    ...


@functools.cache
def _reader(cls: type[Record]) -> _Reader:
    return _Reader(cls)
