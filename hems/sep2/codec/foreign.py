"""What a class does not know of an element, as XML text that can be written back."""

import re
from collections.abc import Iterable
from typing import Final

from lxml import etree

from hems.sep2.codec.scalar import escaped
from hems.sep2.resources.wire import SEP_NS, Kept

XSI_NS: Final = "http://www.w3.org/2001/XMLSchema-instance"
XSI_TYPE: Final = f"{{{XSI_NS}}}type"
_START: Final = re.compile(r"<[^\s/>]+")
_XML_NS: Final = "http://www.w3.org/XML/1998/namespace"

Element = etree._Element  # noqa: SLF001 - lxml has no public name for it


def kept_element(element: Element, after: str) -> Kept:
    """Return an unknown element that stands behind the field `after`.

    Raises:
        ValueError: If a namespace in it or around it is no URI.
    """
    # Canonical form carries its own namespaces and comes out the same each time it is read.
    try:
        raw: bytes = etree.tostring(element, method="c14n", exclusive=True, with_tail=False)
    except etree.C14NError:
        raise ValueError("a namespace in it or around it is relative, which none may be") from None
    text = raw.decode()
    sets_default = element.prefix is None and element.tag.startswith("{")
    if not sets_default and any(not inner.tag.startswith("{") for inner in element.iter()):
        # What is in no namespace would be taken for the standard's where it is written.
        text = _START.sub(r'\g<0> xmlns=""', text, count=1)
    return Kept(text, after)


def kept_attributes(
    element: Element, unknown: Iterable[tuple[str, str]], field: str = ""
) -> list[Kept]:
    """Return unknown attributes, each with the declarations that it needs.

    Args:
        element: Whose attributes they are.
        unknown: Their qualified names, as lxml gives them, and values.
        field: The field that is read from the element; "" if a whole record is.
    """
    # Numbered, because two prefixes of one element must not be the same.
    return [
        Kept(_attribute(element, key, value, number), field)
        for number, (key, value) in enumerate(unknown)
    ]


def _attribute(element: Element, key: str, value: str, number: int) -> str:
    name = etree.QName(key)
    if name.namespace is None:
        return f'{key}="{escaped(value)}"'
    if name.namespace == _XML_NS:  # bound to this prefix without being declared
        return f'xml:{name.localname}="{escaped(value)}"'
    declared = f'xmlns:x{number}="{escaped(name.namespace)}" '
    if key == XSI_TYPE:
        # The value is a name too, and its prefix may mean something else where it is written.
        prefix, _, local = value.strip().rpartition(":")
        namespace = element.nsmap.get(prefix or None) or SEP_NS
        declared += f'xmlns:t{number}="{escaped(namespace)}" '
        value = f"t{number}:{local}"
    return f'{declared}x{number}:{name.localname}="{escaped(value)}"'
