"""IEEE 2030.5 XML to records and back.

Reading trusts nothing: a body is bounded in size and depth, has no DTD and hence no entities, is
UTF-8, and each value is checked against the range of its type. What a class does not know is no
error: unknown elements and attributes are kept as text and written back where they were. In a list
one bad item need not spoil the others: give `on_bad` and it is reported, the rest is read.

The work is laid out once for each class, at its first use, from the field annotations
(`resources.layout`), and then follows tables (`codec`).
"""

import re
from typing import Final, TypeVar, cast

from lxml import etree

from hems.sep2.codec.foreign import XSI_NS, Element
from hems.sep2.codec.reading import BadItem, OnBad, path, reader
from hems.sep2.codec.scalar import shown
from hems.sep2.codec.writing import qualified, writer
from hems.sep2.errors import HarmfulError, MalformedError, OversizedError
from hems.sep2.resources.base import Resource
from hems.sep2.resources.wire import ALIASES, CSIPAUS_NS, SEP_NS, STORAGE_NS, Record, by_name

__all__ = [
    "MAX_BODY",
    "MEDIA_TYPE",
    "BadItem",
    "OnBad",
    "parse",
    "parse_any",
    "root_of",
    "serialize",
]

MAX_BODY: Final = 1 << 20
"""Greatest length of a body in octets."""
_MOST_TAGS: Final = 80_000
"""Tags in a body: a long list of events has some 50,000. Each takes time, in which nothing else is
done, and four octets make one."""

MEDIA_TYPE: Final = "application/sep+xml"

_DECLARED = re.compile(rb"""^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?\sencoding\s*=\s*["']([^"']*)""")
_LONGEST_REASON: Final = 200
_LONG_TAG: Final = 4096
"""Octets; in shorter start tags there is no room for so many attributes that they take long."""
_MOST_ATTRIBUTES: Final = 256
# To read the attributes of one element takes lxml the square of their number.
_CROWDED: Final = etree.XPath(f"//*[@*[{_MOST_ATTRIBUTES + 1}]]")
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


def parse(data: bytes, expected: type[T], *, on_bad: OnBad | None = None) -> T:
    """Read a body that must be an `expected` or one of its subclasses.

    Args:
        data: The body.
        expected: Record class; its name is that of the root element.
        on_bad: Called for each item of a list that cannot be read; without it the whole fails.

    Raises:
        OversizedError: If the body is longer than `MAX_BODY`, or has more tags than any needs.
        MalformedError: If it is anything else than a sound `expected`; names element and reason.
    """
    root = root_of(data)
    name = etree.QName(root)
    cls = by_name(name.localname)
    if cls is None or not issubclass(cls, expected):
        raise MalformedError(path(root), f"the root element must be {expected.__name__}")
    if name.namespace not in (cls.NAMESPACE, *ALIASES.get(cls.NAMESPACE, ())):
        given = shown(name.namespace) if name.namespace else None
        raise MalformedError(path(root), f"its namespace is {given}, not {cls.NAMESPACE!r}")
    record = reader(cls).read(root, on_bad)
    if not isinstance(record, expected):
        raise MalformedError(path(root), f"xsi:type makes it no {expected.__name__}")
    return record


def parse_any(data: bytes, *, on_bad: OnBad | None = None) -> Resource:
    """Read a body that may be any resource; see `parse`."""
    return parse(data, Resource, on_bad=on_bad)


def serialize(
    record: Record, *, schema_ver: str | None = None, csipaus_ns: str = CSIPAUS_NS
) -> bytes:
    """Write a record as an XML document.

    Args:
        record: Resource or other record; the class's name becomes the root element.
        schema_ver: Value of the root's schemaVer, which the 2023 edition wants ("2.2") and the
            2018 edition does not know.
        csipaus_ns: The namespace of the CSIP-AUS elements; `STORAGE_NS` for a server that runs
            the draft with storage, which has moved them all.

    Raises:
        MalformedError: If a value does not fit its type; names element and reason.
    """
    cls = type(record)
    name = qualified(cls.NAMESPACE, cls.__name__)
    try:
        content = writer(cls).content(record)
    except MalformedError as error:
        raise MalformedError(f"{cls.__name__}/{error.element}", error.reason) from None
    # The prefixes may occur in a value only; then the declaration is merely not needed.
    declared = f' xmlns="{SEP_NS}"'
    if "csipaus:" in content or cls.NAMESPACE == CSIPAUS_NS:
        declared += f' xmlns:csipaus="{csipaus_ns}"'
    if "storage:" in content:
        declared += f' xmlns:storage="{STORAGE_NS}"'
    if "xsi:type" in content:
        declared += f' xmlns:xsi="{XSI_NS}"'
    if schema_ver is not None:
        declared += f' schemaVer="{schema_ver}"'
    # UTF-8 is what XML is in when it says nothing; some clients read bodies as text, and their
    # parsers then refuse any encoding that is named.
    text = f'<?xml version="1.0"?>\n<{name}{declared}{content}</{name}>'
    return text.encode()


def root_of(data: bytes) -> Element:
    """Return the root of any document that is safe to read, whatever its vocabulary.

    Raises:
        OversizedError: If it is longer than `MAX_BODY`, or has more tags than any needs.
        MalformedError: If it is no well-formed XML in UTF-8, or is made to harm its reader.
    """
    if len(data) > MAX_BODY:
        raise OversizedError(f"document: {len(data)} octets, at most {MAX_BODY} are read")
    if data.count(b"<") > _MOST_TAGS:
        raise OversizedError(f"document: more than {_MOST_TAGS} tags")
    declared = _DECLARED.match(data)
    if declared and declared[1].lower() not in (b"utf-8", b"us-ascii"):
        encoding = declared[1].decode("ascii", "replace")
        raise MalformedError("", f"its encoding is {shown(encoding)}, not UTF-8")
    # The one octet is found, or not, forty times faster, and a sound body has none.
    if b"!" in data and b"<!DOCTYPE" in data:
        raise HarmfulError("", "a DOCTYPE is not allowed")
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        raise _not_well_formed(error.msg or "empty") from None
    # An undeclared prefix is let pass by libxml2 if it has warned of something else later on.
    for problem in _PARSER.error_log:
        if problem.level >= etree.ErrorLevels.ERROR:
            raise _not_well_formed(problem.message)
    if _may_be_crowded(data):
        for crowded in cast("list[Element]", _CROWDED(root)):
            reason = f"it has more than {_MOST_ATTRIBUTES} attributes"
            raise HarmfulError(path(crowded), reason)
    return root


def _may_be_crowded(data: bytes) -> bool:
    """Whether a start tag may be longer than `_LONG_TAG`; takes a step for each so many octets."""
    place = 0
    while len(data) - place > _LONG_TAG:
        place = data.rfind(b"<", place, place + _LONG_TAG) + 1
        if place == 0:
            return True
    return False


def _not_well_formed(reason: str) -> MalformedError:
    # Some messages of libxml2 have a line end in them, and all of the input that they speak of.
    short = " ".join(reason.split())[:_LONGEST_REASON]
    return MalformedError("", f"not well-formed XML: {short}")
