"""XML as other vendors write it: made by hand, and dressed in ways that the standard allows.

Nothing here uses our own codec: a server of ours that reads what our client writes would forgive
the mistakes that both make.
"""

from enum import Enum, auto
from typing import Final, cast

from lxml import etree

SEP: Final = "urn:ieee:std:2030.5:ns"
AUS: Final = "https://csipaus.org/ns"
STORAGE: Final = "https://csipaus.org/ns/v1.3-beta/storage"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_VENDOR: Final = "urn:example:vendor:ext"
_PREFIXES: Final = {"aus": AUS, "sto": STORAGE}
_NAMES: Final = cast("dict[str, str]", {None: SEP, "aus": AUS, "sto": STORAGE, "xsi": XSI})
"""lxml takes None for the default namespace, which its stubs do not know."""

Element = etree._Element


class Dress(Enum):
    """How a document is written."""

    PLAIN = auto()
    PREFIXED = auto()
    """Every name with a prefix, none in the default namespace."""
    MARKED = auto()
    """A byte order mark in front."""
    CDATA = auto()
    """Texts in CDATA sections."""
    STRANGE = auto()
    """Elements and attributes that no edition knows, comments and processing instructions."""
    SHUFFLED = auto()
    """Links in another order than the schema's."""
    FUTURE = auto()
    """Attributes that came with the 2023 edition."""


def el(name: str, *children: "Element | str | int | None", **attributes: str | int) -> Element:
    """Return an element.

    Args:
        name: Local name; with "aus:" or "sto:" in front it is of a CSIP-AUS namespace.
        children: Elements, or its text; None is left out.
        attributes: As they are; `type_` is xsi:type.
    """
    prefix, _, local = name.rpartition(":")
    made = etree.Element(
        etree.QName(_PREFIXES.get(prefix, SEP), local),
        nsmap=_NAMES,
    )
    for key, value in attributes.items():
        if key == "type_":
            made.set(etree.QName(XSI, "type"), str(value))
        else:
            made.set(key, str(value))
    for child in children:
        if isinstance(child, str | int):
            made.text = str(child)
        elif child is not None:
            made.append(child)
    return made


def copied(element: Element) -> Element:
    """Return a copy that may be put elsewhere."""
    return etree.fromstring(etree.tostring(element))


def typed(element: Element, name: str) -> Element:
    """Return an element under the name of its base type, its own type in xsi:type."""
    made, old = el(name), copied(element)
    for key, value in old.attrib.items():
        made.set(key, value)
    made.set(etree.QName(XSI, "type"), etree.QName(old).localname)
    for child in old:
        made.append(child)
    return made


def dressed(element: Element, dress: Dress) -> bytes:
    """Return a document as octets.

    Args:
        element: Its root.
        dress: How to write it.
    """
    root = copied(element)
    if dress is Dress.STRANGE:
        _estrange(root)
    elif dress is Dress.SHUFFLED:
        _shuffle(root)
    elif dress is Dress.PREFIXED:
        root = _prefixed(root)
    elif dress is Dress.CDATA:
        for each in root.iter(f"{{{SEP}}}description", f"{{{SEP}}}mRID", f"{{{SEP}}}lFDI"):
            if each.text:
                each.text = etree.CDATA(each.text)
    elif dress is Dress.FUTURE:
        root.set("schemaVer", "2.2")
    etree.cleanup_namespaces(root)
    octets: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return b"\xef\xbb\xbf" + octets if dress is Dress.MARKED else octets


def _estrange(root: Element) -> None:
    for each in [e for e in root.iter() if isinstance(e.tag, str) and len(e)]:
        each.set(etree.QName(_VENDOR, "hint"), "7")
        each.set("futureAttribute", "yes")
        each.insert(0, etree.Comment(" from the vendor "))
        foreign = etree.SubElement(each, etree.QName(_VENDOR, "Note"))
        etree.SubElement(foreign, etree.QName(SEP, "mRID")).text = "DEADBEEF"
    root.insert(0, etree.ProcessingInstruction("vendor", "trace=1"))
    etree.SubElement(root, etree.QName(SEP, "NotYetInvented")).text = "1"


def _shuffle(root: Element) -> None:
    for each in list(root.iter()):
        links = [c for c in each if isinstance(c.tag, str) and c.tag.endswith("Link")]
        if len(links) > 1:
            for link in links:
                each.remove(link)
            for link in reversed(links):
                each.insert(0, link)


def _prefixed(root: Element) -> Element:
    names = {"s": SEP, "a": AUS, "b": STORAGE, "xsi": XSI}

    def rebuilt(old: Element) -> Element:
        new = etree.Element(old.tag, nsmap=names)
        for key, value in old.attrib.items():
            new.set(key, value)
        new.text = old.text
        for child in old:
            new.append(rebuilt(child))
        return new

    return rebuilt(root)
